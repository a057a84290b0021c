package request

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/evidence/record"
)

// A mail on the desk: its arrival counts, the link goes to the address on file, and who entered it decides nothing.
func TestDesk(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	dan, sam, ada := w.person("dan"), w.person("sam"), w.person("ada")
	raw := "Received: from out.example by mx.firm.example; Thu, 26 Feb 2026 09:00:00 +0100\r\nReceived: from elsewhere; Thu, 1 Jan 2026 00:00:00 +0000\r\n" +
		"Date: Fri, 2 Jan 2026 00:00:00 +0000\r\nFrom: Mia <mia@elsewhere.example>\r\nSubject: =?utf-8?q?L=C3=B6schen?=\r\n\r\nPlease forget me.\r\n"
	entry := Entry{Tenant: "acme", Email: "mia@customer.example", Raw: []byte(raw), Language: "en"}
	if _, err := w.Enter(ctx, ada, entry, w.now()); code(err) != "role_missing" {
		t.Errorf("entered by anybody: %v", err)
	}
	r, err := w.Enter(ctx, dan, entry, w.now())
	w.must(err)
	if r.Due.String() != "2026-03-26" {
		t.Errorf("due %s", r.Due)
	}
	file, err := w.Get(ctx, r.ID, dan, w.now())
	w.must(err)
	if file.Private.Reply != "mia@elsewhere.example" || file.Private.Text != "Löschen\n\nPlease forget me.\r\n" || file.Channel != Mail {
		t.Errorf("%+v", file)
	}
	w.must(w.Identify(ctx, r.ID, w.now()))
	if to := w.letters(r.ID, letter.Link)[0].To; to != "mia@customer.example" {
		t.Errorf("the link went to %s", to)
	}
	_, err = w.Confirm(ctx, r.Number, w.code(r.ID), w.now())
	w.must(err)
	w.planned(r.ID, plan())
	if got := w.wantState(r.ID, AwaitingApproval, ""); !slices.Equal(got.Doubts, []Doubt{ByHand}) || w.staffed("wartet auf Freigabe") != 1 {
		t.Errorf("%+v", got)
	}
	open, err := w.List(ctx, sam, false, w.now())
	if err != nil || len(open) != 1 || open[0].ID != r.ID {
		t.Errorf("%v, %v", open, err)
	}
	for _, c := range []struct {
		who    string
		digest string
		want   string
	}{{"ada", "sha256:aa", "role_missing"}, {"dan", "sha256:aa", "approve_self"}, {"dora", "sha256:bb", "plan_changed"}, {"dora", "sha256:aa", ""}, {"dora", "sha256:aa", ""}, {"sam", "sha256:aa", "state_conflict"}} {
		if _, err := w.Approve(ctx, r.ID, w.person(c.who), c.digest, w.now()); code(err) != c.want {
			t.Errorf("%s approves %s: %v", c.who, c.digest, err)
		}
	}
	if got := w.wantState(r.ID, Approved, ""); got.By != "dora" {
		t.Errorf("%+v", got)
	}
	w.erased(r.ID, Outcome{})
	over, err := w.List(ctx, sam, true, w.now())
	if err != nil || len(over) != 1 {
		t.Errorf("%v, %v", over, err)
	}
}

// Nobody decides about herself.
func TestOwnMatter(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("Dora@firm.example")
	w.planned(r.ID, Plan{Digest: "sha256:aa", Items: 501, Own: true})
	if _, err := w.Approve(ctx, r.ID, w.person("dora"), "sha256:aa", w.now()); code(err) != "own_matter" {
		t.Errorf("%v", err)
	}
	if _, err := w.Approve(ctx, r.ID, w.person("dan"), "sha256:aa", w.now()); err != nil {
		t.Error(err)
	}
}

// What makes a person look at a plan.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		address string
		plan    Plan
		want    []Doubt
	}{
		"small":   {"mia@customer.example", plan(), nil},
		"many":    {"mia@customer.example", Plan{Digest: "d", Items: 501, Own: true}, []Doubt{ManyItems}},
		"share":   {"mia@customer.example", Plan{Digest: "d", Items: 5, Share: 21, Own: true}, []Doubt{LargeShare}},
		"review":  {"mia@customer.example", Plan{Digest: "d", Items: 5, Review: 1, Own: true}, []Doubt{ReviewNeeded}},
		"held":    {"mia@customer.example", Plan{Digest: "d", Items: 5, Held: 1, Own: true}, []Doubt{OnHold}},
		"shared":  {"info@customer.example", plan(), []Doubt{SharedMailbox}},
		"letters": {"mıa@customer.example", plan(), []Doubt{LookAlike}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.proved(c.address)
			got := w.planned(r.ID, c.plan)
			if want := map[bool]State{true: Approved, false: AwaitingApproval}[c.want == nil]; got.State != want || !slices.Equal(got.Doubts, c.want) {
				t.Errorf("%s %v", got.State, got.Doubts)
			}
		})
	}
}

// Two people refuse, with a ground, and the letter says what the person may do about it.
func TestReject(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	reject := func(who string, g Ground, citation string) string {
		_, err := w.Reject(ctx, r.ID, w.person(who), g, citation, w.now())
		return code(err)
	}
	if got := reject("dan", "because", ""); got != "ground_invalid" {
		t.Errorf("no ground: %s", got)
	}
	if got := reject("dan", Obligation, ""); got != "ground_invalid" {
		t.Errorf("no citation: %s", got)
	}
	for _, who := range []string{"dan", "dan"} {
		if got := reject(who, LegalClaims, "case 4 of 2026"); got != "" {
			t.Errorf("%s: %s", who, got)
		}
	}
	w.wantState(r.ID, Planning, "")
	if got := reject("dora", Excessive, ""); got != "" { // another ground: another proposal
		t.Error(got)
	}
	w.wantState(r.ID, Planning, "")
	if got := reject("dan", Excessive, ""); got != "" {
		t.Error(got)
	}
	if got := w.wantState(r.ID, Rejected, ""); got.Private != nil || got.Refusal.By != "dora" || got.Refusal.Second != "dan" {
		t.Errorf("%+v", got.Refusal)
	}
	told := w.letters(r.ID, letter.Rejected)
	if len(told) != 1 || !strings.Contains(told[0].Text, "article 12, paragraphe 5") || !strings.Contains(told[0].Text, "article 77") || !strings.Contains(told[0].Text, "article 79") || !strings.Contains(told[0].Text, "bfdi.bund.de") {
		t.Errorf("%+v", told)
	}
	var last record.Record
	for _, one := range w.Order {
		if one.Facts["event"] == "rejected" {
			last = one
		}
	}
	if last.Kind != record.DSR || last.Facts["ground"] != "art12-5" || len(last.Subjects) != 3 || last.Subjects[1].Type != "actor" || last.Subjects[2].Type != "second" {
		t.Errorf("%+v", last)
	}
}

// Two people hold one entry until a day; the rest is erased; when the hold ends, the request opens by itself.
func TestHold(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	until := calendar.Day{Year: 2026, Month: 6, Day: 30}
	h := Hold{Entry: "invoices", Fields: []string{"total"}, Ground: LegalClaims, Until: until}
	hold := func(who string, h Hold) string {
		_, err := w.Hold(ctx, r.ID, w.person(who), h, w.now())
		return code(err)
	}
	for want, bad := range map[string]Hold{
		"hold_invalid":   {Entry: "", Ground: LegalClaims, Until: until},
		"ground_invalid": {Entry: "invoices", Ground: Excessive, Until: until},
	} {
		if got := hold("dan", bad); got != want {
			t.Errorf("%+v: %s", bad, got)
		}
	}
	for _, day := range []calendar.Day{{}, {Year: 2026, Month: 3, Day: 1}, {Year: 2030, Month: 1, Day: 1}} {
		if got := hold("dan", Hold{Entry: "invoices", Ground: LegalClaims, Until: day}); got != "hold_invalid" {
			t.Errorf("until %s: %s", day, got)
		}
	}
	for _, who := range []string{"dan", "dan", "dora", "dora"} {
		if got := hold(who, h); got != "" {
			t.Errorf("%s: %s", who, got)
		}
	}
	got := w.wantState(r.ID, Planning, "") // what was approved is no longer right
	if len(got.Holds) != 1 || got.Holds[0].By != "dan" || got.Holds[0].Second != "dora" || got.Round != 2 {
		t.Fatalf("%+v", got)
	}
	if work, _ := w.Work(ctx, r.ID, w.now()); len(work.Holds) != 1 {
		t.Errorf("%+v", work)
	}
	w.planned(r.ID, Plan{Digest: "d2", Items: 3, Held: 2, Own: true})
	_, err := w.Approve(ctx, r.ID, w.person("dora"), "d2", w.now())
	w.must(err)
	w.erased(r.ID, Outcome{Kept: []Kept{{Entry: "invoices", Items: 2, Ground: LegalClaims, Until: until}}})
	w.wantState(r.ID, Retained, "")
	told := w.letters(r.ID, letter.Retained)
	if len(told) != 1 || !strings.Contains(told[0].Text, "- invoices : ") || !strings.Contains(told[0].Text, "jusqu’au 30 juin 2026") || !strings.Contains(told[0].Text, "article 77") {
		t.Fatalf("%+v", told)
	}
	for i, after := range Passes()[1:] {
		w.to(after)
		_, err := w.Verified(ctx, r.ID, w.read(r.ID).Round, i+2, w.read(r.ID).Outcome, w.now())
		w.must(err)
	}
	if got := w.wantState(r.ID, Retained, ""); got.Private == nil {
		t.Fatal("who has to be found again is forgotten")
	}
	w.must(w.Clock.Set(until.End(w.Rules.Zone)))
	w.must(w.Tick(ctx, w.now()))
	got = w.wantState(r.ID, Planning, "")
	if len(got.Holds) != 0 || w.of("hold_ended") != 1 || w.of("reopened") != 1 {
		t.Errorf("%+v", got)
	}
	w.planned(r.ID, plan())
	w.erased(r.ID, Outcome{})
	w.wantState(r.ID, Completed, "")
	if len(w.letters(r.ID, letter.Completed)) != 1 {
		t.Error("the person was not told")
	}
	// Released by one person, it opens too.
	r = w.proved("leo@customer.example")
	for _, who := range []string{"dan", "dora"} {
		if got := hold(who, Hold{Entry: "chats", Ground: Statute, Citation: "§ 257 HGB", Until: calendar.Day{Year: 2035, Month: 1, Day: 1}}); got != "" {
			t.Fatal(got)
		}
	}
	before := w.read(r.ID)
	if _, err := w.Release(ctx, r.ID, w.person("sam"), "nothing", w.now()); code(err) != "hold_unknown" {
		t.Errorf("%v", err)
	}
	_, err = w.Release(ctx, r.ID, w.person("sam"), before.Holds[0].ID, w.now())
	w.must(err)
	if got := w.read(r.ID); len(got.Holds) != 0 || got.Round != before.Round+1 {
		t.Errorf("%+v", got)
	}
}

// Alarms before the deadline, an open finding past it, closed by the answer; an extension is told within the first month.
func TestDeadline(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r, late := w.proved("mia@customer.example"), w.proved("leo@customer.example")
	tick := func(day calendar.Day) {
		t.Helper()
		w.must(w.Clock.Set(begins(day, w.Rules.Zone)))
		w.must(w.Tick(ctx, w.now()))
	}
	tick(calendar.Day{Year: 2026, Month: 3, Day: 10})
	if w.of("target_missed") != 2 || w.staffed("dauert länger") != 2 {
		t.Errorf("the company's own target: %d", w.of("target_missed"))
	}
	for i, day := range []int{23, 28, 31} {
		tick(calendar.Day{Year: 2026, Month: 3, Day: day})
		if w.of("alarm") != 2*(i+1) || w.staffed("fällig") != 2*(i+1) {
			t.Errorf("on the %dth: %d alarms, %d told", day, w.of("alarm"), w.staffed("fällig"))
		}
	}
	_, err := w.Extend(ctx, r.ID, w.person("dan"), Complexity, w.now())
	w.must(err)
	told := w.letters(r.ID, letter.Extended)
	if got := w.read(r.ID); got.Deadline.Due.String() != "2026-06-02" || len(told) != 1 || !strings.Contains(told[0].Text, "la demande est complexe") || !strings.Contains(told[0].Text, "2 juin 2026") {
		t.Errorf("%+v %v", got.Deadline, told)
	}
	if _, err := w.Extend(ctx, r.ID, w.person("dan"), Number, w.now()); code(err) != "extended_already" {
		t.Errorf("%v", err)
	}
	tick(calendar.Day{Year: 2026, Month: 4, Day: 3})
	if _, err := w.Extend(ctx, late.ID, w.person("dan"), Number, w.now()); code(err) != "notice_late" {
		t.Errorf("%v", err)
	}
	var open string
	for _, one := range w.Order {
		if one.Kind == record.Finding {
			open = one.ID()
			if one.Result.State != record.Broken || len(one.Promises) != 1 {
				t.Errorf("%+v", one)
			}
		}
	}
	if w.of("overdue") != 1 || w.staffed("überfällig") != 1 || w.read(late.ID).Finding != open {
		t.Fatalf("%d overdue", w.of("overdue"))
	}
	beats, err := w.Look(ctx, w.now())
	if err != nil || beats[0].Result.Value != 1 || beats[0].Result.State != record.Broken || beats[0].Population.Seen != 2 {
		t.Errorf("%+v, %v", beats, err)
	}
	w.planned(late.ID, plan())
	w.erased(late.ID, Outcome{})
	closes := 0
	for _, one := range w.Order {
		if one.Kind == record.Remediation && one.Result.State == record.Kept && one.Refs[0] == (record.Ref{Rel: "closes", ID: open}) {
			closes++
		}
	}
	if closes != 1 || w.read(late.ID).Finding != "" {
		t.Errorf("closed %d times", closes)
	}
	if beats, _ := w.Look(ctx, w.now()); beats[0].Result.Value != 0 || beats[0].Result.State != record.Kept {
		t.Errorf("%+v", beats)
	}
	tick(calendar.Day{Year: 2026, Month: 5, Day: 23})
	if w.of("alarm") != 7 {
		t.Errorf("%d alarms: none for the extended period", w.of("alarm"))
	}
}

// What was answered by nobody is called again; what nobody decides lapses.
func TestIdle(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	for i := range 3 {
		w.to(time.Duration(i+1) * Idle)
		w.must(w.Tick(ctx, w.now()))
		if n := w.published(TopicPlan, r.ID); n != 3+i {
			t.Errorf("after %d times ten minutes called %d times", i+1, n)
		}
	}
	w.must(w.Alive(ctx, r.ID, 1, w.now().Add(5*time.Minute)))
	w.to(4 * Idle)
	w.must(w.Tick(ctx, w.now()))
	if n := w.published(TopicPlan, r.ID); n != 5 {
		t.Errorf("called again while it is at work: %d", n)
	}
	_, err := w.Reject(ctx, r.ID, w.person("dan"), NotOwed, "", w.now())
	w.must(err)
	w.to(4*Idle + Proposal)
	w.must(w.Tick(ctx, w.now()))
	if r := w.read(r.ID); r.Proposed != nil || w.of("proposal_lapsed") != 1 {
		t.Errorf("%+v", r)
	}
}

// What only people can move they are told of again, every week.
func TestReminded(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, Plan{Digest: "d", Items: 501, Own: true})
	for week := range 9 {
		w.to(time.Duration(week) * weekly)
		w.must(w.Tick(ctx, w.now()))
		if n := w.staffed("wartet auf Freigabe"); n != week+1 {
			t.Errorf("after %d weeks told %d times", week, n)
		}
	}
}
