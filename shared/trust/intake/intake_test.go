package intake

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/trust/duty"
)

// both are the promises that the state of all backups is about.
const both = `{"promises":["B1","B2"]}`

// TestReceive: an event becomes a receipt and an observation for each check and promise; sent again it changes nothing.
func TestReceive(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	e := message("1", "backup.completed", happened, changed(t, "backup.completed", both))
	got := r.send(t, "backup", e)
	if !slices.Equal(got.Promises, []string{"B1", "B2"}) {
		t.Errorf("%+v", got)
	}
	receipt := r.of(Control)
	if len(receipt) != 1 || receipt[0].ID() != got.Record || receipt[0].Facts["type"] != "backup.completed" || receipt[0].Subjects[0].Type != "source" ||
		receipt[0].Result.State != record.Pass || !receipt[0].Source.Observed.Equal(happened) || !receipt[0].Source.Collected.Equal(now) {
		t.Errorf("receipt %+v", receipt)
	}
	if sealed, err := r.sealed.Open(t.Context(), vault.Subject{Type: "source", ID: "backup"}, got.Record); err != nil || string(sealed) != string(e.Data) {
		t.Errorf("sealed %q: %v", sealed, err)
	}
	fresh, far := r.of("backup-freshness"), r.of("replica-regions")
	if len(fresh) != 2 || len(far) != 1 || far[0].Result != (record.Result{State: record.Kept, Metric: "regions", Value: 2, Op: ">=", Limit: 2}) ||
		!slices.Equal(far[0].Promises, []string{"B2"}) || far[0].Refs[0].ID != got.Record || !far[0].Expires.Equal(happened.Add(25*time.Hour)) ||
		*far[0].Population != (record.Population{Expected: 2, Seen: 2}) {
		t.Errorf("observed %+v and %+v", fresh, far)
	}
	before := r.dump(t)
	if again := r.send(t, "backup", e); again.Record != got.Record || !slices.Equal(again.Promises, got.Promises) || len(r.records) != 4 || r.dump(t) != before {
		t.Errorf("sent again: %+v, %d records", again, len(r.records))
	}
	e.Data = changed(t, "backup.completed", `{"promises":["B1","B2"],"failed":1}`)
	if _, err := r.Receive(t.Context(), r.source("backup"), e, now); fault.CodeOf(err) != "event_conflict" || len(r.records) != 4 {
		t.Errorf("the same id with other data: %v", err)
	}
	e.Source += "/other"
	r.send(t, "backup", e)
	if n := len(r.of(Control)); n != 2 {
		t.Errorf("another source: %d receipts", n)
	}
}

// TestRefusals: what a sender may not send leaves nothing behind.
func TestRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	tested := func(change string) []byte { return changed(t, "build.tested", change) }
	for name, test := range map[string]struct {
		source string
		e      event.Event
		code   string
	}{
		"a type of another":         {"ci", message("1", "backup.completed", happened, sample(t, "backup.completed")), "source_may_not"},
		"a type of nobody":          {"ci", message("1", "build.blessed", happened, []byte("{}")), "source_may_not"},
		"a promise of another":      {"ci", message("1", "build.tested", happened, tested(`{"promises":["B1"]}`)), "source_may_not"},
		"a promise of nobody":       {"ci", message("1", "build.tested", happened, tested(`{"promises":["Q9"]}`)), "source_may_not"},
		"own and another":           {"ci", message("1", "build.tested", happened, tested(`{"promises":["T1","Z1"]}`)), "source_may_not"},
		"not kept by such":          {"ci", message("1", "build.tested", happened, tested(`{"promises":["R1"]}`)), "evidence_unbound"},
		"kept by a statement":       {"people", message("1", "person.nda", happened, sample(t, "person.nda")), "evidence_unbound"},
		"no time":                   {"ci", message("1", "build.tested", time.Time{}, tested("")), "event_time"},
		"from the future":           {"ci", message("1", "build.tested", now.Add(MaxSkew+time.Second), tested("")), "event_time"},
		"too old":                   {"ci", message("1", "build.tested", now.Add(-MaxAge-time.Second), tested("")), "event_time"},
		"no data":                   {"ci", message("1", "build.tested", happened, nil), "event_invalid"},
		"data of another type":      {"ci", message("1", "build.tested", happened, sample(t, "build.scanned")), "event_invalid"},
		"a contradiction":           {"ci", message("1", "build.tested", happened, tested(`{"failed":9}`)), "event_invalid"},
		"too large":                 {"ci", message("1", "build.tested", happened, []byte(`{"suite":"`+strings.Repeat("a", MaxBytes)+`"}`)), "event_invalid"},
		"a member twice":            {"ci", message("1", "build.tested", happened, []byte(strings.Replace(string(tested("")), "{", `{"tests":1,`, 1))), "event_invalid"},
		"half a surrogate":          {"ci", message("1", "build.tested", happened, []byte(strings.Replace(string(tested("")), "unit", `\ud800`, 1))), "event_invalid"},
		"a number out of range":     {"ci", message("1", "build.tested", happened, []byte(strings.Replace(string(tested("")), "120", "1e400", 1))), "event_invalid"},
		"a number with an exponent": {"ci", message("1", "build.tested", happened, []byte(strings.Replace(string(tested("")), "120", "12e1", 1))), "event_invalid"},
	} {
		_, err := r.Receive(t.Context(), r.source(test.source), test.e, now)
		if fault.CodeOf(err) != test.code {
			t.Errorf("%s: %v, want %s", name, err, test.code)
		}
	}
	if left := r.dump(t); left != "" || len(r.records) != 0 {
		t.Errorf("%d records, and:\n%s", len(r.records), left)
	}
}

// TestScopes: a promise is as good as the worst of its suites, whatever order their events come in; a suite that falls
// silent is unknown, and one that is given up is forgotten.
func TestScopes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	n := 0
	send := func(suite, counts string, at time.Time) record.Record {
		t.Helper()
		n++
		r.send(t, "ci", message(fmt.Sprint(n), "build.tested", at, changed(t, "build.tested", `{"suite":"`+suite+`",`+counts+`}`)))
		seen := r.of("ci-evidence")
		return seen[len(seen)-1]
	}
	const good, bad = `"passed":120,"failed":0`, `"passed":119,"failed":1`
	if got := send("unit", good, now); got.Result.State != record.Kept || !got.Expires.Equal(now.Add(7*day)) {
		t.Errorf("one suite: %+v", got)
	}
	if got := send("isolation", bad, now.Add(-time.Hour)); got.Result.State != record.Broken || got.Source.Observed.Before(now) {
		t.Errorf("a second one, broken before: %+v", got)
	}
	if got := send("unit", good, now.Add(time.Minute)); got.Result != (record.Result{State: record.Broken}) {
		t.Errorf("the first again, good: %+v", got)
	}
	before := len(r.of("ci-evidence"))
	send("isolation", good, now.Add(-2*time.Hour))
	if after := len(r.of("ci-evidence")); after != before {
		t.Error("an older event of the broken one counts")
	}
	if n := len(r.of(Control)); n != 4 {
		t.Errorf("%d receipts of 4 events", n)
	}
	if got := send("isolation", good, now.Add(2*time.Minute)); got.Result.State != record.Kept || got.Result.Metric != "tests_failed" {
		t.Errorf("the second mended: %+v", got)
	}
	later := now.Add(8 * day)
	if err := r.clock.Set(later); err != nil {
		t.Fatal(err)
	}
	if got := send("unit", good, later); got.Result != (record.Result{State: record.Unknown}) || !got.Expires.Equal(later.Add(7*day)) {
		t.Errorf("one fell silent: %+v", got)
	}
	later = later.Add(7 * day)
	if err := r.clock.Set(later); err != nil {
		t.Fatal(err)
	}
	if got := send("unit", good, later); got.Result.State != record.Kept {
		t.Errorf("one was given up: %+v", got)
	}
}

// TestBrokenStaysBroken: what was found broken is not mended by silence, however long; only by a newer event of it.
func TestBrokenStaysBroken(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	n := 0
	send := func(suite, counts string, at time.Time) record.Record {
		t.Helper()
		if err := r.clock.Set(at); err != nil {
			t.Fatal(err)
		}
		n++
		r.send(t, "ci", message(fmt.Sprint(n), "build.tested", at, changed(t, "build.tested", `{"suite":"`+suite+`",`+counts+`}`)))
		seen := r.of("ci-evidence")
		return seen[len(seen)-1]
	}
	const good, bad = `"passed":120,"failed":0`, `"passed":119,"failed":1`
	send("isolation", bad, now)
	for _, days := range []int{8, 15, 100, 1000} {
		if got := send("unit", good, now.AddDate(0, 0, days)); got.Result.State != record.Broken {
			t.Errorf("after %d days of silence: %+v", days, got)
		}
	}
	later := now.AddDate(0, 0, 1001)
	if got := send("isolation", good, later); got.Result.State != record.Kept {
		t.Errorf("mended: %+v", got)
	}
	for i := range maxScopes - 2 {
		send(fmt.Sprint("s", i), bad, later)
	}
	later = later.AddDate(1, 0, 0)
	if err := r.clock.Set(later); err != nil {
		t.Fatal(err)
	}
	send("s0", bad, later) // the two good ones are given up
	send("unit", good, later)
	send("isolation", good, later)
	_, err := r.Receive(t.Context(), r.source("ci"), message("x", "build.tested", later, changed(t, "build.tested", `{"suite":"one-more"}`)), later)
	if fault.CodeOf(err) != "scopes_exhausted" {
		t.Errorf("a broken scope made room: %v", err)
	}
}

// TestTooManyScopes: names that a sender invents do not fill the database.
func TestTooManyScopes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for i := range maxScopes {
		r.send(t, "ci", message(fmt.Sprint(i), "build.tested", happened, changed(t, "build.tested", fmt.Sprintf(`{"suite":"s%d"}`, i))))
	}
	_, err := r.Receive(t.Context(), r.source("ci"), message("x", "build.tested", happened, changed(t, "build.tested", `{"suite":"one-more"}`)), now)
	if fault.CodeOf(err) != "scopes_exhausted" {
		t.Error(err)
	}
	r.send(t, "ci", message("y", "build.tested", happened, changed(t, "build.tested", `{"suite":"s1"}`)))
}

// TestNamed: a suite counts for what it was not made for only when it says so.
func TestNamed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	if got := r.send(t, "ci", message("1", "build.tested", happened, sample(t, "build.tested"))); !slices.Equal(got.Promises, []string{"T1"}) {
		t.Errorf("without a name: %+v", got)
	}
	if _, err := r.Receive(t.Context(), r.source("ci"), message("2", "build.tested", happened, changed(t, "build.tested", `{"promises":["I1"],"suite":"ui"}`)), now); fault.CodeOf(err) != "evidence_unbound" {
		t.Errorf("a suite of something else: %v", err)
	}
	got := r.send(t, "ci", message("3", "build.tested", happened, changed(t, "build.tested", `{"promises":["I1"],"suite":"tenant-isolation"}`)))
	if seen := r.of("tenant-isolation"); !slices.Equal(got.Promises, []string{"I1"}) || len(seen) != 1 || seen[0].Result.State != record.Kept {
		t.Errorf("by name: %+v, %+v", got, seen)
	}
}

// TestSilent: what is deployed for development proves and breaks nothing.
func TestSilent(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.send(t, "ci", message("1", "release.deployed", happened, changed(t, "release.deployed", `{"promises":["R1"],"environment":"dev","signed_off":false}`)))
	if len(r.of("release-train")) != 0 || len(r.of(Control)) != 1 {
		t.Errorf("%+v", r.records)
	}
}

// TestReceipts: a receipt says no better of an event than what was made of it: what passes by itself and is beyond a limit is
// a violation, what does not see everything is undetermined, and so is what proves nothing.
func TestReceipts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source, kind, data string
		want               record.State
	}{
		"in order":          {"backup", "backup.completed", both, record.Pass},
		"beyond a limit":    {"backup", "backup.completed", `{"promises":["B2"],"stores":[{"store":"db","restorable":"2026-03-03T08:30:00Z","regions":1,"offsite":1}],"expected":1}`, record.Violation},
		"not everything":    {"backup", "backup.completed", `{"promises":["B1","B2"],"failed":1,"expected":3}`, record.Undetermined},
		"failed by itself":  {"ci", "build.tested", `{"promises":["T1"],"tests":2,"passed":1,"failed":1}`, record.Violation},
		"of no environment": {"ci", "release.deployed", `{"promises":["R1"],"environment":"dev","signed_off":false}`, record.Undetermined},
		"of a duty":         {"people", "training.completed", `{"promises":["D1"],"passed":false}`, record.Violation},
	} {
		r := newRig(t, nil)
		got := r.send(t, test.source, message("1", test.kind, happened, changed(t, test.kind, test.data)))
		receipts := r.of(Control)
		if len(receipts) != 1 || receipts[0].ID() != got.Record || receipts[0].Result.State != test.want {
			t.Errorf("%s: the receipt says %s, want %s", name, receipts[0].Result.State, test.want)
		}
		for _, o := range r.records {
			if o.Control != Control && o.Kind == record.Observation && test.want != record.Pass && o.Result.State == record.Kept {
				t.Errorf("%s: %s is kept", name, o.Control)
			}
		}
	}
}

// TestDuty: a course that was passed counts for the person's duty; one that was failed, or another's, does not.
func TestDuty(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	tasks := r.Duties.(*duty.Service)
	seen := func() bool {
		task, _, err := tasks.Get(t.Context(), duty.TaskID("phishing", "emma"), now)
		if err != nil && fault.CodeOf(err) != "duty_unknown" {
			t.Fatal(err)
		}
		seen, known := task.Evidence["training.completed"]
		return known && !seen.Failed
	}
	r.send(t, "people", message("1", "training.completed", happened, changed(t, "training.completed", `{"passed":false}`)))
	r.send(t, "people", message("2", "training.completed", happened, changed(t, "training.completed", `{"person":"stranger@x.example"}`)))
	if seen() {
		t.Error("a failed course, or a stranger's, counts")
	}
	r.send(t, "people", message("3", "training.completed", happened.Add(time.Minute), changed(t, "training.completed", `{"person":"Emma.Dubois@sharedcontacts.example"}`)))
	if !seen() {
		t.Error("a course that was passed does not count")
	}
	receipts := r.of(Control)
	if receipts[0].Result.State != record.Violation || receipts[0].Subjects[0] != receipts[2].Subjects[0] || receipts[0].Subjects[0].Type != "person" {
		t.Errorf("%+v", receipts)
	}
	for _, private := range []string{"emma", "dubois", "stranger"} {
		for _, e := range r.records {
			data, _ := e.Canonical()
			if strings.Contains(strings.ToLower(string(data)), private) {
				t.Errorf("a record holds %q: %s", private, data)
			}
		}
	}
}

// TestErased: after a person's erasure an event of hers that was not finished is recorded without her.
func TestErased(t *testing.T) {
	t.Parallel()
	var fail bool
	r := newRig(t, func(p storetest.Point, _ int) error {
		if fail && p == storetest.TxQuery { // the duties query; nothing before them does
			return storetest.ErrInjected
		}
		return nil
	})
	e := message("1", "training.completed", happened, sample(t, "training.completed"))
	fail = true
	if _, err := r.Receive(t.Context(), r.source("people"), e, now); !fault.Is(err, fault.Transient) {
		t.Fatalf("the duties were not reached: %v", err)
	}
	fail = false
	if _, err := r.sealed.Erase(t.Context(), vault.Subject{Type: "person", ID: "emma"}, vault.Withdrawn, now); err != nil {
		t.Fatal(err)
	}
	r.send(t, "people", e)
	if got := r.of(Control); len(got) != 1 || got[0].Subjects != nil || got[0].Payload != (record.Payload{}) {
		t.Errorf("%+v", got)
	}
}

// TestDeath kills the taking of an event at every store call; sent again it counts once.
func TestDeath(t *testing.T) {
	t.Parallel()
	for nth := 1; ; nth++ {
		injected, over := false, false
		r := newRig(t, func(_ storetest.Point, n int) error {
			if n == nth && !over {
				injected = true
				return storetest.ErrInjected
			}
			return nil
		})
		for id, e := range map[string]event.Event{
			"backup": message("1", "backup.completed", happened, changed(t, "backup.completed", both)), "people": message("2", "training.completed", happened, sample(t, "training.completed")),
		} {
			var err error
			for range 3 {
				if _, err = r.Receive(t.Context(), r.source(id), e, now); err == nil {
					break
				}
			}
			if err != nil {
				t.Fatalf("call %d: %v", nth, err)
			}
		}
		over = true
		if err := r.clock.Set(now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Box.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a, b, c := len(r.of(Control)), len(r.of("backup-freshness")), len(r.of("replica-regions")); a != 2 || b != 2 || c != 1 {
			t.Errorf("call %d: %d receipts, %d and %d observations", nth, a, b, c)
		}
		if strings.Contains(r.dump(t), "outbox ") {
			t.Errorf("call %d: something was not sent", nth)
		}
		if !injected {
			if nth < 30 {
				t.Errorf("only %d store calls", nth)
			}
			return
		}
	}
}

// TestRace: one event that comes many times at once counts once.
func TestRace(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	e := message("1", "backup.completed", happened, changed(t, "backup.completed", both))
	var group sync.WaitGroup
	receipts := make([]Receipt, 8)
	for i := range receipts {
		group.Go(func() {
			for range 5 {
				var err error
				if receipts[i], err = r.Receive(t.Context(), r.source("backup"), e, now); err == nil {
					return
				} else if !fault.Is(err, fault.Transient) && !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for _, got := range receipts {
		if got.Record != receipts[0].Record || got.Record == "" {
			t.Errorf("%+v and %+v", got, receipts[0])
		}
	}
	if len(r.records) != 4 {
		t.Errorf("%d records", len(r.records))
	}
}
