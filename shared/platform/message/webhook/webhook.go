// Package webhook posts messages to the programs of customers, signed as package verify describes for those who receive
// them. Each URL has secrets of its own, so that no customer can sign for another.
//
// It promises to reach addresses of the internet and no other, to give every try of a message the same id, and to send
// nothing unsigned. It never repeats by itself. What became of a request without an answer cannot be looked up.
package webhook

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

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/post"
	"ostiary.internal/shared/platform/message/webhook/verify"
	"ostiary.internal/shared/platform/reach"
)

// Name is the channel's name in a request.
const Name = "webhook"

func init() {
	message.Drivers.Register("webhook", func(_ context.Context, u *url.URL, o message.Options) (message.Channel, error) {
		if u.Opaque != "" || u.Host != "" || u.Path != "" {
			return nil, fault.New(fault.Misconfigured, "webhook: want webhook:?secret=NAME")
		}
		secrets, err := post.SecretOf(u, o)
		if err != nil {
			return nil, err
		}
		return New(Config{Secrets: secrets, Clock: o.Clock, Network: reach.Public}), nil
	})
}

// Config says how customers' programs are reached, and believe us.
type Config struct {
	// Secrets has a line for each URL: the URL as the policy has it, and one or two secrets as package verify wants them,
	// all apart by spaces: whsec_ and what `openssl rand -base64 32` says. With two, both sign: the customer may change from
	// one to the other at any time.
	Secrets post.Secret
	Clock   clock.Clock
	Network reach.Network
	Roots   *x509.CertPool // nil: the system's
}

// Channel posts to the URL a message is addressed to. It is safe for concurrent use.
type Channel struct {
	Config
	client *post.Client
}

// New returns a channel; nothing is connected.
func New(c Config) *Channel {
	client := post.New(c.Network, c.Roots)
	client.Known = true // every try of a message carries its id, which is signed with it
	return &Channel{Config: c, client: client}
}

// body is what is posted of a message that is a text.
type body struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// Send signs and posts one message: a text that is a JSON object as it stands, any other as {id, type: "message", subject,
// text, at}. Outcomes are those of package post. A URL without a secret is Failed: nobody agreed on one with that customer.
// Secrets that cannot be read are Deferred, and Misconfigured where a person must mend them.
func (c *Channel) Send(ctx context.Context, m message.Message) (message.Outcome, error) {
	if err := m.Check(); err != nil {
		return message.Failed, err
	}
	content, err := compose(m)
	if err != nil {
		return message.Failed, err
	}
	secrets, err := c.secrets(ctx, m.To)
	switch {
	case err != nil:
		return message.Deferred, err
	case len(secrets) == 0:
		return message.Failed, fault.New(fault.NotFound, "signing a webhook: no secret was agreed for its URL")
	}
	now := c.Clock.Now()
	signatures := make([]string, len(secrets))
	for i, s := range secrets {
		if signatures[i], err = verify.Sign(s, m.ID, now, content); err != nil {
			return message.Deferred, fault.New(fault.Misconfigured, "signing a webhook: %w", err)
		}
	}
	header := http.Header{}
	header.Set(verify.HeaderID, m.ID)
	header.Set(verify.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	header.Set(verify.HeaderSignature, strings.Join(signatures, " "))
	return c.client.Post(ctx, m.To, header, content)
}

func compose(m message.Message) ([]byte, error) {
	if strings.HasPrefix(m.Text, "{") && json.Valid([]byte(m.Text)) {
		return []byte(m.Text), nil
	}
	content, err := json.Marshal(body{m.ID, "message", m.Subject, m.Text, m.At.UTC()})
	if err != nil {
		return nil, fault.New(fault.Invalid, "encoding a webhook: %w", err)
	}
	return content, nil
}

const maxSecrets = 2 // of one URL: the one in use and the one that follows or preceded it

// secrets returns those of a URL, none when no line is its.
func (c *Channel) secrets(ctx context.Context, url string) ([]string, error) {
	all, err := c.Secrets.Get(ctx)
	if err != nil {
		return nil, err
	}
	defer clear(all)
	for line := range bytes.Lines(all) {
		words := bytes.Fields(line)
		if len(words) == 0 || string(words[0]) != url {
			continue
		}
		if len(words) < 2 || len(words) > 1+maxSecrets {
			return nil, fault.New(fault.Misconfigured, "reading the secrets of webhooks: a URL has none, or more than %d", maxSecrets)
		}
		found := make([]string, 0, maxSecrets)
		for _, word := range words[1:] {
			found = append(found, string(word))
		}
		return found, nil
	}
	return nil, nil
}

// Close does nothing: no connection outlives a Send.
func (c *Channel) Close() error { return nil }
