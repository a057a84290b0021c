package allowlist_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
)

const rule = "//compute.googleapis.com/projects/p/global/firewalls/edge-v4-00"

// Owns lets a target of the tests know its own resources.
func (t *target) Owns(asset string) bool {
	return strings.HasSuffix(asset, "/firewalls/"+t.name+"-v4-00")
}

// telling makes the rig's reconciler tell, and returns what it told.
func (r *rig) telling() *[]allowlist.Notice {
	var told []allowlist.Notice
	r.r.Tell = func(_ *outbox.Batch, n allowlist.Notice) error {
		// The body of a transaction may run twice.
		if !slices.ContainsFunc(told, func(o allowlist.Notice) bool { return o.Key == n.Key }) {
			told = append(told, n)
		}
		return nil
	}
	return &told
}

func (r *rig) called(c allowlist.Call) bool {
	r.t.Helper()
	ours, err := r.r.Called(r.t.Context(), c, r.clock.Now())
	must(r.t, err)
	return ours
}

func intrude(edge *target) {
	edge.foreign(func(all []netip.Prefix) []netip.Prefix { return append(all, netip.MustParsePrefix("198.97.38.0/24")) })
}

// TestWhoWrote: somebody opens the door by hand. It is shut at once; who it was is told once the log says so.
func TestWhoWrote(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	told := r.telling()
	r.add("ana", home)
	r.mustRun()
	r.pass(time.Hour)
	intrude(edge)
	by := r.clock.Now()
	r.pass(20 * time.Second)
	r.mustRun()
	finding := r.recorded("foreign")
	if len(finding) != 1 || len(*told) != 0 {
		t.Fatalf("found %d, told %+v before the log said anything", len(finding), *told)
	}
	r.pass(30 * time.Second)
	for range 2 { // a log entry comes twice
		if !r.called(allowlist.Call{Asset: rule, Person: "simone", Chain: []string{"simone"}, Method: "v1.compute.firewalls.patch", Entry: "e1", At: by}) {
			t.Fatal("the target's own rule is none of it")
		}
	}
	r.called(allowlist.Call{Asset: rule, Chain: []string{"service"}, Method: "v1.compute.firewalls.patch", Entry: "e2", At: by.Add(20 * time.Second)}) // our own
	r.mustRun()
	r.mustRun()
	if len(*told) != 1 || (*told)[0].Call.Person != "simone" || (*told)[0].Target != "edge" || (*told)[0].Key != finding[0].ID() {
		t.Errorf("told %+v", *told)
	}
	named := r.recorded("named")
	if len(named) != 1 || named[0].Facts["who"] != "person" || named[0].Facts["entry"] != "e1" || named[0].Refs[0] != (record.Ref{Rel: "about", ID: finding[0].ID()}) {
		t.Fatalf("recorded %+v", named)
	}
	if strings.Contains(fmt.Sprint(named[0]), "simone") {
		t.Error("the evidence names a person")
	}
}

// TestNobodyNamed: what the log does not say within ten minutes is told without a name; a call of a service is named as one.
func TestNobodyNamed(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		call allowlist.Call // At is counted from the writing
		gap  time.Duration
		who  string
	}{
		"no entry":           {who: "unknown"},
		"another's entry":    {call: allowlist.Call{Asset: "//compute.googleapis.com/projects/p/global/firewalls/other", Person: "simone", Entry: "e1"}, who: "unknown"},
		"an older entry":     {call: allowlist.Call{Asset: rule, Person: "simone", Entry: "e1"}, gap: -2 * time.Hour, who: "unknown"},
		"a later entry":      {call: allowlist.Call{Asset: rule, Person: "simone", Entry: "e1"}, gap: 5 * time.Minute, who: "unknown"},
		"a service":          {call: allowlist.Call{Asset: rule, Chain: []string{"service:deploy"}, Entry: "e1"}, gap: -30 * time.Minute, who: "service:deploy"},
		"a service at once":  {call: allowlist.Call{Asset: rule, Chain: []string{"service:deploy"}, Entry: "e1"}, gap: -10 * time.Second, who: "service:deploy"},
		"an unlisted person": {call: allowlist.Call{Asset: rule, Chain: []string{"user"}, Entry: "e1"}, gap: -10 * time.Second, who: "user"},
		"through another":    {call: allowlist.Call{Asset: rule, Chain: []string{"user", "service"}, Entry: "e1"}, gap: -10 * time.Second, who: "user+service"},
		"a call that failed": {call: allowlist.Call{Asset: rule, Person: "simone", Entry: "e1", Outcome: "failed"}, who: "unknown"},
		"our write an entry": {call: allowlist.Call{Asset: rule, Chain: []string{"service"}, Entry: "e1"}, gap: time.Second, who: "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			edge := newTarget("edge")
			r := newRig(t, edge)
			told := r.telling()
			r.mustRun()
			r.pass(time.Hour)
			intrude(edge)
			if row.call.Asset != "" {
				row.call.At = r.clock.Now().Add(row.gap)
				r.called(row.call)
			}
			r.mustRun()
			r.pass(9 * time.Minute)
			r.mustRun()
			if row.who == "unknown" && len(*told) != 0 {
				t.Errorf("told before the log had its time: %+v", *told)
			}
			r.pass(time.Minute)
			r.mustRun()
			named := r.recorded("named")
			if len(named) != 1 || named[0].Facts["who"] != row.who || len(*told) != 1 {
				t.Errorf("recorded %+v, told %+v; want %s", named, *told, row.who)
			}
		})
	}
}

// TestAnInnocentPerson: what a person called while the door was in order was not what opened it hours later.
func TestAnInnocentPerson(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	told := r.telling()
	r.add("ana", home)
	r.mustRun()
	r.pass(30 * time.Minute)
	r.called(allowlist.Call{Asset: rule, Person: "simone", Chain: []string{"simone"}, Entry: "harmless", At: r.clock.Now()})
	for range 60 {
		r.mustRun()
		r.pass(time.Minute)
	}
	intrude(edge)
	r.called(allowlist.Call{Asset: rule, Chain: []string{"service:deploy"}, Entry: "opened", At: r.clock.Now()})
	r.pass(10 * time.Second)
	r.mustRun()
	r.mustRun()
	if len(*told) != 1 || (*told)[0].Call.Entry != "opened" {
		t.Errorf("told %+v", *told)
	}
}

// TestCannotTell: a notice that cannot be given keeps the door from nothing, and is given later.
func TestCannotTell(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	told := r.telling()
	away := error(nil)
	r.r.Ready = func(context.Context) error { return away }
	id := r.add("ana", home)
	r.mustRun()
	away = fault.New(fault.Transient, "the key service is away")
	intrude(edge)
	edge.wider = []string{"allow-all"}
	r.called(allowlist.Call{Asset: rule, Person: "simone", Entry: "e1", At: r.clock.Now()})
	for range 2 {
		if _, err := r.run(); !fault.Is(err, fault.Transient) {
			t.Fatalf("the key service is away: %v", err)
		}
	}
	r.settled()
	r.want(id, "confirmed", "")
	if len(*told) != 0 {
		t.Errorf("told %+v", *told)
	}
	away = nil
	r.mustRun()
	if len(*told) != 2 || len(r.recorded("named")) != 1 || len(r.recorded("wider")) != 1 {
		t.Errorf("told %+v", *told)
	}
}

// TestWider: what lets more in past the door is told once, changes are, and its end is recorded.
func TestWider(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	told := r.telling()
	id := r.add("ana", home)
	edge.wider = []string{"allow-all", "deny office"}
	for range 2 {
		if report := r.mustRun(); !slices.Equal(report.Targets[0].Wider, edge.wider) {
			t.Errorf("reported %+v", report)
		}
	}
	r.want(id, "confirmed", "") // the person does come in
	first := r.recorded("wider")
	if len(first) != 1 || first[0].Kind != record.Finding || first[0].Facts["rules"] != "2" || first[0].Facts["rule_0"] != "allow-all" || first[0].Facts["rule_1"] != "deny-office" || len(*told) != 1 || (*told)[0].Wider[0] != "allow-all" {
		t.Fatalf("recorded %+v, told %+v", first, *told)
	}
	r.pass(time.Minute)
	edge.wider = []string{"allow-all"}
	r.mustRun()
	r.pass(time.Minute)
	edge.wider = nil
	r.mustRun()
	all := r.recorded("wider")
	remedies := slices.DeleteFunc(slices.Clone(all), func(e record.Record) bool { return e.Kind != record.Remediation })
	if len(all) != 3 || len(remedies) != 1 || len(remedies[0].Refs) != 1 || len(*told) != 2 {
		t.Errorf("recorded %+v, told %+v", all, *told)
	}
}

// TestPaced: a target with a write quota is written to no more often than it allows, with all that came meanwhile; another one
// at once.
func TestPaced(t *testing.T) {
	t.Parallel()
	slow, quick := newTarget("slow"), newTarget("quick")
	slow.every = 10 * time.Second
	r := newRig(t, slow, quick)
	first := r.add("ana", home)
	r.mustRun()
	etag := slow.etag
	second := r.add("ben", cafe)
	third := r.add("cy", six)
	report, err := r.run()
	if err != nil || report.Wait() != 8*time.Second || slow.etag != etag || len(quick.prefixes) != 3 {
		t.Fatalf("within the quota's time: %+v, %v; slow holds %v", report, err, slow.prefixes)
	}
	r.want(second, "received", "")
	r.pass(report.Wait())
	if report = r.mustRun(); report.Wait() != 0 || slow.etag != etag+1 {
		t.Errorf("after it: %+v, %d writes", report, slow.etag-etag)
	}
	for _, id := range []string{first, second, third} {
		r.want(id, "confirmed", "")
	}
	// A write that was refused counts too: the service counted it.
	slow.hook = failAt("before apply", fault.New(fault.Exhausted, "429"))
	r.add("dan", "81.2.69.9/32")
	r.pass(10 * time.Second)
	if _, err := r.run(); !fault.Is(err, fault.Exhausted) {
		t.Errorf("refused: %v", err)
	}
	slow.hook = nil
	r.pass(6 * time.Second)
	if report, err = r.run(); err != nil || report.Wait() != 4*time.Second {
		t.Errorf("after a refusal: wait %s, %v", report.Wait(), err)
	}
}

func TestCalledRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, newTarget("edge"))
	for _, c := range []allowlist.Call{{}, {Asset: rule, At: start}, {Asset: rule, Entry: "e"}, {Entry: "e", At: start}} {
		if _, err := r.r.Called(t.Context(), c, start); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if ours := r.called(allowlist.Call{Asset: "//storage.googleapis.com/b", Entry: "e", At: start}); ours {
		t.Error("a bucket is a door")
	}
	// Only the newest are kept: a flood of entries does not grow the document.
	for i := range 100 {
		r.called(allowlist.Call{Asset: rule, Person: "p", Entry: fmt.Sprint("e", i), At: start.Add(time.Duration(i) * time.Second)})
	}
	var st struct {
		Calls []allowlist.Call `json:"calls"`
	}
	must(t, r.base.Get(t.Context(), "reconciles", "edge", &st))
	if len(st.Calls) != 16 || st.Calls[15].Entry != "e99" {
		t.Errorf("%d calls are kept, the last %+v", len(st.Calls), st.Calls[len(st.Calls)-1])
	}
}

// TestHalfDone kills a write to a door of several rules at each of its parts: what is left of it is nobody else's work.
func TestHalfDone(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		edge := newTarget("edge")
		edge.parts = true
		r := newRig(t, edge)
		told := r.telling()
		gone := r.add("ana", home)
		r.add("ben", cafe)
		r.mustRun()
		_, err := r.leases.End(t.Context(), "ana", gone, "done")
		must(t, err)
		for i := range 5 {
			r.add(fmt.Sprint("p", i), fmt.Sprintf("81.2.69.%d/32", i))
		}
		parts := 0
		edge.hook = func(point string) error {
			if point == "part" {
				if parts++; parts >= n {
					return errDead
				}
			}
			return nil
		}
		_, err = r.run()
		edge.hook = nil
		r.add("late", "81.2.69.77/32") // and the set changes before it is gone on with
		r.pass(time.Minute)
		r.mustRun()
		r.pass(15 * time.Minute)
		r.mustRun()
		if found := r.recorded("foreign"); len(found) != 0 || len(*told) != 0 {
			t.Fatalf("a write that died at part %d is called somebody else's: %+v, told %+v", n, found, *told)
		}
		if err == nil {
			if n < 6 {
				t.Errorf("only %d parts", n)
			}
			return
		}
	}
}

// TestEditWhilePending: somebody opens the door by hand while ours cannot be written. It is found, once, and told.
func TestEditWhilePending(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	edge.parts = true
	r := newRig(t, edge)
	told := r.telling()
	r.add("ana", home)
	r.mustRun()
	r.add("ben", cafe)
	edge.hook = failAt("before apply", fault.New(fault.Transient, "503"))
	if _, err := r.run(); err == nil {
		t.Fatal("no error")
	}
	intrude(edge)
	for range 10 {
		r.pass(time.Minute)
		_, _ = r.run()
	}
	edge.hook = nil
	r.pass(time.Minute)
	r.mustRun()
	r.pass(time.Minute)
	r.mustRun()
	if found := r.recorded("foreign"); len(found) != 1 || len(*told) != 1 {
		t.Errorf("found %d times, told %d times", len(found), len(*told))
	}
	intrude(edge) // the same again is another time
	r.mustRun()
	if found := r.recorded("foreign"); len(found) != 2 {
		t.Errorf("found %d times", len(found))
	}
}
