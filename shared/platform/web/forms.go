package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"ostiary.internal/shared/platform/fault"
)

// FormLife is how long a form may be sent after its page was made.
const FormLife = 10 * time.Minute

// TokenField is the name of the hidden field that carries the token.
const TokenField = "csrf"

// leastKeyBytes is the least length of the key: as strong as the hash.
const leastKeyBytes = 32

// Forms makes and checks the tokens that bind a form to the person it was made for (against cross-site request
// forgery). A token proves that we made this form for this subject and purpose within the last ten minutes, not who
// sent it, and it may be used more than once.
type Forms struct{ key []byte }

// NewForms takes a key of at least 32 bytes; a shorter one is Misconfigured.
func NewForms(key []byte) (*Forms, error) {
	if len(key) < leastKeyBytes {
		return nil, fault.New(fault.Misconfigured, "form key: %d bytes, at least %d are needed", len(key), leastKeyBytes)
	}
	return &Forms{bytes.Clone(key)}, nil
}

// Token returns the token of a form made now for subject; purpose tells forms apart, such as "registerip/lease".
func (f *Forms) Token(subject, purpose string, now time.Time) string {
	expiry := binary.BigEndian.AppendUint64(nil, uint64(now.Add(FormLife).Unix()))
	return base64.RawURLEncoding.EncodeToString(append(expiry, f.mac(subject, purpose, expiry)...))
}

// Check returns nil for a token of Token with the same subject and purpose, until it expires. Otherwise Denied with
// code "form_expired", whatever is wrong with it.
func (f *Forms) Check(token, subject, purpose string, now time.Time) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 8+sha256.Size || len(token) != base64.RawURLEncoding.EncodedLen(len(raw)) { // line breaks would be skipped
		return formExpired(errors.New("the token is malformed"))
	}
	expiry := raw[:8]
	if !hmac.Equal(raw[8:], f.mac(subject, purpose, expiry)) {
		return formExpired(errors.New("the token is not for this subject and purpose"))
	}
	if now.Unix() >= int64(binary.BigEndian.Uint64(expiry)) {
		return formExpired(errors.New("the token has expired"))
	}
	return nil
}

// mac authenticates the three parts; the lengths keep them apart.
func (f *Forms) mac(subject, purpose string, expiry []byte) []byte {
	h := hmac.New(sha256.New, f.key)
	for _, part := range [][]byte{[]byte("ostiary form v1"), []byte(subject), []byte(purpose), expiry} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	return h.Sum(nil)
}

func formExpired(why error) error {
	return &fault.Error{Kind: fault.Denied, Code: "form_expired", Err: why,
		Detail: "The form is too old, or was made for somebody else.", Next: "Open the page again and send it within ten minutes."}
}

// Read reads a posted form of at most MaxBodyBytes and checks its token. Fields in the URL's query are not read.
// Errors: those of Check and ReadForm.
func (f *Forms) Read(w http.ResponseWriter, r *http.Request, subject, purpose string, now time.Time) (url.Values, error) {
	values, err := ReadForm(w, r)
	if err != nil {
		return nil, err
	}
	if err := f.Check(values.Get(TokenField), subject, purpose, now); err != nil {
		return nil, err
	}
	return values, nil
}

// ReadForm reads a posted form of at most MaxBodyBytes from a page that needs no token: nobody is signed in whose rights
// another site could use. Fields in the URL's query are not read. Errors: Invalid with code "body_invalid" (400) or
// "too_large" (413).
func ReadForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if err := mediaType(r, "application/x-www-form-urlencoded"); err != nil {
		return nil, err
	}
	data, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(data))
	if err != nil || !plain(values) {
		return nil, bodyInvalid("The form cannot be read.", "Open the page again.")
	}
	return values, nil
}

// plain reports whether all names and values are UTF-8 without NUL.
func plain(values url.Values) bool {
	for name, list := range values {
		for _, text := range append(list, name) {
			if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
				return false
			}
		}
	}
	return true
}

// SeeOther answers a form that was done by sending the browser to a page of ours (RFC 9110, section 15.4.4), so
// that reloading does not send the form again. path must begin with a single slash; anything else could lead to
// another site and is Invalid.
func SeeOther(w http.ResponseWriter, path string) error {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t\x00") {
		return fault.New(fault.Invalid, "redirecting: the target is not a path of ours")
	}
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
