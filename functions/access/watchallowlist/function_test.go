package watchallowlist

import (
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ostiary.internal/functions/access/internal/accesstest"
	"ostiary.internal/functions/access/syncallowlist"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/store"
	_ "ostiary.internal/shared/platform/store/bolt"
)

const (
	name   = "watchallowlist"
	keeper = "syncallowlist"
	home   = "81.2.69.142/32"
	office = "81.2.69.192/28"
)

// The first to open a database declares all that is in it.
var setup = functiontest.Setup{Functions: []wiring.Function{syncallowlist.Function, Function}, Env: map[string]string{wiring.EnvWatchdog: "world:watchdog"}}

// put stores a lease as registration leaves it, that lasts three hours.
func put(t *testing.T, w *functiontest.World) {
	t.Helper()
	now := w.Clock.Now()
	ends := now.Add(3 * time.Hour)
	l := lease.Lease{V: 1, ID: "emma1", Person: "emma", Prefix: netip.MustParsePrefix(home), Family: lease.IPv4, Date: now.Format(time.DateOnly), Generation: 1, Started: now,
		Ends: ends, Until: ends.UnixMicro(), Zone: "Europe/Paris", State: lease.Received, Open: true, Expires: now.Add(lease.Retention)}
	mark := record.Commitment([]byte("a salt of 16 bytes and more"), "lease", "emma1")
	l.Marks = lease.Marks{Lease: mark, Person: mark, Prefix: mark}
	if err := w.Raw("access").Tx(t.Context(), func(tx store.Tx) error { return tx.Create("leases", l.ID, l) }); err != nil {
		t.Fatal(err)
	}
}

// TestKeeperDead: who keeps the doors dies in the morning. What was registered goes at its end all the same, the security team is
// told, and when the keeper is back it finds the door as it should be.
func TestKeeperDead(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	put(t, w)
	w.Tick(t, keeper).Want(t, 204, "")
	tick := func(want string, passed time.Duration) {
		t.Helper()
		w.Advance(t, passed)
		w.Tick(t, name).Want(t, 204, "")
		if got := accesstest.Door(t, w, name); got != want {
			t.Errorf("at %s the door lets in %s, want %s", w.Clock.Now().Format("15:04"), got, want)
		}
	}
	both, left := "["+home+" "+office+"]", "["+office+"]"
	tick(both, time.Minute)
	before := w.State(t)
	tick(both, time.Minute)
	w.Unchanged(t, before)
	tick(both, 3*time.Hour)
	tick(both, time.Minute)
	w.Forget()
	tick(left, 2*time.Minute)
	said := map[record.Kind]string{}
	for _, r := range w.Records(t) {
		said[r.Kind] = r.Control + " " + r.Facts["event"] + " " + r.Facts["entries"]
	}
	if said[record.Finding] != "ip-allowlist late 1" || said[record.Remediation] != "ip-allowlist removed 1" {
		t.Errorf("recorded %v", said)
	}
	if n := len(w.Published("message.requested")); n != 3 { // two of security and the owner
		t.Errorf("%d messages", n)
	}
	w.Forget()
	w.Tick(t, keeper).Want(t, 204, "")
	for _, r := range w.Records(t) {
		if r.Kind == record.Finding {
			t.Errorf("the keeper takes the watchdog for an intruder: %+v", r.Facts)
		}
	}
}

// TestCallers: nobody but the function's own invoker runs the schedule.
func TestCallers(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	functiontest.MachineGate(t, setup, &seen, name, functiontest.Request{Method: "POST", Path: "/" + name + "/tick"})
	w := functiontest.New(t, setup)
	w.Issuer.Down()
	seen.Saw(w.Tick(t, name)).Want(t, 503, "unavailable")
	seen.Complete(t, name, w.Routes(name))
}

// TestStoreAway: where the leases cannot be read it goes by its copy, and without any says so by failing.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	alone := setup // its own store is elsewhere, and answers
	alone.Env = map[string]string{wiring.EnvWatchdog: driver.URL("bolt", filepath.Join(t.TempDir(), "watchdog.db"), "tree", "watchdog")}
	w := functiontest.New(t, alone)
	put(t, w)
	w.Tick(t, keeper).Want(t, 204, "")
	w.Store.Down()
	if got := w.Tick(t, name); got.Status < 500 {
		t.Errorf("status %d without any knowledge", got.Status)
	}
	w.Store.Up()
	w.Tick(t, name).Want(t, 204, "")
	w.Store.Down()
	for _, passed := range []time.Duration{3 * time.Hour, 2 * time.Minute, time.Minute} {
		w.Advance(t, passed)
		w.Tick(t, name).Want(t, 204, "")
	}
	if got := accesstest.Door(t, w, name); got != "["+office+"]" {
		t.Errorf("the door lets in %s", got)
	}
}

// TestReadsAlone: of the control's database the function may read, and nothing else: who takes it over registers nobody.
func TestReadsAlone(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	for _, p := range w.Deps(name).Manifest.Permissions {
		if p.Resource == "database:access" && !slices.Contains([]string{"datastore.databases.get", "datastore.entities.get", "datastore.entities.list"}, p.Permission) {
			t.Errorf("it holds %s on what it watches", p.Permission)
		}
	}
}
