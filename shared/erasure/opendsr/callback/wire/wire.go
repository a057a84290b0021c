// Package wire posts what controllers are told to their programs, over HTTPS.
//
// It promises to reach addresses of the internet and no other, to follow no redirect, and to take no answer but one of
// success for a yes. It reads no answer's body.
package wire

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
)

// patience bounds one call.
const patience = 15 * time.Second

// New returns what posts a body. via stands for the internet; nil for the internet itself. Errors: Denied for an address that
// is out of reach, Transient for every other. No error's text holds the URL.
func New(via http.RoundTripper) func(ctx context.Context, url string, header map[string][]string, body []byte) error {
	client := reach.Client(reach.Public, nil, patience)
	if via != nil {
		client.Transport = via
	}
	return func(ctx context.Context, url string, header map[string][]string, body []byte) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return fault.New(fault.Denied, "posting a status: the URL cannot be called")
		}
		maps.Copy(r.Header, header)
		r.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(r)
		switch {
		case errors.Is(err, reach.ErrOutOfReach):
			return fault.New(fault.Denied, "posting a status: %w", reach.ErrOutOfReach)
		case err != nil:
			return fault.New(fault.Transient, "posting a status: no answer")
		}
		_ = answer.Body.Close() // unread: what it says changes nothing
		if answer.StatusCode < 200 || answer.StatusCode > 299 {
			return fault.New(fault.Transient, "posting a status: answered by %d", answer.StatusCode)
		}
		return nil
	}
}
