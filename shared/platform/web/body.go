package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web/strictjson"
)

// Limits of a request's body.
const (
	MaxBodyBytes = 64 << 10
	MaxBodyDepth = 16 // nested objects and lists
)

const jsonType = "application/json"

// DecodeBody reads the request's body: one JSON object of at most MaxBodyBytes, media type application/json, read
// as strictly as package strictjson does. The names in ignored may also occur; those that did are returned, so that
// the caller can be told. Errors: Invalid with code "body_invalid" (400), its detail naming the field, never a
// value; code "too_large" (413).
func DecodeBody[T any](w http.ResponseWriter, r *http.Request, ignored ...string) (T, []string, error) {
	return DecodeLarge[T](w, r, MaxBodyBytes, ignored...)
}

// DecodeLarge is DecodeBody for a route that takes at most so many bytes.
func DecodeLarge[T any](w http.ResponseWriter, r *http.Request, most int64, ignored ...string) (T, []string, error) {
	var into, none T
	if err := mediaType(r, jsonType); err != nil {
		return none, nil, err
	}
	data, err := readUpTo(w, r, most)
	if err != nil {
		return none, nil, err
	}
	seen, err := strictjson.Decode(data, MaxBodyDepth, &into, ignored...)
	if err != nil {
		return none, nil, bodyInvalid("The body is not accepted: "+err.Error()+".", "Send one JSON object as described at openapi.json.")
	}
	return into, seen, nil
}

// mediaType refuses a body of another type, encoding or character set.
func mediaType(r *http.Request, want string) error {
	got, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || got != want || charset != "" && !strings.EqualFold(charset, "utf-8") || r.Header.Get("Content-Encoding") != "" {
		return bodyInvalid("The body must be "+want+" in UTF-8, not compressed.", "Set the header Content-Type to "+want+".")
	}
	return nil
}

// readBody reads at most MaxBodyBytes.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return readUpTo(w, r, MaxBodyBytes)
}

func readUpTo(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		refusal := fault.Refuse(fault.Invalid, "too_large", "The body is larger than "+strconv.FormatInt(most, 10)+" bytes.", "Send less.")
		refusal.Status = http.StatusRequestEntityTooLarge
		return nil, refusal
	}
	if err != nil {
		return nil, bodyInvalid("The body did not arrive whole.", "Send it again.")
	}
	return data, nil
}

func bodyInvalid(detail, next string) error {
	return fault.Refuse(fault.Invalid, "body_invalid", detail, next)
}

// WriteJSON answers v as JSON. Nothing is written when v cannot be encoded; that error is unclassified, a fault of
// the build. An error of the connection is not returned: nobody is left to read about it.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	return writeBytes(w, status, jsonType, append(data, '\n'))
}

func writeBytes(w http.ResponseWriter, status int, contentType string, data []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data)
	return nil
}
