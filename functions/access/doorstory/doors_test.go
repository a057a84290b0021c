package doorstory

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"
	"google.golang.org/api/compute/v1"
	"google.golang.org/api/option"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/accesslevel"
	"ostiary.internal/shared/access/allowlist/accesslevel/acmtest"
	"ostiary.internal/shared/access/allowlist/cloudarmor"
	"ostiary.internal/shared/access/allowlist/cloudarmor/armortest"
	"ostiary.internal/shared/access/allowlist/file"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/access/allowlist/vpcfirewall"
	"ostiary.internal/shared/access/allowlist/vpcfirewall/vpctest"
	"ostiary.internal/shared/platform/clock"
)

// door is one kind of door and what enforces it.
type door struct {
	open   func(o allowlist.Options) (allowlist.Target, error)
	on     func(clk *clock.Manual) // tells the fake the time
	admits func(email string, addr netip.Addr, at time.Time) bool
	down   func(status int) // every request is answered so; 0 for no longer
	edit   func()           // somebody lets in 0.0.0.0/0 by hand
	asset  string           // what the audit log names then; "" where there is no such log
	wider  func()           // others make a rule that lets in everybody past the door; nil where none is seen
	writes func() int       // nil where they are not counted
	person bool             // an address opens for who registered it and nobody else
	every  time.Duration    // of the target's limits, once it is open
}

var everywhere = netip.MustParsePrefix("0.0.0.0/0")

// kinds are the doors, by name. Whoever has a quota of writes has a smaller one here than the service, but for access levels, whose
// own is small enough.
var kinds = map[string]func(t testing.TB) *door{"file": folder, "vpcfirewall": firewall, "cloudarmor": armor, "accesslevel": levels}

const perMinute = 20

// opened are the doors of the stories, by the URL that opens them.
var opened sync.Map

func init() {
	allowlist.Targets.Register("story", func(_ context.Context, u *url.URL, o allowlist.Options) (allowlist.Target, error) {
		found, _ := opened.Load(u.Opaque)
		d := found.(*door)
		target, err := d.open(o)
		if err == nil {
			d.every = target.Limits().Every
		}
		return target, err
	})
}

func folder(t testing.TB) *door {
	dir := filepath.Join(t.TempDir(), "edge")
	path := filepath.Join(dir, "allowlist.json")
	d := &door{on: func(*clock.Manual) {}}
	d.open = func(o allowlist.Options) (allowlist.Target, error) { return file.New(dir, o) }
	read := func() (list map[string]any, prefixes []netip.Prefix) {
		var entries struct {
			Entries []struct{ Prefix netip.Prefix }
		}
		data, err := os.ReadFile(path)
		if err != nil || json.Unmarshal(data, &list) != nil || json.Unmarshal(data, &entries) != nil {
			t.Fatalf("reading the list: %v", err)
		}
		for _, e := range entries.Entries {
			prefixes = append(prefixes, e.Prefix)
		}
		return list, prefixes
	}
	d.admits = func(_ string, addr netip.Addr, _ time.Time) bool {
		_, prefixes := read()
		return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
	d.down = func(status int) { // its lock cannot be taken
		lock := filepath.Join(dir, "allowlist.lock")
		must(t, os.RemoveAll(lock))
		if status != 0 {
			must(t, os.Mkdir(lock, 0o700))
		}
	}
	d.edit = func() {
		list, _ := read()
		list["entries"] = append(list["entries"].([]any), map[string]any{"prefix": everywhere, "until": time.Now().AddDate(1, 0, 0), "holders": 1})
		data, err := json.Marshal(list)
		must(t, err)
		must(t, os.WriteFile(path, data, 0o600))
	}
	return d
}

// connect is a client of the Compute API at a server.
func connect(server string) func(context.Context) (*compute.Service, error) {
	return func(ctx context.Context) (*compute.Service, error) {
		return compute.NewService(ctx, option.WithHTTPClient(googledoor.Guard(&http.Client{})), option.WithEndpoint(server))
	}
}

func firewall(t testing.TB) *door {
	v := vpctest.New(t).Shells(2)
	v.PerMinute = perMinute
	d := &door{on: func(clk *clock.Manual) { v.Clock = clk }, asset: "//compute.googleapis.com/projects/" + vpctest.Project + "/global/firewalls/edge-v4-00"}
	d.open = func(o allowlist.Options) (allowlist.Target, error) {
		return vpcfirewall.New(vpctest.Project, "edge", vpcfirewall.DefaultSize, o, connect(v.Server.URL))
	}
	d.admits = func(_ string, addr netip.Addr, _ time.Time) bool { return v.Admits(addr) }
	d.down = func(status int) {
		v.Answer = func(w http.ResponseWriter, _ *http.Request) bool {
			if status != 0 {
				v.Fail(w, status, "backendError")
			}
			return status != 0
		}
	}
	d.edit = func() {
		v.Edit("edge-v4-00", func(r *compute.Firewall) {
			r.SourceRanges, r.Disabled = append(slices.Clone(r.SourceRanges), everywhere.String()), false
		})
	}
	d.wider = func() {
		v.Add(&compute.Firewall{Name: "hurry", Priority: 10, SourceRanges: []string{everywhere.String()}, Allowed: []*compute.FirewallAllowed{{IPProtocol: "tcp"}}})
	}
	d.writes = func() int { return len(v.Patches) }
	return d
}

func armor(t testing.TB) *door {
	f, server := armortest.New(t, "global")
	f.PerMinute = perMinute
	d := &door{on: func(clk *clock.Manual) { f.Clock = clk }, asset: "//compute.googleapis.com/projects/shop/global/securityPolicies/edge"}
	d.open = func(o allowlist.Options) (allowlist.Target, error) {
		return cloudarmor.New(&url.URL{Scheme: "cloudarmor", Opaque: "shop/edge", RawQuery: "from=1000&to=1099"}, o, connect(server.URL))
	}
	d.admits = func(_ string, addr netip.Addr, _ time.Time) bool { return armortest.Admits(f.Policy(), addr) }
	d.down = func(status int) {
		f.Failing = func(*http.Request) (int, string) { return status, "backendError" }
	}
	d.edit = func() { f.Put(1098, "allow", everywhere.String()) }
	d.wider = func() { f.Put(10, "allow", everywhere.String()) }
	d.writes = func() int { return len(f.Writes) }
	return d
}

func levels(t testing.TB) *door {
	f := acmtest.New(t, 7, time.Time{})
	f.Slow = 0 // to wait for an operation takes real time
	d := &door{on: func(clk *clock.Manual) { f.Clock = clk }, person: true, asset: "//accesscontextmanager.googleapis.com/" + acmtest.Policy + "/accessLevels/edge_00"}
	d.open = func(o allowlist.Options) (allowlist.Target, error) {
		return accesslevel.New(acmtest.Policy, "edge", o, func(context.Context) (*http.Client, error) { return googledoor.Guard(&http.Client{}), nil }, f.Server.URL)
	}
	d.admits = f.Admits
	d.down = func(status int) {
		f.Trouble = func(*http.Request, int) func(http.ResponseWriter) {
			if status == 0 {
				return nil
			}
			return func(w http.ResponseWriter) { acmtest.Refuse(w, status, "no answer") }
		}
	}
	d.edit = func() {
		f.Mu.Lock()
		defer f.Mu.Unlock()
		name := acmtest.Policy + "/accessLevels/edge_00"
		level, basic := *f.Levels[name], *f.Levels[name].Basic
		basic.Conditions = append(slices.Clone(basic.Conditions), &acm.Condition{IpSubnetworks: []string{everywhere.String()}})
		level.Basic = &basic
		f.Levels[name] = &level
	}
	d.writes = func() int { return len(f.Sent) }
	return d
}

// each tells a story at every kind of door.
func each(t *testing.T, tell func(t *testing.T, make func(t testing.TB) *door)) {
	for name, make := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(t, make)
		})
	}
}

// url registers a door and returns what opens it.
func (d *door) url(t testing.TB) string {
	name := fmt.Sprintf("%p", d)
	opened.Store(name, d)
	t.Cleanup(func() { opened.Delete(name) })
	return "story:" + name
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
