// Package chat says messages in rooms of a chat, by the incoming webhooks of Slack or Google Chat: a POST of {"text"}.
//
// A room's URL is the secret: whoever knows it may write there. The package says nothing to anybody alone; a room is
// addressed by its name, and a room that is not listed is never replaced by another.
package chat

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/url"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/post"
	"ostiary.internal/shared/platform/reach"
)

// Name is the channel's name in a request.
const Name = "chat"

// Staff is the room of the company's own people.
const Staff = "staff"

func init() {
	message.Drivers.Register("chat", func(_ context.Context, u *url.URL, o message.Options) (message.Channel, error) {
		if u.Opaque != "" || u.Host != "" || u.Path != "" {
			return nil, fault.New(fault.Misconfigured, "chat: want chat:?secret=NAME")
		}
		rooms, err := post.SecretOf(u, o)
		if err != nil {
			return nil, err
		}
		return New(Config{Rooms: rooms, Network: reach.Public}), nil
	})
}

// Config says where the rooms are.
type Config struct {
	// Rooms has a line for each room: its name and its URL, apart by spaces. A line with a URL alone is the room Staff. The
	// room of a tenant has the tenant's id for a name.
	Rooms   post.Secret
	Network reach.Network
	Roots   *x509.CertPool // nil: the system's
}

// Channel speaks in rooms. It is safe for concurrent use.
type Channel struct {
	Config
	client *post.Client
}

// New returns a channel; nothing is connected.
func New(c Config) *Channel { return &Channel{Config: c, client: post.New(c.Network, c.Roots)} }

// plain takes the brackets out by which both chats begin a link or the call of everybody, whose target nobody sees.
var plain = strings.NewReplacer("<", "‹", ">", "›")

// Send says a message in the room it is addressed to: the subject, an empty line and the text. Outcomes are those of package
// post; a room that is not listed is Failed.
func (c *Channel) Send(ctx context.Context, m message.Message) (message.Outcome, error) {
	if err := m.Check(); err != nil {
		return message.Failed, err
	}
	body, err := json.Marshal(map[string]string{"text": plain.Replace(m.Subject + "\n\n" + m.Text)})
	if err != nil {
		return message.Failed, fault.New(fault.Invalid, "encoding a message: %w", err)
	}
	to, err := c.room(ctx, m.To)
	switch {
	case err != nil:
		return message.Deferred, err
	case to == "":
		return message.Failed, fault.New(fault.NotFound, "finding a room of the chat: it is not listed")
	}
	return c.client.Post(ctx, to, nil, body)
}

// room returns the URL of a room, "" when no line is its.
func (c *Channel) room(ctx context.Context, name string) (string, error) {
	all, err := c.Rooms.Get(ctx)
	if err != nil {
		return "", err
	}
	defer clear(all)
	for line := range bytes.Lines(all) {
		switch words := bytes.Fields(line); {
		case len(words) == 1 && name == Staff:
			return string(words[0]), nil
		case len(words) == 2 && string(words[0]) == name:
			return string(words[1]), nil
		case len(words) > 2:
			return "", fault.New(fault.Misconfigured, "reading the rooms of the chat: a line is not NAME URL")
		}
	}
	return "", nil
}

// Close does nothing: no connection outlives a Send.
func (c *Channel) Close() error { return nil }
