package gcs_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"cloud.google.com/go/storage"

	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/diff/gcs"
	"ostiary.internal/shared/drift/diff/statetest"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/gcstest"
)

const (
	bucket = "company-state"
	object = "live/default.tfstate"
	lock   = "live/default.tflock"
)

func open(t testing.TB, server *gcstest.Server, permissions ...string) *gcs.Source {
	t.Helper()
	s, err := gcs.New(bucket, object, server.Connect(permissions...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func save(t testing.TB, client *storage.Client, name, text string) {
	t.Helper()
	w := client.Bucket(bucket).Object(name).NewWriter(context.Background())
	w.ChunkSize = 0
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// granted are the permissions of the table, on the bucket.
func granted() (all []string) {
	for _, p := range gcs.Permissions["Source.Open"] {
		all = append(all, p+" "+bucket)
	}
	return all
}

func TestSource(t *testing.T) {
	t.Parallel()
	statetest.Run(t, func(t *testing.T) statetest.World {
		server := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
		client := server.Client(t, gcstest.Everything)
		return statetest.World{Source: open(t, server, granted()...), Write: func(state string) { save(t, client, object, state) }, Lock: func(held bool) {
			if held {
				save(t, client, lock, "{}")
			} else {
				_ = client.Bucket(bucket).Object(lock).Delete(t.Context())
			}
		}}
	})
}

// TestPlan: a plan is read like a state, and nobody asks for a lock of it.
func TestPlan(t *testing.T) {
	t.Parallel()
	server := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	save(t, server.Client(t, gcstest.Everything), "live.tfplan.json", "{}")
	s, err := gcs.New(bucket, "live.tfplan.json", server.Connect(granted()...))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	server.Before = func(c gcstest.Call) int {
		if strings.HasSuffix(c.Object, ".tflock") {
			return 500
		}
		return 0
	}
	state, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer state.Data.Close()
	if text, err := io.ReadAll(state.Data); err != nil || string(text) != "{}" || state.Applying {
		t.Errorf("%q, %v, %v", text, state.Applying, err)
	}
}

// TestRefused: what cannot be read is an error of its kind, and neither an empty state nor one that is not there.
func TestRefused(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]fault.Kind{403: fault.Denied, 401: fault.Denied, 429: fault.Exhausted, 500: fault.Transient, 503: fault.Transient} {
		for _, name := range []string{object, lock} {
			server := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
			save(t, server.Client(t, gcstest.Everything), object, statetest.State(1))
			server.Before = func(c gcstest.Call) int {
				if c.Object == name {
					return status
				}
				return 0
			}
			if _, err := open(t, server, granted()...).Open(t.Context()); !fault.Is(err, want) {
				t.Errorf("%d on %s: %v", status, name, err)
			}
		}
	}
	server := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	save(t, server.Client(t, gcstest.Everything), object, statetest.State(1))
	for _, missing := range gcs.Permissions["Source.Open"] {
		var rest []string
		for _, p := range granted() {
			if !strings.HasPrefix(p, missing) {
				rest = append(rest, p)
			}
		}
		if _, err := open(t, server, rest...).Open(t.Context()); !fault.Is(err, fault.Denied) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

// TestDamaged: a state whose bytes are others than were written is refused.
func TestDamaged(t *testing.T) {
	t.Parallel()
	server := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	save(t, server.Client(t, gcstest.Everything), object, statetest.State(3))
	server.Damage(bucket, object, func(data []byte) { data[len(data)/2] ^= 1 })
	state, err := open(t, server, granted()...).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = state.Data.Close() }()
	if d, err := diff.Read(state.Data); !fault.Is(err, fault.Transient) {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for raw, good := range map[string]bool{
		"gs://company-state/live/default.tfstate": true, "gs://company-state/default.tfstate": true, "gs://company-state/": false, "gs://company-state/state.json": false, "gs://company-state/live.tfplan.json": true,
		"gs:company-state": false, "gs://A/default.tfstate": false, "gs://company-state/default.tfstate?x=1": false,
	} {
		s, err := diff.Sources.Open(t.Context(), raw, diff.SourceOptions{})
		if good != (err == nil) || err != nil && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}
