package keeppromises

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	manifests "ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/functions/trust/trustpage"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/gcs"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/platform/gcstest"
)

// buckets finds, by the host of a URL, the Cloud Storage of a test and what the function may do there.
var buckets sync.Map

type limited struct {
	*gcstest.Server
	rights []string
}

func init() {
	log.Stores.Register("limited", func(_ context.Context, u *url.URL, _ log.Options) (log.Objects, error) {
		found, _ := buckets.Load(u.Host)
		l := found.(limited)
		return gcs.New(strings.TrimPrefix(u.Path, "/"), "", 0, l.Connect(l.rights...))
	})
}

// onCloud is a world whose log lies on Cloud Storage, where the function has the rights of its manifest and no other.
func onCloud(t *testing.T) *world {
	t.Helper()
	m, err := manifests.Parse(manifest)
	must(t, err)
	l := limited{Server: gcstest.New(t, nil, gcstest.Bucket{Name: "evidence-log"}, gcstest.Bucket{Name: "evidence-head"})}
	for _, p := range m.Permissions {
		if bucket, ok := strings.CutPrefix(p.Resource, "bucket:"); ok {
			l.rights = append(l.rights, p.Permission+" "+bucket)
		}
	}
	host := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	buckets.Store(host, l)
	t.Cleanup(func() { buckets.Delete(host) })
	w := &world{}
	w.signer, err = file.New(filepath.Join(t.TempDir(), "key"), origin)
	must(t, err)
	verifier, err := w.signer.Verifier(t.Context())
	must(t, err)
	w.trust = sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier}}}
	text, err := w.trust.Encode()
	must(t, err)
	w.setup = functiontest.Setup{Functions: []wiring.Function{Function, trustpage.Function}, Env: map[string]string{wiring.EnvIAM: "front", EnvProbes: "loopback",
		evidence.EnvTiles: "limited://" + host + "/evidence-log", evidence.EnvHead: "limited://" + host + "/evidence-head", evidence.EnvTrust: string(text)}}
	w.World = functiontest.New(t, w.setup)
	w.journal = &journal{inbox: memory.New(w.Clock), taken: map[string]bool{}}
	for bucket, into := range map[string]*log.Objects{"evidence-log": &w.tiles, "evidence-head": &w.head} {
		*into, err = gcs.New(bucket, "", 0, l.Connect(gcstest.Everything))
		must(t, err)
	}
	w.sequencer = w.sequence(t, w.journal)
	return w
}

// lose deletes every object of a store whose name begins so.
func lose(t *testing.T, from log.Objects, prefix string) {
	t.Helper()
	all, err := from.List(t.Context(), prefix, "", 1000)
	must(t, err)
	if len(all) == 0 {
		t.Fatalf("nothing begins with %s", prefix)
	}
	for _, o := range all {
		must(t, from.Delete(t.Context(), o.Name, o.Generation))
	}
}

// TestDeparturesInTheCloud: with the rights of the manifest, what is missing is seen to be missing, and told of; not taken
// for what may not be read.
func TestDeparturesInTheCloud(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		damaged: func(w *world) { lose(t, w.tiles, "tile/entries/") },
		rewound: func(w *world) { lose(t, w.head, "checkpoint") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onCloud(t)
			w.say(t, record.Run, "ip-daily", record.Kept, "D24")
			for range 2 {
				w.good(t)
			}
			w.Advance(t, time.Minute)
			w.say(t, record.Run, "ip-daily", record.Kept, "D24")
			w.seal(t)
			change(w)
			if a := w.Tick(t, "keeppromises"); a.Status < 500 {
				t.Errorf("answered %d", a.Status)
			}
			told := append(w.of(t, record.Gap), w.of(t, record.Finding)...)
			if len(told) != 1 || told[0].Facts["why"] != name {
				t.Errorf("told %+v", told)
			}
		})
	}
}
