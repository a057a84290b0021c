package episode

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/watch/notice"
)

// An answer that nobody reviews: a reminder at half of the time, then a suspicion.
func TestUnreviewed(t *testing.T) {
	t.Parallel()
	w, id := asked(t)
	w.to(time.Hour)
	if e, err := w.answer(id, "ada", support); err != nil || !e.Due.Equal(noon.Add(5*time.Hour)) {
		t.Fatalf("%v %+v", err, e)
	}
	w.to(3*time.Hour + time.Minute)
	w.tick()
	if n, to := w.notices(notice.ReviewOverdue); n != 1 || titles(to) != "mia sam sue" || w.only().State != Answered {
		t.Errorf("reminded %d %v", n, to)
	}
	w.to(5 * time.Hour)
	for range 2 {
		w.tick()
	}
	if v := w.only(); v.State != Escalated || v.Cause != ByNeglect || !v.Open {
		t.Errorf("%+v", v.Episode)
	}
	if n, _ := w.notices(notice.Suspicion); n != 1 || len(w.published) != 1 {
		t.Errorf("%d notices, %v", n, w.published)
	}
	for _, m := range w.published {
		if !strings.Contains(m, `"why":"unreviewed"`) {
			t.Error(m)
		}
	}
	// Of what is a suspicion already the next answer stays: it was told.
	if _, err := w.answer(id, "sam", support); err != nil {
		t.Fatal(err)
	}
	w.to(72 * time.Hour)
	for range 2 {
		w.tick()
	}
	if v := w.only(); v.State != Answered || len(w.published) != 1 {
		t.Errorf("%+v, %v", v.Episode, w.published)
	}
	if n, _ := w.notices(notice.ReviewOverdue); n != 2 {
		t.Errorf("reminded %d times of the reviews", n)
	}
	if e, err := w.review(id, "dan", Accept); err != nil || e.Open {
		t.Errorf("%v %+v", err, e)
	}
}

// What asks nobody presses too, from medium severity on.
func TestPresses(t *testing.T) {
	t.Parallel()
	for severity, c := range map[string]struct {
		rest   string
		within time.Duration // zero: never
	}{
		"info": {"", 0}, "low": {"", 0}, "medium": {"", 24 * time.Hour}, "high": {"", 24 * time.Hour}, "critical": {"", 4 * time.Hour},
		"High": {", deadline: PT2H", 2 * time.Hour},
	} {
		text := strings.Replace(ruled("act", "", "justify: none"+c.rest), "severity: high", "severity: "+strings.ToLower(severity), 1)
		w := newWorld(t, map[string]string{"one": text})
		w.ingest(act("e1", "act", "ada", 0))
		if c.within == 0 {
			w.to(72 * time.Hour)
			w.tick()
			if v := w.only(); v.State != Told || !v.Open || len(w.published) != 0 {
				t.Errorf("%s: %+v %v", severity, v.Episode, w.published)
			}
			if _, err := w.review(w.only().ID, "sue", Accept); err != nil {
				t.Errorf("%s: one person settles it: %v", severity, err)
			}
			continue
		}
		if v := w.only(); !v.Due.Equal(noon.Add(c.within)) {
			t.Errorf("%s: due %v", severity, v.Due)
		}
		w.to(c.within/2 + time.Minute)
		w.tick()
		if n, to := w.notices(notice.Reminder); n != 1 || !strings.HasSuffix(titles(to), "sam sue") || w.only().State != Told {
			t.Errorf("%s: reminded %d %v", severity, n, to)
		}
		w.to(c.within)
		for range 2 {
			w.tick()
		}
		if v := w.only(); v.State != Escalated || v.Cause != BySilence || len(w.published) != 1 {
			t.Errorf("%s: %+v %v", severity, v.Episode, w.published)
		}
	}
}

// What no rule made and what a rule could not tell has its deadline as well.
func TestOwnAlarmsPress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	if err := w.Unreadable(t.Context(), "sha256:1", "malformed", w.now()); err != nil {
		t.Fatal(err)
	}
	w.to(24 * time.Hour)
	w.tick()
	published := 0
	for _, m := range w.published {
		if strings.Contains(m, UnreadableRule) {
			published++
		}
	}
	if published != 1 {
		t.Errorf("%v", w.published)
	}
}

// What was mild when its alarm went out presses from the moment on at which it is graver.
func TestGraverPresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"one": ruled("act", "", `justify: none, cases: [{when: 'resource == "things/e1"', severity: low}]`)})
	w.ingest(act("e1", "act", "ada", 0))
	if v := w.only(); !v.Due.IsZero() {
		t.Fatalf("%+v", v.Episode)
	}
	w.to(10 * time.Minute)
	w.ingest(act("e2", "act", "ada", 10*time.Minute))
	if v := w.only(); !v.Due.Equal(noon.Add(24*time.Hour+10*time.Minute)) || v.State != Told {
		t.Errorf("%+v", v.Episode)
	}
}

// A rule that asks nobody: of a high alarm one person of security answers and another reviews, not who acted.
func TestNobodyIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	w.ingest(act("e1", "look", "sam", 0))
	id := w.only().ID
	if n, _ := w.notices(notice.Asked); n != 0 {
		t.Error("somebody was asked")
	}
	if _, to := w.notices(notice.Alarm); titles(to) != "oli sue" {
		t.Errorf("told %v", to)
	}
	w.to(23 * time.Hour)
	w.tick()
	if len(w.published) != 0 {
		t.Error("a suspicion of nothing")
	}
	if _, err := w.review(id, "sam", Accept); code(err) != "review_self" {
		t.Error(err)
	}
	if _, err := w.review(id, "sue", Accept); code(err) != "not_answered" || w.MayReview(w.only().Episode, w.person("sue"), w.now()) {
		t.Errorf("one person alone: %v", err)
	}
	for who, want := range map[string]string{"sam": "role_missing", "oli": "role_missing", "ada": "episode_unknown"} {
		if _, err := w.answer(id, who, support); code(err) != want {
			t.Errorf("%s: %v", who, err)
		}
	}
	if _, err := w.answer(id, "sue", support); err != nil {
		t.Fatal(err)
	}
	if _, err := w.review(id, "sue", Accept); code(err) != "review_self" {
		t.Error(err)
	}
	if e, err := w.review(id, "dan", Accept); err != nil || e.State != Accepted {
		t.Error(err)
	}
}

// Of a rule that asks, each who acted is asked, whatever it groups by: also by what only looks like who acted.
func TestEachIsAsked(t *testing.T) {
	t.Parallel()
	for _, group := range []string{"[service]", "[actor.key_name]", "[actor.kind, service]", "[actor.key]"} {
		w := newWorld(t, map[string]string{"one": ruled("act", "group: "+group, "justify: actor")})
		for i, who := range []string{"ada", "bob", "ada"} {
			w.ingest(act("e"+string(rune('1'+i)), "act", who, 0))
		}
		if n, to := w.notices(notice.Asked); n != 2 || titles(to) != "ada bob" {
			t.Errorf("%s: asked %d: %v", group, n, to)
		}
	}
}
