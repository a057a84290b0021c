// Package verify checks that a webhook came from the company that sends it, was not altered, and is not an old one. It is
// for those who receive webhooks: it needs the standard library alone and may be copied as it is.
//
// The scheme is that of the Standard Webhooks specification, version 1.0, which libraries of many languages check. A request
// carries three headers: webhook-id (the same at every try of one message), webhook-timestamp (seconds since 1970, when
// this try was made) and webhook-signature (one or more signatures, separated by spaces, each "v1," and the base64 of
// HMAC-SHA256 over ID.TIMESTAMP.BODY). While a secret is being exchanged there are two signatures, by the new and by the
// old one; either is enough. testdata/vectors.json has examples for implementations in other languages.
//
// Verify the bytes of the body as they came: JSON that was decoded and encoded again is other bytes. Answer with 2xx once
// the message is safe with you, within 10 seconds; remember its id for some days, and answer 2xx without doing anything
// when it comes again. The package remembers nothing: within the tolerance a replay verifies.
package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of the headers.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Tolerance is how far the time of a try may lie from the receiver's, in either direction.
const Tolerance = 5 * time.Minute

// Prefix begins every secret; base64 of 24 to 64 random bytes follows.
const Prefix = "whsec_"

// Why a request is not to be believed. The texts hold nothing of it.
var (
	ErrSecret    = errors.New("webhook: a secret is not whsec_ and the base64 of 24 to 64 bytes")
	ErrHeaders   = errors.New("webhook: the id, the timestamp or the signature is missing or malformed")
	ErrTime      = errors.New("webhook: the timestamp is too far from now")
	ErrSignature = errors.New("webhook: no signature is of a known secret")
)

// maxSignatures of one request are looked at: senders use one or two.
const maxSignatures = 10

// Verify returns nil when the body is signed by one of the secrets and the request is not older or newer than Tolerance.
// now is the time of the receiver's clock. Otherwise the error is one of the above: answer with 400 or 401 and do nothing.
func Verify(secrets []string, header http.Header, body []byte, now time.Time) error {
	id, stamp, given := header.Get(HeaderID), header.Get(HeaderTimestamp), strings.Fields(header.Get(HeaderSignature))
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	// A full stop within the id would let the parts of what is signed be cut elsewhere.
	if err != nil || id == "" || strings.Contains(id, ".") || len(given) == 0 || strconv.FormatInt(seconds, 10) != stamp {
		return ErrHeaders
	}
	at := time.Unix(seconds, 0)
	if at.Before(now.Add(-Tolerance)) || at.After(now.Add(Tolerance)) {
		return ErrTime
	}
	found := false
	for _, secret := range secrets {
		want, err := Sign(secret, id, at, body)
		if err != nil {
			return err
		}
		for _, one := range given[:min(len(given), maxSignatures)] {
			found = hmac.Equal([]byte(one), []byte(want)) || found // in a time that tells nothing of either
		}
	}
	if !found {
		return ErrSignature
	}
	return nil
}

// Sign returns one signature, "v1," and base64, as the header has it. The error is ErrSecret.
func Sign(secret, id string, at time.Time, body []byte) (string, error) {
	encoded, ok := strings.CutPrefix(secret, Prefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return "", ErrSecret
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}
