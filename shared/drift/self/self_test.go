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
	e := self.Expected{Project: "acme", Region: "europe-west1", Code: map[string]string{}, Regions: map[string]string{"watchallowlist": "europe-west4"}, Values: map[string]map[string]string{}, Watched: []string{"acme", "acme-live"}, Need: need, Locked: []string{"acme-inbox"}}
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
		e.Values[f.Name] = selftest.Values(f)
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
	const project, organization = "//cloudresourcemanager.googleapis.com/projects/acme", "//cloudresourcemanager.googleapis.com/organizations/1"
	env := func(all map[string]*asset.Asset, name string) object {
		return all[run+name].Data["template"].(object)["containers"].([]any)[0].(object)
	}
	data := func(store, condition string) func(map[string]*asset.Asset) { // what runerasure has in the product's project
		return func(all map[string]*asset.Asset) {
			role := "projects/acme-live/roles/ostiary.runerasure." + store
			all["r"] = &asset.Asset{Key: "//iam.googleapis.com/" + role, Type: "iam.googleapis.com/Role", Data: object{"includedPermissions": []any{}}}
			all["//cloudresourcemanager.googleapis.com/projects/acme-live"].IAM.Grant(role, condition, "serviceAccount:fn-runerasure@acme.iam.gserviceaccount.com")
		}
	}
	set := func(name, variable, value string) func(map[string]*asset.Asset) {
		return func(all map[string]*asset.Asset) {
			for _, v := range env(all, name)["env"].([]any) {
				if v.(object)["name"] == variable {
					v.(object)["value"] = value
				}
			}
		}
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
		"another policy":                   {set("deliver", "OSTIARY_POLICY", "gs://eve/policy.tar.gz"), "self-drift deliver env OSTIARY_POLICY: " + self.Digest("gs://eve/policy.tar.gz")},
		"evidence goes elsewhere":          {set("deliver", "OSTIARY_EVIDENCE", "gs://eve"), "self-drift deliver env OSTIARY_EVIDENCE: " + self.Digest("gs://eve")},
		"one of its own is otherwise":      {set("checkdrift", "OSTIARY_ASSETS", "x:y"), "self-drift checkdrift env OSTIARY_ASSETS: " + self.Digest("x:y")},
		"who is let in is asked elsewhere": {set("deliver", "OSTIARY_IAM", "none"), "self-drift deliver env OSTIARY_IAM: " + self.Digest("none")},
		"another project":                  {set("deliver", "OSTIARY_PROJECT", "eve"), "self-drift deliver env OSTIARY_PROJECT: " + self.Digest("eve")},
		"another caller":                   {set("deliver", "OSTIARY_INVOKER", "eve@x.example"), "self-drift deliver env OSTIARY_INVOKER: " + self.Digest("eve@x.example")},
		"secrets of another project":       {set("deliver", "OSTIARY_SECRETS", "secretmanager://eve?pin=a:1"), "self-drift deliver env OSTIARY_SECRETS: " + self.Digest("secretmanager://eve?pin=a:1")},
		"a variable that was not deployed": {func(all map[string]*asset.Asset) {
			c := env(all, "deliver")
			c["env"] = append(c["env"].([]any), object{"name": "OSTIARY_BUS", "value": "x"})
		}, "self-drift deliver env OSTIARY_BUS: " + self.Digest("x")},
		"what the look itself is told": {set("checkdrift", "OSTIARY_SELF", "other"), ""},
		"another image":                {func(all map[string]*asset.Asset) { env(all, "deliver")["image"] = "docker.io/eve/deliver" }, "self-drift deliver image: docker.io/eve/deliver"},
		"an image of another project": {func(all map[string]*asset.Asset) {
			env(all, "deliver")["image"] = "europe-west1-docker.pkg.dev/acme-test/ostiary/deliver"
		}, "self-drift deliver image: europe-west1-docker.pkg.dev/acme-test/ostiary/deliver"},
		"a container beside it": {func(all map[string]*asset.Asset) {
			t := all[run+"deliver"].Data["template"].(object)
			t["containers"] = append(t["containers"].([]any), object{"image": "europe-west1-docker.pkg.dev/acme/ostiary/eve:1"})
		}, "self-drift deliver containers: 2"},
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
		"a role of its own elsewhere": {func(all map[string]*asset.Asset) {
			all["//cloudresourcemanager.googleapis.com/projects/acme-live"].IAM.Grant("roles/editor", "", "serviceAccount:fn-deliver@acme.iam.gserviceaccount.com")
		}, "self-drift acme-live iam: roles/editor serviceAccount:fn-deliver@acme.iam.gserviceaccount.com"},
		"a role above": {func(all map[string]*asset.Asset) {
			all[organization].IAM.Grant("roles/owner", "", "serviceAccount:fn-deliver@acme.iam.gserviceaccount.com")
		}, "self-drift 1 iam: roles/owner serviceAccount:fn-deliver@acme.iam.gserviceaccount.com"},
		"a role in a folder": {func(all map[string]*asset.Asset) {
			folder := &asset.Asset{Key: "//cloudresourcemanager.googleapis.com/folders/7", Type: "cloudresourcemanager.googleapis.com/Folder", Data: object{}, IAM: &asset.Policy{}}
			folder.IAM.Grant("roles/owner", "", "serviceAccount:fn-deliver@acme.iam.gserviceaccount.com")
			all["f"], all[project].Ancestors = folder, []string{"projects/acme", "folders/7", "organizations/1"}
		}, "self-drift 7 iam: roles/owner serviceAccount:fn-deliver@acme.iam.gserviceaccount.com"},
		"its own role, of all databases": {func(all map[string]*asset.Asset) {
			all[project].IAM.Grant("projects/acme/roles/ostiary.watchaudit.database_watch", "", "serviceAccount:fn-watchaudit@acme.iam.gserviceaccount.com")
		}, "self-drift acme iam: projects/acme/roles/ostiary.watchaudit.database_watch serviceAccount:fn-watchaudit@acme.iam.gserviceaccount.com"},
		"its own role, of all topics": {func(all map[string]*asset.Asset) {
			all[project].IAM.Grant("projects/acme/roles/ostiary.watchaudit.topic_audit.unreadable", "", "serviceAccount:fn-watchaudit@acme.iam.gserviceaccount.com")
		}, "self-drift acme iam: projects/acme/roles/ostiary.watchaudit.topic_audit.unreadable serviceAccount:fn-watchaudit@acme.iam.gserviceaccount.com"},
		"what it looks with, and more": {func(all map[string]*asset.Asset) {
			all[iam+"roles/ostiary.checkdrift.assets"].Data["includedPermissions"] = []any{"run.services.get", "storage.objects.get"}
		}, "self-drift acme iam: projects/acme/roles/ostiary.checkdrift.assets serviceAccount:fn-checkdrift@acme.iam.gserviceaccount.com"},
		"what it looks with from above": {func(all map[string]*asset.Asset) {
			all["r"] = &asset.Asset{Key: "//iam.googleapis.com/organizations/1/roles/ostiary.checkdrift.above", Type: "iam.googleapis.com/Role", Data: object{"includedPermissions": []any{"resourcemanager.folders.get"}}}
			all[organization].IAM.Grant("organizations/1/roles/ostiary.checkdrift.above", "", "serviceAccount:fn-checkdrift@acme.iam.gserviceaccount.com")
		}, ""},
		"it was not read what with": {func(all map[string]*asset.Asset) {
			all[organization].IAM.Grant("organizations/1/roles/ostiary.checkdrift.above", "", "serviceAccount:fn-checkdrift@acme.iam.gserviceaccount.com")
		}, "undetermined 1 iam:"},
		"data of one database":  {data("firestore", "resource.name == x"), ""},
		"data of all databases": {data("firestore", ""), "self-drift acme-live iam: projects/acme-live/roles/ostiary.runerasure.firestore serviceAccount:fn-runerasure@acme.iam.gserviceaccount.com"},
		"files of all buckets":  {data("gcs", "resource.name == x"), "self-drift acme-live iam: projects/acme-live/roles/ostiary.runerasure.gcs serviceAccount:fn-runerasure@acme.iam.gserviceaccount.com {resource.name == x}"},
		"the role of another": {func(all map[string]*asset.Asset) {
			all[organization].IAM.Grant("organizations/1/roles/ostiary.checkdrift.above", "", "serviceAccount:fn-deliver@acme.iam.gserviceaccount.com")
		}, "self-drift 1 iam: organizations/1/roles/ostiary.checkdrift.above serviceAccount:fn-deliver@acme.iam.gserviceaccount.com"},
		"somebody acts as it": {func(all map[string]*asset.Asset) {
			all[iam+"serviceAccounts/fn-deliver@acme.iam.gserviceaccount.com"].IAM.Grant("roles/iam.serviceAccountTokenCreator", "", "user:eve@x.example")
		}, "self-drift fn-deliver@acme.iam.gserviceaccount.com iam: roles/iam.serviceAccountTokenCreator user:eve@x.example"},
		"another function acts as its caller": {func(all map[string]*asset.Asset) {
			all[iam+"serviceAccounts/in-deliver@acme.iam.gserviceaccount.com"].IAM.Grant("roles/iam.workloadIdentityUser", "", "serviceAccount:fn-watchaudit@acme.iam.gserviceaccount.com")
		}, "self-drift in-deliver@acme.iam.gserviceaccount.com iam: roles/iam.workloadIdentityUser serviceAccount:fn-watchaudit@acme.iam.gserviceaccount.com"},
		"somebody looks at it, and Google makes its tokens": {func(all map[string]*asset.Asset) {
			p := all[iam+"serviceAccounts/in-deliver@acme.iam.gserviceaccount.com"].IAM
			p.Grant("roles/iam.serviceAccountViewer", "", "user:eve@x.example")
			p.Grant("roles/iam.serviceAccountTokenCreator", "", "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com")
		}, ""},
		"by a role nobody knows": {func(all map[string]*asset.Asset) {
			all[iam+"serviceAccounts/in-deliver@acme.iam.gserviceaccount.com"].IAM.Grant("roles/newthing.admin", "", "user:eve@x.example")
		}, "undetermined in-deliver@acme.iam.gserviceaccount.com iam:"},
		"no policy of its account": {func(all map[string]*asset.Asset) {
			all[iam+"serviceAccounts/in-deliver@acme.iam.gserviceaccount.com"].IAM = nil
		}, ""},
		"everybody publishes": {func(all map[string]*asset.Asset) {
			all[pubsub+"topics/message.requested"].IAM.Grant("roles/pubsub.publisher", "", "allUsers")
		}, "self-drift message.requested iam: roles/pubsub.publisher allUsers"},
		"everybody with an account publishes what wakes it": {func(all map[string]*asset.Asset) {
			all[pubsub+"topics/asset.feed"].IAM.Grant("roles/pubsub.publisher", "", "allAuthenticatedUsers")
		}, "self-drift asset.feed iam: roles/pubsub.publisher allAuthenticatedUsers"},
		"everybody reads": {func(all map[string]*asset.Asset) {
			all[pubsub+"subscriptions/watchaudit--audit.entries"].IAM.Grant("roles/pubsub.subscriber", "", "allUsers")
		}, "self-drift watchaudit--audit.entries iam: roles/pubsub.subscriber allUsers"},
		"whose a topic is was not read": {func(all map[string]*asset.Asset) { all[pubsub+"topics/asset.feed"].IAM = nil }, "undetermined asset.feed iam:"},
		"a topic that wakes is gone":    {func(all map[string]*asset.Asset) { delete(all, pubsub+"topics/asset.feed") }, "self-drift asset.feed :"},
		"a topic is gone":               {func(all map[string]*asset.Asset) { delete(all, pubsub+"topics/dead.watchaudit") }, "self-drift dead.watchaudit :"},
		"a subscription is gone":        {func(all map[string]*asset.Asset) { delete(all, pubsub+"subscriptions/watchaudit--audit.entries") }, "self-drift watchaudit--audit.entries :"},
		"a filter": {func(all map[string]*asset.Asset) {
			all[pubsub+"subscriptions/watchaudit--audit.entries"].Data["filter"] = `attributes.x="y"`
		}, `self-drift watchaudit--audit.entries filter: attributes.x="y"`},
		"pushed elsewhere": {func(all map[string]*asset.Asset) {
			all[pubsub+"subscriptions/watchaudit--audit.entries"].Data["pushConfig"].(object)["pushEndpoint"] = "https://eve.example/watchaudit/events"
		}, "self-drift watchaudit--audit.entries pushConfig.pushEndpoint: " + veiled("https://eve.example/watchaudit/events")},
		"pushed to another service": {func(all map[string]*asset.Asset) {
			all[pubsub+"subscriptions/watchaudit--audit.entries"].Data["pushConfig"].(object)["pushEndpoint"] = "https://evil-123.europe-west1.run.app/watchaudit/events"
		}, "self-drift watchaudit--audit.entries pushConfig.pushEndpoint: " + veiled("https://evil-123.europe-west1.run.app/watchaudit/events")},
		"pushed with a question": {func(all map[string]*asset.Asset) {
			all[pubsub+"subscriptions/watchaudit--audit.entries"].Data["pushConfig"].(object)["pushEndpoint"] = "https://watchaudit-x-ew.a.run.app/watchaudit/events?token=hunter2"
		}, "self-drift watchaudit--audit.entries pushConfig.pushEndpoint: " + veiled("https://watchaudit-x-ew.a.run.app/watchaudit/events?token=hunter2")},
		"a schedule of another service": {func(all map[string]*asset.Asset) {
			all[job+"tickwatch-0"].Data["httpTarget"].(object)["uri"] = "https://evil-123.europe-west1.run.app/tickwatch/tick"
		}, "self-drift tickwatch-0 httpTarget.uri: " + veiled("https://evil-123.europe-west1.run.app/tickwatch/tick")},
		"it has two addresses": {func(all map[string]*asset.Asset) {
			all[run+"tickwatch"].Data["urls"] = []any{"https://tickwatch-1.europe-west1.run.app"}
			all[job+"tickwatch-0"].Data["httpTarget"].(object)["uri"] = "https://tickwatch-1.europe-west1.run.app/tickwatch/tick"
		}, ""},
		"as the first version of the API tells it": {func(all map[string]*asset.Asset) {
			delete(all[run+"tickwatch"].Data, "uri")
			all[run+"tickwatch"].Data["status"] = object{"url": "https://tickwatch-x-ew.a.run.app"}
			all[run+"tickwatch"].Data["metadata"] = object{"annotations": object{"run.googleapis.com/urls": `["https://tickwatch-1.europe-west1.run.app"]`}}
			all[job+"tickwatch-0"].Data["httpTarget"].(object)["uri"] = "https://tickwatch-1.europe-west1.run.app/tickwatch/tick"
		}, ""},
		"it says no address": {func(all map[string]*asset.Asset) { delete(all[run+"tickwatch"].Data, "uri") }, "undetermined tickwatch-0 httpTarget.uri:"},
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
		if got := strings.Join(compare(e, all, true), "; "); got != c.want || strings.Contains(got, "hunter") {
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
