package smtp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
)

var (
	began  = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	schema = store.Schema{message.Collection(), outbox.Collection()}
)

// desk is a courier that speaks to a real server, and what it answered.
type desk struct {
	t       *testing.T
	store   store.Store
	clock   *clock.Manual
	keys    seal.Keys
	channel message.Channel
	text    string // of its letters

	mu      sync.Mutex
	answers []message.Answer
}

// newDesk is a desk on a store in memory; a test may give it another.
func newDesk(t *testing.T, c message.Channel) *desk {
	t.Helper()
	clk := clock.NewManual(began)
	s, err := memory.New(store.Options{Schema: schema, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, text: "Grüße\n", store: s, clock: clk, keys: local.New(filepath.Join(t.TempDir(), "keys"), nil), channel: c}
}

func (d *desk) courier() *message.Courier {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	return &message.Courier{
		Store: d.store, Clock: d.clock, Keys: d.keys, Log: quiet, Random: rand.Reader, Channels: map[string]message.Channel{message.Mail: d.channel},
		Box: outbox.New(d.store, d.clock, quiet, map[outbox.Kind]outbox.Sink{outbox.Message: func(_ context.Context, e outbox.Entry) error {
			var a message.Answer
			if err := json.Unmarshal(e.Data, &a); err != nil {
				return err
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			d.answers = append(d.answers, a)
			return nil
		}}),
		Resolve: func(context.Context, message.Request) (string, error) { return "", fault.New(fault.NotFound, "nobody") },
	}
}

// request asks for one letter to an address of its own.
func (d *desk) request(key string, kind message.Kind, until time.Time) message.Request {
	d.t.Helper()
	dataKey, err := seal.NewDataKey(d.t.Context(), d.keys, rand.Reader, message.Bound())
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := message.Request{Key: key, Kind: kind, Channel: message.Mail, Until: until}.
		Seal(dataKey, rand.Reader, message.Content{To: key + "@customer.example", Subject: "About " + key, Text: d.text})
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// deliver hands a request in, twice: a bus may.
func (d *desk) deliver(r message.Request) {
	d.t.Helper()
	for range 2 {
		if err := d.courier().Deliver(d.t.Context(), r); err != nil {
			d.t.Fatal(err)
		}
	}
}

// pass sweeps every minute, as the schedule does.
func (d *desk) pass(minutes int) {
	d.t.Helper()
	for range minutes {
		if err := d.clock.Set(d.clock.Now().Add(time.Minute)); err != nil {
			d.t.Fatal(err)
		}
		if _, err := d.courier().Sweep(d.t.Context()); err != nil {
			d.t.Fatal(err)
		}
	}
}

// one returns the one delivery on record.
func (d *desk) one() message.Delivery {
	d.t.Helper()
	all, err := store.Find[message.Delivery](d.store.Query(d.t.Context(), store.Query{Collection: message.Deliveries, Limit: 10}))
	if err != nil || len(all) != 1 {
		d.t.Fatalf("%d deliveries, %v", len(all), err)
	}
	return all[0]
}

// turn is one conversation of a server that behaves but for what it says instead, by the client's verb; "." is the end of the
// content. A text without a code ends the conversation there, saying nothing.
type turn map[string]string

const cut = "cut"

// converse plays the turns one after another, the last for ever, and counts the letters the server took.
func converse(t *testing.T, turns ...turn) (s *script, taken func() int) {
	t.Helper()
	return converseAt(t, func(string) {}, turns...)
}

// converseAt calls at before the server answers a verb.
func converseAt(t *testing.T, at func(verb string), turns ...turn) (s *script, taken func() int) {
	t.Helper()
	var mu sync.Mutex
	played, letters := 0, 0
	s = scripted(t, func(conn net.Conn, read func() (string, bool)) {
		mu.Lock()
		script := turns[min(played, len(turns)-1)]
		played++
		mu.Unlock()
		script.play(conn, read, at, func() {
			mu.Lock()
			defer mu.Unlock()
			letters++
		})
	})
	return s, func() int {
		mu.Lock()
		defer mu.Unlock()
		return letters
	}
}

// play calls taken when a letter is the server's, before it says so.
func (s turn) play(conn net.Conn, read func() (string, bool), at func(verb string), taken func()) {
	say := func(verb, usual string) bool {
		if instead, ok := s[verb]; ok {
			usual = instead
		}
		if at(verb); usual != cut {
			_, _ = io.WriteString(conn, usual+"\r\n")
		}
		return usual != cut
	}
	if c, ok := conn.(*net.TCPConn); ok && s["content"] == cut {
		_ = c.SetReadBuffer(4096) // so that a letter does not fit into the wire
	}
	for going := say("greeting", "220 mail.example ESMTP"); going; {
		line, ok := read()
		if !ok {
			return
		}
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "DATA":
			if going = say(verb, "354 go ahead"); s["content"] == cut {
				return
			}
			for going && line != "." {
				if line, ok = read(); !ok {
					return
				}
			}
			if going {
				if reply := s["."]; reply == "" || reply == cut {
					taken()
				}
				going = say(".", "250 2.0.0 queued")
			}
		default:
			going = say(verb, "250 2.0.0 OK")
		}
	}
}

// count is how often the client began a line so.
func (s *script) count(prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.seen {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}
