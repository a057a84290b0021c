package episode

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/notice"
)

// asked is a world with one question to ada.
func asked(t *testing.T) (*world, string) {
	t.Helper()
	w := newWorld(t, rulesOne)
	w.ingest(act("e1", "act", "ada", 0))
	return w, w.only().ID
}

func (w *world) answer(id, who string, a Answer) (Episode, error) {
	return w.Answer(w.t.Context(), id, w.by(who), a, w.now())
}

func (w *world) review(id, who string, v Verdict) (Episode, error) {
	return w.Review(w.t.Context(), id, w.by(who), v, "", w.now())
}

var support = Answer{Reason: "support-request", Ticket: "T-12"}

func TestJustified(t *testing.T) {
	t.Parallel()
	w, id := asked(t)
	for who, want := range map[string]string{"bob": "episode_unknown", "oli": "episode_unknown", "sam": "role_missing", "dan": "role_missing"} {
		if _, err := w.answer(id, who, support); code(err) != want {
			t.Errorf("%s answers: %v, want %s", who, err, want)
		}
	}
	for _, a := range []Answer{{}, {Reason: "because"}, {Reason: "mistake", NotMe: true}, {Reason: Other}, {Reason: Other, Words: "two\nlines"}} {
		if _, err := w.answer(id, "ada", a); code(err) != "reason_invalid" {
			t.Errorf("%+v: %v", a, err)
		}
	}
	if _, err := w.answer(id, "ada", Answer{Reason: "mistake", Ticket: "a b"}); code(err) != "ticket_invalid" {
		t.Error(err)
	}
	if _, err := w.review(id, "sam", Accept); code(err) != "not_answered" {
		t.Error(err)
	}
	for range 2 { // the same again changes nothing
		if e, err := w.answer(id, "ada", support); err != nil || e.State != Answered || e.Rev != 2 {
			t.Fatalf("%v %+v", err, e)
		}
	}
	if _, err := w.answer(id, "mia", support); code(err) != "episode_answered" {
		t.Error(err)
	}
	if n, to := w.notices(notice.Review); n != 1 || titles(to) != "mia sam sue" {
		t.Errorf("reviewers: %d %v", n, to)
	}
	if _, err := w.review(id, "ada", Accept); code(err) != "review_self" {
		t.Errorf("her own: %v", err)
	}
	for range 2 {
		if e, err := w.review(id, "mia", Accept); err != nil || e.State != Accepted || e.Open {
			t.Fatalf("%v %+v", err, e)
		}
	}
	if w.of(record.Review, "accepted") != 1 || w.of(record.Case, "answered") != 1 {
		t.Error("records of answer and review")
	}
	if _, err := w.review(id, "sam", Refuse); code(err) != "episode_settled" {
		t.Error(err)
	}
	w.to(6 * time.Hour)
	w.tick()
	if len(w.published) != 0 {
		t.Errorf("published %v", w.published)
	}
	// The finding is closed by the review, and names the promise.
	for _, r := range w.order {
		if r.Kind == record.Review && (len(r.Refs) != 1 || r.Refs[0].ID != w.order[0].ID() || strings.Join(r.Promises, " ") != "P1" || r.Result.State != record.Kept) {
			t.Errorf("%+v", r)
		}
	}
}

// The manager may answer; then she does not review.
func TestManagerAnswers(t *testing.T) {
	t.Parallel()
	w, id := asked(t)
	if _, err := w.answer(id, "mia", support); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"mia", "ada"} {
		if _, err := w.review(id, who, Accept); code(err) != "review_self" {
			t.Errorf("%s: %v", who, err)
		}
	}
	if e, err := w.review(id, "dan", Accept); err != nil || e.State != Accepted {
		t.Error(err)
	}
}

func TestEscalation(t *testing.T) {
	t.Parallel()
	for name, fall := range map[string]func(w *world, id string){
		"silence": func(w *world, id string) { w.to(4 * time.Hour); w.tick(); w.tick() },
		"not_me": func(w *world, id string) {
			for range 2 {
				if _, err := w.answer(id, "ada", Answer{NotMe: true}); err != nil {
					t.Error(err)
				}
			}
		},
		"refused": func(w *world, id string) {
			_, _ = w.answer(id, "ada", support)
			for range 2 {
				if _, err := w.review(id, "mia", Refuse); err != nil {
					t.Error(err)
				}
			}
		},
	} {
		w, id := asked(t)
		w.to(2*time.Hour + time.Minute)
		w.tick()
		if n, to := w.notices(notice.Reminder); n != 1 || titles(to) != "ada" {
			t.Errorf("%s: reminded %d %v", name, n, to)
		}
		if _, err := w.Get(t.Context(), id, w.person("oli"), w.now()); code(err) != "episode_unknown" {
			t.Errorf("%s: on call looks before she is told: %v", name, err)
		}
		fall(w, id)
		if _, err := w.Get(t.Context(), id, w.person("oli"), w.now()); err != nil {
			t.Errorf("%s: on call cannot look at what she is told of: %v", name, err)
		}
		v := w.view(id)
		if v.State != Escalated || string(v.Cause) != name || !v.Open {
			t.Errorf("%s: %+v", name, v.Episode)
		}
		if len(w.published) != 1 {
			t.Errorf("%s: %v", name, w.published)
		}
		for _, m := range w.published {
			if !strings.HasPrefix(m, TopicSuspicion+" ") || !strings.Contains(m, `"why":"`+name+`"`) || strings.Contains(m, `"revoke":true`) != (name == "not_me") || strings.Contains(m, "@") {
				t.Errorf("%s: %s", name, m)
			}
		}
		if n, to := w.notices(notice.Suspicion); n != 1 || titles(to) != "oli sam sue" {
			t.Errorf("%s: told %v", name, to)
		}
		// Late, it can still be answered; a suspicion takes more than the manager to settle.
		if _, err := w.answer(id, "sam", support); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for who, want := range map[string]string{"mia": "role_missing", "sam": "review_self"} {
			if _, err := w.review(id, who, Accept); code(err) != want {
				t.Errorf("%s: %s: %v", name, who, err)
			}
		}
		if e, err := w.review(id, "dan", Accept); err != nil || e.Open {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An answer covers what was there; more is another question, and nothing is asked twice by the same entries.
func TestMoreAfterTheAnswer(t *testing.T) {
	t.Parallel()
	w, id := asked(t)
	seen := w.view(id)
	w.ingest(act("e2", "act", "ada", time.Minute))
	by := w.by("ada")
	by.Revision = seen.Revision
	if _, err := w.Answer(t.Context(), id, by, support, w.now()); code(err) != "episode_moved" {
		t.Errorf("one more came while she looked: %v", err)
	}
	by.Revision = w.view(id).Revision
	if _, err := w.Answer(t.Context(), id, by, support, w.now()); err != nil {
		t.Fatal(err)
	}
	w.ingest(act("e3", "act", "ada", 2*time.Minute))
	if e, err := w.review(id, "mia", Accept); err != nil || e.State != Asked || e.Round != 2 || !e.Open {
		t.Fatalf("%v %+v", err, e)
	}
	if n, _ := w.notices(notice.Asked); n != 2 {
		t.Errorf("asked %d times", n)
	}
	if v := w.view(id); v.Members[2].Round != 2 || v.Members[1].Round != 1 {
		t.Errorf("%+v", v.Members)
	}
	if _, err := w.answer(id, "ada", support); err != nil {
		t.Fatal(err)
	}
	if e, err := w.review(id, "mia", Accept); err != nil || e.State != Accepted {
		t.Fatalf("%v %+v", err, e)
	}
	w.ingest(act("e3", "act", "ada", 2*time.Minute)) // again
	if v := w.view(id); v.State != Accepted {
		t.Errorf("%+v", v.Episode)
	}
	w.ingest(act("e4", "act", "ada", 3*time.Minute))
	if v := w.view(id); v.State != Asked || v.Round != 3 || v.Finding == "" {
		t.Errorf("%+v", v.Episode)
	}
	if n, _ := w.notices(notice.Alarm); n != 3 {
		t.Errorf("%d messages to security", n)
	}
}

// A window that is judged again finds its hits again: that is no new question.
func TestFoundAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"many": ruled("act", "window: {kind: count, at_least: 2, within: PT30M}", "justify: actor")})
	for i, after := range []time.Duration{2 * time.Minute, 4 * time.Minute, 6 * time.Minute} {
		w.ingest(act("e"+string(rune('1'+i)), "act", "ada", after))
	}
	id := w.only().ID
	if _, err := w.answer(id, "ada", support); err != nil {
		t.Fatal(err)
	}
	if _, err := w.review(id, "mia", Accept); err != nil {
		t.Fatal(err)
	}
	if v := w.view(id); v.State != Accepted || len(v.Members) != 2 {
		t.Fatalf("%+v", v)
	}
	w.ingest(act("late", "act", "bob", time.Minute)) // of another group
	if v := w.view(id); v.State != Accepted {
		t.Errorf("%+v", v.Episode)
	}
	w.ingest(act("e0", "act", "ada", 5*time.Minute)) // it is a hit, and e3 is found again
	v := w.view(id)
	if v.State != Asked || len(v.Members) != 3 {
		t.Errorf("%+v", v)
	}
	count := 0
	for _, m := range v.Members {
		if m.Round == 2 {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d members are asked about anew", count)
	}
}

// Nobody known acted: security answers, another one reviews. A person used a program: she is asked.
func TestWhoIsAsked(t *testing.T) {
	t.Parallel()
	stranger := act("e1", "act", "x", 0)
	stranger.Actor = auditlog.Actor{Kind: auditlog.Human, Key: "human:x@evil.example", Email: "x@evil.example"}
	program := stranger
	program.Actor = auditlog.Actor{Kind: auditlog.Service, Key: "service:run@firm.iam.gserviceaccount.com", Email: "run@firm.iam.gserviceaccount.com"}
	used := program
	used.Actor.Chain = []auditlog.Identity{{Kind: auditlog.Human, Email: "bob@firm.example"}}
	security := act("e1", "act", "sam", 0)
	for name, c := range map[string]struct {
		e            auditlog.Entry
		asked, told  string
		may, review  string
		mayNotReview string
	}{
		"stranger": {stranger, "sam sue", "oli", "sam", "sue", "sam"},
		"program":  {program, "sam sue", "oli", "sue", "dan", "sue"},
		"used":     {used, "bob", "oli sam sue", "bob", "sam", "bob"},
		"security": {security, "sam", "oli sue", "sam", "sue", "sam"},
	} {
		w := newWorld(t, rulesOne)
		w.ingest(c.e)
		if _, to := w.notices(notice.Asked); titles(to) != c.asked {
			t.Errorf("%s: asked %v", name, to)
		}
		if _, to := w.notices(notice.Alarm); titles(to) != c.told {
			t.Errorf("%s: told %v", name, to)
		}
		id := w.only().ID
		if _, err := w.answer(id, c.may, support); err != nil {
			t.Errorf("%s: %s answers: %v", name, c.may, err)
		}
		if _, err := w.review(id, c.mayNotReview, Accept); code(err) != "review_self" {
			t.Errorf("%s: %s reviews: %v", name, c.mayNotReview, err)
		}
		if _, err := w.review(id, c.review, Accept); err != nil {
			t.Errorf("%s: %s reviews: %v", name, c.review, err)
		}
	}
}

// Shadow: recorded, nobody told, no promise broken.
func TestShadow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"dark": ruled("act", "", "justify: actor, shadow: true")})
	w.ingest(act("e1", "act", "ada", 0))
	if v := w.only(); v.State != Noted || v.Open {
		t.Errorf("%+v", v.Episode)
	}
	if len(w.told) != 0 || w.of(record.Case, "alarm") != 1 || len(w.order) != 1 {
		t.Errorf("told %v, recorded %v", w.told, w.order)
	}
	if all, err := w.List(t.Context(), w.person("ada"), w.now()); err != nil || len(all) != 0 {
		t.Errorf("ada sees %v %v", all, err)
	}
}

// What is graver raises the alarm that went out, and shortens the time.
func TestWorse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"one": ruled("act", "", `justify: actor, cases: [{when: 'resource == "things/bad"', severity: critical}, {when: 'resource == "things/e1"', severity: low}]`)})
	w.ingest(act("e1", "act", "ada", 0))
	if _, to := w.notices(notice.Alarm); titles(to) != "sam sue" {
		t.Errorf("of low severity: %v", to)
	}
	for range 2 {
		w.ingest(act("bad", "act", "ada", time.Minute))
	}
	v := w.only()
	if n, to := w.notices(notice.Worse); n != 1 || titles(to) != "oli sam sue" || v.Severity != policy.Critical || !v.Due.Equal(noon.Add(time.Hour)) {
		t.Errorf("%d %v %+v", n, to, v.Episode)
	}
}

// One entry may complete several hits, each graver than the one before: one message says so.
func TestWorseAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"many": ruled("act", "window: {kind: count, at_least: 2, within: PT10M}",
		`justify: actor, cases: [{when: 'resource == "things/d"', severity: low}, {when: 'resource == "things/l"', severity: medium}]`)})
	for _, e := range []struct {
		id string
		at time.Duration
	}{{"a", 0}, {"c", 12 * minutes}, {"d", 14 * minutes}, {"l", 5 * minutes}} {
		w.to(14 * minutes)
		if _, err := w.Ingest(t.Context(), act(e.id, "act", "ada", e.at), w.now()); err != nil {
			t.Fatalf("%s: %v", e.id, err)
		}
	}
	if n, _ := w.notices(notice.Worse); n != 1 || w.alarms() != 1 || w.only().Severity != policy.High {
		t.Errorf("%d messages, %+v", n, w.only().Episode)
	}
}

// No evidence holds anything about a person.
func TestNothingPersonalInEvidence(t *testing.T) {
	t.Parallel()
	w, id := asked(t)
	_, _ = w.answer(id, "ada", support)
	_, _ = w.review(id, "mia", Accept)
	for _, r := range w.order {
		data, _ := r.Canonical()
		for _, secret := range []string{`"ada"`, `"mia"`, "@", "203.0.113", "T-12", "customer", id} {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s holds %s", data, secret)
			}
		}
	}
}

// What is explained is forgotten after 400 days, what is personal of its members after 90.
func TestForgotten(t *testing.T) {
	t.Parallel()
	w, id := asked(t)
	_, _ = w.answer(id, "ada", support)
	_, _ = w.review(id, "mia", Accept)
	w.to(3 * time.Hour)
	w.tick()
	w.to(91 * 24 * time.Hour)
	if v := w.view(id); len(v.Members) != 1 || v.Members[0].Detail.Origin.IP != "" {
		t.Errorf("after 91 days: %+v", v.Members)
	}
	w.to(401 * 24 * time.Hour)
	if _, err := w.Get(t.Context(), id, w.person("sue"), w.now()); code(err) != "episode_unknown" {
		t.Errorf("after 401 days: %v", err)
	}
	docs, err := w.Store.Query(t.Context(), store.Query{Collection: members, Limit: 10})
	if err != nil || len(docs) != 0 {
		t.Errorf("members: %d %v", len(docs), err)
	}
}
