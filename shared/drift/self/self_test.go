package self_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/drift/self/selftest"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

type object = asset.Object

const need = `log_id("cloudaudit.googleapis.com/activity")`

// expected are all functions there are, as their manifests have them.
func expected(t *testing.T) self.Expected {
	t.Helper()
	files, err := filepath.Glob("../../../functions/*/*/function.json")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	e := self.Expected{Project: "acme", Region: "europe-west1", Code: map[string]string{}, Watched: []string{"acme", "acme-live"}, Need: need, Locked: []string{"acme-inbox"}}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := self.Read(data)
		if err != nil {
			t.Fatal(file, err)
		}
		e.Functions, e.Code[f.Name] = append(e.Functions, f), "sha256:"+f.Name
	}
	return e
}

func compare(e self.Expected, all map[string]*asset.Asset, read bool) []string {
	live := asset.NewInventory()
	for _, a := range all {
		live.Add(*a)
	}
	live.Settle()
	var said []string
	for _, f := range self.Compare(e, live, func(string) bool { return read }) {
		class := string(f.Class)
		if f.Class == self.Drift && f.Severity != policy.Critical {
			class += " mild"
		}
		said = append(said, strings.TrimSpace(class+" "+asset.Base(f.Key)+" "+f.Field+": "+f.Got))
	}
	return said
}

func TestCompare(t *testing.T) {
	t.Parallel()
	e := expected(t)
	if got := compare(e, selftest.Deployed(e), true); len(got) > 0 {
		t.Fatalf("as it should be: %q", got)
	}
	const run, iam, pubsub = "//run.googleapis.com/projects/acme/locations/europe-west1/services/", "//iam.googleapis.com/projects/acme/", "//pubsub.googleapis.com/projects/acme/"
	const job, sink = "//cloudscheduler.googleapis.com/projects/acme/locations/europe-west1/jobs/", "//logging.googleapis.com/projects/acme-live/sinks/ostiary-watch"
	env := func(all map[string]*asset.Asset, name string) object {
		return all[run+name].Data["template"].(object)["containers"].([]any)[0].(object)
	}
	for name, c := range map[string]struct {
		change func(all map[string]*asset.Asset)
		want   string
	}{
		"a function is gone": {func(all map[string]*asset.Asset) { delete(all, run+"watchaudit") }, "self-drift watchaudit :"},
		"said to be gone":    {func(all map[string]*asset.Asset) { all[run+"watchaudit"].Deleted = true }, "self-drift watchaudit :"},
		"other code": {func(all map[string]*asset.Asset) {
			e := env(all, "deliver")["env"].([]any)
			e[len(e)-1].(object)["value"] = "sha256:x"
		}, "self-drift deliver code: sha256:x"},
		"a variable more": {func(all map[string]*asset.Asset) {
			c := env(all, "deliver")
			c["env"] = append(c["env"].([]any), object{"name": "FIRESTORE_EMULATOR_HOST", "value": "x"})
		}, "self-drift deliver env: FIRESTORE_EMULATOR_HOST"},
		"a variable less": {func(all map[string]*asset.Asset) { c := env(all, "deliver"); c["env"] = c["env"].([]any)[1:] }, "self-drift deliver env:"},
		"a secret in a variable": {func(all map[string]*asset.Asset) {
			env(all, "deliver")["env"].([]any)[0].(object)["valueSource"] = object{}
		}, "self-drift deliver env: a secret"},
		"as somebody else": {func(all map[string]*asset.Asset) {
			all[run+"deliver"].Data["template"].(object)["serviceAccount"] = "x@acme"
		}, "self-drift deliver template.serviceAccount: x@acme"},
		"from outside":    {func(all map[string]*asset.Asset) { all[run+"deliver"].Data["ingress"] = "INGRESS_TRAFFIC_ALL" }, "self-drift deliver ingress: INGRESS_TRAFFIC_ALL"},
		"without a check": {func(all map[string]*asset.Asset) { all[run+"deliver"].Data["invokerIamDisabled"] = true }, "self-drift deliver invokerIamDisabled: true"},
		"by everybody":    {func(all map[string]*asset.Asset) { all[run+"justify"].IAM.Grant("roles/run.invoker", "", "allUsers") }, "self-drift justify iam: roles/run.invoker allUsers"},
		"by another": {func(all map[string]*asset.Asset) {
			all[run+"deliver"].IAM.Grant("roles/run.admin", "", "user:eve@x.example")
		}, "self-drift deliver iam: roles/run.admin user:eve@x.example"},
		"an older revision": {func(all map[string]*asset.Asset) {
			all[run+"deliver"].Data["traffic"] = []any{object{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "percent": 100.0}}
		}, "self-drift deliver traffic: another"},
		"an account is off": {func(all map[string]*asset.Asset) {
			all[iam+"serviceAccounts/fn-deliver@acme.iam.gserviceaccount.com"].Data["disabled"] = true
		}, "self-drift fn-deliver@acme.iam.gserviceaccount.com disabled: true"},
		"a key to it": {func(all map[string]*asset.Asset) {
			all["k"] = &asset.Asset{Type: "iam.googleapis.com/ServiceAccountKey", Key: iam + "serviceAccounts/in-deliver@acme.iam.gserviceaccount.com/keys/k", Data: object{"keyType": "USER_MANAGED"}}
		}, "self-drift k keyType: USER_MANAGED"},
		"a key of Google's": {func(all map[string]*asset.Asset) {
			all["k"] = &asset.Asset{Type: "iam.googleapis.com/ServiceAccountKey", Key: iam + "serviceAccounts/in-deliver@acme.iam.gserviceaccount.com/keys/k", Data: object{"keyType": "SYSTEM_MANAGED"}}
		}, ""},
		"more rights": {func(all map[string]*asset.Asset) {
			all[iam+"roles/ostiary.watchaudit.topic_audit.unreadable"].Data["includedPermissions"] = []any{"pubsub.topics.publish", "pubsub.topics.delete"}
		}, "self-drift ostiary.watchaudit.topic_audit.unreadable includedPermissions: pubsub.topics.delete\npubsub.topics.publish"},
		"another role": {func(all map[string]*asset.Asset) {
			all["//cloudresourcemanager.googleapis.com/projects/acme"].IAM.Grant("roles/editor", "", "serviceAccount:fn-deliver@acme.iam.gserviceaccount.com")
		}, "self-drift acme iam: roles/editor serviceAccount:fn-deliver@acme.iam.gserviceaccount.com"},
		"a topic is gone":        {func(all map[string]*asset.Asset) { delete(all, pubsub+"topics/dead.watchaudit") }, "self-drift dead.watchaudit :"},
		"a subscription is gone": {func(all map[string]*asset.Asset) { delete(all, pubsub+"subscriptions/watchaudit--audit.entries") }, "self-drift watchaudit--audit.entries :"},
		"a filter": {func(all map[string]*asset.Asset) {
			all[pubsub+"subscriptions/watchaudit--audit.entries"].Data["filter"] = `attributes.x="y"`
		}, `self-drift watchaudit--audit.entries filter: attributes.x="y"`},
		"pushed elsewhere": {func(all map[string]*asset.Asset) {
			all[pubsub+"subscriptions/watchaudit--audit.entries"].Data["pushConfig"].(object)["pushEndpoint"] = "https://eve.example/watchaudit/events"
		}, "self-drift watchaudit--audit.entries pushConfig.pushEndpoint: https://eve.example/watchaudit/events"},
		"no dead letters": {func(all map[string]*asset.Asset) {
			delete(all[pubsub+"subscriptions/watchaudit--audit.entries"].Data, "deadLetterPolicy")
		}, "self-drift watchaudit--audit.entries deadLetterPolicy.deadLetterTopic:"},
		"paused":            {func(all map[string]*asset.Asset) { all[job+"tickwatch-0"].Data["state"] = "PAUSED" }, "self-drift tickwatch-0 state: PAUSED"},
		"slower":            {func(all map[string]*asset.Asset) { all[job+"tickwatch-0"].Data["schedule"] = "0 * * * *" }, "self-drift tickwatch-0 schedule: 0 * * * *"},
		"the sink narrowed": {func(all map[string]*asset.Asset) { all[sink].Data["filter"] = need + " AND severity>=ERROR" }, "self-drift ostiary-watch filter: narrowed"},
		"the sink off":      {func(all map[string]*asset.Asset) { all[sink].Data["disabled"] = true }, "self-drift ostiary-watch filter: disabled"},
		"the sink gone":     {func(all map[string]*asset.Asset) { delete(all, sink) }, "self-drift ostiary-watch filter: no_sink"},
		"the sink may not write": {func(all map[string]*asset.Asset) {
			all[sink].Data["writerIdentity"] = "serviceAccount:other@system.gserviceaccount.com"
		}, "self-drift audit.entries iam:"},
		"the lock gone": {func(all map[string]*asset.Asset) {
			all["//storage.googleapis.com/acme-inbox"].Data["retentionPolicy"] = nil
		}, "self-drift acme-inbox retentionPolicy.isLocked: false"},
		"its policy was not read": {func(all map[string]*asset.Asset) { all[run+"deliver"].IAM = nil }, "undetermined deliver iam:"},
		"itself was not read":     {func(all map[string]*asset.Asset) { all[run+"deliver"].Data = nil }, "undetermined deliver :"},
		"the project was not read": {func(all map[string]*asset.Asset) {
			all["//cloudresourcemanager.googleapis.com/projects/acme"].IAM = nil
		}, "undetermined acme iam:"},
	} {
		all := selftest.Deployed(e)
		c.change(all)
		if got := strings.Join(compare(e, all, true), "; "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Where nothing was read, nothing is in order and nothing is out of order.
func TestUnread(t *testing.T) {
	t.Parallel()
	e := expected(t)
	got := compare(e, nil, false)
	if len(got) < 5*len(e.Functions) || slices.ContainsFunc(got, func(s string) bool { return !strings.HasPrefix(s, "undetermined") }) {
		t.Errorf("%d: %q", len(got), got)
	}
	e.Code = nil
	if got := compare(e, selftest.Deployed(e), true); len(got) != len(e.Functions) || !strings.Contains(got[0], "undetermined") {
		t.Errorf("no release known: %q", got)
	}
	for _, bad := range []string{"", "[]", "{}", `{"name":"x"}`} {
		if _, err := self.Read([]byte(bad)); !fault.Is(err, fault.Invalid) {
			t.Error(bad, err)
		}
	}
	if slices.Contains(self.Types(), "") || diff.Class(self.Drift) == "" {
		t.Error(self.Types())
	}
}
