package notice

import (
	"crypto/rand"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	keyfile "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// TestReminders: in her language, sealed, with the one link that everybody knows, which names nobody; the same day and person is
// the same message.
func TestReminders(t *testing.T) {
	t.Parallel()
	keys := keyfile.New(filepath.Join(t.TempDir(), "key"), nil)
	letters := NewReminders("https://ostiary.example", seal.NewCache(keys, rand.Reader, clock.System{}), rand.Reader)
	out, sent := box(t)
	tell := func(language, person, date string) error {
		return out.Commit(t.Context(), func(_ store.Tx, b *outbox.Batch) error {
			return letters.Tell(b, policy.Person{ID: person, Language: language, Email: "e@x.example"}, date)
		})
	}
	if err := tell("en", "emma", "2026-03-03"); !fault.Is(err, fault.Transient) {
		t.Errorf("before the key was fetched: %v", err)
	}
	if err := letters.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tell("xx", "emma", "2026-03-03"); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("in no language: %v", err)
	}
	said := map[string]string{"en": "opens nothing by itself", "fr": "n’ouvre rien à lui seul", "de": "öffnet allein nichts"}
	seen, texts := map[string]bool{}, map[string]bool{}
	for _, row := range [][3]string{{"en", "emma", "2026-03-03"}, {"fr", "emma", "2026-03-04"}, {"de", "asha", "2026-03-03"}} {
		*sent = nil
		if err := tell(row[0], row[1], row[2]); err != nil || len(*sent) != 1 {
			t.Fatal(err, len(*sent))
		}
		var r message.Request
		if err := json.Unmarshal((*sent)[0].Data, &r); err != nil {
			t.Fatal(err)
		}
		c, err := r.Open(t.Context(), keys)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(c.Text, "https://") != 1 || !strings.Contains(c.Text, "\n\nhttps://ostiary.example/registerip/\n") || !strings.Contains(c.Text, said[row[0]]) ||
			strings.Contains(c.Text, "{") || strings.Contains(c.Text+c.Subject, row[1]) || r.Person != row[1] || !strings.HasPrefix(r.Key, "access-reminder/") {
			t.Errorf("%v: %s\n%s\n%+v", row, c.Subject, c.Text, r)
		}
		seen[r.Key], texts[c.Subject] = true, true
	}
	if len(seen) != 3 || len(texts) != 3 {
		t.Errorf("keys %v, subjects %v", seen, texts)
	}
}
