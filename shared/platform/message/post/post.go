// Package post hands messages to programs of others over HTTPS (HTTP/1.1), one request and one connection each, says
// what became of it, and may ask for what such a program knows of one.
//
// It promises to connect to the network it was made for and nowhere else, whatever a name resolves to, to follow no
// redirect and to repeat nothing. Once the last byte of a request may have left, nothing but an answer tells whether it
// was taken: without one the outcome is unknown. Of an answer it reads the
// body only where somebody looks for a reference in it, and no error's text holds a URL.
package post

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/reach"
)

// Limits of one request.
const (
	Timeout = 10 * time.Second // from the look-up of the name to the answer
	MaxBody = 512 << 10        // bytes

	maxAnswer = 64 << 10  // bytes
	maxAfter  = time.Hour // that an answer may ask to wait
)

// Client posts. It is safe for concurrent use.
type Client struct {
	// Known says that whoever answers knows a repetition by an id each request carries. It is not changed after the first
	// request.
	Known bool
	// Reference, if set, finds in an answer that takes a message, of which it is given no more than 64 KiB, what the server
	// calls it.
	Reference func(answer []byte) string
	client    *http.Client
}

// New returns a client for a network, which trusts certificates that lead to roots, nil for those of the system.
func New(to reach.Network, roots *x509.CertPool) *Client {
	client := reach.Client(to, roots, Timeout)
	if t, ok := client.Transport.(*http.Transport); ok {
		// On a connection of its own, which HTTP/2 would share, a request fails before it was sent or after, and never because
		// another one was ending.
		t.DisableKeepAlives, t.ForceAttemptHTTP2 = true, false
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(true)
	}
	return &Client{client: client}
}

// Post sends body, as JSON, and judges the answer: 2yz is Accepted; 408, 425, 429 and 503 say that it was not taken now
// (Deferred). A server that broke (500) may have taken it before: that is Unknown, and Deferred where a repetition is Known
// and does no harm. Any other 5yz speaks for a server behind it (RFC 9110, section 15.6) and is Unknown, as is no answer; the
// rest, redirects with it, is Failed. So is what cannot be called at all, and an address out of reach, which is Denied.
func (c *Client) Post(ctx context.Context, url string, header http.Header, body []byte) (message.Outcome, error) {
	if len(body) > MaxBody {
		return message.Failed, fault.New(fault.Invalid, "posting a message: it is over %d bytes", MaxBody)
	}
	sent, wire := &content{rest: bytes.NewReader(body)}, message.WireOf(ctx)
	r, err := http.NewRequestWithContext(watched(ctx, wire), http.MethodPost, url, sent)
	if err != nil || r.URL.Scheme != "https" || r.URL.Host == "" || r.URL.User != nil {
		return message.Failed, fault.New(fault.Invalid, "posting a message: the URL is not https://HOST/PATH")
	}
	r.ContentLength = int64(len(body))
	maps.Copy(r.Header, header)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Ostiary")
	answer, err := c.client.Do(r)
	if err != nil {
		return sent.explain(err)
	}
	defer answer.Body.Close()
	outcome, err := c.judge(answer.StatusCode)
	switch {
	case outcome == message.Deferred:
		wire.After = reach.RetryAfter(answer.Header, maxAfter)
	case outcome == message.Accepted && c.Reference != nil:
		// What is cut short is no reference, and the message is theirs all the same.
		said, _ := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
		wire.Named(c.Reference(said))
	}
	return outcome, err
}

// watched writes down how the connection is protected. The transport says so before it sends, on the goroutine of the
// request.
func watched(ctx context.Context, wire *message.Wire) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if c, secured := got.Conn.(*tls.Conn); secured {
			wire.Protected(c.ConnectionState())
		}
	}})
}

func (c *Client) judge(status int) (message.Outcome, error) {
	switch {
	case status >= 200 && status <= 299:
		return message.Accepted, nil
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests,
		status == http.StatusServiceUnavailable, status == http.StatusInternalServerError && c.Known:
		return message.Deferred, fault.New(fault.Transient, "posting a message: put off with %d", status)
	case status >= 500:
		return message.Unknown, fault.New(fault.Transient, "posting a message: answered with %d", status)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return message.Failed, fault.New(fault.Misconfigured, "posting a message: refused with %d", status) // what we prove ourselves by is not right
	}
	return message.Failed, fault.New(fault.Invalid, "posting a message: refused with %d", status)
}

// content is a body that knows whether all of it was handed to the connection.
type content struct {
	rest *bytes.Reader
	gone atomic.Bool
}

// Read implements io.Reader. It marks the end before the last bytes can be on their way.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.rest.Read(p)
	if c.rest.Len() == 0 {
		c.gone.Store(true)
	}
	return n, err
}

var _ io.Reader = (*content)(nil)

// explain says what the lack of an answer means. The error of the client would show the URL, which may be a secret.
func (c *content) explain(err error) (message.Outcome, error) {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, reach.ErrOutOfReach):
		return message.Failed, fault.New(fault.Denied, "posting a message: %w", reach.ErrOutOfReach)
	case untrusted:
		return message.Deferred, fault.New(fault.Misconfigured, "posting a message: the server's certificate is not to be trusted")
	case c.gone.Load():
		return message.Unknown, fault.New(fault.Transient, "posting a message: no answer")
	}
	return message.Deferred, fault.New(fault.Transient, "posting a message: no connection")
}
