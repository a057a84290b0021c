package watchdog_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/file"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/watchdog"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

var start = time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC)

const (
	home = "81.2.69.142/32"
	cafe = "92.40.1.7/32"
	six  = "2a02:8109:9340:1234::/64"
	site = "81.2.70.0/28"
)

// flaky is a door whose process may die.
type flaky struct {
	allowlist.Target
	hook func(point string) error
}

func (f *flaky) at(point string) error {
	if f.hook == nil {
		return nil
	}
	return f.hook(point)
}

func (f *flaky) Read(ctx context.Context) (allowlist.Observed, error) {
	if err := f.at("read"); err != nil {
		return allowlist.Observed{}, err
	}
	return f.Target.Read(ctx)
}

func (f *flaky) Apply(context.Context, allowlist.Set, allowlist.Write) error {
	panic("the watchdog adds something")
}

func (f *flaky) Remove(ctx context.Context, gone []netip.Prefix) error {
	if err := f.at("before"); err != nil {
		return err
	}
	if err := f.Target.Remove(ctx, gone); err != nil {
		return err
	}
	return f.at("after")
}

// rig is a watchdog over a door of files.
type rig struct {
	t      *testing.T
	now    time.Time
	leases []lease.Lease
	blind  error
	faults storetest.Fault
	door   *flaky
	dog    *watchdog.Dog
	box    *outbox.Box
	kinds  []string
	told   []allowlist.Notice
	fence  int64
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, now: start}
	target, err := file.New(filepath.Join(t.TempDir(), "door"), allowlist.Options{Name: "edge"})
	must(t, err)
	r.door = &flaky{Target: target}
	base, err := memory.New(store.Options{Schema: append(store.Schema{outbox.Collection()}, watchdog.Collection()...), Clock: clock.NewManual(start)})
	must(t, err)
	s := storetest.Faulty(storetest.Twice(base), func(p storetest.Point, n int) error {
		if r.faults == nil {
			return nil
		}
		return r.faults(p, n)
	})
	seen, mu := map[string]bool{}, sync.Mutex{}
	r.box = outbox.New(s, clock.NewManual(start), slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: func(_ context.Context, e outbox.Entry) error {
		parsed, err := record.Parse(e.Data)
		if err != nil || strings.Contains(string(e.Data), "81.2") {
			t.Errorf("recorded %s: %v", e.Data, err)
		}
		mu.Lock() // records are sent side by side
		defer mu.Unlock()
		if !seen[e.Key] {
			seen[e.Key] = true
			r.kinds = append(r.kinds, fmt.Sprintf("%s %s", parsed.Facts["event"], parsed.Facts["entries"]))
		}
		return nil
	}})
	r.dog, err = watchdog.New(watchdog.Config{Store: s, Box: r.box, Targets: []allowlist.Target{r.door},
		Leases: func(context.Context) ([]lease.Lease, error) { return slices.Clone(r.leases), r.blind },
		Sites:  []access.Fixed{{Name: "office", Prefix: netip.MustParsePrefix(site), Until: start.Add(48 * time.Hour)}},
		Tell: func(_ *outbox.Batch, n allowlist.Notice) error {
			if !slices.ContainsFunc(r.told, func(o allowlist.Notice) bool { return o.Key == n.Key }) {
				r.told = append(r.told, n)
			}
			return nil
		}})
	must(t, err)
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func made(person, prefix string, ends time.Time) lease.Lease {
	return lease.Lease{ID: person + prefix, Person: person, Prefix: netip.MustParsePrefix(prefix), State: lease.Confirmed, Open: true, Started: start, Ends: ends}
}

// keeper writes to the door what whoever keeps it would: these leases and the site.
func (r *rig) keeper(leases ...lease.Lease) {
	r.t.Helper()
	seen, err := r.door.Target.Read(r.t.Context())
	must(r.t, err)
	r.fence++
	sites := []access.Fixed{{Name: "office", Prefix: netip.MustParsePrefix(site), Until: start.Add(1000 * time.Hour)}}
	must(r.t, r.door.Target.Apply(r.t.Context(), allowlist.Desired(leases, sites, start), allowlist.Write{Fence: r.fence, Etag: seen.Etag}))
}

func (r *rig) look(want string) {
	r.t.Helper()
	report, err := r.dog.Look(r.t.Context(), r.now)
	if err != nil || fmt.Sprintf("%+v", report) != want {
		r.t.Errorf("at %s: %+v, %v; want %s", r.now.Format("15:04"), report, err, want)
	}
}

func (r *rig) holds(want ...string) {
	r.t.Helper()
	seen, err := r.door.Target.Read(r.t.Context())
	must(r.t, err)
	var got []string
	for _, p := range seen.Prefixes {
		got = append(got, p.String())
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		r.t.Errorf("at %s the door lets in %v, want %v", r.now.Format("15:04"), got, want)
	}
}

const (
	quiet = "{Blind:false Late:0 Removed:0}"
	blind = "{Blind:true Late:0 Removed:0}"
)
