package sealevidence

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ostiary.internal/functions/internal/functiontest"
	manifests "ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/shared/evidence/log"
	logs "ostiary.internal/shared/evidence/log/gcs"
	"ostiary.internal/shared/evidence/record"
	inboxes "ostiary.internal/shared/evidence/record/gcs"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/gcstest"

	_ "ostiary.internal/shared/evidence/sign/file"
)

const (
	name   = "sealevidence"
	origin = "sharedcontacts.example/ostiary/evidence"
)

// cloud is the function's three buckets on a Cloud Storage of the test, and its keys. The function's clients have the
// permissions of its manifest and no other.
type cloud struct {
	*gcstest.Server
	t      testing.TB
	setup  functiontest.Setup
	grants []string
	keys   string // a folder
}

// clouds finds the cloud of a URL; each test has its own.
var (
	clouds sync.Map
	number atomic.Int64
)

func init() {
	log.Stores.Register("cloud", func(_ context.Context, u *url.URL, _ log.Options) (log.Objects, error) {
		c := find(u)
		return logs.New(strings.TrimPrefix(u.Path, "/"), "", 0, c.Connect(c.grants...))
	})
	record.Inboxes.Register("cloud", func(_ context.Context, u *url.URL, o record.Options) (record.Inbox, error) {
		c := find(u)
		return inboxes.New(strings.TrimPrefix(u.Path, "/"), o.Writer+"/", 0, c.Connect(c.grants...))
	})
}

func find(u *url.URL) *cloud {
	c, _ := clouds.Load(u.Host)
	return c.(*cloud)
}

// rights are the permissions of the manifest on buckets of evidence.
func rights(t testing.TB) []string {
	t.Helper()
	m, err := manifests.Parse(manifest)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range m.Permissions {
		if bucket, ok := strings.CutPrefix(p.Resource, "bucket:evidence-"); ok {
			all = append(all, p.Permission+" evidence-"+bucket)
		}
	}
	return all
}

func newCloud(t testing.TB) *cloud {
	t.Helper()
	c := &cloud{t: t, grants: rights(t), keys: t.TempDir()}
	c.Server = gcstest.New(t, nil, gcstest.Bucket{Name: "evidence-inbox"}, gcstest.Bucket{Name: "evidence-log"}, gcstest.Bucket{Name: "evidence-head"})
	id := fmt.Sprint(number.Add(1))
	clouds.Store(id, c)
	t.Cleanup(func() { clouds.Delete(id) })
	c.setup = functiontest.Setup{Functions: []wiring.Function{Function}, Env: map[string]string{
		wiring.EnvEvidence: "cloud://" + id + "/evidence-inbox", EnvInbox: "cloud://" + id + "/evidence-inbox",
		evidence.EnvTiles: "cloud://" + id + "/evidence-log", evidence.EnvHead: "cloud://" + id + "/evidence-head",
		EnvOrigin: origin, EnvKeys: c.key("first"), evidence.EnvTrust: c.trusting("first", "second"),
	}}
	return c
}

// key is the URL of a key.
func (c *cloud) key(name string) string {
	return driver.URL("file", filepath.Join(c.keys, name), "name", origin)
}

// verifier is the verifier key of a key.
func (c *cloud) verifier(name string) string {
	c.t.Helper()
	s, err := sign.Signers.Open(c.t.Context(), c.key(name), sign.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	v, err := s.Verifier(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

// owner opens a bucket with every right.
func (c *cloud) owner(bucket string) log.Objects {
	c.t.Helper()
	o, err := logs.New(bucket, "", 0, c.Connect(gcstest.Everything))
	if err != nil {
		c.t.Fatal(err)
	}
	return o
}

// hand puts a record into the inbox as registerip does.
func (c *cloud) hand(w *functiontest.World, event string) record.Record {
	c.t.Helper()
	return c.handAs(w, "registerip/", record.New(record.Access, "ip-daily", event))
}

// handAs puts a record below a prefix of the inbox.
func (c *cloud) handAs(w *functiontest.World, prefix string, r record.Record) record.Record {
	c.t.Helper()
	in, err := inboxes.New("evidence-inbox", prefix, 0, c.Connect("storage.objects.create evidence-inbox"))
	if err != nil {
		c.t.Fatal(err)
	}
	if r.Source.Collected.IsZero() {
		r.Source.Observed, r.Source.Collected = w.Clock.Now(), w.Clock.Now()
	}
	data, err := r.Canonical()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := in.Create(c.t.Context(), r.ID(), data); err != nil {
		c.t.Fatal(err)
	}
	return r
}

// leaves reads the whole log, verified by trust.
func (c *cloud) leaves(trust sign.Trust) []record.Record {
	c.t.Helper()
	reader := log.NewReader(c.owner("evidence-log"), log.Head(c.owner("evidence-head")), trust)
	newest, err := reader.Checkpoint(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	var all []record.Record
	if err := reader.Entries(c.t.Context(), 0, newest.Size, func(_ int64, leaf []byte) error {
		r, err := record.Parse(leaf)
		all = append(all, r)
		return err
	}); err != nil {
		c.t.Fatal(err)
	}
	return all
}

// kinds are the kinds of records in the log that a test looks for, and how many there are.
func count(all []record.Record, kind record.Kind, facts ...string) int {
	n := 0
	for _, r := range all {
		if r.Kind == kind && !slices.ContainsFunc(facts, func(f string) bool { name, value, _ := strings.Cut(f, "="); return r.Facts[name] != value }) {
			n++
		}
	}
	return n
}

// boundPromises binds a probe, and nothing else.
const boundPromises = `promises:
  - id: Z2
    text: {en: "Connections are encrypted."}
    source: {file: own.txt, section: Transport}
    check: tls-version
    severity: high
    kept_by:
      - probe: tls-version
`
