package request

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
)

// Whom her organisation has forgotten is told so at the address on file, and gets the letters that follow; whoever asked gets
// none about what was found. The search waits for it, and is asked for again.
func TestSpokenFor(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.onFile["acme leo@customer.example"] = "Leo@customer.example"
	r, err := w.Ask(ctx, Ask{Session: session(TenantAdmin), Tenant: "acme", Email: "leo@customer.example", Language: "en"}, w.now())
	w.must(err)
	if work, err := w.Work(ctx, r.ID, w.now()); err != nil || !work.Identify || work.State != Planning {
		t.Fatalf("%+v, %v", work, err)
	}
	w.to(Idle)
	w.must(w.Tick(ctx, w.now())) // the message was lost
	called := w.published(TopicPlan, r.ID)
	for range 2 { // delivered twice
		w.must(w.Identify(ctx, r.ID, w.now()))
	}
	told := w.letters(r.ID, letter.Asked)
	if len(told) != 1 || told[0].To != "Leo@customer.example" || !strings.Contains(told[0].Text, "Acme") || w.published(TopicPlan, r.ID) != called+1 {
		t.Fatalf("%+v, called %d times", told, w.published(TopicPlan, r.ID)-called)
	}
	if work, err := w.Work(ctx, r.ID, w.now()); err != nil || work.Identify || len(work.Identifiers) != 1 || work.Identifiers[0].Value != "leo@customer.example" {
		t.Errorf("%+v, %v", work, err)
	}
	w.planned(r.ID, plan())
	w.erased(r.ID, Outcome{})
	if done := w.letters(r.ID, letter.Completed); len(done) != 1 || done[0].To != "Leo@customer.example" {
		t.Errorf("%+v", done)
	}
	// Who is not on file is not told by way of whoever asked.
	later := session(TenantAdmin)
	later.At = w.now()
	r, err = w.Ask(ctx, Ask{Session: later, Tenant: "acme", Email: "nobody@customer.example"}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, r.ID, w.now()))
	if work, err := w.Work(ctx, r.ID, w.now()); err != nil || work.Identify || len(w.letters(r.ID, letter.Asked)) != 0 {
		t.Errorf("%+v, %v", work, err)
	}
}

// What anybody could see others may have copied: the answer says so, and where it was.
func TestPublic(t *testing.T) {
	t.Parallel()
	for language, article := range map[string]string{"en": "article 17(2)", "fr": "article 17, paragraphe 2", "de": "Artikel 17 Absatz 2"} {
		w := newWorld(t)
		r, err := w.Ask(t.Context(), Ask{Session: session(Subject), Tenant: "acme", Language: language}, w.now())
		w.must(err)
		w.planned(r.ID, plan())
		w.erased(r.ID, Outcome{Public: []string{"the directory of people"}})
		done := w.letters(r.ID, letter.Completed)
		if len(done) != 1 || !strings.Contains(done[0].Text, article) || !strings.Contains(done[0].Text, "- the directory of people\n") {
			t.Errorf("%s: %+v", language, done)
		}
	}
}

// Whoever names a person by her id alone has her told at the address on file all the same; where there is none, nothing is
// erased before somebody at the desk has seen that she does not know.
func TestSpokenForByID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ask  Ask
		told bool
	}{"on file": {Ask{UID: "u7"}, true}, "not on file": {Ask{UID: "u8"}, false}, "another address": {Ask{UID: "u7", Email: "old@customer.example"}, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, ctx := newWorld(t), t.Context()
			w.onFile["acme uid u7"] = "Leo@customer.example"
			c.ask.Session, c.ask.Tenant, c.ask.Language = session(TenantAdmin), "acme", "en"
			r, err := w.Ask(ctx, c.ask, w.now())
			w.must(err)
			w.must(w.Identify(ctx, r.ID, w.now()))
			told := w.letters(r.ID, letter.Asked)
			if len(told) > 1 || len(told) == 1 != c.told || c.told && told[0].To != "Leo@customer.example" {
				t.Errorf("told by %+v", told)
			}
			if work, err := w.Work(ctx, r.ID, w.now()); err != nil || work.Identify || slices.ContainsFunc(work.Identifiers, func(one Identifier) bool { return one.Value == "Leo@customer.example" }) {
				t.Errorf("%+v, %v", work, err)
			}
			got := w.planned(r.ID, plan())
			if waits := got.State == AwaitingApproval; waits == c.told || slices.Contains(got.Doubts, Untold) == c.told {
				t.Fatalf("%s for %v", got.State, got.Doubts)
			}
			if c.told {
				return
			}
			_, err = w.Approve(ctx, r.ID, w.person("dan"), got.Plan.Digest, w.now())
			w.must(err)
			w.wantState(r.ID, Approved, "")
		})
	}
}

// An administrator names one person by her id and gives the address of another: only the one is searched for, and nobody but she is
// written to.
func TestSpokenForTwo(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "ann@customer.example")
	w.onFile["acme uid u7"] = "Leo@customer.example"
	r, err := w.Ask(ctx, Ask{Session: session(TenantAdmin), Tenant: "acme", UID: "u7", Email: "ann@customer.example"}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, r.ID, w.now()))
	if work, err := w.Work(ctx, r.ID, w.now()); err != nil || !slices.Equal(work.Identifiers, []Identifier{{Kind: "uid", Value: "u7", Verified: true}}) {
		t.Errorf("searched for %+v, %v", work.Identifiers, err)
	}
	for _, m := range w.Mail {
		if m.To == "ann@customer.example" {
			t.Errorf("the other is told: %s", m.Subject)
		}
	}
	if told := w.letters(r.ID, letter.Asked); len(told) != 1 || told[0].To != "Leo@customer.example" {
		t.Errorf("told: %+v", told)
	}
	// Whoever asked is told that the address is not searched for, in the answer, in the letters and by the receipt.
	if !slices.Equal(r.Unsearched, []string{"email"}) {
		t.Errorf("the answer says %v", r.Unsearched)
	}
	if began := w.letters(r.ID, letter.Received); len(began) != 1 || began[0].To != "mia@customer.example" || !strings.Contains(began[0].Text, "You named an id and an address.") {
		t.Errorf("%+v", began)
	}
	w.planned(r.ID, plan())
	w.erased(r.ID, Outcome{})
	if ended := w.letters(r.ID, letter.Completed); len(ended) != 1 || !strings.Contains(ended[0].Text, "come late.\n\nData that belongs to no organisation, if there is any, was left alone: only the person herself can have that erased.\n\nBeside an id an address was named that is not the one on file.") || strings.Contains(ended[0].Text, "ann@") {
		t.Errorf("%+v", ended)
	}
	v, err := w.Status(ctx, r.Number, r.Secret, w.now())
	w.must(err)
	if work, err := w.Work(ctx, r.ID, w.now()); err != nil || !slices.Equal(work.Unsearched, []string{"email"}) || !slices.Equal(v.Unsearched, work.Unsearched) {
		t.Errorf("%v and %v, %v", work.Unsearched, v.Unsearched, err)
	}
	if hers := w.proved("ann@customer.example"); w.read(hers.ID).State != Planning {
		t.Error("her own request counts for the other's")
	}
}

// Of an address that turns out to be the one on file, however it is written, nothing of the kind is said in the end.
func TestSpokenForOne(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.onFile["acme uid u7"] = "Leo@customer.example"
	r, err := w.Ask(ctx, Ask{Session: session(TenantAdmin), Tenant: "acme", UID: "u7", Email: "leo@customer.example"}, w.now())
	w.must(err)
	if !slices.Equal(r.Unsearched, []string{"email"}) {
		t.Errorf("before anybody has looked it says %v", r.Unsearched)
	}
	w.must(w.Identify(ctx, r.ID, w.now()))
	w.planned(r.ID, plan())
	w.erased(r.ID, Outcome{})
	work, err := w.Work(ctx, r.ID, w.now())
	w.must(err)
	if ended := w.letters(r.ID, letter.Completed); len(work.Unsearched) > 0 || len(ended) != 1 || strings.Contains(ended[0].Text, "Beside an id") {
		t.Errorf("unsearched %v, %+v", work.Unsearched, ended)
	}
}

// Who speaks for the last owner neither stops the account nor has it closed; the desk is told, once, and looks.
func TestSpokenForOwner(t *testing.T) {
	t.Parallel()
	for _, role := range []Requester{TenantAdmin, TenantOwner} {
		w, ctx := newWorld(t), t.Context()
		r, err := w.Ask(ctx, Ask{Session: session(role), Tenant: "acme", UID: "u2"}, w.now())
		w.must(err)
		w.must(w.Identify(ctx, r.ID, w.now()))
		p := plan()
		p.Last = true
		for day := range 3 {
			w.planned(r.ID, p)
			got := w.wantState(r.ID, Blocked, LastOwner)
			if got.Frozen || w.published(TopicFreeze, r.ID) != 0 || len(w.letters(r.ID, letter.Owner)) != 0 || w.staffed("kommt nicht weiter") != 1 {
				t.Fatalf("%s, day %d: %+v", role, day, got)
			}
			w.to(time.Duration(day+1) * 24 * time.Hour)
			if v, err := w.Status(ctx, r.Number, r.Secret, w.now()); err != nil || v.Closes {
				t.Errorf("%s: %+v, %v", role, v, err)
			}
			if _, err := w.CloseAccount(ctx, r.Number, r.Secret, w.now()); code(err) != "state_conflict" {
				t.Errorf("%s closes the account of another: %v", role, err)
			}
			w.must(w.Tick(ctx, w.now()))
			w.wantState(r.ID, Planning, "")
		}
	}
}

// Signed in, an owner has her account closed; whom the product calls a member does not.
func TestClosesSignedIn(t *testing.T) {
	t.Parallel()
	for role, want := range map[Requester]string{TenantOwner: "", TenantAdmin: "state_conflict", Subject: "state_conflict"} {
		w, ctx := newWorld(t), t.Context()
		r, err := w.Ask(ctx, Ask{Session: session(role), Tenant: "acme"}, w.now())
		w.must(err)
		p := plan()
		p.Last, p.Owner = true, true
		w.planned(r.ID, p)
		if got := w.wantState(r.ID, Blocked, LastOwner); !got.Frozen || len(w.letters(r.ID, letter.Owner)) != 1 {
			t.Errorf("%s: %+v", role, got)
		}
		if v, err := w.Status(ctx, r.Number, r.Secret, w.now()); err != nil || v.Closes != (want == "") {
			t.Errorf("%s: %+v, %v", role, v, err)
		}
		if _, err := w.CloseAccount(ctx, r.Number, r.Secret, w.now()); code(err) != want {
			t.Errorf("%s: %v", role, err)
		}
	}
}
