package web

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// maxParts is how many fields a form with a file may have.
const maxParts = 50

// Upload reads a posted form (multipart/form-data, RFC 7578) with at most one file of at most most bytes, in the field of
// that name, and checks its token. The file's name and type are the sender's word and not looked at. All other fields
// together are at most MaxBodyBytes. Errors: those of Read, form_expired together with what was filled in; "too_large" also
// for a larger file.
func (f *Forms) Upload(w http.ResponseWriter, r *http.Request, subject, purpose, field string, most int64, now time.Time) (url.Values, []byte, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || r.Header.Get("Content-Encoding") != "" {
		return nil, nil, bodyInvalid("The form must be multipart/form-data, not compressed.", "Open the page again.")
	}
	parts := multipart.NewReader(http.MaxBytesReader(w, r.Body, most+2*MaxBodyBytes), params["boundary"])
	values, file, err := readParts(parts, field, most)
	if err != nil {
		return nil, nil, err
	}
	if !plain(values) {
		return nil, nil, bodyInvalid("The form cannot be read.", "Open the page again.")
	}
	return values, file, f.Check(values.Get(TokenField), subject, purpose, now)
}

func readParts(parts *multipart.Reader, field string, most int64) (values url.Values, file []byte, err error) {
	values = url.Values{}
	left := int64(MaxBodyBytes)
	for range maxParts {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return values, file, nil
		} else if err != nil {
			return nil, nil, cutOff(err)
		}
		name, limit := part.FormName(), left
		if name == field {
			limit = most
		}
		data, err := io.ReadAll(io.LimitReader(part, limit+1))
		switch {
		case err != nil:
			return nil, nil, cutOff(err)
		case int64(len(data)) > limit:
			return nil, nil, largerThan(limit)
		case name == field && file == nil:
			file = data
		case name == field || name == "":
			return nil, nil, bodyInvalid("The form cannot be read.", "Open the page again.")
		default:
			values.Add(name, string(data))
			left -= int64(len(data))
		}
	}
	return nil, nil, bodyInvalid("The form has too many fields.", "Open the page again.")
}

func cutOff(err error) error {
	if tooLarge, is := errors.AsType[*http.MaxBytesError](err); is {
		return largerThan(tooLarge.Limit)
	}
	return bodyInvalid("The form did not arrive whole.", "Send it again.")
}

func largerThan(limit int64) error {
	refusal := fault.Refuse(fault.Invalid, "too_large", "What was sent is larger than "+strconv.FormatInt(limit, 10)+" bytes.", "Send less.")
	refusal.Status = http.StatusRequestEntityTooLarge
	return refusal
}
