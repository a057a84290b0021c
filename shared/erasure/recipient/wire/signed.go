package wire

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/platform/fault"
)

// signed says what an answer confirms: nothing, unless it was signed with the key of the certificate that the recipient's domain
// publishes. A certificate that cannot be had now is asked for again, with the request, which is the same each time.
func (c *Client) signed(ctx context.Context, to datamap.Recipient, h http.Header, body []byte) recipient.Answer {
	if c.Unsigned {
		return recipient.Answer{Result: recipient.Heard}
	}
	err := c.believe(ctx, to, h, body)
	switch {
	case err == nil:
		return recipient.Answer{Result: recipient.Heard}
	case fault.Is(err, fault.Transient):
		return recipient.Answer{Result: recipient.Later, Why: "certificate_unreachable"}
	}
	return recipient.Answer{Result: recipient.Refused, Why: "answer_unsigned"}
}

// believe is nil for an answer that the recipient signed; Transient where nobody can tell now, else Denied.
func (c *Client) believe(ctx context.Context, to datamap.Recipient, h http.Header, body []byte) error {
	base, err := url.Parse(to.To)
	if err != nil {
		return fault.New(fault.Denied, "checking an answer: whose it is")
	}
	domain, signature := opendsr.Headers(opendsr.V2)
	if !strings.EqualFold(h.Get(domain), base.Hostname()) || h.Get(signature) == "" {
		return fault.New(fault.Denied, "checking an answer: it is not signed, or by another domain")
	}
	text, err := c.get(ctx, strings.TrimRight(to.To, "/")+"/discovery")
	if err != nil {
		return err
	}
	var d opendsr.Discovery
	if json.Unmarshal(text, &d) != nil {
		return fault.New(fault.Denied, "checking an answer: discovery is not JSON")
	}
	at, err := url.Parse(d.Certificate)
	if err != nil || at.Scheme != "https" || at.Host != base.Host || at.User != nil {
		return fault.New(fault.Denied, "checking an answer: the certificate is not on the recipient's own domain")
	}
	bundle, err := c.get(ctx, d.Certificate)
	if err != nil {
		return err
	}
	cert, err := opendsr.Certificate(bundle, base.Hostname(), c.Roots, c.clock.Now())
	if err != nil {
		return err
	}
	if !opendsr.Verify(cert.PublicKey, body, h.Get(signature)) {
		return fault.New(fault.Denied, "checking an answer: the signature is another's, or of something else")
	}
	return nil
}

// get reads what a recipient publishes: Transient where he does not answer, Denied where he answers something else.
func (c *Client) get(ctx context.Context, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fault.New(fault.Denied, "reading what a recipient publishes: the address is no URL")
	}
	got, err := c.http.Do(r)
	if err != nil {
		return nil, fault.New(fault.Transient, "reading what a recipient publishes: he does not answer")
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, mostAnswer))
	switch {
	case err != nil || got.StatusCode >= 500 || got.StatusCode == http.StatusTooManyRequests:
		return nil, fault.New(fault.Transient, "reading what a recipient publishes: not now")
	case got.StatusCode != http.StatusOK:
		return nil, fault.New(fault.Denied, "reading what a recipient publishes: status %d", got.StatusCode)
	}
	return text, nil
}
