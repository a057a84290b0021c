package checkup_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/ostiary/internal/checkup"
	"ostiary.internal/shared/drift/asset"
)

// change is one thing that is otherwise, and what is to be said of it.
type change struct {
	make  func(w *world)
	area  string
	state checkup.State
	says  string // in the subject or what was found
	next  string // in what to do
}

const (
	pubsub    = "//pubsub.googleapis.com/projects/" + project + "/"
	firestore = "firestore.googleapis.com/v1/projects/" + project + "/databases/"
	metrics   = "monitoring.googleapis.com/v3/projects/"
	buckets   = "storage.googleapis.com/storage/v1/b/"
	engine    = "compute.googleapis.com/compute/v1/projects/" + project + "/global/"
	home      = "https://ostiary.acme.example/"
)

// only keeps of a list what is wanted.
func (w *world) only(address, field string, keep func(object) bool) {
	list, _ := w.answers["GET "+address].(object)
	some, _ := list[field].([]any)
	list[field] = slices.DeleteFunc(slices.Clone(some), func(one any) bool { m, _ := one.(object); return !keep(m) })
}

// set changes fields of an answer.
func (w *world) set(address string, fields object) {
	data, _ := w.answers["GET "+address].(object)
	for k, v := range fields {
		data[k] = v
	}
}

// tables are the changes, each with the functions that are deployed beside those that say where everything is: the fewer, the quicker.
func tables() []struct {
	changes   map[string]change
	functions []string
} {
	return []struct {
		changes   map[string]change
		functions []string
	}{{ofFunctions(), []string{"checkotp", "trustpage"}}, {ofMessages(), []string{"watchaudit"}}, {ofKept(), []string{"checkotp", "runerasure"}}, {ofGiven(), []string{"runerasure", "trustpage"}}, {ofEdge(), []string{"checkotp", "pairaddress", "registerip", "syncallowlist", "trustpage"}}}
}

func ofFunctions() map[string]change {
	const list = "cloudfunctions.googleapis.com/v2/projects/" + project + "/locations/-/functions"
	named := func(m object, name string) bool { s, _ := m["name"].(string); return strings.HasSuffix(s, "/"+name) }
	return map[string]change{
		"a function is not deployed": {func(w *world) { w.only(list, "functions", func(m object) bool { return !named(m, "deliver") }) }, "functions", checkup.Wrong, "deliver: it is not deployed", "dist/archives.json"},
		"a function of nobody's": {func(w *world) {
			w.listed(list, "functions", object{"name": "projects/" + project + "/locations/" + region + "/functions/eve", "state": "ACTIVE"})
		}, "functions", checkup.Wrong, "eve: it is deployed, and no function of this release", "gcloud functions delete eve --gen2 --region europe-west1"},
		"a function did not build": {func(w *world) {
			w.only(list, "functions", func(m object) bool {
				if named(m, "deliver") {
					m["state"], m["stateMessages"] = "FAILED", []any{object{"message": "build failed"}}
				}
				return true
			})
		}, "functions", checkup.Wrong, "deliver: it is failed: build failed", "gcloud builds list --region europe-west1"},
		"other code runs":                 {func(w *world) { w.env["checkdrift"]["OSTIARY_SELF"] = "" }, "functions", checkup.Undetermined, "it is not told what was deployed", ""},
		"what is deployed cannot be read": {func(w *world) { w.env["checkdrift"]["OSTIARY_SELF"] = "?" }, "functions", checkup.Undetermined, "OSTIARY_SELF", ""},
		"open to the internet": {func(w *world) {
			w.live["//run.googleapis.com/projects/"+project+"/locations/"+region+"/services/deliver"].Data["ingress"] = "INGRESS_TRAFFIC_ALL"
		}, "functions", checkup.Wrong, "deliver ingress", "Apply"},
		"a key to act as a function": {func(w *world) {
			w.listed("iam.googleapis.com/v1/projects/"+project+"/serviceAccounts/fn-deliver@"+project+".iam.gserviceaccount.com/keys", "keys", object{"name": "projects/" + project + "/serviceAccounts/fn-deliver@" + project + ".iam.gserviceaccount.com/keys/1", "keyType": "USER_MANAGED"})
		}, "accounts", checkup.Wrong, "USER_MANAGED", "declare a suspicion"},
		"somebody acts as a function": {func(w *world) {
			w.live["//iam.googleapis.com/projects/"+project+"/serviceAccounts/fn-deliver@"+project+".iam.gserviceaccount.com"].IAM.Grant("roles/iam.serviceAccountUser", "", "serviceAccount:eve@acme.iam.gserviceaccount.com")
		}, "accounts", checkup.Wrong, "roles/iam.serviceAccountUser serviceAccount:eve@", "Take it away"},
		"whoever deploys acts as a function": {func(w *world) {
			w.live["//iam.googleapis.com/projects/"+project+"/serviceAccounts/fn-deliver@"+project+".iam.gserviceaccount.com"].IAM.Grant("roles/iam.serviceAccountUser", "", "serviceAccount:deploy@acme.iam.gserviceaccount.com")
		}, "accounts", checkup.Told, "whoever deploys may act as it", ""},
		"more rights than the manifest's": {func(w *world) {
			w.live["//cloudresourcemanager.googleapis.com/projects/"+project].IAM.Grant("roles/editor", "", runs("deliver"))
		}, "grants", checkup.Wrong, "roles/editor", "nobody gave it"},
		"a person reaches what is kept": {func(w *world) {
			w.live["//cloudresourcemanager.googleapis.com/projects/"+project].IAM.Grant("roles/owner", "", "user:asha@acme.example")
		}, "grants", checkup.Told, "roles/owner user:asha@acme.example", ""},
		"who may do what is not told": {func(w *world) {
			w.codes["POST cloudresourcemanager.googleapis.com/v1/organizations/1:getIamPolicy"] = http.StatusForbidden
		}, "grants", checkup.Undetermined, "organizations/1", ""},
		"a role is gone": {func(w *world) {
			delete(w.live, "//iam.googleapis.com/"+role(project, "deliver", "topic:message.failed"))
		}, "grants", checkup.Wrong, "ostiary.deliver.topic_message.failed: it is not there", "Apply"},
		"a topic is not given": {func(w *world) { w.live[pubsub+"topics/message.failed"].IAM = &asset.Policy{} }, "grants", checkup.Wrong, "deliver on topics/message.failed: it lacks", "Apply"},
		"a key is not given":   {func(w *world) { w.answers["GET cloudkms.googleapis.com/v1/"+ring+"otp:getIamPolicy"] = object{} }, "grants", checkup.Wrong, "checkotp on locations/europe-west1/keyRings/ostiary/cryptoKeys/otp: it lacks", "Apply"},
		"a place is the whole bucket": {func(w *world) {
			w.answers["GET "+buckets+"acme-inbox/iam"] = policy(role(project, "deliver", "place:evidence-inbox") + " " + runs("deliver"))
		}, "grants", checkup.Wrong, "deliver on acme-inbox: it lacks the role ostiary.deliver.place_evidence_inbox", "Apply"},
		"all states are open to it": {func(w *world) {
			w.answers["GET "+buckets+"acme-state/iam"] = policy(role("acme-bootstrap", "checkdrift", "bucket:terraform-state_staging") + " " + runs("checkdrift"))
		}, "grants", checkup.Wrong, "checkdrift on acme-state: it lacks the role", "Apply"},
		"everybody reads the policy": {func(w *world) {
			w.answers["GET "+buckets+"acme-policy/iam"] = policy("roles/storage.objectViewer allUsers")
		}, "grants", checkup.Wrong, "allUsers has roles/storage.objectViewer", "Take it away"},
		"a function reads what it need not": {func(w *world) {
			w.answers["GET secretmanager.googleapis.com/v1/projects/"+project+"/secrets/smtp-password:getIamPolicy"] = policy(role(project, "deliver", "secret:smtp-password")+" "+runs("deliver"), "roles/secretmanager.secretAccessor "+runs("trustpage"))
		}, "grants", checkup.Wrong, "fn-trustpage@acme-ops.iam.gserviceaccount.com has roles/secretmanager.secretAccessor", "Take it away"},
	}
}

func ofMessages() map[string]change {
	job := "//cloudscheduler.googleapis.com/projects/" + project + "/locations/" + region + "/jobs/"
	sink := "//logging.googleapis.com/projects/" + project + "/sinks/ostiary-watch"
	return map[string]change{
		"Data Access logs are off": {func(w *world) {
			w.live["//cloudresourcemanager.googleapis.com/projects/acme-live"].IAM.Audit = nil
		}, "streams", checkup.Wrong, "acme-live iam.googleapis.com: its Data Access logs are off: ADMIN_READ, DATA_READ, DATA_WRITE", "terraform/org"},
		"somebody is exempt": {func(w *world) {
			w.live["//cloudresourcemanager.googleapis.com/projects/acme-live"].IAM.Audit[0].Exempt = []string{"user:eve@acme.example"}
		}, "streams", checkup.Told, "user:eve@acme.example", ""},
		"a sink is gone": {func(w *world) {
			delete(w.live, sink)
			w.put("logging.googleapis.com/v2/projects/"+project+"/sinks", object{})
		}, "streams", checkup.Wrong, "no_sink", "terraform/org"},
		"a sink lets less in": {func(w *world) { w.live[sink].Data["filter"] = need + " AND severity>=ERROR" }, "streams", checkup.Wrong, "narrowed", "generated"},
		"a sink may not write": {func(w *world) {
			w.live[sink].Data["writerIdentity"] = "serviceAccount:other@system.gserviceaccount.com"
		}, "streams", checkup.Wrong, "its writer serviceAccount:other@system.gserviceaccount.com may not write", "terraform/org"},
		"sinks above are not told": {func(w *world) {
			w.codes["GET logging.googleapis.com/v2/organizations/1/sinks"] = http.StatusForbidden
			delete(w.live, sink)
			w.put("logging.googleapis.com/v2/projects/"+project+"/sinks", object{})
		}, "streams", checkup.Undetermined, "sinks of organizations/1", "some.thing.get"},
		"nothing arrives": {func(w *world) {
			w.put(metrics+project+"/timeSeries pubsub.googleapis.com/topic/send_message_operation_count", object{})
		}, "streams", checkup.Wrong, "not even the watch's own heartbeat", "sinks"},
		"entries are lost": {func(w *world) {
			w.put(metrics+"acme-live/timeSeries logging.googleapis.com/exports/error_count", object{"timeSeries": []any{point("name", "x", 3)}})
		}, "streams", checkup.Wrong, "3 entries could not be exported", "sink_error"},
		"dead letters are dropped":       {func(w *world) { w.live[pubsub+"topics/dead.deliver"].IAM = &asset.Policy{} }, "messages", checkup.Wrong, "dead.deliver: Pub/Sub's own account lacks roles/pubsub.publisher", agent},
		"dead letters are not taken off": {func(w *world) { w.live[pubsub+"subscriptions/deliver--message.requested"].IAM = &asset.Policy{} }, "messages", checkup.Wrong, "lacks roles/pubsub.subscriber", agent},
		"dead letters wait": {func(w *world) {
			w.live["//waiting.ostiary/projects/"+project+"/subscriptions/dead.deliver"].Data["undelivered"] = 2.0
		}, "messages", checkup.Wrong, "subscriptions/dead.deliver undelivered", "ostiary redeliver deliver --project"},
		"messages pile up": {func(w *world) {
			w.put(metrics+project+"/timeSeries pubsub.googleapis.com/subscription/oldest_unacked_message_age", object{"timeSeries": []any{point("subscription_id", "deliver--message.requested", 1800)}})
		}, "messages", checkup.Wrong, "its oldest message has waited since 30 minutes ago", "gcloud functions logs read deliver"},
		"nobody tells how long messages wait": {func(w *world) {
			w.put(metrics+project+"/timeSeries pubsub.googleapis.com/subscription/oldest_unacked_message_age", object{})
		}, "messages", checkup.Undetermined, "deliver--message.requested: Monitoring has no figure", "some minutes"},
		"what a project lies in is not told": {func(w *world) {
			w.codes["POST cloudresourcemanager.googleapis.com/v1/projects/acme-live:getAncestry"] = http.StatusForbidden
			w.live["//cloudresourcemanager.googleapis.com/projects/acme-live"].IAM.Audit = nil
		}, "streams", checkup.Undetermined, "acme-live iam.googleapis.com", ""},
		"sinks above nobody knows what": {func(w *world) {
			for _, id := range []string{project, "acme-live"} {
				w.codes["POST cloudresourcemanager.googleapis.com/v1/projects/"+id+":getAncestry"] = http.StatusForbidden
			}
			delete(w.live, sink)
			w.put("logging.googleapis.com/v2/projects/"+project+"/sinks", object{})
		}, "streams", checkup.Undetermined, "sinks/ostiary-watch filter: unread", ""},
		"a schedule has not run yet": {func(w *world) {
			delete(w.live[job+"tickwatch-0"].Data, "lastAttemptTime")
			w.only("cloudfunctions.googleapis.com/v2/projects/"+project+"/locations/-/functions", "functions", func(m object) bool { m["updateTime"] = noon.Format(time.RFC3339); return true })
		}, "schedules", checkup.Told, "tickwatch-0: it has not run yet", ""},
		"a schedule is paused": {func(w *world) { w.live[job+"tickwatch-0"].Data["state"] = "PAUSED" }, "schedules", checkup.Wrong, "tickwatch-0 state", "gcloud scheduler jobs resume tickwatch-0"},
		"a schedule stands still": {func(w *world) {
			w.live[job+"tickwatch-0"].Data["lastAttemptTime"] = noon.Add(-time.Hour).Format(time.RFC3339)
		}, "schedules", checkup.Wrong, "it ran the last time 60 minutes ago", "gcloud scheduler jobs run tickwatch-0"},
		"a schedule never ran": {func(w *world) { delete(w.live[job+"tickwatch-0"].Data, "lastAttemptTime") }, "schedules", checkup.Wrong, "it has never run", "jobs run"},
		"a run failed":         {func(w *world) { w.live[job+"tickwatch-0"].Data["status"] = object{"code": 13.0} }, "schedules", checkup.Wrong, "failed, with code 13", "logs read tickwatch"},
	}
}

// TestOtherwise: each thing that is otherwise than it has to be is told, in its area, with what to do; and what could not be read
// is not told to be wrong.
func TestOtherwise(t *testing.T) {
	t.Parallel()
	for _, table := range tables() {
		for name, c := range table.changes {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := deploymentOf(t, append([]string{"checkdrift", "deliver", "sealevidence", "tickwatch"}, table.functions...))
				c.make(w)
				c.told(t, w.examine(t, func(o *checkup.Options) { o.Deploys = []string{"Deploy@acme.iam.gserviceaccount.com"} }))
			})
		}
	}
}

// told fails the test where what is to be said is not, or something else is.
func (c change) told(t *testing.T, found checkup.Report) {
	t.Helper()
	at := slices.IndexFunc(found.Checks, func(one checkup.Check) bool {
		return one.Area == c.area && one.State == c.state && strings.Contains(one.Subject+": "+one.Found, c.says)
	})
	if at < 0 {
		t.Fatalf("nobody is told %s %s %q: %s", c.area, c.state, c.says, lines(found))
	}
	if one := found.Checks[at]; !strings.Contains(one.Next, c.next) || c.state != checkup.Told && c.state != checkup.OK && one.Next == "" {
		t.Errorf("what to do is %q", one.Next)
	}
	want := c.state
	if want == checkup.Told {
		want = checkup.OK
	}
	if found.State != want {
		t.Errorf("it comes to %s, want %s: %s", found.State, want, lines(found))
	}
}

// lines are what is not well.
func lines(r checkup.Report) string {
	var b strings.Builder
	for _, c := range r.Checks {
		if c.State != checkup.OK {
			b.WriteString("\n" + string(c.State) + " " + c.Area + " " + c.Subject + ": " + c.Found)
		}
	}
	return b.String()
}
