package authorize

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ostiary.internal/functions/internal/every"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/platform/driver"

	_ "ostiary.internal/shared/drift/asset/folder"
	_ "ostiary.internal/shared/drift/diff/file"
	_ "ostiary.internal/shared/erasure/local"
	_ "ostiary.internal/shared/evidence/log/memory"
)

// functions are all there are. The first of a database declares what is in it: whose schema is the longest comes first.
var functions = slices.SortedStableFunc(slices.Values(every.Functions), func(a, b wiring.Function) int { return len(b.Schema) - len(a.Schema) })

// services are those of the sample company, and a second customer's program.
const services = `services:
  - {id: bastion, email: bastion@services.sharedcontacts.example, may: [checkotp]}
  - {id: edge, email: edge@services.sharedcontacts.example, may: [admit]}
  - {id: deployment, email: deploy@sharedcontacts-live.iam.gserviceaccount.com, deploys: true}
  - {id: nord-dsr, email: dsr@services.cabinetnord.example, may: [opendsr], tenant: cabinet-nord, callbacks: [dsr.cabinetnord.example]}
  - {id: sud-dsr, email: dsr@services.cabinetsud.example, may: [opendsr], tenant: cabinet-sud}
gateways:
  - {id: edge, header: X-Real-Ip, key_ref: gateway-edge}
sources:
  - id: people-desk
    email: people@services.sharedcontacts.example
    types: [training.completed, person.screened, person.nda]
    promises: [D28, D29, D30, D31]
`

const (
	origin  = "sharedcontacts.example/ostiary/evidence"
	edgeKey = "the edge's key, of 29 letters"
	formKey = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" // what functiontest keeps as every secret
)

// world is every function of the house in one process.
type world struct {
	*functiontest.World
	t         testing.TB
	manifests map[string]manifest.Function
	tokens    map[string]string // by caller and function: signing one takes longer than a call
	things    map[string]string // ids of what there is, by function and path up to the id
}

var logs atomic.Int64 // logs in memory are found by name in the whole process

// newWorld runs named functions, or all; env are names and values in place of the usual ones.
func newWorld(t testing.TB, env ...string) *world {
	t.Helper()
	dir := t.TempDir()
	key, err := file.New(filepath.Join(dir, "log"), origin)
	must(t, err)
	verifier, err := key.Verifier(t.Context())
	must(t, err)
	trust, err := sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier}}}.Encode()
	must(t, err)
	assets := filepath.Join(dir, "assets")
	must(t, os.Mkdir(assets, 0o700))
	name := fmt.Sprintf("memory:authorize-%d-", logs.Add(1))
	s := functiontest.Setup{Functions: functions, Policy: map[string]string{"services.yaml": services}, Env: map[string]string{
		wiring.EnvWatchdog: "world:watchdog", wiring.EnvLedger: "world:ledger", wiring.EnvURL: site,
		"OSTIARY_RECEIPT_KEY": driver.URL("file", filepath.Join(dir, "receipts"), "name", "sharedcontacts.example/ostiary/receipts"),
		"OSTIARY_DATA":        driver.URL("bolt", filepath.Join(dir, "data.db"), "tree", ""), "OSTIARY_ASSETS": driver.URL("folder", assets),
		"OSTIARY_LOG_TILES": name + "tiles", "OSTIARY_LOG_HEAD": name + "head", "OSTIARY_LOG_INBOX": name + "inbox", "OSTIARY_LOG_ORIGIN": origin,
		"OSTIARY_SIGNING_KEY": driver.URL("file", filepath.Join(dir, "log"), "name", origin), "OSTIARY_TRUST": string(trust),
		"OSTIARY_PROBES": "loopback", "OSTIARY_DATA_ACCESS": "allServices",
	}}
	for i := 0; i < len(env); i += 2 {
		s.Env[env[i]] = env[i+1]
	}
	w := &world{World: functiontest.New(t, s), t: t, manifests: map[string]manifest.Function{}, tokens: map[string]string{}, things: map[string]string{}}
	for _, f := range functions {
		m, err := manifest.Parse(f.Manifest)
		must(t, err)
		w.manifests[m.Name] = m
	}
	w.PutSecret("gateway-edge", []byte(edgeKey))
	w.PutSecret("ledger-key", []byte("1 "+strings.Repeat("k", 40)))
	return w
}

const site = "https://ostiary.test"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
