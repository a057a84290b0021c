package gcs

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/storage"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/logtest"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/gcstest"
)

const name = "evidence-log"

func open(t testing.TB, s *gcstest.Server, prefix string, permissions ...string) Objects {
	t.Helper()
	o, err := New(name, prefix, 2*time.Second, s.Connect(permissions...))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// rights is what a method may do by the table of this package.
func rights(methods ...string) []string {
	var all []string
	for _, m := range methods {
		for _, p := range Permissions[m] {
			all = append(all, p+" "+name)
		}
	}
	return all
}

// TestSuite: the seam holds whichever of two errors the service names first, in a bucket and under a prefix of one, with
// the permissions of the table and no other; lists come in small parts.
func TestSuite(t *testing.T) {
	t.Parallel()
	for variant, prefix := range map[string]string{"bucket": "", "prefix": "a/b/"} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			logtest.Run(t, func(t testing.TB) func() log.Objects {
				s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
				s.MissingFirst, s.RightsFirst, s.Page = prefix != "", prefix != "", 3
				neighbour := open(t, s, "", gcstest.Everything)
				for _, other := range []string{"a/a", "a/bb", "a/c/head"} {
					if prefix == "" {
						break
					}
					if _, err := neighbour.Create(t.Context(), other, []byte("not ours")); err != nil {
						t.Fatal(err)
					}
				}
				return func() log.Objects {
					return open(t, s, prefix, rights("Objects.Get", "Objects.Create", "Objects.Swap", "Objects.Delete", "Objects.List")...)
				}
			})
		})
	}
}

// TestPermissions: each method does with the permissions of its row, and is Denied when one of them is taken away.
func TestPermissions(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
	owner := open(t, s, "", gcstest.Everything)
	calls := map[string]func(o Objects, there string, generation int64) error{
		"Objects.Get": func(o Objects, _ string, _ int64) error { _, err := o.Get(t.Context(), "missing"); return err },
		"Objects.Create": func(o Objects, there string, _ int64) error {
			_, err := o.Create(t.Context(), there+"-new", nil)
			return err
		},
		"Objects.Swap":   func(o Objects, there string, g int64) error { _, err := o.Swap(t.Context(), there, nil, g); return err },
		"Objects.Delete": func(o Objects, there string, g int64) error { return o.Delete(t.Context(), there+"-gone", g) },
		"Objects.List":   func(o Objects, _ string, _ int64) error { _, err := o.List(t.Context(), "", "", 1); return err },
	}
	for method, call := range calls {
		for without := range len(Permissions[method]) + 1 {
			there := strings.ToLower(strings.TrimPrefix(method, "Objects.")) + string(rune('0'+without))
			generation, err := owner.Create(t.Context(), there, []byte("x"))
			if err != nil {
				t.Fatal(err)
			}
			have := rights(method)
			if without < len(have) {
				have = slices.Delete(have, without, without+1)
			}
			err = call(open(t, s, "", have...), there, generation)
			enough := err == nil || fault.Is(err, fault.NotFound)
			if enough != (without == len(Permissions[method])) {
				t.Errorf("%s with %v: %v", method, have, err)
			}
		}
	}
}

// TestRetentionAndHolds: what the bucket keeps is neither deleted nor replaced, and says so to who would.
func TestRetentionAndHolds(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC))
	s := gcstest.New(t, now, gcstest.Bucket{Name: name, Retention: time.Hour})
	o := open(t, s, "", gcstest.Everything)
	generation, err := o.Create(t.Context(), "tile/0/000", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	locked := func(why string) {
		t.Helper()
		if err := o.Delete(t.Context(), "tile/0/000", generation); !fault.Is(err, fault.Denied) {
			t.Errorf("deleting under %s: %v", why, err)
		}
		if _, err := o.Swap(t.Context(), "tile/0/000", []byte("y"), generation); !fault.Is(err, fault.Denied) {
			t.Errorf("replacing under %s: %v", why, err)
		}
		if data, _ := s.Data(name, "tile/0/000"); data != "x" {
			t.Errorf("under %s: %q", why, data)
		}
	}
	locked("retention")
	if err := now.Set(now.Now().Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	hold := s.Client(t, gcstest.Everything).Bucket(name).Object("tile/0/000")
	for _, held := range []storage.ObjectAttrsToUpdate{{TemporaryHold: true}, {TemporaryHold: false, EventBasedHold: true}} {
		if _, err := hold.Update(t.Context(), held); err != nil {
			t.Fatal(err)
		}
		locked("a hold")
	}
	if _, err := hold.Update(t.Context(), storage.ObjectAttrsToUpdate{EventBasedHold: false}); err != nil {
		t.Fatal(err)
	}
	if err := o.Delete(t.Context(), "tile/0/000", generation); err != nil {
		t.Errorf("deleting what is free: %v", err)
	}
}

// TestLostAnswers: what was done and not answered reads as perhaps done, never as somebody else's; deleting is tried
// again by itself.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	var down atomic.Int32
	s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
	s.After = func(gcstest.Call) int {
		if down.Add(-1) >= 0 {
			return http.StatusServiceUnavailable
		}
		return 0
	}
	o := open(t, s, "", gcstest.Everything)
	down.Store(1)
	if _, err := o.Create(t.Context(), "head", []byte("one")); !fault.Is(err, fault.Transient) {
		t.Errorf("creating: %v", err)
	}
	held, err := o.Get(t.Context(), "head")
	if err != nil || string(held.Data) != "one" {
		t.Fatalf("%q, %v", held.Data, err)
	}
	down.Store(1)
	if _, err := o.Swap(t.Context(), "head", []byte("two"), held.Generation); !fault.Is(err, fault.Transient) {
		t.Errorf("replacing: %v", err)
	}
	if held, err = o.Get(t.Context(), "head"); err != nil || string(held.Data) != "two" {
		t.Fatalf("%q, %v", held.Data, err)
	}
	down.Store(1)
	if err := o.Delete(t.Context(), "head", held.Generation); err != nil {
		t.Errorf("deleting: %v", err)
	}
	if names := s.Names(name); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]fault.Kind{
		http.StatusServiceUnavailable: fault.Transient, http.StatusTooManyRequests: fault.Transient, http.StatusInternalServerError: fault.Transient,
		http.StatusUnauthorized: fault.Denied, http.StatusForbidden: fault.Denied, http.StatusGone: fault.Misconfigured,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
			s.Before = func(gcstest.Call) int { return status }
			o, err := New(name, "", 300*time.Millisecond, s.Connect(gcstest.Everything)) // the client repeats until the deadline
			if err != nil {
				t.Fatal(err)
			}
			_, reading := o.Get(t.Context(), "a")
			_, creating := o.Create(t.Context(), "a", []byte("x"))
			_, listing := o.List(t.Context(), "", "", 1)
			for doing, err := range map[string]error{"reading": reading, "creating": creating, "listing": listing, "deleting": o.Delete(t.Context(), "a", 1)} {
				if !fault.Is(err, kind) {
					t.Errorf("%s: %v (%s), want %s", doing, err, fault.KindOf(err), kind)
				}
			}
		})
	}
}

// TestNoBucket: a bucket that does not exist is never taken for an empty log.
func TestNoBucket(t *testing.T) {
	t.Parallel()
	o := open(t, gcstest.New(t, nil), "", gcstest.Everything)
	_, reading := o.Get(t.Context(), "head")
	_, creating := o.Create(t.Context(), "head", nil)
	_, swapping := o.Swap(t.Context(), "head", nil, 7)
	_, listing := o.List(t.Context(), "", "", 1)
	for doing, err := range map[string]error{"reading": reading, "creating": creating, "swapping": swapping, "listing": listing, "deleting": o.Delete(t.Context(), "head", 1)} {
		if !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", doing, err)
		}
	}
}

func TestDamageIsNoticed(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
	o := open(t, s, "", gcstest.Everything)
	if _, err := o.Create(t.Context(), "head", []byte("data")); err != nil {
		t.Fatal(err)
	}
	s.Damage(name, "head", func(data []byte) { data[1] ^= 1 })
	if got, err := o.Get(t.Context(), "head"); err == nil {
		t.Errorf("read %q", got.Data)
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for raw, prefix := range map[string]string{"gs://evidence-log": "", "gs://evidence-log/": "", "gs://evidence-log/a": "a/", "gs://evidence-log/a/b/": "a/b/"} {
		o, err := log.Stores.Open(t.Context(), raw, log.Options{})
		if err != nil || o.(Objects).Prefix() != prefix {
			t.Errorf("%s: %v, %v", raw, o, err)
			continue
		}
		if err := o.Close(); err != nil { // nothing was connected yet, and closing must not connect
			t.Error(err)
		}
	}
	for _, raw := range []string{"gs:evidence-log", "gs://", "gs://E", "gs://evidence-log?a=b", "gs://evidence-log/../x", "gs://evidence-log/a//b", "gs://me@evidence-log", "gs://evidence-log/.a", "gs://evidence-log#a"} {
		if _, err := log.Stores.Open(t.Context(), raw, log.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestConnectsAtFirstUseAndAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	o, err := New(name, "", 0, func(context.Context) (*storage.Client, error) {
		tries.Add(1)
		return nil, errors.New("no credentials yet")
	})
	if err != nil || tries.Load() != 0 {
		t.Fatalf("New connected %d times, %v", tries.Load(), err)
	}
	for want := int32(1); want <= 2; want++ {
		if _, err := o.Get(t.Context(), "a"); !fault.Is(err, fault.Transient) || tries.Load() != want {
			t.Errorf("try %d: %v", tries.Load(), err)
		}
	}
}
