package scan

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/fault"
)

func (w *world) look(key string) {
	w.t.Helper()
	if err := w.Look(w.t.Context(), "", key); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(asset, what string) finding.Finding {
	w.t.Helper()
	id := finding.ID(asset, what)
	if address, field := diff.Place(what); strings.HasPrefix(address, "google_") {
		id = finding.ID(asset, diff.Finding{Key: asset, Address: address, Field: field}.Same())
	}
	f, err := w.found.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// TestChange: a message is a hint; what the service answers is judged at once, with the name of who it may have been, and messages
// that come again, late or out of order change nothing.
func TestChange(t *testing.T) {
	t.Parallel()
	changed(t, newWorld(t))
}

func changed(t *testing.T, w *world) {
	t.Helper()
	w.ticks(1)
	w.pass(time.Hour)
	key := files("live", "f").Key
	h := attribution.Hint{Asset: key, Person: "sara", Kind: "human", Method: "storage.setIamPermissions", Entry: "e1", At: w.clock.Now()}
	w.cloud.set(files("live", "f", "user:sara@firm.example", "allUsers"))
	for range 2 {
		if err := w.Hint(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		w.look(key)
	}
	w.want("opened", "f files open")
	f := w.get(key, "files")
	if len(f.Actors) == 0 || f.Actors[0].Person != "sara" || !slices.Equal(f.Promises, []string{"P2"}) || f.Got != "roles/storage.objectViewer allUsers" || !strings.Contains(f.Want, "public(m)") {
		t.Errorf("finding: %+v", f)
	}
	w.cloud.set(files("live", "f", "user:dora@firm.example", "allUsers"))
	w.pass(time.Minute)
	w.look(key)
	if again := w.get(key, "files"); again.Got != f.Got {
		t.Errorf("another member, another value: %q", again.Got)
	}
	w.cloud.set(files("live", "f"))
	w.pass(time.Minute)
	w.look(key)
	w.want("healed", "f files healed")
	w.restart()
	w.look(key) // the first message, once more
	w.ticks(2)
	w.want("an old message", "f files healed")
	w.pass(24 * time.Hour)
	w.ticks(2)
	w.want("the next list", "f files healed")
}

// TestCulprit: who called since a thing was seen to be as it is did not make it so, however often, and takes nobody's name off
// it; when its value changes, who called until then may have.
func TestCulprit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ticks(1)
	w.pass(time.Hour)
	key, n := files("live", "f").Key, 0
	call := func(person string) {
		n++
		h := attribution.Hint{Asset: key, Person: person, Kind: "human", Method: "storage.setIamPermissions", Entry: "e" + strconv.Itoa(n), At: w.clock.Now()}
		if err := w.Hint(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	people := func() (all []string) {
		for _, a := range w.get(key, "files").Actors {
			if a.Person != "" {
				all = append(all, a.Person)
			}
		}
		return all
	}
	call("sara")
	w.cloud.set(files("live", "f", "allUsers"))
	w.look(key)
	w.pass(10 * time.Minute)
	for range mostHints + 1 {
		call("dora")
		w.pass(time.Second)
	}
	w.look(key)
	w.restart()
	w.look(key)
	if got := people(); !slices.Equal(got, []string{"sara"}) {
		t.Errorf("who called later: %v", got)
	}
	w.cloud.set(files("live", "f", "allUsers", "allAuthenticatedUsers"))
	w.pass(time.Second)
	w.look(key)
	if got := people(); got[0] != "dora" || !slices.Contains(got, "sara") {
		t.Errorf("another value: %v", got)
	}
}

// TestNoHints: where nobody ever told of a call, it is the log that is missing.
func TestNoHints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ticks(1)
	key := files("live", "f").Key
	w.cloud.set(files("live", "f", "allUsers"))
	w.look(key)
	if f := w.get(key, "files"); len(f.Actors) != 1 || f.Actors[0].Why != attribution.StreamOff {
		t.Errorf("%+v", f.Actors)
	}
}

// TestBehind: a list that is behind what was read by itself opens nothing and heals nothing, however long it takes until it can
// be read again.
func TestBehind(t *testing.T) {
	t.Parallel()
	behind(t, newWorld(t))
}

func behind(t *testing.T, w *world) {
	t.Helper()
	open, shut := door("live", "a", "0.0.0.0/0"), door("live", "b", "10.0.0.0/8")
	w.cloud.set(open)
	w.ticks(4)
	w.pass(12 * time.Hour)
	w.cloud.behind = map[string]asset.Asset{open.Key: open, shut.Key: shut}
	w.cloud.set(door("live", "a", "10.0.0.0/8"))
	w.cloud.set(door("live", "b", "0.0.0.0/0"))
	w.look(open.Key)
	w.look(shut.Key)
	w.ticks(4)
	w.want("before the list", "a doors healed", "b doors open")
	for _, key := range []string{open.Key, shut.Key} {
		w.cloud.fail(key, transient)
	}
	w.pass(6 * time.Hour)
	w.ticks(3)
	w.restart()
	w.ticks(2)
	w.want("behind", "a doors healed", "b doors open unknown")
	if s, _ := w.Status(t.Context()); s.Began.Before(start.Add(12 * time.Hour)) {
		t.Errorf("there was no second list: %+v", s)
	}
	for _, key := range []string{open.Key, shut.Key} {
		w.cloud.fail(key, nil)
	}
	w.ticks(3)
	w.want("read again", "a doors healed", "b doors open")
	counts, _, err := w.Counts(t.Context())
	if err != nil || counts[0].Undetermined != 0 || counts[0].Out != 1 {
		t.Errorf("%+v %v", counts, err)
	}
	calls := w.cloud.calls
	w.ticks(3)
	if w.cloud.calls != calls {
		t.Errorf("read again %d times more", w.cloud.calls-calls)
	}
}

// TestUnreadable: of an asset that cannot be asked for nobody can tell; an answer that will come is waited for; one that is
// deleted is out of order no more.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := door("live", "a", "").Key
	w.cloud.set(door("live", "a", "0.0.0.0/0"))
	w.ticks(4)
	for name, err := range map[string]error{"denied": denied, "not found": fault.New(fault.NotFound, "nobody reads these"), "misconfigured": fault.New(fault.Misconfigured, "the service is off")} {
		w.cloud.fail(key, err)
		w.pass(time.Minute)
		w.look(key)
		w.want(name, "a doors open unknown")
		w.cloud.fail(key, nil)
		w.pass(time.Minute)
		w.look(key)
		w.want("after "+name, "a doors open")
	}
	w.cloud.fail(key, transient)
	if err := w.Look(t.Context(), firewall, key); !fault.Is(err, fault.Transient) {
		t.Errorf("away: %v", err)
	}
	w.cloud.fail(key, nil)
	w.cloud.drop(key)
	w.pass(time.Minute)
	w.look(key)
	w.want("deleted", "a doors healed")
}

// TestNeighbour: what says something of the company is judged again in the next minute after an asset it looks at changed, on any
// process.
func TestNeighbour(t *testing.T) {
	t.Parallel()
	neighbour(t, newWorld(t))
}

func neighbour(t *testing.T, w *world) {
	t.Helper()
	w.ticks(1)
	off := logs("live")
	off.Data = asset.Object{"name": "all", "disabled": true}
	w.cloud.set(off)
	w.look(off.Key)
	w.restart()
	w.ticks(4)
	w.want("the only log is off", "log open")
	w.cloud.set(logs("live"))
	w.look(off.Key)
	w.ticks(1)
	w.want("it is on again", "log healed")
}

// TestNewcomer: what came after the list lies in what its project lies in.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cloud.set(asset.Asset{Key: "//cloudresourcemanager.googleapis.com/projects/live", Type: projectType, Project: "live", Ancestors: []string{"projects/live", "folders/2", "organizations/1"}, Data: asset.Object{"projectId": "live"}})
	w.Service.listed = append(w.Service.listed, projectType)
	w.ticks(1)
	a := door("live", "new", "10.0.0.0/8")
	a.Ancestors = nil
	w.cloud.set(a)
	w.look(a.Key)
	if err := w.learned(); err != nil {
		t.Fatal(err)
	}
	if got, _ := w.known.live.Get(firewall, a.Key); !slices.Equal(got.Ancestors, []string{"projects/live", "folders/2", "organizations/1"}) {
		t.Errorf("it lies in %v", got.Ancestors)
	}
}

// TestBeforeAnyList: a message that comes before anything was listed is judged by what its asset says.
func TestBeforeAnyList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := files("live", "f", "allUsers")
	w.cloud.set(a)
	w.look(a.Key)
	w.look("//compute.googleapis.com/projects/live/zones/z/disks/d") // nothing is promised about it
	w.want("opened", "f files open")
	if _, is, err := w.Counts(t.Context()); is || err != nil {
		t.Errorf("counts before a list: %v %v", is, err)
	}
}

const rules = `{"version":4,"resources":[{"mode":"managed","type":"google_compute_firewall","name":"a","provider":"provider[\"registry.terraform.io/hashicorp/google\"]","instances":[
	{"attributes":{"id":"projects/live/global/firewalls/a","name":"a","project":"live","source_ranges":["10.0.0.0/8"]}}]}]}`

func (w *world) differences() (all []string) {
	for _, line := range w.findings() {
		if strings.Contains(line, "google_") || strings.Contains(line, "unmanaged") {
			all = append(all, line)
		}
	}
	return all
}

// TestTerraform: what is otherwise than Terraform wants is found by a message and by a list; while its lock is held it has time to
// settle; when the state wants it so it is in order; and a state that cannot be read heals nothing.
func TestTerraform(t *testing.T) {
	t.Parallel()
	state := &terraform{text: rules, version: "1"}
	w := newWorld(t, state)
	w.ticks(1)
	const at = "a google_compute_firewall.a source_ranges"
	unmanaged := []string{"b unmanaged settling", "c unmanaged settling", "d unmanaged settling"}
	if got := w.differences(); !slices.Equal(got, unmanaged) {
		t.Fatal(got)
	}
	only := func(what string, want ...string) {
		t.Helper()
		got := slices.DeleteFunc(w.differences(), func(line string) bool { return strings.Contains(line, "unmanaged") })
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	state.applying = true
	w.pass(time.Minute)
	w.cloud.set(door("live", "a", "10.0.0.0/9"))
	w.look(door("live", "a", "").Key)
	w.ticks(5)
	only("while something is applied", at+" settling")
	state.applying = false
	w.ticks(2)
	only("it stands", at+" open")
	f := w.get(door("live", "a", "").Key, strings.TrimPrefix(at, "a "))
	if f.Want != "10.0.0.0/8" || f.Got != "10.0.0.0/9" || f.Class != "changed" || len(f.Promises) > 0 {
		t.Errorf("finding: %+v", f)
	}
	state.err = denied
	w.restart()
	w.cloud.set(door("live", "a", "10.0.0.0/8"))
	w.pass(time.Hour)
	w.look(door("live", "a", "").Key)
	w.ticks(2)
	only("the state cannot be read", at+" open unknown")
	state.err, state.version, state.text = nil, "2", strings.Replace(rules, "10.0.0.0/8", "10.0.0.0/9", 1)
	w.cloud.set(door("live", "a", "10.0.0.0/9"))
	w.pass(time.Hour)
	w.look(door("live", "a", "").Key)
	w.ticks(2)
	only("Terraform wants it so", at+" healed")
}

// TestOneOfMany: a message about one resource of Terraform's says nothing of the others.
func TestOneOfMany(t *testing.T) {
	t.Parallel()
	state := &terraform{text: rules, version: "1"}
	for _, name := range []string{"b", "c"} {
		state.text = strings.TrimSuffix(state.text, "]}") + "," + strings.NewReplacer(`"name":"a"`, `"name":"`+name+`"`, "firewalls/a", "firewalls/"+name).Replace(strings.TrimPrefix(rules, `{"version":4,"resources":[`))
	}
	w := newWorld(t, state)
	w.cloud.drop(door("other", "d", "").Key)
	w.ticks(1)
	w.look(door("live", "a", "").Key)
	w.want("all are as wanted")
	w.cloud.set(door("live", "e", "10.0.0.0/8"))
	w.look(door("live", "e", "").Key)
	w.want("one that nobody wants", "e unmanaged settling")
}

// TestNoneTold: of a type of which a folder tells nothing nobody knows; of Google Cloud, that there is none.
func TestNoneTold(t *testing.T) {
	t.Parallel()
	for place, want := range map[string]string{"projects/live": "log settling", "folder": ""} {
		w := newWorld(t)
		w.cloud.drop(logs("live").Key)
		w.cloud.scopes = []string{place}
		w.ticks(1)
		if got := strings.Join(w.findings(), ","); got != want {
			t.Errorf("%s: %q, want %q", place, got, want)
		}
		counts, _, err := w.Counts(t.Context())
		if err != nil || len(counts) != 3 || counts[2].Assertion != "log" || (counts[2].Undetermined == 1) != (want == "") {
			t.Errorf("%s: %+v %v", place, counts, err)
		}
	}
}

// TestKinds: a log entry names an asset and not its type.
func TestKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	types := slices.Concat(listed(w.Set, true, false), []string{"sqladmin.googleapis.com/Instance", "iam.googleapis.com/ServiceAccountKey", "iam.googleapis.com/ServiceAccount", "cloudkms.googleapis.com/CryptoKey", "compute.googleapis.com/SslPolicy",
		"compute.googleapis.com/TargetHttpsProxy", "compute.googleapis.com/Address", "logging.googleapis.com/LogBucket", "cloudresourcemanager.googleapis.com/Project"})
	for key, want := range map[string]string{
		"//compute.googleapis.com/projects/p/global/firewalls/f": firewall, "//storage.googleapis.com/b": bucket, "//logging.googleapis.com/organizations/1/sinks/s": sink,
		"//cloudsql.googleapis.com/projects/p/instances/i": "sqladmin.googleapis.com/Instance", "//iam.googleapis.com/projects/p/serviceAccounts/s/keys/k": "iam.googleapis.com/ServiceAccountKey",
		"//iam.googleapis.com/projects/p/serviceAccounts/s": "iam.googleapis.com/ServiceAccount", "//cloudkms.googleapis.com/projects/p/locations/l/keyRings/r/cryptoKeys/k": "cloudkms.googleapis.com/CryptoKey",
		"//compute.googleapis.com/projects/p/global/sslPolicies/s": "compute.googleapis.com/SslPolicy", "//compute.googleapis.com/projects/p/global/targetHttpsProxies/s": "compute.googleapis.com/TargetHttpsProxy",
		"//compute.googleapis.com/projects/p/regions/r/addresses/a": "compute.googleapis.com/Address", "//logging.googleapis.com/projects/p/locations/l/buckets/b": "logging.googleapis.com/LogBucket",
		"//cloudresourcemanager.googleapis.com/projects/p": "cloudresourcemanager.googleapis.com/Project", "//x.googleapis.com/projects/p/ys/y": "", "": "", "nonsense": "",
	} {
		if got := kindOf(key, types); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}
