package gcs_test

import (
	"net/http"
	"slices"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/gcs"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/gcstest"
)

// TestStores: every bucket of the project is told, with the one permission the table names; who may not ask and what is too
// much is an error, never a part.
func TestStores(t *testing.T) {
	t.Parallel()
	server := gcstest.New(t, nil, gcstest.Bucket{Name: "mapped"}, gcstest.Bucket{Name: "forgotten"})
	needed := gcs.ListPermissions["Lister.Stores"]
	if len(needed) != 1 {
		t.Fatalf("permissions are %v", needed)
	}
	for name, c := range map[string]struct {
		grants []string
		limit  int
		want   []string
		kind   fault.Kind
	}{
		"all":      {[]string{needed[0] + " project"}, 2, []string{"gcs://forgotten", "gcs://mapped"}, ""},
		"too many": {[]string{needed[0] + " project"}, 1, nil, fault.Exhausted},
		"denied":   {[]string{"storage.buckets.get project"}, 2, nil, fault.Denied},
	} {
		l := gcs.NewLister("project", server.Connect(c.grants...))
		if got, err := l.Stores(t.Context(), c.limit); !slices.Equal(got, c.want) || fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	tired := gcstest.New(t, nil)
	tired.Before = func(gcstest.Call) int { return http.StatusTooManyRequests }
	if _, err := gcs.NewLister("project", tired.Connect(gcstest.Everything)).Stores(t.Context(), 2); !fault.Is(err, fault.Exhausted) {
		t.Errorf("too many requests: %v", err)
	}
	for _, raw := range []string{"gcs://", "gcs://project/x", "gcs://project?x=1"} {
		if _, err := erasure.Listers.Open(t.Context(), raw, erasure.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
