package gcs_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/storage"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/gcs"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/gcstest"
)

func find(t testing.TB, s erasure.Reader, q erasure.Query, limit int) (items []erasure.Item) {
	t.Helper()
	for cursor := ""; ; {
		page, err := s.Find(t.Context(), q, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
		if cursor = page.Next; cursor == "" {
			return items
		}
	}
}

func erase(t testing.TB, s erasure.Store, q erasure.Query, items ...erasure.Item) (outcomes []erasure.Outcome) {
	t.Helper()
	results, err := s.Erase(t.Context(), q, items)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		outcomes = append(outcomes, r.Outcome)
	}
	return outcomes
}

func named(kind erasure.MatchKind, place string, values ...string) erasure.Query {
	return erasure.Query{Place: place, Action: erasure.ActionDelete, Tenant: erasure.Tenant{Binding: erasure.BindPath, ID: "a"}, Match: erasure.Match{Kind: kind, Values: values}}
}

// TestEveryVersion: old versions are items and are deleted for good, of names that begin alike none; what the bucket lets
// be restored is told.
func TestEveryVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{}, gcstest.Bucket{Name: bucket, Versioning: true, SoftDelete: 7 * 24 * time.Hour})
	for range 20 {
		put(t, w.behind.Object("tenants/a/users/u1/photo"), nil)
	}
	for _, other := range []string{"tenants/a/users/u1/photo.old", "tenants/a/users/u1/photo/x", "tenants/a/users/u10/photo", "tenants/b/users/u1/photo"} {
		put(t, w.behind.Object(other), nil)
	}
	put(t, w.behind.Object("tenants/a/users/u1/gone"), nil)
	if err := w.behind.Object("tenants/a/users/u1/gone").Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	exact := named(erasure.MatchDocument, "", "tenants/a/users/u1/photo")
	for _, limit := range []int{1, 3, 20, 21} {
		if items := find(t, w.store, exact, limit); len(items) != 20 {
			t.Errorf("%d versions found by pages of %d", len(items), limit)
		}
	}
	q := named(erasure.MatchPrefix, "", "tenants/a/users/u1/", "tenants/a/users/u1/photo/")
	items := find(t, w.store, q, 5)
	if got := erase(t, w.store, q, items...); len(got) != 23 || slices.ContainsFunc(got, func(o erasure.Outcome) bool { return o != erasure.OutcomeErased }) {
		t.Errorf("outcomes %v", got)
	}
	if left := w.server.Names(bucket); !slices.Equal(left, []string{"tenants/a/users/u10/photo", "tenants/b/users/u1/photo"}) {
		t.Errorf("left are %q", left)
	}
	if again := find(t, w.store, q, 5); len(again) != 0 {
		t.Errorf("found again: %d", len(again))
	}
	traces, err := w.store.Traces(t.Context())
	if err != nil || traces.SoftDelete != 7*24*time.Hour || len(traces.Unknown) != 0 || len(w.server.SoftDeleted(bucket)) != 23 {
		t.Errorf("traces %+v, %v of %d", traces, err, len(w.server.SoftDeleted(bucket)))
	}
}

// TestHeld: what the bucket keeps is told before and after, and erased once it is free.
func TestHeld(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC))
	server := gcstest.New(t, now, gcstest.Bucket{Name: bucket, Retention: time.Hour})
	s, err := gcs.New(bucket, now, server.Connect(gcstest.Everything))
	if err != nil {
		t.Fatal(err)
	}
	object := server.Client(t, gcstest.Everything).Bucket(bucket).Object("tenants/a/users/u1/photo")
	put(t, object, nil)
	q := named(erasure.MatchPrefix, "tenants/a/", "tenants/a/users/u1/")
	held := func(why string, told, until time.Time) {
		t.Helper()
		items := find(t, s, q, 10)
		if len(items) != 1 || !items[0].Held.Equal(told) {
			t.Fatalf("%s: found %+v", why, items)
		}
		results, err := s.Erase(t.Context(), q, items)
		if err != nil || len(results) != 1 || results[0].Outcome != erasure.OutcomeHeld || !results[0].Until.Equal(until) {
			t.Errorf("%s: %+v, %v", why, results, err)
		}
	}
	end := now.Now().Add(time.Hour)
	held("retention", end, end)
	if err := now.Set(end); err != nil {
		t.Fatal(err)
	}
	for _, hold := range []storage.ObjectAttrsToUpdate{{TemporaryHold: true}, {TemporaryHold: false, EventBasedHold: true}} {
		if _, err := object.Update(t.Context(), hold); err != nil {
			t.Fatal(err)
		}
		held("a hold", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Time{})
	}
	if _, err := object.Update(t.Context(), storage.ObjectAttrsToUpdate{EventBasedHold: false}); err != nil {
		t.Fatal(err)
	}
	items := find(t, s, q, 10)
	if got := erase(t, s, q, items...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeErased}) || !items[0].Held.IsZero() {
		t.Errorf("free: %v, held until %s", got, items[0].Held)
	}
}

// TestRewrittenMetadata: an object that came to be somebody else's since it was found is not deleted.
func TestRewrittenMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindField, &erasetest.Wire{}, gcstest.Bucket{Name: bucket})
	object := w.behind.Object("people/x")
	put(t, object, map[string]string{"owner": "u1", erasetest.FieldTenant: "a"})
	q := w.Query("a")
	q.Action, q.Match = erasure.ActionDelete, erasure.Match{Kind: erasure.MatchMetadata, Field: "owner", Values: []string{"u1"}}
	items := find(t, w.store, q, 10)
	for _, step := range []struct {
		metadata map[string]string
		want     erasure.Outcome
	}{
		{map[string]string{"owner": "u1", erasetest.FieldTenant: "b"}, erasure.OutcomeForeign},
		{map[string]string{"owner": "u1"}, erasure.OutcomeForeign},
		{map[string]string{"owner": "u2", erasetest.FieldTenant: "a"}, erasure.OutcomeGone},
		{map[string]string{"owner": "u1", erasetest.FieldTenant: "a"}, erasure.OutcomeChanged},
	} {
		// An update keeps the keys it does not name; "" is as good as none.
		for _, key := range []string{"owner", erasetest.FieldTenant} {
			if _, set := step.metadata[key]; !set {
				step.metadata[key] = ""
			}
		}
		if _, err := object.Update(t.Context(), storage.ObjectAttrsToUpdate{Metadata: step.metadata}); err != nil {
			t.Fatal(err)
		}
		if got := erase(t, w.store, q, items...); !slices.Equal(got, []erasure.Outcome{step.want}) {
			t.Errorf("with %v: %v, want %s", step.metadata, got, step.want)
		}
	}
	items = find(t, w.store, q, 10)
	give := func() {
		if _, err := object.Update(t.Context(), storage.ObjectAttrsToUpdate{Metadata: map[string]string{erasetest.FieldTenant: "b"}}); err != nil {
			t.Error(err)
		}
	}
	var once sync.Once
	w.server.Wrap = func(to http.RoundTripper) http.RoundTripper {
		return before(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodDelete {
				once.Do(give)
			}
			return to.RoundTrip(r)
		})
	}
	late := open(t, w.server, bucket, gcstest.Everything)
	if got := erase(t, late, q, items...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeForeign}) {
		t.Errorf("given away at the last moment: %v", got)
	}
}

// before is a transport that is a function.
type before func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (b before) RoundTrip(r *http.Request) (*http.Response, error) { return b(r) }

// TestPermissions: each method does with the permissions of its row, and is Denied, or says so, when one is taken away.
func TestPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{}, gcstest.Bucket{Name: bucket})
	q := named(erasure.MatchPrefix, "", "tenants/a/users/u1/")
	calls := map[string]func(*gcs.Store) error{
		"Reader.Find":   func(s *gcs.Store) error { _, err := s.Find(t.Context(), q, "", 10); return err },
		"Reader.Values": func(s *gcs.Store) error { _, err := s.Values(t.Context(), q, "owner", 10); return err },
		"Reader.Places": func(s *gcs.Store) error { _, err := s.Places(t.Context(), 10); return err },
		"Reader.Traces": func(s *gcs.Store) error {
			traces, err := s.Traces(t.Context())
			if len(traces.Unknown) > 0 {
				err = errors.New(traces.Unknown[0])
			}
			return err
		},
		"Store.Erase": func(s *gcs.Store) error {
			put(t, w.behind.Object("tenants/a/users/u1/photo"), nil)
			items := append(find(t, w.store, q, 10), erasure.Item{Ref: "tenants/a/users/u1/gone#7"})
			_, err := s.Erase(t.Context(), q, items)
			return err
		},
	}
	for method, call := range calls {
		var have []string
		for _, p := range append(slices.Clone(gcs.ReadPermissions[method]), gcs.Permissions[method]...) {
			have = append(have, p+" "+bucket)
		}
		if err := call(open(t, w.server, bucket, have...)); err != nil {
			t.Errorf("%s with %v: %v", method, have, err)
		}
		for i := range have {
			less := slices.Delete(slices.Clone(have), i, i+1)
			if err := call(open(t, w.server, bucket, less...)); err == nil || method != "Reader.Traces" && !fault.Is(err, fault.Denied) {
				t.Errorf("%s with %v: %v", method, less, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{}, gcstest.Bucket{Name: bucket})
	put(t, w.behind.Object("tenants/a/users/u1/photo"), nil)
	for name, q := range map[string]erasure.Query{
		"no tenant anywhere":       named(erasure.MatchPrefix, "", "users/u1/"),
		"one value without tenant": named(erasure.MatchPrefix, "", "tenants/a/users/u1/", "tenants/b/users/u1/"),
		"a name beside the place":  named(erasure.MatchPrefix, "tenants/a/", "tenants/b/a/u1/"),
		"a name like the tenant":   named(erasure.MatchDocument, "", "users/a"),
		"a bare place":             named(erasure.MatchTenant, "tenants/a"),
		"the whole bucket":         named(erasure.MatchTenant, ""),
		"a rooted place":           named(erasure.MatchTenant, "/a/"),
		"a long name":              named(erasure.MatchDocument, "", "tenants/a/"+strings.Repeat("x", 1020)),
	} {
		if _, err := w.store.Find(t.Context(), q, "", 10); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	q := named(erasure.MatchPrefix, "", "tenants/a/users/u1/")
	for _, ref := range []string{"", "#1", "tenants/a/users/u1/photo", "tenants/a/users/u1/photo#x", "tenants/a/users/u10/photo#1", "tenants/b/users/u1/photo#1"} {
		if got := erase(t, w.store, q, erasure.Item{Ref: ref}); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeForeign}) {
			t.Errorf("the reference %q: %v", ref, got)
		}
	}
}

// TestLongWalk: metadata is looked for in pieces, none of them longer than a thousand names.
func TestLongWalk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{}, gcstest.Bucket{Name: bucket})
	w.server.Page = 0
	for i := range 1050 {
		put(t, w.behind.Object(fmt.Sprintf("tenants/a/%04d", i)), map[string]string{"owner": fmt.Sprintf("u%d", i)})
	}
	q := named(erasure.MatchMetadata, "tenants/a/", "u0", "u1049")
	q.Match.Field = "owner"
	page, err := w.store.Find(t.Context(), q, "", 10)
	if err != nil || len(page.Items) != 1 || page.Next == "" {
		t.Errorf("the first piece has %d, %q, %v", len(page.Items), page.Next, err)
	}
	if items := find(t, w.store, q, 10); len(items) != 2 {
		t.Errorf("%d found", len(items))
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{}, gcstest.Bucket{Name: bucket, Versioning: true})
	for _, name := range []string{"a/x/y", "a/z", "b/x", "top"} {
		put(t, w.behind.Object(name), nil)
	}
	if err := w.behind.Object("b/x").Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := w.store.Places(t.Context(), 3); err != nil || !slices.Equal(got, []string{"/", "a/", "b/"}) {
		t.Errorf("places %q, %v", got, err)
	}
	if _, err := w.store.Places(t.Context(), 2); !fault.Is(err, fault.Exhausted) {
		t.Errorf("more than two: %v", err)
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"gcs://a-bucket", "gcs://a-bucket/"} {
		r, err := erasure.Readers.Open(t.Context(), raw, erasure.Options{})
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if _, writes := r.(erasure.Store); writes || r.Close() != nil { // nothing was connected yet, and closing must not connect
			t.Errorf("%s opens to erase where it is to be read", raw)
		}
	}
	for _, raw := range []string{"gcs:a-bucket", "gcs://", "gcs://A", "gcs://a-bucket/x", "gcs://a-bucket?x=1", "gcs://me@a-bucket", "gcs://a-bucket#x"} {
		if _, err := erasure.Stores.Open(t.Context(), raw, erasure.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
