package checkdrift

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/drift/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

const (
	bucket = "storage.googleapis.com/Bucket"
	key    = "//storage.googleapis.com/sharedcontacts-files-europe-west1"
)

// cloud is Google Cloud as it is told of under one name of a URL.
type cloud struct {
	mu     sync.Mutex
	things map[string]asset.Asset
	err    error
	clock  clock.Clock
}

// clouds are those of tests that run, by name: a source is opened by a URL.
var clouds sync.Map

func init() {
	asset.Sources.Register("scripted", func(_ context.Context, u *url.URL, o asset.Options) (asset.Source, error) {
		c, there := clouds.Load(u.Opaque)
		if !there {
			return nil, fault.New(fault.Misconfigured, "no such cloud")
		}
		c.(*cloud).clock = o.Clock
		return c.(*cloud), nil
	})
}

func (c *cloud) Scopes() []string { return []string{"projects/sharedcontacts-live"} }
func (c *cloud) Close() error     { return nil }

func (c *cloud) List(_ context.Context, _ string, what asset.Content, kinds []string, _ string) (asset.Page, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := asset.Page{Read: c.clock.Now()}
	for _, key := range slices.Sorted(maps.Keys(c.things)) {
		a := c.read(key)
		if what == asset.Policies {
			a.Data = nil
		} else {
			a.IAM = nil
		}
		if slices.Contains(kinds, a.Type) && (a.Data != nil || a.IAM != nil) {
			p.Assets = append(p.Assets, a)
		}
	}
	return p, c.err
}

func (c *cloud) read(key string) asset.Asset {
	a := c.things[key]
	if a.Read = c.clock.Now(); a.IAM != nil {
		policy := *a.IAM
		policy.Read, a.IAM = a.Read, &policy
	}
	return a
}

func (c *cloud) Get(_ context.Context, kind, key string) (asset.Asset, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.things[key]; !there && c.err == nil {
		return asset.Asset{Key: key, Type: kind, Deleted: true, Read: c.clock.Now()}, nil
	}
	return c.read(key), c.err
}

// files makes a bucket that members may read.
func (c *cloud) files(members ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := asset.Asset{Key: key, Type: bucket, Project: "sharedcontacts-live", Ancestors: []string{"projects/sharedcontacts-live"}, Location: "europe-west1", IAM: &asset.Policy{}}
	a.Data = asset.Object{"name": "sharedcontacts-files-europe-west1", "location": "EUROPE-WEST1", "iamConfiguration": map[string]any{"publicAccessPrevention": "inherited", "uniformBucketLevelAccess": map[string]any{"enabled": true}}}
	if len(members) == 0 {
		a.Data["iamConfiguration"].(map[string]any)["publicAccessPrevention"] = "enforced"
	}
	a.IAM.Grant("roles/storage.objectViewer", "", members...)
	c.things[key] = a
}

type world struct {
	*functiontest.World
	t     *testing.T
	cloud *cloud
}

func newWorld(t *testing.T) *world { return newWorldOf(t, setup(t.Name())) }

// newWorldOf is one with another environment.
func newWorldOf(t *testing.T, setup functiontest.Setup) *world {
	t.Helper()
	w := &world{t: t, cloud: &cloud{things: map[string]asset.Asset{}, clock: clock.System{}}}
	clouds.Store(t.Name(), w.cloud)
	t.Cleanup(func() { clouds.Delete(t.Name()) })
	w.cloud.files()
	w.World = functiontest.New(t, setup)
	return w
}

func setup(name string) functiontest.Setup {
	return functiontest.Setup{Functions: []wiring.Function{Function}, Env: map[string]string{"OSTIARY_URL": "https://ostiary.example", EnvAssets: "scripted:" + name}}
}

func (w *world) tick(minutes int) {
	w.t.Helper()
	for range minutes {
		w.Tick(w.t, "checkdrift").Want(w.t, 204, "")
		w.Advance(w.t, time.Minute)
	}
}

func (w *world) push(topic, data string) functiontest.Answer {
	w.t.Helper()
	return w.Event(w.t, "checkdrift", functiontest.Push("checkdrift", functiontest.Published{Topic: topic, At: w.Clock.Now(), Message: bus.Message{Data: []byte(data)}}))
}

// changed is what the watch tells of a call about the bucket.
func (w *world) changed(entry, person string) string {
	return fmt.Sprintf(`{"v":2,"asset":%q,"service":"storage.googleapis.com","method":"storage.setIamPermissions","person":%q,"actor_kind":"human","at":%q,"entry":%q}`,
		key, person, w.Clock.Now().Format(time.RFC3339Nano), entry)
}

func (w *world) feed() string {
	return fmt.Sprintf(`{"asset":{"name":%q,"assetType":%q,"iamPolicy":{"bindings":[]}},"window":{"startTime":%q}}`, key, bucket, w.Clock.Now().Add(-time.Hour).Format(time.RFC3339Nano))
}

// findings are those of the bucket, by state.
func (w *world) findings() (all []string) {
	w.t.Helper()
	p := w.parts()
	for _, state := range finding.States() {
		some, _, err := p.Findings.List(w.t.Context(), state, nil, 100)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range some {
			if f.Asset == key {
				all = append(all, f.What+" "+string(state))
			}
		}
	}
	slices.Sort(all)
	return all
}

func (w *world) parts() *parts.Parts {
	w.t.Helper()
	p, err := parts.New(w.Deps("checkdrift"))
	if err == nil {
		err = p.Ready(w.t.Context())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// written counts what was put on record about findings and runs.
func (w *world) written() map[string]int {
	all := map[string]int{}
	for _, r := range w.Records(w.t) {
		name := string(r.Kind) + " " + r.Control
		if r.Kind == record.Run {
			name = "run"
		}
		all[name]++
	}
	return all
}

func decoded[T any](t *testing.T, data []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func has(all []string, part string) bool {
	return slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, part) })
}
