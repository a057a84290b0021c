package collectevidence

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/trust/intake"
)

var update = flag.Bool("update", false, "write the schemas anew")

const (
	path   = "/collectevidence/v1/events"
	tools  = "tools@services.sharedcontacts.example"
	people = "people@services.sharedcontacts.example"
)

// setup lets one sender send everything about promises that a check or a duty keeps by it.
var setup = functiontest.Setup{Functions: []wiring.Function{Function}, Policy: map[string]string{
	"services.yaml": `sources:
  - {id: tools, email: ` + tools + `, types: [` + strings.Join(intake.Types(), ", ") + `], promises: [X1, X2, X3, X4, X5, X6, X7, X8, X9, XA, F15]}
  - {id: people-desk, email: ` + people + `, types: [training.completed, person.nda], promises: [X8, D01]}
services: [{id: bastion, email: bastion@services.sharedcontacts.example, may: [checkotp]}]
`,
	"promises/900-tools.yaml": "promises:\n" + promise("X1", "records: ci-evidence") + promise("X2", "records: release-train") + promise("X3", "records: backup-freshness") +
		promise("X4", "records: dr-drill") + promise("X5", "records: vuln-scan") + promise("X6", "records: endpoint-fleet") + promise("X7", "records: uptime-slo") +
		promise("X8", "duty: phishing") + promise("X9", "records: [pentest, review]") +
		strings.Replace(promise("XA", "records: ci-evidence"), "severity", "params: {lag: PT24H}, severity", 1),
	"duties.yaml": `duties:
  - {id: phishing, what: Pass the course., owner_role: security, every: P1Y, evidence: [training.completed, person.nda, person.screened], promises: [X8]}
`,
}}

func promise(id, keeper string) string {
	return "  - {id: " + id + ", text: {en: " + id + " is kept.}, source: {file: x, section: y}, check: tools, severity: low, kept_by: [{" + keeper + "}]}\n"
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../../shared/trust/intake/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// about is the promise that each type of event is sent for.
var about = map[string]string{
	"build.tested": "X1", "build.scanned": "X1", "release.deployed": "X2", "backup.completed": "X3", "backup.restored": "X4", "scan.finished": "X5", "endpoint.report": "X6",
	"uptime.report": "X7", "training.completed": "X8", "person.screened": "X8", "person.nda": "X8", "pentest.report": "X9", "review.done": "X9",
}

// named is a sample that names the promise it is about.
func named(t testing.TB, name string) []byte {
	t.Helper()
	return []byte(withPromises(t, name, about[name]))
}

// binary is an event whose attributes are headers.
func binary(w *functiontest.World, sender, kind, id string, data []byte) functiontest.Request {
	return functiontest.Request{Method: "POST", Path: path, Token: w.Service(sender), Body: data, Header: http.Header{
		"Ce-Id": {id}, "Ce-Source": {"//tools.example/" + kind}, "Ce-Type": {kind}, "Ce-Specversion": {"1.0"}, "Ce-Time": {functiontest.Start.Format(time.RFC3339)},
	}}
}

// structured is an event that is one JSON object.
func structured(w *functiontest.World, sender, kind, id string, data []byte) functiontest.Request {
	body := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"//tools.example/%s","type":%q,"time":%q,"data":%s}`, id, kind, kind, functiontest.Start.Format(time.RFC3339), data)
	return functiontest.Request{Method: "POST", Path: path, Token: w.Service(sender), Body: body, Header: http.Header{"Content-Type": {"application/cloudevents+json"}}}
}

// TestSchemas: the published schemas are what the code checks. go test -update writes them.
func TestSchemas(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("schemas")
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]bool{"README.md": true}
	for _, name := range intake.Types() {
		file := name + ".json"
		published[file] = true
		if *update {
			if err := os.WriteFile("schemas/"+file, intake.Schema(name), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile("schemas/" + file); err != nil || !bytes.Equal(have, intake.Schema(name)) {
			t.Errorf("schemas/%s is not what is checked: run go test -update (%v)", file, err)
		}
	}
	for _, f := range files {
		if !published[f.Name()] {
			t.Errorf("schemas/%s describes nothing", f.Name())
		}
	}
	readme, err := os.ReadFile("schemas/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range intake.Types() {
		if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("schemas/README.md does not name %s", name)
		}
	}
}

// TestEveryType: each type is taken in both modes, which say the same.
func TestEveryType(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	for _, name := range intake.Types() {
		var first, again Accepted
		w.Call(t, binary(w, tools, name, "1", named(t, name))).Want(t, 202, "").Decode(t, &first)
		var compact bytes.Buffer
		if err := json.Compact(&compact, named(t, name)); err != nil {
			t.Fatal(err)
		}
		w.Call(t, structured(w, tools, name, "2", compact.Bytes())).Want(t, 202, "").Decode(t, &again)
		if len(first.Promises) == 0 || !slices.Equal(first.Promises, again.Promises) || first.Record == again.Record {
			t.Errorf("%s: %+v and %+v", name, first, again)
		}
		records := w.Records(t)
		if r := records[first.Record]; r.Kind != record.Observation || r.Facts["type"] != name || r.Payload.C == "" || len(r.Subjects) != 1 {
			t.Errorf("%s: receipt %+v", name, r)
		}
	}
	if n := w.Pending(t, "collectevidence"); n != 0 {
		t.Errorf("%d entries wait in the outbox", n)
	}
}

// TestReplay: the same event is answered alike and changes nothing; with other data it is refused.
func TestReplay(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	r := binary(w, tools, "uptime.report", "1", sample(t, "uptime.report"))
	first := w.Call(t, r).Want(t, 202, "")
	records, before := w.Records(t), w.State(t)
	for range 3 {
		w.Restart()
		w.Advance(t, 24*time.Hour)
		r.Token = w.Service(tools)
		if again := w.Call(t, r).Want(t, 202, ""); !bytes.Equal(again.Body, first.Body) {
			t.Errorf("%s, then %s", first.Body, again.Body)
		}
	}
	other := r
	other.Body = bytes.Replace(sample(t, "uptime.report"), []byte(`"failed": 30`), []byte(`"failed": 0`), 1)
	w.Call(t, other).Want(t, 409, "event_conflict")
	later := r
	later.Header = r.Header.Clone()
	later.Header.Set("Ce-Time", w.Clock.Now().Format(time.RFC3339))
	w.Call(t, later).Want(t, 409, "event_conflict")
	if len(w.Records(t)) != len(records) {
		t.Errorf("%d records, then %d", len(records), len(w.Records(t)))
	}
	w.Unchanged(t, before)
	// An event that is remembered no longer is too old to be taken.
	w.Advance(t, 401*24*time.Hour)
	r.Token = w.Service(tools)
	w.Call(t, r).Want(t, 422, "event_time")
}

// TestErasure: a person who is erased is in no later way found in the evidence, and what was proven stays.
func TestErasure(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	var got Accepted
	w.Call(t, binary(w, people, "training.completed", "1", sample(t, "training.completed"))).Want(t, 202, "").Decode(t, &got)
	d := w.Deps("collectevidence")
	var kept []record.Record
	keep := func(_ context.Context, e outbox.Entry) error { // whoever erases is another function, which may say so
		r, err := record.Parse(e.Data)
		kept = append(kept, r)
		return err
	}
	v, err := vault.New(vault.Config{Store: d.Vault, Box: outbox.New(d.Vault, d.Clock, d.Log, map[outbox.Kind]outbox.Sink{outbox.Record: keep}), Keys: d.Seal, Random: d.Random, Horizon: vault.LongestBackup})
	if err != nil {
		t.Fatal(err)
	}
	emma := vault.Subject{Type: "person", ID: "emma"}
	before, err := v.Commit(t.Context(), emma, w.Clock.Now())
	if err != nil || w.Records(t)[got.Record].Subjects[0] != before {
		t.Fatalf("the receipt names somebody else: %v", err)
	}
	if payload, err := v.Open(t.Context(), emma, got.Record); err != nil || !bytes.Contains(payload, []byte("phishing-2026")) {
		t.Errorf("sealed %q: %v", payload, err)
	}
	if _, err := v.Erase(t.Context(), emma, vault.Withdrawn, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	named := false
	for _, r := range kept {
		named = named || r.Kind == record.Erasure && slices.Contains(r.Refs, record.Ref{Rel: "erases", ID: got.Record})
	}
	if after, err := v.Commit(t.Context(), emma, w.Clock.Now()); err != nil || after == before || !named {
		t.Errorf("the old commitment lives, or no record names the leaf (%t): %v", named, err)
	}
	if _, err := v.Open(t.Context(), emma, got.Record); err == nil {
		t.Error("the payload opens")
	}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	functiontest.Flood(t, setup, func(w *functiontest.World) functiontest.Request {
		return structured(w, tools, "uptime.report", "1", sample(t, "uptime.report"))
	})
}

// FuzzEvent sends arbitrary structured events.
func FuzzEvent(f *testing.F) {
	var seeds []string
	for _, name := range intake.Types() {
		seeds = append(seeds, structuredBody(f, name))
	}
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request {
		return structured(w, tools, "build.tested", "1", []byte("{}"))
	}, seeds...)
}

func structuredBody(t testing.TB, name string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"1","source":"//x","type":%q,"time":"2026-03-03T08:50:00Z","data":%s}`, name, named(t, name))
}
