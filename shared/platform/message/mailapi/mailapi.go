// Package mailapi sends mail through a provider's HTTP API: one POST of the JSON {from, to, subject, text, headers} each, with
// a bearer token and an Idempotency-Key. Several providers take that form as it is; for any other, whoever runs the gateway
// maps it.
//
// The key, and the Message-ID in headers, are the same at every try of a message. The package does not trust in them: how long a
// provider knows a key is its own affair, and a message whose outcome is unknown is not repeated to a customer on the strength of
// a key alone. Accepted means that the provider took it; by what it calls the message, as {"id"} of its answer, it is asked later
// what became of it: GET ENDPOINT/ID, of which {"id", "last_event"} is read. It does not say when; bounces that reach the sender's
// mailbox are not read.
//
// Of a message whose outcome is unknown the provider, or the gateway before it, is asked whether it took it: GET
// ENDPOINT?idempotency_key=KEY, answered by 200 with {"id", "idempotency_key"} where it did, and by 404 with {"idempotency_key"}
// where it did not. Whoever answers so gives the key back as it was, knows it for more than 24 hours, and takes no second message
// under it. What anybody else answers tells nothing: then a person finds out.
package mailapi

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/post"
	"ostiary.internal/shared/platform/reach"
	"ostiary.internal/shared/platform/secret"
)

func init() {
	message.Drivers.Register("mailapi", func(_ context.Context, u *url.URL, o message.Options) (message.Channel, error) {
		c, err := readURL(u, o)
		if err != nil {
			return nil, err
		}
		return New(c)
	})
}

// Config says where the provider is.
type Config struct {
	Endpoint string       // https
	From     mail.Address // sender of every message
	Token    post.Secret  // one line
	Network  reach.Network
	Roots    *x509.CertPool // nil: the system's
}

// Channel speaks to one provider. It is safe for concurrent use.
type Channel struct {
	Config
	client *post.Client
	domain string // of From: the right side of a Message-ID
}

var (
	address = regexp.MustCompile("^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}$") // RFC 5321, section 4.1.2, without quotes
	bearer  = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)                                       // RFC 6750, section 2.1
)

// New returns a channel; nothing is connected. Misconfigured when the sender has no address, or a name of more than one line.
func New(c Config) (*Channel, error) {
	if !address.MatchString(c.From.Address) || strings.ContainsAny(c.From.Name, "\r\n") {
		return nil, fault.New(fault.Misconfigured, "mailapi: the sender's address (from) is missing or malformed")
	}
	client := post.New(c.Network, c.Roots)
	client.Reference = reference
	return &Channel{Config: c, client: client, domain: c.From.Address[strings.LastIndexByte(c.From.Address, '@')+1:]}, nil
}

// readURL reads mailapi:https://HOST/PATH?secret=NAME&from=ADDRESS.
func readURL(u *url.URL, o message.Options) (Config, error) {
	refuse := func(what string) (Config, error) {
		return Config{}, fault.New(fault.Misconfigured, "mailapi: %s", what)
	}
	endpoint, err := url.Parse(u.Opaque)
	if err != nil || endpoint.Scheme != "https" || endpoint.Host == "" || endpoint.User != nil {
		return refuse("want mailapi:https://HOST/PATH?secret=NAME&from=ADDRESS")
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(options) != 2 || len(options["secret"]) != 1 || len(options["from"]) != 1 {
		return refuse("the options are secret=NAME and from=ADDRESS, each once")
	}
	from, err := mail.ParseAddress(options.Get("from"))
	if err != nil {
		return refuse("the sender's address (from) is malformed")
	}
	if o.Secrets == nil {
		return refuse("a secret is named, and no secret store is configured")
	}
	if _, _, err := secret.Parse(options.Get("secret")); err != nil {
		return Config{}, err
	}
	return Config{Endpoint: u.Opaque, From: *from, Token: post.Secret{Name: options.Get("secret"), Store: o.Secrets}, Network: reach.Public}, nil
}

// body is what is posted of a message.
type body struct {
	From    string            `json:"from"`
	To      string            `json:"to"`
	Subject string            `json:"subject"`
	Text    string            `json:"text"`
	Headers map[string]string `json:"headers"`
}

// Send hands one message to the provider. Outcomes are those of package post. A token that cannot be read puts the message
// off.
func (c *Channel) Send(ctx context.Context, m message.Message) (message.Outcome, error) {
	if err := m.Check(); err != nil {
		return message.Failed, err
	}
	// An API may read a list, a name or a comment where one address is meant.
	if !address.MatchString(m.To) {
		return message.Failed, fault.New(fault.Invalid, "reading a mail address: want one address alone, as LOCAL@DOMAIN")
	}
	content, err := json.Marshal(body{
		From: c.From.String(), To: m.To, Subject: m.Subject, Text: m.Text,
		Headers: map[string]string{"Message-ID": "<" + m.ID + "@" + c.domain + ">", "Auto-Submitted": "auto-generated"}, // RFC 3834, section 5
	})
	if err != nil {
		return message.Failed, fault.New(fault.Invalid, "encoding a message: %w", err)
	}
	header, err := c.authorization(ctx)
	if err != nil {
		return message.Deferred, err
	}
	header.Set("Idempotency-Key", m.ID)
	return c.client.Post(ctx, c.Endpoint, header, content)
}

// authorization is a header with the token.
func (c *Channel) authorization(ctx context.Context) (http.Header, error) {
	token, err := c.Token.Get(ctx)
	if err != nil {
		return nil, err
	}
	defer clear(token)
	word := bytes.TrimSpace(token)
	if !bearer.Match(word) {
		return nil, fault.New(fault.Misconfigured, "reading the token of the mail API: not a bearer token")
	}
	return http.Header{"Authorization": {"Bearer " + string(word)}}, nil
}

// reference is what the provider calls a message it took; "" where it does not say.
func reference(answer []byte) string {
	var got struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(answer, &got) != nil {
		return ""
	}
	return got.ID
}

// Close does nothing: no connection outlives a Send.
func (c *Channel) Close() error { return nil }
