package rule

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// strict is a memory that keeps the order a store transaction asks for, and fails at one of its calls.
type strict struct {
	*Local
	calls, failAt int
	wrote         bool
}

var errStore = errors.New("the store is away")

func (s *strict) call(write bool) error {
	s.calls++
	if s.calls == s.failAt {
		return errStore
	}
	if s.wrote && !write {
		return errors.New("a read after a write")
	}
	s.wrote = s.wrote || write
	return nil
}

func (s *strict) Range(ctx context.Context, q Query) ([]Member, error) {
	if err := s.call(false); err != nil {
		return nil, err
	}
	return s.Local.Range(ctx, q)
}

func (s *strict) Add(ctx context.Context, members ...Member) error {
	if err := s.call(true); err != nil {
		return err
	}
	return s.Local.Add(ctx, members...)
}

func (s *strict) Stood(ctx context.Context, kind StandingKind, thing string, at time.Time, but string) (before, after *Standing, err error) {
	if err := s.call(false); err != nil {
		return nil, nil, err
	}
	return s.Local.Stood(ctx, kind, thing, at, but)
}

func (s *strict) Stand(ctx context.Context, all ...Standing) error {
	if err := s.call(true); err != nil {
		return err
	}
	return s.Local.Stand(ctx, all...)
}

func (s *strict) Due(ctx context.Context, now time.Time, limit int) ([]Member, error) {
	if err := s.call(false); err != nil {
		return nil, err
	}
	return s.Local.Due(ctx, now, limit)
}

func (s *strict) Done(ctx context.Context, members ...Member) error {
	if err := s.call(true); err != nil {
		return err
	}
	return s.Local.Done(ctx, members...)
}

// TestStoreFails lets every call to the memory fail once: nothing is remembered by halves, and the same entry, or the
// same tick, gives all hits the next time.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	s := set(t, kinds())
	for failAt := 0; ; failAt++ {
		memory := &strict{Local: NewLocal(), failAt: failAt}
		found, failed := map[string]bool{}, false
		twice := func(do func() ([]Hit, error)) {
			for {
				memory.wrote = false
				before := len(memory.known)
				hits, err := do()
				for _, h := range hits {
					found[h.ID] = true
				}
				if err == nil {
					return
				}
				failed = true
				if !errors.Is(err, errStore) {
					t.Fatalf("call %d: %v", failAt, err)
				}
				if len(memory.known) != before || len(hits) > 0 {
					t.Fatalf("call %d: a failed turn remembered or found something", failAt)
				}
			}
		}
		for _, e := range []*auditlog.Entry{
			entry("1", "act", "a", "u1", 0), entry("2", "open", "a", "", time.Minute), entry("3", "act", "a", "u2", 7*time.Minute),
			entry("4", "act", "a", "u3", 8*time.Minute), entry("5", "act", "a", "u3", 9*time.Minute),
		} {
			twice(func() ([]Hit, error) { return s.Evaluate(t.Context(), e, memory, e.Time) })
		}
		twice(func() ([]Hit, error) {
			hits, _, err := s.Settle(t.Context(), memory, noon.Add(time.Hour), 100)
			return hits, err
		})
		const want = 1 + 1 + 2 + 0 + 3 + 1 + 2 // single, count, distinct, sequence, absence, budget, first-seen
		if len(found) != want {
			t.Fatalf("call %d: %d hits, want %d", failAt, len(found), want)
		}
		if failAt > 0 && !failed {
			return
		}
	}
}

// away are facts that cannot be asked for.
type away struct{}

func (away) Listed(context.Context, string, time.Time) (bool, error) { return false, errStore }

func TestFacts(t *testing.T) {
	t.Parallel()
	s, e := set(t, map[string]string{"r": rule("act", "when: '!listed'")}), entry("1", "act", "a", "u", 0)
	e.IP = "192.0.2.7"
	if _, err := s.With(away{}).Evaluate(t.Context(), e, NewLocal(), noon); !errors.Is(err, errStore) {
		t.Errorf("error %v, want that of the facts: the entry comes again", err)
	}
	for list, want := range map[string]int{"192.0.2.0/24": 0, "198.51.100.0/24": 1} {
		if hits, err := s.With(listedIn{list}).Evaluate(t.Context(), e, NewLocal(), noon); err != nil || len(hits) != want {
			t.Errorf("%s: hits %v, error %v", list, hits, err)
		}
	}
}

func TestUndeterminedTellsNoContent(t *testing.T) {
	t.Parallel()
	s := set(t, map[string]string{"r": rule("act", "when: request.secret.deeper == 'x'")})
	e := entry("1", "act", "a", "u", 0)
	e.Request = json.RawMessage(`{"secret":"hunter2"}`)
	hits, err := s.Evaluate(t.Context(), e, NewLocal(), noon)
	if err != nil || len(hits) != 1 || hits[0].Verdict != Undetermined || hits[0].Why == "" || strings.Contains(hits[0].Why, "hunter2") {
		t.Errorf("hits %+v, error %v: want one undetermined", hits, err)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	s := set(t, map[string]string{"b": rule("act", ""), "a": burst})
	if r := s.Rules(); len(r) != 2 || r[0].Name != "a" || r[0].Quiet() != time.Hour {
		t.Errorf("rules %+v", r)
	}
	if _, ok := s.Rule("a"); !ok {
		t.Error("a rule is not found by its name")
	}
	if _, ok := s.Rule("c"); ok {
		t.Error("a rule that is none is found")
	}
}

func TestDeltaOfRealShape(t *testing.T) {
	t.Parallel()
	s := set(t, map[string]string{"r": `
match: [{service: [cloudresourcemanager.googleapis.com], method: [setiampolicy]}]
when: delta.exists(d, d.change == "added" && ext(d.member) && privileged(d.role)) || blinding.exists(b, b.exempted != "")
alarm: {severity: high, text: {en: Look.}}
promises: [P1]
`})
	line := `{"insertId":"1","logName":"projects/firm-live/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-03-03T12:00:00Z","protoPayload":{
"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"cloudresourcemanager.googleapis.com","methodName":"SetIamPolicy",
"resourceName":"projects/firm-live","authenticationInfo":{"principalEmail":"eva@firm.example"},"serviceData":{"policyDelta":{"bindingDeltas":[
{"action":"ADD","role":"roles/owner","member":"user:MEMBER"}]}}}}`
	for member, want := range map[string]int{"eva@firm.example": 0, "mallory@gmail.com": 1} {
		entries, err := auditlog.Decode([]byte(strings.Replace(line, "MEMBER", member, 1)), auditlog.Mapping{})
		if err != nil || len(entries) != 1 {
			t.Fatalf("entries %v, error %v", entries, err)
		}
		if hits, err := s.Evaluate(t.Context(), &entries[0], NewLocal(), noon); err != nil || len(hits) != want {
			t.Errorf("%s: hits %v, error %v", member, hits, err)
		}
	}
}

func TestEntryWithoutTime(t *testing.T) {
	t.Parallel()
	s, e := set(t, map[string]string{"r": rule("act", "")}), entry("1", "act", "a", "u", 0)
	e.Time = time.Time{}
	hits, err := s.Evaluate(t.Context(), e, NewLocal(), noon)
	if err != nil || len(hits) != 1 || !hits[0].Time.Equal(noon) {
		t.Errorf("hits %+v, error %v: want one of the time it came", hits, err)
	}
}

// FuzzEvaluate reads whatever decodes as an entry with rules that ask for much of it: none may panic, and a second
// reading finds the same.
func FuzzEvaluate(f *testing.F) {
	f.Add([]byte(`{"insertId":"1","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-03-03T12:00:00Z","protoPayload":{
"serviceName":"compute.googleapis.com","methodName":"v1.compute.firewalls.insert","request":{"sourceRanges":["0.0.0.0/1","128.0.0.0/1"]}}}`))
	f.Add([]byte(`{"insertId":"1","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-03-03T12:00:00Z","protoPayload":{
"serviceName":"admin.googleapis.com","methodName":"google.admin.AdminService.assignRole","metadata":{"event":[{"parameter":[{"name":"E","value":"v"}]}]}}}`))
	f.Add([]byte(`{"logName":"projects/p/logs/app","timestamp":"2026-03-03T12:00:00Z","jsonPayload":{"actor":"a@b.example","user":"u","action":"act"}}`))
	everything := "match: [{stream: [activity, data_access, system_event, policy, access_transparency, application]}]\n"
	s := set(f, map[string]string{
		"a": everything + "when: open(ranges) || delta.exists(d, ext(d.member)) || parameter(metadata, 'E') == 'v' || text(request, 'a.0') == 'x'\nalarm: {severity: low, text: {en: x}}\npromises: [P1]\n",
		"b": everything + "group: [actor.key, \"segment(resource, 'projects')\"]\nwindow: {kind: distinct, of: method + app.user, at_least: 2, within: PT1H}\nalarm: {severity: low, text: {en: x}}\npromises: [P1]\n",
	})
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := auditlog.Decode(data, testMapping())
		if err != nil {
			return
		}
		memory := NewLocal()
		for _, e := range entries {
			once, err := s.Evaluate(t.Context(), &e, memory, noon)
			if err != nil {
				t.Fatal(err)
			}
			again, err := s.Evaluate(t.Context(), &e, memory, noon)
			if err != nil || ids(once) != ids(again) {
				t.Fatalf("another reading finds %q, not %q, error %v", ids(again), ids(once), err)
			}
		}
	})
}
