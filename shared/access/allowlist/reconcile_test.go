package allowlist_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
)

const (
	home = "81.2.69.142/32"
	cafe = "92.40.1.7/32"
	six  = "2a02:8109:9340:1234::/64"
)

func TestRun(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	r.sites = []access.Fixed{{Name: "office", Prefix: netip.MustParsePrefix("81.2.70.0/24"), Until: midnight.Add(time.Hour)}}
	a, b, c := r.add("ana", home), r.add("ben", home), r.add("ana", six)
	report := r.mustRun()
	if report.Entries != 3 || report.Confirmed != 3 || !report.Targets[0].Applied || report.Targets[0].Foreign {
		t.Errorf("first run: %+v", report)
	}
	if got := r.order[:2]; !slices.Equal(got, []string{"decided", "done"}) {
		t.Errorf("recorded %v, want decided and done apart", r.order)
	}
	// Revoking one holder leaves the other's entry.
	_, err := r.leases.End(t.Context(), "ana", a, lease.Done)
	must(t, err)
	if report = r.mustRun(); report.Removed != 1 || !slices.Contains(edge.prefixes, netip.MustParsePrefix(home)) {
		t.Errorf("after one holder left: %+v, %v", report, edge.prefixes)
	}
	must(t, r.clock.Set(midnight))
	if report = r.mustRun(); report.Removed != 2 || len(edge.prefixes) != 1 {
		t.Errorf("after the day: %+v, %v", report, edge.prefixes)
	}
	r.want(b, lease.Ended, lease.Expired)
	r.want(c, lease.Ended, lease.Expired)
	must(t, r.clock.Set(midnight.Add(time.Hour)))
	if r.mustRun(); len(edge.prefixes) != 0 || !edge.written {
		t.Errorf("after the site's end the door holds %v", edge.prefixes)
	}
}

// TestNothingToDoWritesNothing counts transactions and effects of a run that finds everything in order.
func TestNothingToDoWritesNothing(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	r.add("ana", home)
	r.mustRun()
	begun := 0
	r.faults = func(p storetest.Point, _ int) error {
		if p == storetest.Begin {
			begun++
		}
		return nil
	}
	etag := edge.etag
	r.mustRun()
	if begun != 0 || edge.etag != etag {
		t.Errorf("a run without work began %d transactions and wrote %d times", begun, edge.etag-etag)
	}
}

func TestEmptyFromTheStart(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	edge.prefixes = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} // open before we came
	r := newRig(t, edge)
	r.mustRun()
	if len(edge.prefixes) != 0 || !edge.written {
		t.Errorf("the door holds %v", edge.prefixes)
	}
}

// TestStanding: each loses her lease for her own reason.
func TestStanding(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	a, b, c := r.add("ana", home), r.add("ben", home), r.add("cy", cafe)
	r.mustRun()
	r.lost["ben"], r.lost["cy"] = lease.Withdrawn, lease.Suspended
	if report := r.mustRun(); report.Ended != 2 || report.Removed != 2 {
		t.Errorf("suspension: %+v", report)
	}
	r.want(a, lease.Confirmed, "")
	r.want(b, lease.Ended, lease.Withdrawn)
	r.want(c, lease.Ended, lease.Suspended)
}

// TestUnreadableStanding: no answer keeps what there is, until its end and no longer, and is said once a quarter hour.
func TestUnreadableStanding(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	id := r.add("ana", home)
	r.add("ben", cafe)
	r.standing = errors.New("the directory is away")
	for range 3 {
		if report := r.mustRun(); report.Undetermined != 2 {
			t.Errorf("unreadable: %+v", report)
		}
		r.pass(time.Minute)
	}
	r.want(id, lease.Confirmed, "")
	said := r.recorded("standing-unreadable")
	if len(said) != 1 || said[0].Result.State != record.Undetermined || said[0].Facts["people"] != "2" {
		t.Errorf("recorded %+v", said)
	}
	r.pass(15 * time.Minute)
	r.mustRun()
	if said = r.recorded("standing-unreadable"); len(said) != 2 {
		t.Errorf("recorded %d times after a quarter of an hour", len(said))
	}
	must(t, r.clock.Set(midnight))
	r.mustRun()
	r.want(id, lease.Ended, lease.Expired)
}

func TestReplacedOnlyAfterConfirmation(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	oldest, older, six1, ben := r.add("ana", home), r.add("ana", cafe), r.add("ana", six), r.add("ben", "81.2.69.9/32")
	r.mustRun()
	newest := r.add("ana", "81.2.69.150/32")
	edge.hook = failAt("before apply", fault.New(fault.Transient, "429"))
	if _, err := r.run(); err == nil {
		t.Fatal("a target that refuses goes unnoticed")
	}
	r.want(oldest, lease.Confirmed, "") // still there: the new one is not
	r.want(newest, lease.Received, "")
	edge.hook = nil
	r.pass(time.Minute)
	if report := r.mustRun(); report.Ended != 1 || report.Removed != 1 {
		t.Errorf("replacement: %+v", report)
	}
	r.want(oldest, lease.Ended, lease.Replaced)
	for _, id := range []string{older, six1, ben, newest} {
		r.want(id, lease.Confirmed, "")
	}
}

func failAt(point string, err error) func(string) error {
	return func(at string) error {
		if at == point {
			return err
		}
		return nil
	}
}

func TestTargetRefuses(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	id := r.add("ana", home)
	calls := 0
	edge.hook = func(at string) error {
		if at == "before apply" {
			calls++
			return fault.New(fault.Denied, "403")
		}
		return nil
	}
	for range 12 { // five seconds apart: a minute
		_, err := r.run()
		if calls == 1 && !fault.Is(err, fault.Denied) {
			t.Fatalf("the refusal came back as %v", err)
		}
		r.want(id, lease.Received, "")
		r.pass(5 * time.Second)
	}
	if calls < 3 || calls > 5 {
		t.Errorf("tried %d times in a minute, want a growing wait", calls)
	}
	if n := len(r.recorded("failed")); n != 1 {
		t.Errorf("%d records for one row of failures", n)
	}
	edge.hook = nil
	r.pass(time.Minute) // the longest wait
	r.mustRun()
	r.want(id, lease.Confirmed, "")
}

func TestReadBackDiffers(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	id := r.add("ana", home)
	edge.lies = true
	if _, err := r.run(); !fault.Is(err, fault.Transient) {
		t.Errorf("a target that accepts and does nothing: %v", err)
	}
	r.want(id, lease.Received, "")
	if len(r.recorded("done")) != 0 || len(r.recorded("decided")) != 1 {
		t.Errorf("recorded %v", r.order)
	}
	edge.lies = false
	r.pass(time.Minute)
	r.mustRun()
}

// TestWritten: what was accepted but could not be read back is written, and no more than that.
func TestWritten(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	id := r.add("ana", home)
	reads := 0
	edge.hook = func(at string) error {
		if at == "read" {
			if reads++; reads == 3 {
				return fault.New(fault.Transient, "the API is away")
			}
		}
		return nil
	}
	if _, err := r.run(); err == nil {
		t.Fatal("no error")
	}
	r.want(id, lease.Written, "")
	r.pass(time.Minute)
	r.mustRun()
	r.want(id, lease.Confirmed, "")
}

// TestLost: an entry that somebody took away and that cannot be put back is no longer called confirmed.
func TestLost(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	a, b := r.add("ana", home), r.add("ben", cafe)
	r.mustRun()
	edge.foreign(func(all []netip.Prefix) []netip.Prefix {
		return slices.DeleteFunc(all, func(p netip.Prefix) bool { return p.String() == home })
	})
	edge.hook = failAt("before apply", fault.New(fault.Denied, "403"))
	if _, err := r.run(); err == nil {
		t.Fatal("no error")
	}
	r.want(a, lease.Received, "")
	r.want(b, lease.Confirmed, "")
	edge.hook = nil
	r.pass(time.Minute)
	r.mustRun()
}

func TestForeignEditsAreRestoredAndReported(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	r.add("ana", home)
	r.mustRun()
	edge.foreign(func(all []netip.Prefix) []netip.Prefix { return append(all, netip.MustParsePrefix("0.0.0.0/0")) })
	report := r.mustRun()
	if !report.Targets[0].Foreign || !report.Targets[0].Applied {
		t.Errorf("foreign edit: %+v", report)
	}
	found := r.recorded("foreign")
	if len(found) != 1 || found[0].Kind != record.Finding {
		t.Errorf("recorded %+v", found)
	}
	righted := r.recorded("righted")
	if len(righted) != 1 || righted[0].Kind != record.Remediation || len(righted[0].Refs) != 1 || righted[0].Refs[0] != (record.Ref{Rel: "closes", ID: found[0].ID()}) {
		t.Errorf("what put it right is recorded as %+v", righted)
	}
	r.add("ben", cafe)
	if report = r.mustRun(); report.Targets[0].Foreign || len(r.recorded("righted")) != 1 {
		t.Error("our own change is called foreign")
	}
}

func TestOneTargetDown(t *testing.T) {
	t.Parallel()
	up, down := newTarget("up"), newTarget("down")
	r := newRig(t, down, up)
	old := r.add("ana", home)
	r.mustRun()
	_, err := r.leases.End(t.Context(), "ana", old, lease.Done)
	must(t, err)
	id := r.add("ben", cafe)
	down.hook = failAt("read", fault.New(fault.Transient, "away"))
	report, err := r.run()
	if err == nil || report.Targets[0].Held || !report.Targets[1].Held {
		t.Errorf("one target down: %+v, %v", report, err)
	}
	if !slices.Equal(up.prefixes, []netip.Prefix{netip.MustParsePrefix(cafe)}) {
		t.Errorf("the other target holds %v", up.prefixes)
	}
	r.want(id, lease.Received, "")
	if !r.lease(old).Open {
		t.Error("a lease counts as removed while a target may hold it")
	}
	down.hook = nil
	r.pass(time.Minute)
	r.mustRun()
}

func TestWithoutTargets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.add("ana", home)
	r.mustRun()
	r.want(id, lease.Confirmed, "")
	_, err := r.leases.End(t.Context(), "ana", id, lease.Done)
	must(t, err)
	r.mustRun()
}

func TestNewNeedsItsParts(t *testing.T) {
	t.Parallel()
	r := newRig(t, newTarget("edge"))
	good := r.r.Config
	for name, change := range map[string]func(c *allowlist.Config){
		"store":       func(c *allowlist.Config) { c.Store = nil },
		"owner":       func(c *allowlist.Config) { c.Owner = "" },
		"same name":   func(c *allowlist.Config) { c.Targets = append(c.Targets, c.Targets[0]) },
		"empty name":  func(c *allowlist.Config) { c.Targets = []allowlist.Target{newTarget("")} },
		"no leases":   func(c *allowlist.Config) { c.Leases = nil },
		"no out tray": func(c *allowlist.Config) { c.Box = nil },
	} {
		c := good
		c.Targets = slices.Clone(good.Targets)
		change(&c)
		if _, err := allowlist.New(c); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
