package manifest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// good is a manifest with every kind of entry a function for people has.
const good = `{
  "name": "example", "control": "access", "entry_point": "example", "summary": "An example.", "callers": "staff",
  "triggers": [{"kind": "http"}],
  "memory_mib": 256, "timeout_s": 30, "concurrency": 20, "max_instances": 3,
  "permissions": [
    {"permission": "datastore.entities.get", "resource": "database:access"},
    {"permission": "secretmanager.versions.access", "resource": "secret:form-key"},
    {"permission": "pubsub.topics.publish", "resource": "topic:thing.changed"},
    {"permission": "storage.objects.create", "resource": "bucket:evidence-inbox"},
    {"permission": "https://www.googleapis.com/auth/admin.directory.user.readonly", "resource": "directory"}
  ],
  "environment": ["OSTIARY_CLIENT_ADDRESS"], "secrets": ["form-key"], "publishes": ["thing.changed"],
  "evidence": {"controls": {"otp-gate": ["access", "review"]}}, "freshness": "5m", "checks": ["otp-gate"]
}`

// machine is good as a function that is woken.
var machine = strings.NewReplacer(`"callers": "staff"`, `"callers": "machine"`, `["OSTIARY_CLIENT_ADDRESS"]`, `[]`,
	`{"kind": "http"}`, `{"kind": "topic", "topic": "thing.changed", "filter": "attributes.kind = \"a\""}, {"kind": "schedule", "cron": "*/5 * * * *"}, {"kind": "eventarc", "type": "google.cloud.audit.log.v1.written"}`).Replace(good)

func TestParse(t *testing.T) {
	t.Parallel()
	f, err := Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != "example" || f.Callers != Staff || !f.Reads("OSTIARY_CLIENT_ADDRESS") || f.Reads("OSTIARY_SEAL") || len(f.Permissions) != 5 || f.Topics() != nil {
		t.Errorf("%+v", f)
	}
	if f, err = Parse([]byte(machine)); err != nil {
		t.Fatal(err)
	}
	withVault := strings.NewReplacer(`["OSTIARY_CLIENT_ADDRESS"]`, `["OSTIARY_CLIENT_ADDRESS", "OSTIARY_VAULT"]`,
		`"permissions": [`, `"permissions": [{"permission": "datastore.entities.get", "resource": "database:vault"},`).Replace(good)
	if _, err := Parse([]byte(withVault)); err != nil {
		t.Errorf("a function with the vault: %v", err)
	}
	if got := fmt.Sprint(f.Topics(), f.Crons(), f.EventTypes()); got != "[thing.changed] [*/5 * * * *] [google.cloud.audit.log.v1.written]" {
		t.Errorf("triggers %s", got)
	}
}

// TestBadManifests: each with one thing wrong, and what the error must name.
func TestBadManifests(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ base, old, new, names string }{
		{good, `"freshness"`, `"freshnes"`, "freshnes"},
		{good, `"freshness"`, `"Freshness"`, "Freshness"},
		{good, `"name": "example"`, `"name": "example", "name": "other"`, "name"},
		{good, `"checks": ["otp-gate"]`, `"checks": ["otp-gate"]} {"a": 1`, "reading manifest"},
		{good, `"summary": "An example."`, `"summary": null`, "summary"},
		{good, `"example"`, `"exämple"`, "name"}, {good, `"example"`, `"ex"`, "name"}, {good, `"example"`, `"abcdefghijklmnopqrstuvwxyz"`, "name"},
		{good, `"entry_point": "example"`, `"entry_point": "other"`, "entry point"},
		{good, `"control": "access"`, `"control": "excess"`, "control"},
		{good, `"callers": "staff"`, `"callers": "everybody"`, "callers"},
		{good, `An example.`, ``, "summary"}, {good, `An example.`, `An | example.`, "summary"}, {good, `An example.`, `An example`, "summary"},
		{good, `"memory_mib": 256`, `"memory_mib": 64`, "memory"}, {good, `"timeout_s": 30`, `"timeout_s": 541`, "time-out"},
		{good, `"concurrency": 20`, `"concurrency": 0`, "concurrency"}, {good, `"max_instances": 3`, `"max_instances": 101`, "instances"},
		{good, `"freshness": "5m"`, `"freshness": "soon"`, "freshness"}, {good, `"freshness": "5m"`, `"freshness": "-5m"`, "freshness"},
		{good, `[{"kind": "http"}]`, `[]`, "triggers"}, {good, `{"kind": "http"}`, `{"kind": "http"}, {"kind": "http"}`, "twice"},
		{good, `{"kind": "http"}`, `{"kind": "topic", "topic": "thing.changed"}`, "do not go with"}, {machine, `"callers": "machine"`, `"callers": "service"`, "do not go with"},
		{good, `{"kind": "http"}`, `{"kind": "http", "cron": "* * * * *"}`, "more than its kind"},
		{machine, `"kind": "topic"`, `"kind": "queue"`, "queue"}, {machine, `"topic": "thing.changed"`, `"topic": ""`, "topic"},
		{machine, `"topic": "thing.changed"`, `"topic": "goog"`, "topic"}, {machine, `attributes.kind = \"a\"`, `attributes.kind ==`, "topic"},
		{machine, `*/5 * * * *`, `every minute`, "schedule"}, {machine, `*/5 * * * *`, ``, "schedule"}, {machine, `google.cloud.audit.log.v1.written`, ``, "eventarc"},
		{machine, `{"kind": "schedule"`, `{"kind": "topic", "topic": "thing.changed"}, {"kind": "schedule"`, "twice"},
		{good, `["OSTIARY_CLIENT_ADDRESS"]`, `[]`, "OSTIARY_CLIENT_ADDRESS"}, {machine, `"environment": []`, `"environment": ["OSTIARY_CLIENT_ADDRESS"]`, "OSTIARY_CLIENT_ADDRESS"},
		{good, `["OSTIARY_CLIENT_ADDRESS"]`, `["OSTIARY_CLIENT_ADDRESS", "PATH"]`, "environment"}, {good, `["OSTIARY_CLIENT_ADDRESS"]`, `["OSTIARY_CLIENT_ADDRESS", "OSTIARY_CLIENT_ADDRESS"]`, "twice"},
		{good, `["otp-gate"]`, `[]`, "checks"}, {good, `["otp-gate"]`, `["OTP gate"]`, "checks"},
		{good, `"secrets": ["form-key"]`, `"secrets": []`, "secretmanager"}, {good, `"secrets": ["form-key"]`, `"secrets": ["form-key", "other"]`, "other"},
		{good, `"publishes": ["thing.changed"]`, `"publishes": []`, "pubsub"}, {good, `"publishes": ["thing.changed"]`, `"publishes": ["thing.ended"]`, "thing.ended"},
		{good, `database:access`, `database:breach`, "another control"}, {good, `database:access`, `database:vault`, "another control"}, {good, `database:access`, `Database:access`, "malformed"}, {good, `"resource": "directory"`, `"resource": "everything"`, "everything"},
		{good, `datastore.entities.get`, `roles/owner`, "roles/owner"}, {good, `datastore.entities.get`, `datastore.entities.*`, "malformed"},
		{good, `{"permission": "datastore`, `{"permission": "datastore.entities.get", "resource": "database:access"}, {"permission": "datastore`, "twice"},
		{good, `{"otp-gate": ["access", "review"]}`, `{}`, "evidence"}, {good, `{"otp-gate"`, `{"otp gate"`, "evidence"},
		{good, `["access", "review"]`, `["anything"]`, "evidence"}, {good, `["access", "review"]`, `[]`, "evidence"}, {good, `{"controls"`, `{"control"`, "control"},
		{good, `"evidence": {"controls": {"otp-gate": ["access", "review"]}},`, ``, "evidence"},
		{good, `"freshness"`, `"sweeps": ["another"], "freshness"`, "sweeps"}, // it has no schedule
		{machine, `"freshness"`, `"sweeps": ["example"], "freshness"`, "sweeps"}, {machine, `"freshness"`, `"sweeps": ["a b"], "freshness"`, "sweeps"},
		{machine, `"freshness"`, `"sweeps": ["another", "another"], "freshness"`, "sweeps"},
		{good, `{"permission": "storage.objects.create", "resource": "bucket:evidence-inbox"},`, ``, "evidence"},
		{good, `{"permission": "datastore`, `{"permission": "x.y.z", "resource": "project", "if": "true"}, {"permission": "datastore`, "if"},
	} {
		bad := strings.ReplaceAll(test.base, test.old, test.new)
		if test.old == `"entry_point": "example"` || strings.HasPrefix(test.new, `"name"`) {
			bad = strings.Replace(test.base, test.old, test.new, 1)
		}
		if bad == test.base {
			t.Fatalf("%s is not in the manifest", test.old)
		}
		if _, err := Parse([]byte(bad)); err == nil || !strings.Contains(err.Error(), test.names) {
			t.Errorf("%s -> %s: %v, want an error that names %q", test.old, test.new, err, test.names)
		}
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	second := strings.ReplaceAll(good, `"example"`, `"another"`)
	root := fstest.MapFS{
		"functions/access/example/function.json": {Data: []byte(good)}, "functions/access/another/function.json": {Data: []byte(second)},
		"functions/internal/manifest/manifest.go": {Data: []byte("package manifest")},
	}
	all, err := All(root)
	if err != nil || len(all) != 2 || all[0].Name != "another" || all[1].Name != "example" {
		t.Errorf("%v, %v", all, err)
	}
	sweeper := strings.Replace(machine, `"freshness"`, `"sweeps": ["another"], "freshness"`, 1)
	root["functions/access/example/function.json"] = &fstest.MapFile{Data: []byte(sweeper)}
	if all, err := All(root); err != nil || !slices.Equal(all[1].Sweeps, []string{"another"}) {
		t.Errorf("one that sweeps: %v, %v", all, err)
	}
	root["functions/access/example/function.json"] = &fstest.MapFile{Data: []byte(strings.Replace(sweeper, `"another"`, `"stranger"`, 1))}
	if _, err := All(root); err == nil || !strings.Contains(err.Error(), "stranger") {
		t.Errorf("one that sweeps for a stranger: %v", err)
	}
	root["functions/access/example/function.json"] = &fstest.MapFile{Data: []byte(good)}
	root["functions/breach/example/function.json"] = &fstest.MapFile{Data: []byte(good)}
	if _, err := All(root); err == nil || !strings.Contains(err.Error(), "functions/breach/example") {
		t.Errorf("a manifest in another control's folder: %v", err)
	}
	delete(root, "functions/breach/example/function.json")
	root["functions/access/example/function.json"] = &fstest.MapFile{Data: []byte("{")}
	if _, err := All(root); err == nil || !strings.Contains(err.Error(), "functions/access/example") {
		t.Errorf("an unreadable manifest: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(machine))
	own, err := All(os.DirFS("../../.."))
	if err != nil || len(own) == 0 {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err == nil && (m.EntryPoint != m.Name || len(m.Triggers) == 0 || len(m.Checks) == 0) {
			t.Errorf("%+v", m)
		}
	})
}
