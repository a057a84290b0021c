package request

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// session is somebody of acme who signed in a minute ago.
func session(role Requester) *Session {
	return &Session{UID: "u1", Email: "mia@customer.example", Tenant: "acme", Role: role, At: noon.Add(-time.Minute)}
}

// TestMatrix: who may ask for what; everything else is refused before anything is written.
func TestMatrix(t *testing.T) {
	t.Parallel()
	stale, ahead, elsewhere := session(TenantAdmin), session(TenantAdmin), session(TenantOwner)
	stale.At, ahead.At, elsewhere.Tenant = noon.Add(-6*time.Minute), noon.Add(time.Hour), "zeta"
	old := session(Subject)
	old.At = time.Time{}
	mute, fresh := *old, session(Subject)
	mute.Email, fresh.Email = "", ""
	for name, c := range map[string]struct {
		ask   Ask
		want  string
		state State
		as    Requester
		proof Proof
	}{
		"a stranger for an address":       {Ask{Email: "mia@customer.example"}, "", Received, Subject, ""},
		"a stranger by an id":             {Ask{Email: "mia@customer.example", UID: "u1"}, "body_invalid", "", "", ""},
		"an agent":                        {Ask{Email: "mia@customer.example", Mandate: "M-1"}, "", Received, Agent, ""},
		"an agent closes an account":      {Ask{Email: "mia@customer.example", Mandate: "M-1", Kind: Account}, "not_allowed", "", "", ""},
		"a stranger closes an account":    {Ask{Email: "mia@customer.example", Kind: Account}, "", Received, TenantOwner, ""},
		"herself, signed in":              {Ask{Session: session(Subject)}, "", Planning, Subject, BySession},
		"herself, signed in long ago":     {Ask{Session: old}, "", Received, Subject, ""},
		"herself, long ago, no address":   {Ask{Session: &mute}, "reauthenticate", "", "", ""},
		"herself, without an address":     {Ask{Session: fresh}, "", Planning, Subject, BySession},
		"somebody else, signed in":        {Ask{Session: session(Subject), UID: "u2"}, "not_allowed", "", "", ""},
		"the account, as a member":        {Ask{Session: session(Subject), Kind: Account}, "not_allowed", "", "", ""},
		"a member, as admin":              {Ask{Session: session(TenantAdmin), UID: "u2"}, "", Planning, TenantAdmin, ByTenant},
		"a member by address, as owner":   {Ask{Session: session(TenantOwner), Email: "leo@customer.example"}, "", Planning, TenantOwner, ByTenant},
		"a member, signed in long ago":    {Ask{Session: stale, UID: "u2"}, "reauthenticate", "", "", ""},
		"a member, signed in ahead":       {Ask{Session: ahead, UID: "u2"}, "reauthenticate", "", "", ""},
		"herself, as admin":               {Ask{Session: session(TenantAdmin), UID: "u1"}, "", Planning, Subject, BySession},
		"the account, as admin":           {Ask{Session: session(TenantAdmin), Kind: Account}, "not_allowed", "", "", ""},
		"the account, as owner":           {Ask{Session: session(TenantOwner), Kind: Account}, "", Planning, TenantOwner, BySession},
		"a member of another tenant":      {Ask{Session: elsewhere, UID: "u2"}, "other_tenant", "", "", ""},
		"as controller, signed in":        {Ask{Session: session(Controller), UID: "u2"}, "not_allowed", "", "", ""},
		"no address":                      {Ask{}, "body_invalid", "", "", ""},
		"a kind there is none of":         {Ask{Email: "mia@customer.example", Kind: "all"}, "body_invalid", "", "", ""},
		"no address at all":               {Ask{Email: "*"}, "identifier_invalid", "", "", ""},
		"dots":                            {Ask{Email: ".."}, "identifier_invalid", "", "", ""},
		"a path":                          {Ask{Session: session(TenantAdmin), UID: "a\x00b"}, "identifier_invalid", "", "", ""},
		"very long":                       {Ask{Email: strings.Repeat("a", 2000) + "@b.example"}, "identifier_invalid", "", "", ""},
		"two addresses":                   {Ask{Email: "mia@customer.example,leo@customer.example"}, "identifier_invalid", "", "", ""},
		"a header":                        {Ask{Email: "mia@customer.example\r\nBcc: x@y.example"}, "identifier_invalid", "", "", ""},
		"what cannot be seen in a name":   {Ask{Email: "mi\u200ba@customer.example"}, "identifier_invalid", "", "", ""},
		"a mandate of more than a line":   {Ask{Email: "mia@customer.example", Mandate: "a\nb"}, "body_invalid", "", "", ""},
		"what the data map's guard knows": {Ask{Email: "null@null.null"}, "identifier_invalid", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Guard = func(value string) error {
				if strings.HasPrefix(value, "null") {
					return fault.New(fault.Invalid, "no")
				}
				return nil
			}
			c.ask.Tenant = "acme"
			r, err := w.Ask(t.Context(), c.ask, w.now())
			if code(err) != c.want {
				t.Fatalf("%v; want %q", err, c.want)
			}
			if c.want != "" {
				if len(w.Order)+len(w.asked)+len(w.Mail) > 0 {
					t.Error("something was written")
				}
				return
			}
			got := w.wantState(r.ID, c.state, "")
			if got.Requester != c.as || got.Proof != c.proof {
				t.Errorf("%s by %q", got.Requester, got.Proof)
			}
			work, err := w.Work(t.Context(), r.ID, w.now())
			w.must(err)
			if (len(work.Identifiers) > 0) != (c.proof != "") {
				t.Errorf("identifiers %v", work.Identifiers)
			}
			for _, one := range work.Identifiers {
				if c.as == TenantAdmin && one.Value != "u2" || !one.Verified {
					t.Errorf("%+v", one)
				}
			}
		})
	}
	for role, all := range mayAsk {
		for about := range all {
			if (role == Subject || role == Agent || role == Controller) && about == tenant {
				t.Errorf("%s may close an account", role)
			}
		}
	}
}

// A controller's instruction is carried out in its own tenant, once for one id, by its own clock.
func TestInstruct(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	in := Instruction{Tenant: "acme", ID: "a7551968-d5d6-44b2-9831-815ac9017798", Digest: "sha256:aa", Submitted: noon.Add(-23 * 24 * time.Hour),
		Identifiers: []Identifier{{Kind: "email", Value: "mia@customer.example"}, {Kind: "uid", Value: "u-17"}}}
	r, err := w.Instruct(ctx, in, w.now())
	w.must(err)
	if r.State != Planning || r.Deadline.Due.String() != "2026-03-09" || r.Proof != ByInstruction || r.Secret != "" {
		t.Errorf("%+v", r)
	}
	again, err := w.Instruct(ctx, in, w.now())
	if err != nil || again.ID != r.ID || len(w.asked) != 1 {
		t.Errorf("again: %s, %v, %d called", again.ID, err, len(w.asked))
	}
	other := in
	other.Digest = "sha256:bb"
	if _, err := w.Instruct(ctx, other, w.now()); code(err) != "id_conflict" {
		t.Errorf("another body: %v", err)
	}
	other.Tenant = "zeta" // another controller's ids are its own
	if z, err := w.Instruct(ctx, other, w.now()); err != nil || z.ID == r.ID {
		t.Errorf("another controller: %v", err)
	}
	if _, err := w.Instructed(ctx, "zeta", "unheard-of"); code(err) != "request_unknown" {
		t.Errorf("%v", err)
	}
	ahead := in
	ahead.ID, ahead.Submitted = "ahead", noon.Add(MaxAhead)
	if a, err := w.Instruct(ctx, ahead, w.now()); err != nil || !a.Received.Equal(noon) {
		t.Errorf("received at %s, %v", a.Received, err)
	}
	work, err := w.Work(ctx, r.ID, w.now())
	if err != nil || work.Tenant != "acme" || work.Requester != Controller || len(work.Identifiers) != 2 || !work.Identifiers[1].Verified {
		t.Errorf("%+v, %v", work, err)
	}
	for name, change := range map[string]func(*Instruction){
		"ahead": func(i *Instruction) { i.Submitted = noon.Add(MaxAhead + time.Second) }, "nobody": func(i *Instruction) { i.Identifiers = nil },
		"no id": func(i *Instruction) { i.ID = "" }, "long ago": func(i *Instruction) { i.Submitted = noon.Add(-oldest - time.Hour) },
	} {
		bad := in
		change(&bad)
		if _, err := w.Instruct(ctx, bad, w.now()); code(err) != "body_invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := in
	bad.ID, bad.Identifiers = "b", []Identifier{{Kind: "email", Value: ""}}
	if _, err := w.Instruct(ctx, bad, w.now()); code(err) != "identifier_invalid" {
		t.Errorf("%v", err)
	}
	// What it holds as processor is its to erase: nothing is forwarded.
	p := plan()
	p.Theirs, p.Own = true, false
	w.planned(r.ID, p)
	w.wantState(r.ID, Approved, "")
	if len(w.Mail) != 0 {
		t.Errorf("letters to a person who asked somebody else: %v", w.Mail)
	}
	got, err := w.Countermand(ctx, in.Tenant, in.ID, w.now())
	if err != nil || got.State != Cancelled || got.Why != Instructed {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = w.Countermand(ctx, in.Tenant, in.ID, w.now()); err != nil || got.State != Cancelled {
		t.Errorf("again: %v", err)
	}
}

// A person asks the processor: nothing is erased, the controller is told, and she, without a word of whether data exists.
func TestForward(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.proved("mia@customer.example")
	w.planned(r.ID, Plan{Digest: "d", Theirs: true})
	if got := w.wantState(r.ID, Forwarding, ""); got.Private == nil || len(w.letters(r.ID, letter.Forwarded)) != 0 {
		t.Error("it counts as passed on before it has arrived")
	}
	w.arrives(r.ID, message.StateAccepted)
	got := w.wantState(r.ID, Forwarded, "")
	to, told := w.letters(r.ID, letter.Instruct), w.letters(r.ID, letter.Forwarded)
	if len(to) != 1 || to[0].To != "privacy@acme.example" || !strings.Contains(to[0].Text, "mia@customer.example") || !strings.Contains(to[0].Text, "2. März 2026") {
		t.Errorf("%+v", to)
	}
	if len(told) != 1 || told[0].To != "mia@customer.example" || !strings.Contains(told[0].Text, "Acme") || got.Private != nil || w.published(TopicRun, r.ID) != 0 {
		t.Errorf("%+v %+v", told, got)
	}
	// A tenant without a contact: somebody has to find one.
	w = newWorld(t)
	w.known("zeta", "mia@customer.example")
	r, err := w.Ask(t.Context(), Ask{Tenant: "zeta", Email: "mia@customer.example"}, w.now())
	w.must(err)
	w.must(w.Identify(t.Context(), r.ID, w.now()))
	_, err = w.Confirm(t.Context(), r.Number, w.code(r.ID), w.now())
	w.must(err)
	w.planned(r.ID, Plan{Digest: "d", Theirs: true})
	if got := w.wantState(r.ID, Blocked, NoContact); w.staffed("kommt nicht weiter") != 1 || got.Private == nil || len(w.letters(r.ID, letter.Forwarded)) != 0 {
		t.Error("nobody was told that there is no contact")
	}
}

// The same person is our user and a customer's: two requests, linked.
func TestSplit(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	p := plan()
	p.Theirs = true
	w.planned(r.ID, p)
	w.planned(r.ID, p) // delivered again
	got := w.wantState(r.ID, Approved, "")
	if len(got.Linked) != 1 {
		t.Fatalf("%+v", got)
	}
	w.wantState(got.Linked[0], Forwarding, "")
	w.arrives(got.Linked[0], message.StateAccepted)
	half := w.wantState(got.Linked[0], Forwarded, "")
	if !slices.Equal(half.Linked, []string{r.ID}) || len(w.letters(half.ID, letter.Instruct)) != 1 || half.Private != nil {
		t.Errorf("%+v", half)
	}
	if v, err := w.Status(ctx, half.Number, w.code(r.ID), w.now()); err != nil || v.State != Forwarded {
		t.Errorf("%+v, %v", v, err)
	}
	_, err := w.Drifted(ctx, r.ID, got.Round, true, w.now())
	w.must(err)
	w.planned(r.ID, p)
	if again := w.read(r.ID); len(again.Linked) != 1 {
		t.Error("it was split again")
	}
}

// The last owner: no refusal, no orphan; the account stands still until there is another.
func TestLastOwner(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	p := plan()
	p.Last = true
	w.planned(r.ID, p)
	got := w.wantState(r.ID, Blocked, LastOwner)
	if !got.Frozen || len(w.letters(r.ID, letter.Owner)) != 1 || w.published(TopicFreeze, r.ID) != 1 || w.staffed("kommt nicht weiter") != 1 {
		t.Errorf("%+v", got)
	}
	w.must(w.settle(r.ID))
	if got := w.wantState(r.ID, Planning, ""); got.Frozen || w.published(TopicFreeze, r.ID) != 2 {
		t.Errorf("%+v", got)
	}
	// So it does when somebody has it searched again, and there is another by then.
	r = w.proved("ann@customer.example")
	w.planned(r.ID, p)
	_, err := w.Resume(ctx, r.ID, w.person("sam"), w.now())
	w.must(err)
	w.planned(r.ID, plan())
	if got := w.wantState(r.ID, Approved, ""); got.Frozen || w.published(TopicFreeze, r.ID) != 2 {
		t.Errorf("%+v", got)
	}
	// Taken back, the account goes on too.
	r = w.proved("leo@customer.example")
	w.planned(r.ID, p)
	_, err = w.Cancel(ctx, r.Number, w.code(r.ID), w.now())
	w.must(err)
	if got := w.read(r.ID); got.Frozen || w.published(TopicFreeze, r.ID) != 2 {
		t.Errorf("%+v", got)
	}
}

// An account closes: grants end at once, everything else after the grace, until when the owner may change her mind.
func TestAccount(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r, err := w.Ask(ctx, Ask{Session: session(TenantOwner), Tenant: "acme", Kind: Account, Language: "en"}, w.now())
	w.must(err)
	w.planned(r.ID, Plan{Digest: "d", Items: 90_000, Own: true, Share: 100})
	if got := w.wantState(r.ID, AwaitingApproval, ""); !slices.Equal(got.Doubts, []Doubt{ManyItems, Closure}) {
		t.Errorf("%v", got.Doubts)
	}
	_, err = w.Approve(ctx, r.ID, w.person("dan"), "d", w.now())
	w.must(err)
	told := w.letters(r.ID, letter.Closure)
	if w.published(TopicRevoke, r.ID) != 1 || w.published(TopicRun, r.ID) != 0 || len(told) != 1 || !strings.Contains(told[0].Text, "16 March 2026 13:00 CET") {
		t.Errorf("%+v", told)
	}
	w.to(14*24*time.Hour - time.Second)
	w.must(w.Tick(ctx, w.now()))
	if _, err := w.Started(ctx, r.ID, 1, "d", w.now()); code(err) != "too_early" || w.published(TopicRun, r.ID) != 0 {
		t.Errorf("within the grace: %v", err)
	}
	w.to(14 * 24 * time.Hour)
	w.must(w.Tick(ctx, w.now()))
	if _, err := w.Started(ctx, r.ID, 1, "d", w.now()); err != nil || w.published(TopicRun, r.ID) != 1 {
		t.Errorf("after it: %v", err)
	}
	if _, err := w.Cancel(ctx, r.Number, r.Secret, w.now()); code(err) != "too_late" {
		t.Errorf("%v", err)
	}
	// Whoever is no owner closes nothing, whatever she typed, and does not stand in the owner's way.
	w.known("acme", "leo@customer.example")
	other, err := w.Ask(ctx, Ask{Tenant: "acme", Email: "leo@customer.example", Kind: Account}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, other.ID, w.now()))
	_, err = w.Confirm(ctx, other.Number, w.code(other.ID), w.now())
	w.must(err)
	w.planned(other.ID, Plan{Digest: "d", Items: 5, Own: true})
	w.wantState(other.ID, Blocked, NotOwner)
}

// What is not what was approved waits for a person; what could not be erased is named.
func TestDrift(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	if _, err := w.Started(ctx, r.ID, 1, "sha256:other", w.now()); code(err) != "plan_changed" {
		t.Errorf("%v", err)
	}
	_, err := w.Started(ctx, r.ID, 1, "sha256:aa", w.now())
	w.must(err)
	_, err = w.Drifted(ctx, r.ID, 1, true, w.now())
	w.must(err)
	w.planned(r.ID, plan())
	if got := w.wantState(r.ID, AwaitingApproval, ""); !slices.Equal(got.Doubts, []Doubt{Moved}) {
		t.Errorf("%v", got.Doubts)
	}
	_, err = w.Approve(ctx, r.ID, w.person("dan"), "sha256:aa", w.now())
	w.must(err)
	w.erased(r.ID, Outcome{Open: []Open{{Entry: "chats", Why: "unreachable"}}})
	w.wantState(r.ID, Partial, Left)
	_, err = w.Resume(ctx, r.ID, w.person("dan"), w.now())
	w.must(err)
	w.planned(r.ID, plan())
	_, err = w.Approve(ctx, r.ID, w.person("dan"), "sha256:aa", w.now())
	w.must(err)
	w.erased(r.ID, Outcome{Missing: 1})
	w.wantState(r.ID, Partial, Unmapped)
	if len(w.letters(r.ID, letter.Completed)) != 0 {
		t.Error("the person was told that it is done")
	}
}

// A letter that did not arrive for certain becomes somebody's task, once.
func TestLost(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	key := w.letters(r.ID, letter.Received)[0].Key
	for _, a := range []message.Answer{{Key: key, State: message.StateAccepted}, {Key: "dsr-staff/x", State: message.StateFailed}, {Key: "watch/x/y/z", State: message.StateFailed}} {
		w.must(w.Answered(ctx, a, w.now()))
	}
	if w.of("letter_lost") != 0 {
		t.Fatal("of nothing")
	}
	for range 2 {
		w.must(w.Answered(ctx, message.Answer{Key: key, State: message.StateUnknown}, w.now()))
	}
	if w.of("letter_lost") != 1 || w.staffed("kam vielleicht nicht an") != 1 {
		t.Errorf("%d recorded", w.of("letter_lost"))
	}
}
