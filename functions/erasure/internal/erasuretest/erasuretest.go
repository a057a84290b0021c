// Package erasuretest runs functions of the erasure control in a test: on the sample data of two customers, which can be
// made to fail, beside what package functiontest puts around every function. It is for tests; no function links it.
package erasuretest

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/testdata/sample"
)

// Twins: who is erased in the first tenant stays in the second.
const Nord, Sud = "cabinet-nord", "cabinet-sud"

// Bruno is in both, and owns neither.
const Bruno, BrunoUID = "bruno.leroy@mail.example", "u2"

// World is functions of the control and the data they reach.
type World struct {
	*functiontest.World
	Trust sign.Trust // of receipts

	t    testing.TB
	file string
	m    *datamap.Map
	gate gate
}

// worlds are those whose stores may be opened, by the file of their data.
var worlds sync.Map

const scheme = "sample"

func init() {
	open := func(u *url.URL) (*faulty, error) {
		file, options, err := driver.Path(u, "tree")
		if err != nil {
			return nil, err
		}
		found, known := worlds.Load(file)
		if !known {
			return nil, fault.New(fault.Misconfigured, "no world has this data")
		}
		s, err := local.Open(file, options.Get("tree"))
		return &faulty{s, &found.(*World).gate}, err
	}
	erasure.Readers.Register(scheme, func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Reader, error) { return open(u) })
	erasure.Listers.Register(scheme, func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Lister, error) { return open(u) })
	erasure.Stores.Register(scheme, func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Store, error) { return open(u) })
}

// New builds a World with the sample data in it. replaced are files of the policy, and variables, in place of the usual
// ones.
func New(t testing.TB, replaced map[string]string, functions ...wiring.Function) *World {
	t.Helper()
	s, key := Setup(t, replaced, functions...)
	file := filepath.Join(t.TempDir(), "data.db")
	s.Env[parts.EnvData] = driver.URL(scheme, file, "tree", "")
	w := &World{t: t, file: file}
	worlds.Store(file, w)
	t.Cleanup(func() { worlds.Delete(file) })
	w.World = functiontest.New(t, s)
	w.PutSecret(parts.SecretLedger, []byte("1 "+strings.Repeat("k", 40)))
	w.Trust = sign.Trust{V: sign.TrustVersion, Origin: key.Name(), Keys: []sign.TrustedKey{{Key: verifier(t, key)}}}
	var problems any
	if w.m, problems = read(w); w.m == nil {
		t.Fatal("no data map: ", problems)
	}
	w.begin(replaced)
	return w
}

// begun are the files of worlds that have just begun, by what is replaced: writing one takes longer than most tests.
var begun struct {
	sync.Mutex
	files map[string][]byte
}

// begin puts the sample data there.
func (w *World) begin(replaced map[string]string) {
	w.t.Helper()
	begun.Lock()
	defer begun.Unlock()
	key := replaced[datamap.File]
	if data, known := begun.files[key]; known {
		if err := os.WriteFile(w.file, data, 0o600); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	for _, tenant := range sample.Twins {
		all, err := sample.Of(tenant)
		if err != nil {
			w.t.Fatal(err)
		}
		for entry, docs := range all {
			for _, d := range docs {
				w.Put(entry, tenant, d)
			}
		}
	}
	data, err := os.ReadFile(w.file)
	if err != nil {
		w.t.Fatal(err)
	}
	if begun.files == nil {
		begun.files = map[string][]byte{}
	}
	begun.files[key] = data
}

func read(w *World) (*datamap.Map, any) {
	m, problems := datamap.Read(w.Policy)
	return m, problems
}

// Setup is what functiontest is to run, without the data, and the key of receipts.
func Setup(t testing.TB, replaced map[string]string, functions ...wiring.Function) (functiontest.Setup, sign.Signer) {
	t.Helper()
	const name = "sharedcontacts.example/ostiary/receipts"
	path := filepath.Join(t.TempDir(), "receipts")
	key, err := file.New(path, name)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"OSTIARY_LEDGER": "world:ledger", "OSTIARY_RECEIPT_KEY": driver.URL("file", path, "name", name),
		parts.EnvData: driver.URL("bolt", filepath.Join(t.TempDir(), "data.db"), "tree", ""),
	}
	files := map[string]string{}
	for key, value := range replaced {
		into := env
		if strings.Contains(key, ".") {
			into = files
		}
		into[key] = value
	}
	return functiontest.Setup{Functions: functions, Policy: files, Env: env}, key
}

func verifier(t testing.TB, key sign.Signer) string {
	t.Helper()
	v, err := key.Verifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Put writes a document to where the map has an entry of a tenant.
func (w *World) Put(entry, tenant string, d sample.Document) {
	w.t.Helper()
	store, place, err := w.m.Where(entry, tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	w.PutAt(store, place, d)
}

// PutAt writes a document to a place, mapped or not.
func (w *World) PutAt(store, place string, d sample.Document) {
	w.t.Helper()
	tree, err := local.Open(w.file, erasure.Bare(store))
	if err == nil {
		err = tree.Put(place, d.Name, d.Fields, d.Created)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if err := tree.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// Export is everything of a tenant, or of all for "", one document a line, in order.
func (w *World) Export(tenant string) string {
	w.t.Helper()
	var out strings.Builder
	seen := map[string]bool{}
	for _, store := range w.m.Stores() {
		name := erasure.Bare(store)
		if seen[name] {
			continue
		}
		seen[name] = true
		tree, err := local.Open(w.file, name)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := tree.Each(func(place, id string, fields map[string]any) error {
			text, err := json.Marshal(fields)
			line := name + " " + place + " " + id + " " + string(text)
			if strings.Contains(line, tenant) {
				out.WriteString(line + "\n")
			}
			return err
		}); err != nil {
			w.t.Fatal(err)
		}
		if err := tree.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
	return out.String()
}

// Requests is the service of a function.
func (w *World) Requests(function string) *request.Service {
	w.t.Helper()
	p, err := parts.New(w.Deps(function))
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := p.Requests(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// Ask is a request of Bruno, who is signed in to the product at a tenant; a function's service takes it.
func (w *World) Ask(function, tenant string) request.Receipt {
	w.t.Helper()
	return w.AskAs(function, tenant, BrunoUID, Bruno)
}

// AskAs is a request of anybody.
func (w *World) AskAs(function, tenant, uid, email string) request.Receipt {
	w.t.Helper()
	now := w.Clock.Now()
	r, err := w.Requests(function).Ask(w.t.Context(), request.Ask{
		Tenant: tenant, Session: &request.Session{UID: uid, Email: email, Tenant: tenant, Role: request.Subject, At: now}, Language: "fr",
	}, now)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// Request is a request as it is stored.
func (w *World) Request(id string) request.Request {
	w.t.Helper()
	var r request.Request
	if err := w.Raw("erasure").Get(w.t.Context(), request.Requests, id, &r); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// Pass lets time pass in steps, with a run of a function's schedule and everything that follows after each.
func (w *World) Pass(function string, total, step time.Duration) {
	w.t.Helper()
	for passed := time.Duration(0); passed < total; passed += step {
		w.Advance(w.t, step)
		w.Tick(w.t, function).Want(w.t, 204, "")
		w.Deliver(w.t)
	}
}

// Drop takes every document out of a place.
func (w *World) Drop(store, place string) {
	w.t.Helper()
	tree, err := local.Open(w.file, erasure.Bare(store))
	if err == nil {
		err = tree.Drop(place)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if err := tree.Close(); err != nil {
		w.t.Fatal(err)
	}
}
