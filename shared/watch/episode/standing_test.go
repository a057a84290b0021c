package episode

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/firestore/firestoretest"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/notice"
	"ostiary.internal/shared/watch/rule"
)

// openedRule minds whoever lets everyone in.
var openedRule = map[string]string{"one": "match: [{method: [setiampolicy], outcome: [ok]}]\nwhen: 'delta.exists(d, d.change == \"added\" && public(d.member))'\n" +
	"alarm: {severity: high, text: {en: \"It was opened.\"}, justify: actor}\npromises: [P1]\n"}

// opens is an entry of a service that logs the whole policy, so long after noon.
func opens(id, who string, after time.Duration, members ...string) auditlog.Entry {
	list, _ := json.Marshal(members)
	e := act(id, "SetIamPolicy", who, after)
	e.Kind, e.Stream, e.Service, e.Method, e.Verb = auditlog.Audit, auditlog.Activity, "run.googleapis.com", "google.cloud.run.v1.Services.SetIamPolicy", "setiampolicy"
	e.Asset, e.App = "//run.googleapis.com/projects/firm/services/a", auditlog.App{}
	e.Request = fmt.Appendf(nil, `{"policy":{"bindings":[{"role":"roles/run.invoker","members":%s}]}}`, list)
	return e
}

func (w *world) standing() []stood {
	w.t.Helper()
	all, err := store.Find[stood](w.Store.Query(w.t.Context(), store.Query{Collection: standing, Limit: store.MaxQueryResults}))
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// Where a service logs the whole policy, what was added is told by the policy before: before and after stand in the
// message, and what stood already is nobody's fault. So it is on Firestore.
func TestPolicyBeforeIsRemembered(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		remembers(t, newWorld(t, openedRule))
	})
	t.Run("emulator", func(t *testing.T) {
		t.Parallel()
		remembers(t, newWorldOn(t, openedRule, func(o store.Options) store.Store { return firestoretest.New(t, o) }))
	})
}

func remembers(t *testing.T, w *world) {
	t.Helper()
	w.ingest(opens("e1", "ada", 0, "user:ada@firm.example"))
	w.ingest(opens("e1", "ada", 0, "user:ada@firm.example"))
	if n, _ := w.notices(notice.Asked); n != 0 || len(w.standing()) != 1 {
		t.Fatalf("%d asked, %d policies", n, len(w.standing()))
	}
	w.to(time.Minute)
	w.ingest(opens("e2", "bob", time.Minute, "user:ada@firm.example", "allUsers"))
	w.ingest(opens("e3", "ada", time.Minute, "allUsers"))
	v := w.only()
	if v.Kind != Violation || v.Person != "bob" || strings.Join(v.Members[0].Detail.Origin.Delta, "; ") != "+ roles/run.invoker allUsers" {
		t.Errorf("%+v", v)
	}
	if n, to := w.notices(notice.Asked); n != 1 || titles(to) != "bob" || !w.said("+ roles/run[.]invoker allUsers") {
		t.Errorf("asked %d: %v", n, to)
	}
	for _, s := range w.standing() {
		if newest := s.Told.Entry == "e3"; s.Expires.After(w.now().Add(rule.SupersededKept)) != newest || strings.Contains(s.Thing, "run") {
			t.Errorf("%+v", s)
		}
	}
}

// The first policy that is seen is compared with none: what it holds and should not is an alarm that says so, and asks.
func TestFirstPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openedRule)
	w.ingest(opens("e1", "ada", 0, "allUsers"))
	v := w.only()
	if v.Kind != Undetermined || v.State != Asked || v.Person != "ada" || v.Members[0].Detail.Why != rule.NoEarlierPolicy || !w.said("or what of it is new: It was opened.") {
		t.Errorf("%+v", v)
	}
	for _, r := range w.order {
		if r.Kind == record.Finding && r.Result.State != record.Unknown {
			t.Errorf("%+v", r)
		}
	}
}

// An older entry that comes after a newer one is compared with what was before it, and never hides a change.
func TestOlderPolicyComesLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openedRule)
	w.ingest(opens("e1", "ada", 0, "user:ada@firm.example"))
	w.to(3 * time.Minute)
	w.ingest(opens("e3", "bob", 3*time.Minute, "user:ada@firm.example"))
	w.ingest(opens("e2", "ada", 2*time.Minute, "allUsers"))
	if v := w.only(); v.Kind != Violation || v.Person != "ada" || strings.Join(v.Members[0].Detail.Origin.Delta, "; ") != "+ roles/run.invoker allUsers; - roles/run.invoker user:ada@firm.example" {
		t.Errorf("%+v", v)
	}
}

// A ticket that is open covers, for as long as it is; who says which are open is a log of the company.
func TestTickets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"one": ruled("act", "when: '!covered'", "justify: actor")})
	ticket := func(id string, event auditlog.TicketEvent, after time.Duration) auditlog.Entry {
		e := act(id, "ticket", "desk", after)
		e.App.Ticket, e.App.Event = "SUP-7", event
		return e
	}
	covered := func(id string, after time.Duration) auditlog.Entry {
		e := act(id, "act", "ada", after)
		e.App.Ticket = "sup-7"
		return e
	}
	w.ingest(ticket("t1", auditlog.TicketOpened, 0))
	w.to(2 * time.Minute)
	w.ingest(covered("e1", time.Minute))
	if n, _ := w.notices(notice.Asked); n != 0 {
		t.Fatal("an open ticket did not cover")
	}
	w.ingest(ticket("t2", auditlog.TicketClosed, 90*time.Second))
	w.ingest(covered("e2", 2*time.Minute))
	if v := w.only(); v.Kind != Violation || v.Person != "ada" || len(w.standing()) != 2 {
		t.Errorf("%+v", v)
	}
}
