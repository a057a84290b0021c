// Package wire tells recipients over HTTPS that data they were given has been erased: by OpenDSR 2.0 (POST BASE/requests),
// or by a webhook of our own form.
//
// A webhook is a POST of JSON, with an Ostiary-Signature as package hook describes it where the recipient has a secret (the
// call is "notice"); an answer of 2xx confirms that it was taken:
//
//	{"v":1,"event":"erasure","id":"UUID","identities":[{"kind":"email","value":"..."}],"received":"RFC 3339","executed":"RFC 3339"}
//
// Of an account that closes "tenant" stands in the place of "identities". The same id may come again.
//
// By OpenDSR somebody is named by the identity types of the data map alone: a recipient who knows people by anything else, and the
// end of an account, for which the protocol has no word, are for a person. What he answers counts once he has signed it, by the
// certificate that his own domain publishes.
//
// The package promises that nothing goes anywhere but to the recipient's own address on the internet, over TLS (no
// redirect, no address of a private network); that no error and no Answer holds any of it; and that what cannot be told for
// sure is not taken for a confirmation.
package wire

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/hook"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
)

const (
	timeout    = 20 * time.Second
	mostAnswer = 64 << 10
	mostWait   = 24 * time.Hour
)

// Client tells recipients. It is safe for concurrent use.
type Client struct {
	// Roots are the authorities by which processors' certificates are believed; nil for those of the system.
	Roots *x509.CertPool
	// Unsigned has answers count that nobody signed: of what stands for recipients on a laptop.
	Unsigned bool

	http   *http.Client
	secret func(ctx context.Context, name string) ([]byte, error)
	clock  clock.Clock
}

// New returns a client that reaches the internet and nothing else; secret reads the secret of a recipient. A transport other
// than nil is used as it is.
func New(transport http.RoundTripper, secret func(ctx context.Context, name string) ([]byte, error), clk clock.Clock) *Client {
	c := &Client{http: reach.Client(reach.Public, nil, timeout), secret: secret, clock: clk}
	if transport != nil {
		c.http.Transport = transport
	}
	return c
}

// Send tells a recipient. An error is Misconfigured: the map does not describe him well enough; or that of reading his
// secret.
func (c *Client) Send(ctx context.Context, to datamap.Recipient, m recipient.Message) (recipient.Answer, error) {
	u, err := url.Parse(to.To)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return recipient.Answer{}, fault.New(fault.Misconfigured, "telling recipient %q: the address is no https URL", to.ID)
	}
	if to.By == datamap.ByOpenDSR && !m.Typed() {
		return recipient.Answer{Result: recipient.Refused, Why: "no_type"}, nil
	}
	var secret []byte
	if to.Secret != "" {
		if secret, err = c.secret(ctx, to.Secret); err != nil {
			return recipient.Answer{}, err
		}
	}
	var r *http.Request
	switch to.By {
	case datamap.ByOpenDSR:
		r, err = asOpenDSR(ctx, to, m, secret)
	case datamap.ByWebhook:
		r, err = c.asWebhook(ctx, to, m, secret)
	default:
		err = fault.New(fault.Misconfigured, "telling recipient %q: no program listens", to.ID)
	}
	if err != nil {
		return recipient.Answer{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "ostiary")
	return c.ask(r, to, m)
}

// ask sends a request and reads what became of it.
func (c *Client) ask(r *http.Request, to datamap.Recipient, m recipient.Message) (recipient.Answer, error) {
	got, body, failed := reach.Ask(c.http, r, mostAnswer, mostWait)
	if failed != nil {
		result := recipient.Refused
		if failed.Again {
			result = recipient.Later
		}
		return recipient.Answer{Result: result, After: failed.After, Why: failed.Why}, nil
	}
	switch code := got.StatusCode; {
	case to.By == datamap.ByOpenDSR && code == http.StatusCreated:
		var said opendsr.Created
		if json.Unmarshal(body, &said) != nil || said.ID != m.ID {
			return recipient.Answer{Result: recipient.Refused, Why: "answer_invalid"}, nil
		}
		return c.signed(r.Context(), to, got.Header, body), nil
	case to.By == datamap.ByWebhook && code >= 200 && code < 300:
		return recipient.Answer{Result: recipient.Heard}, nil
	}
	return recipient.Answer{Result: recipient.Refused, Why: "status_" + strconv.Itoa(got.StatusCode)}, nil
}

// notice is the body of a webhook.
type notice struct {
	V          int                  `json:"v"`
	Event      string               `json:"event"`
	ID         string               `json:"id"`
	Identities []recipient.Identity `json:"identities,omitempty"`
	Tenant     string               `json:"tenant,omitempty"`
	Received   time.Time            `json:"received"`
	Executed   time.Time            `json:"executed"`
}

func (c *Client) asWebhook(ctx context.Context, to datamap.Recipient, m recipient.Message, secret []byte) (*http.Request, error) {
	body, err := json.Marshal(notice{1, "erasure", m.ID, m.Identities, m.Tenant, m.Received, m.Executed})
	if err != nil {
		return nil, fault.New(fault.Invalid, "telling recipient %q: the notice cannot be written", to.ID)
	}
	r, err := post(ctx, to, to.To, body)
	if err == nil && secret != nil {
		unix := strconv.FormatInt(c.clock.Now().Unix(), 10)
		r.Header.Set("Ostiary-Time", unix)
		r.Header.Set("Ostiary-Signature", hook.Sign(secret, unix, "notice", body))
	}
	return r, err
}

// created is the body of POST /requests (OpenDSR 2.0). The same bytes go each time: other ones under the same id would be a
// conflict.
type created struct {
	Regulation string     `json:"regulation"`
	ID         string     `json:"subject_request_id"`
	Type       string     `json:"subject_request_type"`
	Submitted  time.Time  `json:"submitted_time"`
	Version    string     `json:"api_version"`
	Identities []identity `json:"subject_identities"`
}

type identity struct {
	Type   opendsr.IdentityType `json:"identity_type"`
	Value  string               `json:"identity_value"`
	Format opendsr.Format       `json:"identity_format"`
}

func asOpenDSR(ctx context.Context, to datamap.Recipient, m recipient.Message, secret []byte) (*http.Request, error) {
	q := created{"gdpr", m.ID, "erasure", m.Received.UTC().Truncate(time.Second), "2.0", nil}
	for _, i := range m.Identities {
		q.Identities = append(q.Identities, identity{i.Type, i.Value, opendsr.Raw})
	}
	body, err := json.Marshal(q)
	if err != nil {
		return nil, fault.New(fault.Invalid, "telling recipient %q: the request cannot be written", to.ID)
	}
	r, err := post(ctx, to, strings.TrimRight(to.To, "/")+"/requests", body)
	if err == nil && secret != nil {
		r.Header.Set("Authorization", "Bearer "+string(secret))
	}
	return r, err
}

func post(ctx context.Context, to datamap.Recipient, address string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "telling recipient %q: the address is no URL", to.ID)
	}
	return r, nil
}
