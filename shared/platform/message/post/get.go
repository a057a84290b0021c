package post

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net/http"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/reach"
)

// Get asks for what a server says at a URL, of which it reads no more than 64 KiB. NotFound: there is no such thing; what a
// server says to a 404 comes with the error. Transient: it did not say. Misconfigured: it does not take what we prove ourselves by, or its certificate is not to be trusted. Invalid:
// anything else, redirects with it, and an answer that is longer. How long a server asks to wait stands in message.Wire.
func (c *Client) Get(ctx context.Context, url string, header http.Header) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil || r.URL.Scheme != "https" || r.URL.Host == "" || r.URL.User != nil {
		return nil, fault.New(fault.Invalid, "asking about a message: the URL is not https://HOST/PATH")
	}
	maps.Copy(r.Header, header)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "Ostiary")
	answer, err := c.client.Do(r)
	if err != nil {
		return nil, unanswered(err)
	}
	defer answer.Body.Close()
	var absent error
	switch status := answer.StatusCode; {
	case status == http.StatusGone:
		return nil, fault.New(fault.NotFound, "asking about a message: not known there any more")
	case status == http.StatusNotFound:
		absent = fault.New(fault.NotFound, "asking about a message: not known there")
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return nil, fault.New(fault.Misconfigured, "asking about a message: refused with %d", status)
	case status == http.StatusTooManyRequests, status >= 500:
		message.WireOf(ctx).After = reach.RetryAfter(answer.Header, maxAfter)
		return nil, fault.New(fault.Transient, "asking about a message: answered with %d", status)
	case status != http.StatusOK:
		return nil, fault.New(fault.Invalid, "asking about a message: answered with %d", status)
	}
	said, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case absent != nil && (err != nil || len(said) > maxAnswer):
		return nil, absent
	case err != nil:
		return nil, fault.New(fault.Transient, "asking about a message: the answer was cut")
	case len(said) > maxAnswer:
		return nil, fault.New(fault.Invalid, "asking about a message: the answer is over %d bytes", maxAnswer)
	}
	return said, absent
}

// unanswered says why there is no answer. The error of the client would show the URL, which may be a secret.
func unanswered(err error) error {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, reach.ErrOutOfReach):
		return fault.New(fault.Denied, "asking about a message: %w", reach.ErrOutOfReach)
	case untrusted:
		return fault.New(fault.Misconfigured, "asking about a message: the server's certificate is not to be trusted")
	}
	return fault.New(fault.Transient, "asking about a message: no answer")
}
