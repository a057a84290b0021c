package notice

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/policy"
)

var kinds = []Kind{DutyReminder, DutyOverdue, DutyAsked, DutyReview, DutyFailed, DutyRefused, StatementExpires, WaiverAsked}

func TestTexts(t *testing.T) {
	t.Parallel()
	n := Notice{What: func(string) string { return "Review it." }, Due: time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC), About: "vim <9>\nhttps://evil.example"}
	for _, n.Kind = range kinds {
		seen := map[string]bool{}
		for _, lang := range []string{"en", "fr", "de"} {
			c, err := Write(n, lang, "Ada Byron", time.FixedZone("CET", 3600))
			if err != nil || strings.ContainsAny(c.Text, "{}<>") || strings.Contains(c.Text, "://") || !strings.Contains(c.Text, "Review it.") ||
				!strings.Contains(c.Text, "Ada Byron") || !strings.Contains(c.Text, "vim") || seen[c.Subject] {
				t.Errorf("%s in %s: %v\n%s\n%s", n.Kind, lang, err, c.Subject, c.Text)
			}
			seen[c.Subject] = true
		}
	}
	if _, err := Write(Notice{Kind: "other"}, "en", "", time.UTC); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a kind without a text: %v", err)
	}
}

// A notice leaves sealed, once per person, in her language, and not before the key is there.
func TestNotify(t *testing.T) {
	t.Parallel()
	p, _, err := policy.Load(fstest.MapFS{
		"acme/company.yaml": {Data: []byte(`company: {name: Acme, domains: [acme.example], zone: Europe/Paris, country: FR, languages: [en]}`)},
		"acme/people.yaml": {Data: []byte(`people:
  - {id: ada, email: ada@acme.example, name: Ada, roles: [security], zone: Europe/Paris, language: en}
  - {id: bob, email: bob@acme.example, name: Bob, roles: [owner], zone: Europe/Paris, language: fr}`)},
	}, "acme")
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.NewManual(time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC))
	s, err := memory.New(store.Options{Schema: store.Schema{outbox.Collection()}, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	sent := map[string]outbox.Entry{}
	box := outbox.New(s, clk, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Message: func(_ context.Context, e outbox.Entry) error {
		mu.Lock()
		defer mu.Unlock()
		sent[e.Key] = e
		return nil
	}})
	keys := local.New(t.TempDir()+"/key", nil)
	sender := New(p, seal.NewCache(keys, nil, clk), nil)
	notify := func() error {
		return box.Commit(t.Context(), func(_ store.Tx, b *outbox.Batch) error {
			return sender.Notify(b, Notice{Kind: DutyReminder, Key: "k", To: []string{"ada", "bob", "gone"}, What: func(l string) string { return "in " + l }, Person: "bob"})
		})
	}
	if err := notify(); !fault.Is(err, fault.Transient) {
		t.Errorf("without the key: %v", err)
	}
	sender = New(p, seal.NewCache(keys, zeros{}, clk), zeros{})
	if err := sender.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := notify(); err != nil || len(sent) != 2 {
		t.Fatal(err, len(sent))
	}
	for key, e := range sent {
		var r message.Request
		if err := json.Unmarshal(e.Data, &r); err != nil || e.Target != message.TopicRequested || strings.Contains(key, "ada") || strings.Contains(key, "bob") {
			t.Fatal(err, key)
		}
		c, err := r.Open(t.Context(), keys)
		if want := map[string]string{"ada": "in en", "bob": "in fr"}[r.Person]; err != nil || !strings.Contains(c.Text, want) || strings.Contains(string(e.Data), want) {
			t.Errorf("%s gets %v\n%s", r.Person, err, c.Text)
		}
	}
}

// zeros stands in for random bytes; what is sealed with them is looked at here alone.
type zeros struct{}

// Read fills p with zeros.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
