// Package messagetest is the suite that every channel passes, on a fake of its peer at the wire.
package messagetest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// Peer is a channel under test and what arrived at its other end.
type Peer struct {
	Channel message.Channel

	// Received lists what arrived so far, decoded as the recipient reads it, in any order.
	Received func(t *testing.T) []Received

	// To is an address of the channel; "" for one of mail.
	To string
	// TLS is how the way there is protected; "" where there is none.
	TLS string
	// As is how a message reads at the other end, where the channel does not carry all of it; nil for as it was written.
	As func(m message.Message) Received
}

func (p Peer) message(id string) message.Message {
	m := Message(id)
	m.To = cmp.Or(p.To, m.To)
	return m
}

func (p Peer) want(m message.Message) Received {
	if p.As != nil {
		return p.As(m)
	}
	return Received{ID: m.ID, To: m.To, Subject: m.Subject, Text: m.Text}
}

// Received is one message as its recipient reads it. Line ends of Text are \n; ID is empty where the peer shows none.
type Received struct{ ID, To, Subject, Text string }

// At is the time of the suite's messages.
var At = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// Run runs the suite; open returns a fresh channel and peer each time.
func Run(t *testing.T, open func(t *testing.T) Peer) {
	for name, test := range map[string]func(*testing.T, Peer){
		"arrives as written":    arrives,
		"injection is inert":    injection,
		"same message twice":    twice,
		"cancelled beforehand":  cancelled,
		"many senders":          many,
		"refusals hide content": quiet,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := open(t)
			t.Cleanup(func() {
				if err := peer.Channel.Close(); err != nil {
					t.Errorf("closing: %v", err)
				}
			})
			test(t, peer)
		})
	}
}

// Message returns a plain message; tests change what they are about.
func Message(id string) message.Message {
	return message.Message{
		ID: id, Channel: message.Mail, To: "ana@customer.example", Subject: "Your address is registered",
		Text: "Hello Ana,\n\nyour address is registered until midnight.\n", At: At,
	}
}

func arrives(t *testing.T, p Peer) {
	cases := map[string]func(*message.Message){
		"plain": func(*message.Message) {},
		"unicode": func(m *message.Message) {
			m.Subject, m.Text = "Äderung für Zoé: 東京 👍🏽", "Grüße\naus Köln — 東京\n"
		},
		"long-subject": func(m *message.Message) { m.Subject = strings.Repeat("été 东京 ", 38) + "fin" },
		"long-ascii":   func(m *message.Message) { m.Subject = strings.Repeat("word ", 80) + "end" },
		"one-word":     func(m *message.Message) { m.Subject = strings.Repeat("x", message.MaxSubjectBytes) },
		"encoded-look": func(m *message.Message) { m.Subject = "=?utf-8?q?not_encoded?=" },
		"header-look":  func(m *message.Message) { m.Text = "Subject: other\nBcc: eve@evil.example\n\nSecond body\n" },
		"dots":         func(m *message.Message) { m.Text = ".\n..\n.leading\n.\nend\n" },
		"long-lines":   func(m *message.Message) { m.Text = strings.Repeat("0123456789", 300) + "\nend\n" },
		"equals":       func(m *message.Message) { m.Text = "a=b =3D =\ntrailing space \n\tand tab\t\nend\n" },
		"from-line":    func(m *message.Message) { m.Text = "From here on\n" },
		"empty":        func(m *message.Message) { m.Subject, m.Text = "", "\n" },
		"big":          func(m *message.Message) { m.Text = strings.Repeat("é lines of text\n", 8000) },
	}
	for id, change := range cases {
		m := p.message(id)
		change(&m)
		ctx, wire := message.Watch(t.Context())
		if outcome, err := p.Channel.Send(ctx, m); outcome != message.Accepted || err != nil {
			t.Errorf("%s: %s, %v; want accepted", id, outcome, err)
			continue
		}
		if wire.TLS != p.TLS {
			t.Errorf("%s: the way there was protected by %q, want %q", id, wire.TLS, p.TLS)
		}
		want := p.want(m)
		if !slices.ContainsFunc(p.Received(t), func(r Received) bool {
			return (r.ID == "" || r.ID == want.ID) && r.To == want.To && r.Subject == want.Subject && r.Text == want.Text
		}) {
			t.Errorf("%s: did not arrive as written", id)
		}
	}
	if got := p.Received(t); len(got) != len(cases) {
		t.Errorf("%d messages arrived, %d were sent", len(got), len(cases))
	}
}

func injection(t *testing.T, p Peer) {
	for id, change := range map[string]func(*message.Message){
		"subject-crlf":  func(m *message.Message) { m.Subject = "Hi\r\nBcc: eve@evil.example" },
		"subject-lf":    func(m *message.Message) { m.Subject = "Hi\nBcc: eve@evil.example" },
		"subject-cr":    func(m *message.Message) { m.Subject = "Hi\rBcc: eve@evil.example" },
		"subject-nul":   func(m *message.Message) { m.Subject = "Hi\x00there" },
		"subject-utf8":  func(m *message.Message) { m.Subject = "Hi\xff" },
		"to-crlf":       func(m *message.Message) { m.To = "ana@customer.example\r\nBcc: eve@evil.example" },
		"to-command":    func(m *message.Message) { m.To = "ana@customer.example>\r\nDATA\r\n" },
		"to-empty":      func(m *message.Message) { m.To = "" },
		"id-crlf":       func(m *message.Message) { m.ID = "id>\r\nBcc: eve@evil.example" },
		"id-empty":      func(m *message.Message) { m.ID = "" },
		"text-nul":      func(m *message.Message) { m.Text = "one\x00two" },
		"text-utf8":     func(m *message.Message) { m.Text = "one\xfftwo" },
		"text-too-long": func(m *message.Message) { m.Text = strings.Repeat("x", message.MaxTextBytes+1) },
		"no-time":       func(m *message.Message) { m.At = time.Time{} },
	} {
		m := p.message(id)
		change(&m)
		if outcome, err := p.Channel.Send(t.Context(), m); outcome != message.Failed || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %s, %v; want failed and invalid", id, outcome, err)
		}
	}
	if got := p.Received(t); len(got) != 0 {
		t.Errorf("%d refused messages arrived", len(got))
	}
}

func twice(t *testing.T, p Peer) {
	for range 2 {
		if outcome, err := p.Channel.Send(t.Context(), p.message("same")); outcome != message.Accepted || err != nil {
			t.Fatalf("%s, %v; want accepted", outcome, err)
		}
	}
	got := p.Received(t)
	if len(got) != 2 || got[0] != got[1] {
		t.Errorf("two sends of one message arrived as %d, not twice the same", len(got))
	}
}

func cancelled(t *testing.T, p Peer) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if outcome, err := p.Channel.Send(ctx, p.message("late")); outcome != message.Deferred || err == nil {
		t.Errorf("%s, %v; want deferred", outcome, err)
	}
	if got := p.Received(t); len(got) != 0 {
		t.Errorf("%d messages arrived", len(got))
	}
}

func many(t *testing.T, p Peer) {
	var wait sync.WaitGroup
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		wait.Go(func() {
			if outcome, err := p.Channel.Send(t.Context(), p.message(id)); outcome != message.Accepted || err != nil {
				t.Errorf("%s: %s, %v", id, outcome, err)
			}
		})
	}
	wait.Wait()
	if got := p.Received(t); len(got) != 8 {
		t.Errorf("%d of 8 messages arrived", len(got))
	}
}

func quiet(t *testing.T, p Peer) {
	m := p.message("quiet")
	m.Text = "the code is 271828\x00"
	_, err := p.Channel.Send(t.Context(), m)
	if err == nil || strings.Contains(err.Error(), "271828") || strings.Contains(err.Error(), m.To) {
		t.Errorf("the error shows the text or the address: %v", err)
	}
}
