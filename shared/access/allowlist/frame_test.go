package allowlist_test

import (
	"net/netip"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
)

// TestWatchdogWas: what the watchdog took away is nobody's doing; an entry that is due and gone is.
func TestWatchdogWas(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	edge.parts = true
	r := newRig(t, edge)
	gone := r.add("ana", home)
	r.add("ben", cafe)
	r.mustRun()
	_, err := r.leases.End(t.Context(), "ana", gone, "done")
	must(t, err)
	must(t, edge.Remove(t.Context(), []netip.Prefix{netip.MustParsePrefix(home)}))
	r.add("cy", six) // and there is something to write
	r.mustRun()
	if found := r.recorded("foreign"); len(found) != 0 {
		t.Errorf("the watchdog is called somebody else: %+v", found)
	}
	must(t, edge.Remove(t.Context(), []netip.Prefix{netip.MustParsePrefix(cafe)}))
	r.mustRun()
	if found := r.recorded("foreign"); len(found) != 1 {
		t.Errorf("an entry that is due was taken away: found %d times", len(found))
	}
}

// TestFrame: what the door is made of changes. That is found and told, and not put back.
func TestFrame(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	edge.frame = "443"
	r := newRig(t, edge)
	told := r.telling()
	r.add("ana", home)
	r.mustRun()
	r.mustRun()
	r.pass(5 * time.Minute) // nobody looked
	edge.frame = "all"
	r.called(allowlist.Call{Asset: rule, Person: "simone", Entry: "e1", At: r.clock.Now()})
	r.pass(5 * time.Minute)
	r.mustRun()
	r.mustRun()
	if found := r.recorded("frame"); len(found) != 1 || len(*told) != 1 || !(*told)[0].Frame || (*told)[0].Call.Person != "simone" {
		t.Errorf("found %d times, told %+v", len(found), *told)
	}
	edge.frame = "" // not known
	r.mustRun()
	if len(r.recorded("frame")) != 1 {
		t.Error("what is not known is no change")
	}
}
