package notice

import (
	"crypto/rand"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	keyfile "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

// TestDoors: who looks after security learns in her own language what others did to a door, sealed, without a link.
func TestDoors(t *testing.T) {
	t.Parallel()
	p, problems, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	now := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
	keys := keyfile.New(filepath.Join(t.TempDir(), "key"), nil)
	letters := NewDoors(p, seal.NewCache(keys, rand.Reader, clock.System{}), rand.Reader, clock.NewManual(now))
	out, sent := box(t)
	tell := func(n allowlist.Notice) error {
		*sent = nil
		return out.Commit(t.Context(), func(_ store.Tx, batch *outbox.Batch) error { return letters.Tell(batch, n) })
	}
	if err := tell(allowlist.Notice{}); !fault.Is(err, fault.Transient) {
		t.Errorf("before the key was fetched: %v", err)
	}
	if err := letters.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	simone, _ := p.PersonByID("simone")
	for name, row := range map[string]struct {
		notice allowlist.Notice
		want   string // of the letter to the owner
		not    string
	}{
		"a person":  {allowlist.Notice{Call: allowlist.Call{Person: "simone", Entry: "e", Method: "v1.compute.firewalls.patch", At: now}}, simone.Name, "e.patch"},
		"a service": {allowlist.Notice{Call: allowlist.Call{Chain: []string{"service:deploy"}, Entry: "e", At: now}}, "service deploy", "{"},
		"nobody":    {allowlist.Notice{}, "", "{who}"},
		"frame":     {allowlist.Notice{Frame: true}, "", "{at}"},
		"framed":    {allowlist.Notice{Frame: true, Call: allowlist.Call{Person: "simone", Entry: "e", Method: "v1.compute.firewalls.patch", At: now}}, simone.Name, "{who}"},
		"late":      {allowlist.Notice{Late: 3}, "3.", "{late}"},
		"wider":     {allowlist.Notice{Wider: []string{"allow-all", "see https://elsewhere.example/\nBcc: x"}}, "- allow-all\n- see https   elsewhere example  Bcc  x", "://"},
	} {
		row.notice.Key, row.notice.Target, row.notice.Found = name, "edge", now
		if err := tell(row.notice); err != nil {
			t.Fatal(err)
		}
		told := map[string]bool{}
		for _, e := range *sent {
			var r message.Request
			if err := json.Unmarshal(e.Data, &r); err != nil {
				t.Fatal(err)
			}
			c, err := r.Open(t.Context(), keys)
			if err != nil {
				t.Fatal(err)
			}
			told[r.Person] = true
			who, _ := p.PersonByID(r.Person)
			self := row.notice.Call.Person == r.Person
			if !self && !strings.Contains(c.Text, row.want) || strings.Contains(c.Text, row.not) || strings.Contains(c.Text+c.Subject, "{") || link.MatchString(c.Text) ||
				!strings.Contains(c.Subject, "edge") || strings.Contains(string(e.Data), "edge") || !who.Has(policy.Security) && !who.Has(policy.Owner) {
				t.Errorf("%s, to %s: %s\n%s", name, r.Person, c.Subject, c.Text)
			}
			if self && strings.Contains(c.Text, simone.Name) {
				t.Errorf("%s, to herself: %s", name, c.Text)
			}
		}
		if !told["simone"] || len(told) < 2 {
			t.Errorf("%s: told %v", name, told)
		}
	}
	// Every language says the same: as many lines and the same gaps.
	gaps := regexp.MustCompile(`\{[a-z]+\}`)
	for lang, texts := range doorTextsByLanguage() {
		for i, one := range texts {
			if base := doorTextsByLanguage()["en"][i]; len(gaps.FindAllString(one.body, -1)) != len(gaps.FindAllString(base.body, -1)) || one.subject == "" || one.next == "" {
				t.Errorf("%s, text %d: %+v", lang, i, one)
			}
		}
	}
}

func doorTextsByLanguage() map[string][]text {
	all := map[string][]text{}
	for lang, t := range doors {
		all[lang] = []text{t.touched, t.nobody, t.wider, t.late, t.frame, t.framed}
	}
	return all
}
