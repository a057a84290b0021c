package page

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
)

func clocked(id string, status clock.Status, hours, left time.Duration) clock.Clock {
	end := start.Add(left)
	return clock.Clock{ID: id, Binding: clock.Law, Status: status, Start: end.Add(-hours), Target: end}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The picture has what is overdue first, then what ends soonest; its bars are as long as their time, and never leave it.
func TestPicture(t *testing.T) {
	t.Parallel()
	r := reader(t, New("declarebreach"), "simone", "en", 0)
	p := r.NewPicture([]clock.Clock{
		{ID: "gdpr_34", Binding: clock.Law, Status: clock.Waiting}, clocked("gdpr_33_1", clock.Running, 72*time.Hour, 36*time.Hour), clocked("nis2_ew", clock.Overdue, 24*time.Hour, -1000*time.Hour),
		clocked("uk_33", clock.Running, 72*time.Hour, 5*time.Hour+12*time.Minute), {ID: "gdpr_33_2:northwind", Binding: clock.Law, Status: clock.Open}, clocked("dora_init", clock.Met, time.Hour, time.Hour),
	})
	var names []string
	for i, b := range p.Bars {
		names = append(names, b.Kind)
		if b.Gone != "" && (number(t, b.Gone) > whole || number(t, b.Gone) < 0) || b.Over != "" && whole+number(t, b.Over) > 100 {
			t.Errorf("%s leaves the picture: %+v", b.Name, b)
		}
		if i > 0 && number(t, b.Y) <= number(t, p.Bars[i-1].Y) {
			t.Errorf("%s stands on another", b.Name)
		}
	}
	if got := strings.Join(names, " "); got != "over soon run wait done" {
		t.Errorf("in this order: %s", got)
	}
	if soon := p.Bars[1]; soon.State != "in 5 h 12 min" || soon.Target != "Tuesday 3 March, 14:02 (+01:00)" {
		t.Errorf("the soonest is %+v", soon)
	}
	if half := p.Bars[2]; half.Gone != "42.0" || half.Now != half.Gone {
		t.Errorf("after half of its time: %+v", half)
	}
	if over := p.Bars[0]; !strings.Contains(over.State, "overdue") || over.Over == "" {
		t.Errorf("overdue is told by %+v", over)
	}
	if !strings.Contains(p.Says, "NIS2: early warning") || !strings.Contains(p.Says, "overdue: 1") {
		t.Errorf("it says %q", p.Says)
	}
	if r.NewPicture(nil) != nil {
		t.Error("a picture of nothing")
	}
}

// Two thousand tenants are a dozen bars, each at the soonest of its group, and nobody is left out.
func TestManyTenants(t *testing.T) {
	t.Parallel()
	r := reader(t, New("declarebreach"), "simone", "en", 0)
	var all []clock.Clock
	for i := range 2000 {
		c := clocked(fmt.Sprintf("contract:t%d", i), clock.Running, 72*time.Hour, time.Duration(24+i%30)*time.Hour)
		c.Binding = clock.Contract
		all = append(all, c)
	}
	p := r.NewPicture(all)
	if len(p.Bars) != most {
		t.Fatalf("%d bars", len(p.Bars))
	}
	counted := 0
	for _, b := range p.Bars {
		_, more, _ := strings.Cut(b.Name, " and ")
		n, err := strconv.Atoi(strings.TrimSuffix(more, " more"))
		if err != nil {
			t.Fatalf("%q", b.Name)
		}
		counted += n + 1
	}
	if counted != 2000 || !p.Bars[0].target.Equal(start.Add(24*time.Hour)) {
		t.Errorf("%d tenants, the first by %v", counted, p.Bars[0].target)
	}
}

// An aim of the company's own is never shown as somebody's deadline.
func TestAim(t *testing.T) {
	t.Parallel()
	s := New("declarebreach")
	sc := declared(t, s, true, false, "northwind", "banque-du-port")
	sc.r = reader(t, s, "simone", "en", time.Hour)
	p := sc.r.NewCase(sc.c).Picture
	for _, b := range p.Bars {
		if aim := strings.Contains(b.Name, "our aim"); aim != (b.Bound == "bound.internal") {
			t.Errorf("%s is set by %s", b.Name, b.Bound)
		}
	}
	text := rendered(t, s, "case", "en", sc.r.NewCase(sc.c))
	if !strings.Contains(text, "no legal deadline") || strings.Contains(text, "72 h") {
		t.Error("the table does not say what is the company's own, or shows the controller's hours as ours")
	}
}

// step is what is to be done first, and by whom.
func first(t *testing.T, sc *scene, who string, after time.Duration) Step {
	t.Helper()
	sc.r = reader(t, New("declarebreach"), who, "en", after)
	next := sc.r.NewCase(sc.c).Next
	if len(next) == 0 {
		return Step{}
	}
	return next[0]
}

func wants(t *testing.T, sc *scene, who string, after time.Duration, path string, mine bool, words ...string) {
	t.Helper()
	got := first(t, sc, who, after)
	if got.Path != path || got.Mine != mine {
		t.Errorf("to %s the first thing is %+v, not %s", who, got, path)
	}
	for _, w := range words {
		if !strings.Contains(got.What+" "+got.When+" "+got.Who, w) {
			t.Errorf("to %s the first thing does not say %q: %+v", who, w, got)
		}
	}
}

// The first thing to do leads through a case, from a suspicion to the review after it, whoever reads.
func TestNext(t *testing.T) {
	t.Parallel()
	s := New("declarebreach")
	sc := declared(t, s, false, false)
	wants(t, sc, "simone", time.Hour, "#triage", true, "in 23 h 00 min", "our aim")
	wants(t, sc, "omkar", time.Hour, "#triage", false, "Simone Bernard", "Dorothea Klein")
	wants(t, sc, "simone", 30*time.Hour, "#triage", true, "in 18 h 00 min")
	sc.does("simone", time.Hour, cases.Event{What: cases.Answer, Subject: cases.Breach, Text: sc.text("A test.")})
	wants(t, sc, "stefan", time.Hour, "#decide-breach", true, "Simone Bernard says that it is no breach")
	wants(t, sc, "simone", time.Hour, "#decide-breach", false, "Stefan Weber")
	sc.does("stefan", time.Hour, cases.Event{What: cases.Triage, Result: cases.Likely})
	wants(t, sc, "simone", time.Hour, "#tracks", true)
	sc.does("simone", time.Hour, cases.Event{What: cases.Describe, Tracks: tenants("own", "banque-du-port")})
	wants(t, sc, "simone", time.Hour, "#tenants", true, "in 24 h 00 min")
	sc.does("simone", time.Hour, cases.Event{What: cases.Answer, Subject: "banque-du-port", Yes: true})
	wants(t, sc, "simone", time.Hour, "#tenants", false, "Stefan Weber")
	wants(t, sc, "stefan", time.Hour, "#tenants", true, "Simone Bernard proposes to tell customers (1)")
	sc.does("stefan", time.Hour, cases.Event{What: cases.Answer, Subject: "banque-du-port", Yes: true})
	wants(t, sc, "stefan", 26*time.Hour, "#notices", true, "1 h 00 min overdue")
	sc.does("", 2*time.Hour, cases.Event{What: cases.Told, Tenant: "banque-du-port", At: start.Add(2 * time.Hour)})
	wants(t, sc, "stefan", 3*time.Hour, "#score", true, "in 70 h 00 min")
	sc.does("stefan", 3*time.Hour, cases.Event{What: cases.Rate, Input: scored})
	wants(t, sc, "stefan", 3*time.Hour, "#decide-sa", true)
	for _, who := range []string{"simone", "dorothea"} {
		sc.does(who, 3*time.Hour, cases.Event{What: cases.Answer, Subject: cases.SA, Yes: true})
		sc.does(who, 3*time.Hour, cases.Event{What: cases.Answer, Subject: cases.Persons, Text: sc.text("Nobody opened it.")})
	}
	wants(t, sc, "stefan", 3*time.Hour, "#file", true)
	sc.does("simone", 3*time.Hour, cases.Event{What: cases.File, Clock: "gdpr_33_1", At: start.Add(3 * time.Hour)})
	wants(t, sc, "stefan", 3*time.Hour, "#file", true, "Report to the ICO")
	sc.does("simone", 3*time.Hour, cases.Event{What: cases.Answer, Subject: "uk_33", Text: sc.text("Nobody in the United Kingdom.")})
	wants(t, sc, "dorothea", 3*time.Hour, "#decide-uk_33", true, "Simone Bernard proposes not to tell")
	sc.does("dorothea", 3*time.Hour, cases.Event{What: cases.Answer, Subject: "uk_33", Text: sc.text("Nobody there.")})
	sc.does("simone", 3*time.Hour, cases.Event{What: cases.File, Clock: "cnil_followup", At: start.Add(3 * time.Hour)})
	wants(t, sc, "stefan", 3*time.Hour, "#close", true)
	if got := sc.r.NewCase(sc.c).Unsettled; len(got) > 0 {
		t.Errorf("it cannot be closed: %v", got)
	}
	sc.does("simone", 3*time.Hour, cases.Event{What: cases.Close})
	wants(t, sc, "stefan", 3*time.Hour, "#review", true)
	sc.does("simone", 3*time.Hour, cases.Event{What: cases.Review, Text: sc.text("Lock buckets.")})
	if got := first(t, sc, "stefan", 3*time.Hour); got.What != "" {
		t.Errorf("after the review there is %+v", got)
	}
}

// What keeps a case open is said before anybody tries to close it: the page and the case agree.
func TestUnsettled(t *testing.T) {
	t.Parallel()
	s := New("declarebreach")
	sc := declared(t, s, true, false)
	check := func(want ...string) {
		t.Helper()
		_, _, err := cases.Decide(sc.c.Case, cases.Event{What: cases.Close, By: cases.Actor{ID: "simone", Roles: deciding}}, start.Add(time.Hour), sc.r.Rules)
		sc.r.Now = start.Add(time.Hour)
		var texts []string
		for _, key := range want {
			texts = append(texts, sc.r.Say(key))
		}
		var got []string
		for _, left := range sc.r.unsettled(sc.c.Case) {
			got = append(got, left.What)
		}
		if !slices.Equal(got, texts) || (err == nil) != (len(got) == 0) {
			t.Errorf("the page says %v, the case %v", got, err)
		}
	}
	check("unsettled.tracks")
	sc.does("simone", 0, cases.Event{What: cases.Describe, Tracks: tenants("northwind"), Unmapped: 2})
	check("unsettled.unmapped", "unsettled.decisions")
	sc.does("simone", 0, cases.Event{What: cases.Map, Unmapped: 2, Text: sc.text("They are nobody's.")})
	for _, who := range []string{"simone", "stefan"} {
		sc.does(who, 0, cases.Event{What: cases.Answer, Subject: "northwind", Yes: true})
	}
	check("unsettled.told")
	sc.does("simone", 0, cases.Event{What: cases.Promise, Name: "next-update", At: start.Add(time.Hour)})
	check("unsettled.told", "unsettled.promises")
	sc.does("", 0, cases.Event{What: cases.Told, Tenant: "northwind", At: start})
	sc.does("simone", 0, cases.Event{What: cases.Keep, Name: "next-update"})
	check()
	sc.does("simone", 0, cases.Event{What: cases.Describe, Tracks: tenants("own")})
	for _, who := range []string{"simone", "dorothea"} {
		sc.does(who, 0, cases.Event{What: cases.Answer, Subject: cases.SA, Yes: true})
		sc.does(who, 0, cases.Event{What: cases.Answer, Subject: cases.Persons, Yes: true})
	}
	check("unsettled.report", "unsettled.reports", "unsettled.persons")
	sc.does("simone", 0, cases.Event{What: cases.Keep, Name: cases.Persons, Noted: true})
	check("unsettled.report", "unsettled.reports")
}

// The list has first what ends first, suspicions behind, and what is over below.
func TestList(t *testing.T) {
	t.Parallel()
	s := New("declarebreach")
	own, bank, suspicion := declared(t, s, true, false, "own").c.Case, declared(t, s, true, false, "banque-du-port").c.Case, declared(t, s, false, false).c.Case
	closed := declared(t, s, true, false, "own").c.Case
	closed.State, closed.Ending, closed.Reviewed = cases.Closed, cases.Handled, start
	own.ID, bank.ID, suspicion.ID, closed.ID = "own", "bank", "suspicion", "closed"
	l := reader(t, s, "simone", "en", 25*time.Hour).NewList([]cases.Case{suspicion, closed, own, bank}, func(cases.Case) bool { return true })
	var ids []string
	for _, i := range slices.Concat(l.Open, l.Reviews, l.Closed) {
		ids = append(ids, i.ID)
	}
	if got := strings.Join(ids, " "); got != "bank own suspicion closed" {
		t.Errorf("listed %s", got)
	}
	if i := l.Open[0]; !i.Over || !i.Unanswered || i.Left != "1 h 10 min overdue" {
		t.Errorf("the first is %+v", i)
	}
	if text := rendered(t, s, "list", "de", reader(t, s, "simone", "de", 0).NewList(nil, nil)); !strings.Contains(text, "Nichts ist offen.") {
		t.Error("nobody is told that nothing is open")
	}
}

// A report that waits for somebody to say when an incident became a major one is a step of its own, until she says so or two
// decide that it does not apply.
func TestClassify(t *testing.T) {
	t.Parallel()
	const asks = "Say when the incident was classified as major, or decide by two that it does not apply: "
	steps := func(s *scene) (all []string) {
		for _, step := range s.r.next(s.c, cases.Clocks(s.c.Case, s.r.Rules, s.r.Now)) {
			if strings.HasPrefix(step.What, asks) {
				if step.Path != "#times" || !step.Mine || step.When != "" || step.Over {
					t.Errorf("%+v", step)
				}
				all = append(all, strings.TrimPrefix(step.What, asks))
			}
		}
		return all
	}
	begin := func() *scene {
		s := declared(t, New("declarebreach"), false, false, cases.Own)
		s.r.Rules.Regimes = []string{"dora_init"}
		s.does("simone", 0, cases.Event{What: cases.Triage, Result: cases.Confirmed})
		return s
	}
	s := begin()
	if got := steps(s); len(got) != 1 || got[0] != s.r.clockName("dora_init") {
		t.Fatalf("waits for %q", got)
	}
	s.does("simone", time.Minute, cases.Event{What: cases.Timed, Times: cases.Times{Classified: start.Add(time.Minute)}})
	if got := steps(s); len(got) != 0 {
		t.Errorf("it was said, and waits for %q", got)
	}
	s = begin()
	for i, who := range []string{"simone", "dorothea"} {
		s.does(who, time.Duration(i)*time.Minute, cases.Event{What: cases.Answer, Subject: "dora_init", Text: s.text("We are no financial entity.")})
	}
	if got := steps(s); len(got) != 0 {
		t.Errorf("two decided, and it waits for %q", got)
	}
}
