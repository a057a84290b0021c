// Package sms hands short messages to a gateway: one POST of the JSON {id, to, text} each, with a bearer token. Whoever
// runs the gateway maps that to its own form; id is the same at every try, for gateways that know repetitions by it.
//
// A text message has no subject, and can be read on the way and by whoever holds the telephone: what it may say is the
// asker's to decide. Accepted means that the gateway took it, and not that it was delivered.
package sms

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/post"
	"ostiary.internal/shared/platform/reach"
)

// Name is the channel's name in a request.
const Name = "sms"

func init() {
	message.Drivers.Register("sms", func(_ context.Context, u *url.URL, o message.Options) (message.Channel, error) {
		gateway, err := url.Parse(u.Opaque)
		if err != nil || gateway.Scheme != "https" || gateway.Host == "" || gateway.User != nil {
			return nil, fault.New(fault.Misconfigured, "sms: want sms:https://HOST/PATH?secret=NAME")
		}
		token, err := post.SecretOf(u, o)
		if err != nil {
			return nil, err
		}
		return New(Config{Gateway: u.Opaque, Token: token, Network: reach.Public}), nil
	})
}

// Config says where the gateway is.
type Config struct {
	Gateway string      // https
	Token   post.Secret // one line
	Network reach.Network
	Roots   *x509.CertPool // nil: the system's
}

// Channel speaks to one gateway. It is safe for concurrent use.
type Channel struct {
	Config
	client *post.Client
}

// New returns a channel; nothing is connected.
func New(c Config) *Channel { return &Channel{Config: c, client: post.New(c.Network, c.Roots)} }

var (
	number = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)   // ITU-T E.164, section 6.2.1
	bearer = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`) // RFC 6750, section 2.1
)

// Send hands one text to the gateway. Outcomes are those of package post. A token that cannot be read puts the message
// off.
func (c *Channel) Send(ctx context.Context, m message.Message) (message.Outcome, error) {
	if err := m.Check(); err != nil {
		return message.Failed, err
	}
	if !number.MatchString(m.To) {
		return message.Failed, fault.New(fault.Invalid, "reading a telephone number: want + and 7 to 15 digits")
	}
	body, err := json.Marshal(map[string]string{"id": m.ID, "to": m.To, "text": m.Text})
	if err != nil {
		return message.Failed, fault.New(fault.Invalid, "encoding a text message: %w", err)
	}
	token, err := c.Token.Get(ctx)
	if err != nil {
		return message.Deferred, err
	}
	defer clear(token)
	word := bytes.TrimSpace(token)
	if !bearer.Match(word) {
		return message.Deferred, fault.New(fault.Misconfigured, "reading the token of the SMS gateway: not a bearer token")
	}
	return c.client.Post(ctx, c.Gateway, http.Header{"Authorization": {"Bearer " + string(word)}}, body)
}

// Close does nothing: no connection outlives a Send.
func (c *Channel) Close() error { return nil }
