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

const link = "https://ostiary.example/acceptdrift/abc"

func sample() Notice {
	return Notice{
		Link: link, Due: time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC), Why: Value,
		What:     func(language string) string { return "Seen in " + language + ". And more." },
		Promises: func(language string) []string { return []string{"P1: nobody does it"} },
		Lines: []Line{
			{Label: Severity, Text: "high"}, {Label: Who, Text: "Ada"}, {Label: When, At: time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)},
			{Label: Found, Text: "roles/owner user:erika.muster@customer.example\nroles/viewer group:staff-all@firm.example"},
			{Label: On, Text: "x\r\nhttps://evil.example/login <b>"},
		},
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	n := sample()
	for _, n.Kind = range Kinds() {
		for _, n.Why = range Whys() {
			seen := map[string]bool{}
			for _, lang := range []string{"en", "fr", "de"} {
				c, err := Write(n, lang, time.FixedZone("CET", 3600))
				if err != nil {
					t.Fatal(err)
				}
				for _, want := range []string{"Seen in " + lang, "12:00:00 UTC (2026-03-03 13:00:00 CET)", "17:00:00 CET", "e***@customer", "s***@firm", "P1: nobody", link} {
					if !strings.Contains(c.Text, want) {
						t.Errorf("%s in %s lacks %q:\n%s", n.Kind, lang, want, c.Text)
					}
				}
				for _, never := range []string{"erika", "muster", "staff-all", "evil.example", "<", "\nhttps://evil", "\r"} {
					if strings.Contains(c.Text, never) {
						t.Errorf("%s in %s holds %q:\n%s", n.Kind, lang, never, c.Text)
					}
				}
				if strings.Count(c.Text, "://") != 1 || seen[c.Subject] || strings.Contains(c.Text, "\n: ") || strings.Contains(c.Text, "\n : ") {
					t.Errorf("%s in %s:\n%s\n%s", n.Kind, lang, c.Subject, c.Text)
				}
				if seen[c.Subject] = true; !strings.HasSuffix(c.Subject, "Seen in "+lang) {
					t.Errorf("%s in %s: the subject %q does not say what was seen", n.Kind, lang, c.Subject)
				}
				if says := strings.Contains(c.Text, causes[n.Why][lang]); says != (n.Kind == Changed) {
					t.Errorf("%s because of %s in %s:\n%s", n.Kind, n.Why, lang, c.Text)
				}
			}
		}
	}
	for _, n := range []Notice{{Kind: "other"}, {Kind: Changed}, {Kind: Changed, Why: "other"}} {
		if _, err := Write(n, "en", time.UTC); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("a notice without a text: %v", err)
		}
	}
}

func TestEveryLabel(t *testing.T) {
	t.Parallel()
	for _, label := range append(Labels(), promise, due) {
		for _, lang := range []string{"en", "fr", "de"} {
			if labels[label][lang] == "" {
				t.Errorf("%s has no word in %s", label, lang)
			}
		}
	}
	if len(labels) != len(Labels())+2 || len(texts) != len(Kinds()) || len(causes) != len(Whys()) {
		t.Error("there are words for what nobody says")
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
	n := sample()
	n.Kind, n.Key, n.To = Asked, "k", []string{"ada", "bob", "gone"}
	sender := New(p, seal.NewCache(keys, zeros{}, clk), zeros{})
	notify := func() error {
		return box.Commit(t.Context(), func(_ store.Tx, b *outbox.Batch) error { return sender.Notify(b, n) })
	}
	if err := notify(); !fault.Is(err, fault.Transient) {
		t.Errorf("without the key: %v", err)
	}
	if err := sender.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := notify(); err != nil || len(sent) != 2 {
		t.Fatal(err, len(sent))
	}
	for key, e := range sent {
		var r message.Request
		if err := json.Unmarshal(e.Data, &r); err != nil || e.Target != message.TopicRequested || r.Kind != message.Staff || strings.Contains(key, "ada") || strings.Contains(key, "bob") {
			t.Fatal(err, key)
		}
		c, err := r.Open(t.Context(), keys)
		if want := map[string]string{"ada": "Seen in en", "bob": "Seen in fr"}[r.Person]; err != nil || !strings.Contains(c.Text, want) || strings.Contains(string(e.Data), want) {
			t.Errorf("%s gets %v\n%s", r.Person, err, c.Text)
		}
	}
}

// zeros is an endless source of bytes that are no secret.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
