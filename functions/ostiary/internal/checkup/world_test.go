package checkup_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/ostiary/internal/checkup"
	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/drift/self/selftest"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/store"
)

type object = map[string]any

const (
	project  = "acme-ops"
	proof    = "acme-evidence"
	dog      = "acme-watchdog"
	region   = "europe-west1"
	origin   = "acme.example/ostiary/evidence"
	ring     = "projects/" + project + "/locations/" + region + "/keyRings/ostiary/cryptoKeys/"
	evidence = "projects/" + proof + "/locations/" + region + "/keyRings/ostiary/cryptoKeys/"
	agent    = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com"
	need     = `log_id("cloudaudit.googleapis.com/activity")`
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// world is a deployed installation: what Google's APIs answer of it, and its own site. What is not there is answered as Google does.
type world struct {
	manifests [][]byte
	functions []manifest.Function
	expected  self.Expected
	live      map[string]*asset.Asset // what package selftest deploys
	env       map[string]map[string]string
	answers   map[string]any // by method and address without the question; time series by their metric
	codes     map[string]int // answered in place of what is there
	site      map[string]int // by address; 404 for others
	ends      time.Time      // of the certificate

	mu    sync.Mutex
	asked map[string]int
	most  int // at once
	now   int
}

// few are functions of each kind of callers and triggers, and of each kind of what they keep: enough for most tests, and quicker.
var few = []string{"checkdrift", "checkotp", "deliver", "pairaddress", "registerip", "runerasure", "sealevidence", "syncallowlist", "tickwatch", "trustpage", "watchaudit"}

// deployment is an installation of a few functions in good order.
func deployment(t *testing.T) *world {
	t.Helper()
	return deploymentOf(t, few)
}

// deploymentOf is one of some functions; nil for all of them.
func deploymentOf(t *testing.T, names []string) *world {
	t.Helper()
	w := &world{answers: map[string]any{}, codes: map[string]int{}, site: map[string]int{}, asked: map[string]int{}, env: map[string]map[string]string{}}
	all, err := manifest.All(os.DirFS("../../../.."))
	if err != nil {
		t.Fatal(err)
	}
	if names != nil {
		all = slices.DeleteFunc(all, func(f manifest.Function) bool { return !slices.Contains(names, f.Name) })
	}
	w.functions = all
	w.expected = self.Expected{Project: project, Evidence: proof, Region: region, Code: map[string]string{}, Values: map[string]map[string]string{}, Regions: map[string]string{"watchallowlist": "europe-west4"}, Watched: []string{project, "acme-live"}, Need: need, Locked: []string{"acme-log"}}
	for _, f := range all {
		raw, err := os.ReadFile("../../../" + f.Control + "/" + f.Name + "/function.json")
		if err != nil {
			t.Fatal(err)
		}
		w.manifests = append(w.manifests, raw)
		one, err := self.Read(raw)
		if err != nil {
			t.Fatal(err)
		}
		w.expected.Functions = append(w.expected.Functions, one)
		w.expected.Code[f.Name] = "sha256:" + strings.Repeat("1", 64)
		w.expected.Values[f.Name] = selftest.Values(one)
	}
	w.live = selftest.Deployed(w.expected)
	w.deploys(t)
	w.keeps(t)
	w.reaches()
	return w
}

// deploys fills in what is told of the functions, and gives the rights that selftest leaves out.
func (w *world) deploys(t *testing.T) {
	t.Helper()
	for _, f := range w.functions {
		w.env[f.Name] = w.variables(t, f)
		state, dead := "ACTIVE", w.live["//pubsub.googleapis.com/projects/"+project+"/topics/dead."+f.Name]
		if len(f.Topics()) == 0 {
			delete(w.live, dead.Key)
			delete(w.live, "//pubsub.googleapis.com/projects/"+project+"/subscriptions/dead."+f.Name)
		} else {
			dead.IAM.Grant("roles/pubsub.publisher", "", agent)
		}
		for _, topic := range f.Topics() {
			w.live["//pubsub.googleapis.com/projects/"+project+"/subscriptions/"+f.Name+"--"+topic].IAM.Grant("roles/pubsub.subscriber", "", agent)
		}
		for _, p := range f.Permissions {
			if name, is := strings.CutPrefix(p.Resource, "topic:"); is {
				w.live["//pubsub.googleapis.com/projects/"+project+"/topics/"+name].IAM.Grant(role(project, f.Name, p.Resource), "", runs(f.Name))
			}
		}
		w.listed("cloudfunctions.googleapis.com/v2/projects/"+project+"/locations/-/functions", "functions", object{
			"name":  "projects/" + project + "/locations/" + w.region(f.Name) + "/functions/" + f.Name,
			"state": state, "updateTime": noon.Add(-time.Hour).Format(time.RFC3339), "serviceConfig": object{"environmentVariables": w.env[f.Name]}})
	}
	for key, a := range w.live {
		if a.Type == "cloudscheduler.googleapis.com/Job" {
			a.Data["lastAttemptTime"], a.Data["status"] = noon.Add(-time.Minute).Format(time.RFC3339), object{}
		}
		if a.Type == "monitoring.googleapis.com/AlertPolicy" && len(w.manifest(strings.TrimPrefix(key[strings.LastIndexByte(key, '/')+1:], "dead.")).Topics()) == 0 {
			delete(w.live, key)
		}
	}
	for id := range map[string]bool{project: true, "acme-live": true} {
		a := w.live["//cloudresourcemanager.googleapis.com/projects/"+id]
		a.Data["projectNumber"] = "4711"
		for _, kind := range []string{"ADMIN_READ", "DATA_READ", "DATA_WRITE"} {
			a.IAM.Audit = append(a.IAM.Audit, asset.Audit{Service: "iam.googleapis.com", Type: kind})
		}
	}
}

func (w *world) manifest(name string) manifest.Function {
	at := slices.IndexFunc(w.functions, func(f manifest.Function) bool { return f.Name == name })
	if at < 0 {
		return manifest.Function{}
	}
	return w.functions[at]
}

func (w *world) region(name string) string {
	if other := w.expected.Regions[name]; other != "" {
		return other
	}
	return region
}

func runs(function string) string {
	return "serviceAccount:fn-" + function + "@" + project + ".iam.gserviceaccount.com"
}

func role(of, function, resource string) string {
	return "projects/" + of + "/roles/ostiary." + function + "." + strings.NewReplacer(":", "_", "-", "_").Replace(resource)
}

// variables are those of a function as its environment gives them.
func (w *world) variables(t *testing.T, f manifest.Function) map[string]string {
	seal := map[string]string{"access": "otp"}[f.Control]
	if seal == "" {
		seal = "evidence"
	}
	trust, err := json.Marshal(object{"v": 1, "origin": origin, "keys": []any{object{"key": signer{}.verifier(t), "from": 0}}})
	if err != nil {
		t.Fatal(err)
	}
	every := map[string]string{
		"OSTIARY_SEAL": "kms://" + ring + seal, "OSTIARY_SEAL_MESSAGE": "kms://" + ring + "message", "OSTIARY_SEAL_REQUEST": "kms://" + ring + "request", "OSTIARY_SEAL_BREACH": "kms://" + ring + "breach",
		"OSTIARY_SIGNING_KEY": "gcpkms://" + evidence + "checkpoints/cryptoKeyVersions/1?name=" + origin, "OSTIARY_RECEIPT_KEY": "gcpkms://" + evidence + "receipts/cryptoKeyVersions/1?name=acme.example/receipts",
		"OSTIARY_LOG_INBOX": "gs://acme-inbox", "OSTIARY_LOG_TILES": "gs://acme-log", "OSTIARY_LOG_HEAD": "gs://acme-head", "OSTIARY_LOG_ORIGIN": origin, "OSTIARY_TRUST": string(trust),
		"OSTIARY_STATES": "gs://acme-state/live/default.tfstate", "OSTIARY_VAULT": "firestore://" + project + "/vault", "OSTIARY_LEDGER": "firestore://" + project + "/ledger", "OSTIARY_WATCHDOG": "firestore://" + project + "/watchdog",
		"OSTIARY_DATA_ACCESS": "iam.googleapis.com", "OSTIARY_LOG_STREAMS": "application", "OSTIARY_URL": "https://ostiary.acme.example", "OSTIARY_CLIENT_ADDRESS": "header:X-Ostiary-Client",
		"OSTIARY_PAIR_HOSTS": "ipv4=https://v4.acme.example,ipv6=https://v6.acme.example",
		"OSTIARY_TARGETS":    "edge=vpcfirewall:" + project + "/ostiary,armor=cloudarmor:" + project + "/ostiary?from=1000&to=1999,levels=accesslevel:accessPolicies/12/ostiary",
	}
	env := map[string]string{"OSTIARY_STORE": "firestore://" + project + "/" + f.Control, "OSTIARY_POLICY": "gs://acme-policy/policy/" + strings.Repeat("a", 64) + ".tar.gz", "OSTIARY_EVIDENCE": "gs://acme-inbox"}
	for _, name := range f.Environment {
		env[name] = every[name]
	}
	if f.Callers == manifest.Staff {
		env["OSTIARY_IDENTITY"] = "iap:?audience=/projects/4711/global/backendServices/7"
	}
	if len(f.Secrets) > 0 {
		env["OSTIARY_SECRETS"] = "secretmanager://" + project + "?pin=" + strings.Join(f.Secrets, ":1,") + ":1"
	}
	if slices.Contains(f.Environment, "OSTIARY_SELF") {
		env["OSTIARY_SELF"] = w.packed(t)
	}
	return env
}

// packed is what the deployment says of itself.
func (w *world) packed(t *testing.T) string {
	e := w.expected
	text, err := json.Marshal(self.Deployed{V: 1, Project: e.Project, Evidence: e.Evidence, Region: e.Region, Code: e.Code, Regions: e.Regions, Values: e.Values, Images: map[string]string{}, Watched: e.Watched, Need: e.Need, Locked: e.Locked})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// put answers a GET.
func (w *world) put(address string, answer any) { w.answers["GET "+address] = answer }

// listed adds to a list.
func (w *world) listed(address, field string, item ...any) {
	list, _ := w.answers["GET "+address].(object)
	if list == nil {
		list = object{}
	}
	some, _ := list[field].([]any)
	list[field] = append(some, item...)
	w.put(address, list)
}

// policy is who may use something, of lines with a role, a member and, where there is one, a condition.
func policy(grants ...string) object {
	p := asset.Policy{}
	for _, g := range grants {
		parts := strings.SplitN(g, " ", 3)
		p.Grant(parts[0], append(parts, "")[2], parts[1])
	}
	return written(&p)
}

// written is a policy as an API writes it.
func written(p *asset.Policy) object {
	bindings, audits := []any{}, []any{}
	if p == nil {
		return object{}
	}
	for _, b := range p.Bindings {
		one := object{"role": b.Role, "members": b.Members}
		if b.Condition != "" {
			one["condition"] = object{"expression": b.Condition}
		}
		bindings = append(bindings, one)
	}
	for _, a := range p.Audit {
		audits = append(audits, object{"service": a.Service, "auditLogConfigs": []any{object{"logType": a.Type, "exemptedMembers": a.Exempt}}})
	}
	return object{"bindings": bindings, "auditConfigs": audits}
}

// signer signs checkpoints with a key that is the same in every test.
type signer struct{}

func (signer) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) }

func (s signer) verifier(t *testing.T) string {
	t.Helper()
	v, err := s.Verifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (signer) Name() string { return origin }
func (signer) Close() error { return nil }
func (s signer) Verifier(context.Context) (string, error) {
	return sign.VerifierKey(origin, s.key().Public().(ed25519.PublicKey))
}
func (s signer) Sign(_ context.Context, text []byte) ([]byte, error) {
	return ed25519.Sign(s.key(), text), nil
}

// schemas are what the databases of the test keep: enough to tell an index and a policy that are missing.
var schemas = map[string]store.Schema{"access": {{Name: "leases", Expires: true, Indexes: []store.Index{{"date"}, {"person", "until"}}}, {Name: "tokens"}}}

// stranger is the site as anybody sees it.
type stranger struct{ *world }

func (s stranger) RoundTrip(r *http.Request) (*http.Response, error) {
	code := s.site[r.URL.String()]
	switch {
	case code < 0:
		return nil, fmt.Errorf("connection refused")
	case code == 0:
		code = http.StatusNotFound
	}
	h := http.Header{}
	if code/100 == 3 {
		h.Set("Location", "https://elsewhere.example/")
	}
	answer := &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("")), Request: r}
	if r.URL.Scheme == "https" {
		answer.TLS = certified(s.ends)
	}
	return answer, nil
}

// examine examines the world as it is now.
func (w *world) examine(t *testing.T, change ...func(*checkup.Options)) checkup.Report {
	t.Helper()
	w.serves()
	o := w.options()
	for _, c := range change {
		c(&o)
	}
	found, err := checkup.Examine(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// proofOf is the address of the document that says how a place stands.
func proofOf(place string) string {
	return "firestore.googleapis.com/v1/projects/" + project + "/databases/access/documents/proofs/=" + place + "-" + hex.EncodeToString([]byte("header:X-Ostiary-Client"))
}
