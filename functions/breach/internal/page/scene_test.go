package page

import (
	"net/http/httptest"
	"testing"
	"time"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

// start is when the scenes begin: a Tuesday morning, ten to nine in Paris.
var start = time.Date(2026, 3, 3, 7, 50, 0, 0, time.UTC)

// company is the sample company.
func company(t *testing.T) (*policy.Policy, breach.Policy) {
	t.Helper()
	p, _, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil {
		t.Fatal(err)
	}
	b, problems := breach.Read(p)
	if len(problems) > 0 || !b.On {
		t.Fatal(problems)
	}
	return p, b
}

// reader is somebody of the sample company who reads a page so long after the start.
func reader(t *testing.T, s *shell.Shell, who, lang string, after time.Duration) Reader {
	t.Helper()
	p, b := company(t)
	me, known := p.PersonByID(who)
	if !known {
		t.Fatalf("nobody is called %s", who)
	}
	return Reader{Lang: lang, Now: start.Add(after), Me: me, Rules: b.Rules, Policy: p, Sentence: s.Text}
}

// scene is a case that things happen to.
type scene struct {
	t *testing.T
	r Reader
	c cases.Read
}

func (s *scene) text(words string) int {
	if words == "" {
		return 0
	}
	s.c.Texts = append(s.c.Texts, words)
	return len(s.c.Texts)
}

// does lets somebody do something so long after the start.
func (s *scene) does(who string, after time.Duration, e cases.Event) {
	s.t.Helper()
	if who != "" {
		p, _ := s.r.Policy.PersonByID(who)
		e.By = cases.Actor{ID: p.ID, Roles: p.Roles}
	}
	var err error
	if s.c.Case, _, err = cases.Decide(s.c.Case, e, start.Add(after), s.r.Rules); err != nil {
		s.t.Fatalf("%s by %s: %v", e.What, who, err)
	}
}

func unknown() cases.Count { return cases.Count{How: cases.Unknown} }

func tenants(ids ...string) (all []cases.Track) {
	for _, id := range ids {
		role := cases.Processor
		if id == cases.Own {
			role = cases.Controller
		}
		all = append(all, cases.Track{ID: id, Role: role, People: unknown(), Records: unknown()})
	}
	return all
}

// declared is a case somebody has just declared.
func declared(t *testing.T, s *shell.Shell, breach, exercise bool, ids ...string) *scene {
	t.Helper()
	sc := &scene{t: t, r: reader(t, s, "simone", "en", 0)}
	sc.c.Case = cases.Case{ID: "abcdefghijklmnop", Number: "k7wq2m5x", Nonce: "n"}
	sc.does("emma", 0, cases.Event{What: cases.Declare, Breach: breach, Exercise: exercise, Times: cases.Times{OccurredFrom: start.Add(-26 * time.Hour), Detected: start.Add(-10 * time.Minute)},
		Tracks: tenants(ids...), Text: sc.text("An export with names and address books of our customers lay open in a bucket.\nA customer's IT department found it and wrote to support.")})
	return sc
}

// scored is what somebody made of it.
var scored = severity.Input{
	DPC: map[severity.Class]severity.Rating{severity.Simple: {Value: 8, Reason: "text"}}, EI: map[string]severity.Quarters{"full_name": 3, "email": 4},
	CB: severity.Circumstance{Confidentiality: 2}, Facts: []string{"identity_theft_set"},
}

// rendered is a page as it is sent in a language.
func rendered(t *testing.T, s *shell.Shell, name, lang string, data any) string {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.Render(w, httptest.NewRequest("GET", "/x/", nil), 200, name, shell.View{Lang: lang, Title: "list.title", Form: "token", Name: "Ada Lovelace", Data: data}); err != nil {
		t.Fatalf("%s in %s: %v", name, lang, err)
	}
	return w.Body.String()
}
