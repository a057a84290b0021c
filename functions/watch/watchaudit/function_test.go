package watchaudit

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/watch/internal/parts"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/episode"
)

var setup = functiontest.Setup{
	Functions: []wiring.Function{Function},
	Env: map[string]string{
		"OSTIARY_URL": "https://ostiary.example", "OSTIARY_DATA_ACCESS": "allServices", "OSTIARY_ASSET_SERVICES": "compute.googleapis.com",
	},
}

// pushed is the body by which data comes from a topic.
func pushed(w *functiontest.World, topic, data string) string {
	return functiontest.Push("watchaudit", functiontest.Published{Topic: topic, At: w.Clock.Now(), Message: bus.Message{Data: []byte(data)}})
}

// entry pushes what a log sink writes.
func entry(t testing.TB, w *functiontest.World, data string) functiontest.Answer {
	t.Helper()
	return w.Event(t, "watchaudit", pushed(w, TopicEntries, data))
}

// granted is an entry by which somebody outside was given a role.
func granted(id, by string, at time.Time) string {
	return audited(id, "cloudresourcemanager.googleapis.com", "SetIamPolicy", "projects/sharedcontacts-live", by, at,
		`"serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/viewer","member":"user:canary.stranger@example.net"}]}}`)
}

// audited is an entry of the activity stream. Rest is more of its payload.
func audited(id, service, method, resource, by string, at time.Time, rest string) string {
	return fmt.Sprintf(`{"insertId":%q,"logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,
		"resource":{"type":"project","labels":{"project_id":"sharedcontacts-live"}},"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",
		"serviceName":%q,"methodName":%q,"resourceName":%q,"status":{},"authenticationInfo":{"principalEmail":"%s@sharedcontacts.example"},
		"requestMetadata":{"callerIp":"81.2.69.193"},"authorizationInfo":[{"permission":"any","granted":true}],%s}}`,
		id, at.Format(time.RFC3339Nano), service, method, resource, by, rest)
}

// acted is what the product writes when an employee acts as a customer's user.
func acted(id, by, user, ticket string, at time.Time) string {
	return fmt.Sprintf(`{"logName":"projects/sharedcontacts-live/logs/act-as","timestamp":%q,"insertId":%q,"jsonPayload":{"event":"impersonation.started",
		"employee":"%s@sharedcontacts.example","user":%q,"domain":"customer.example","ticket":%q,"reason":"labels","address":"81.2.69.142","at":%q,"result":"ok"}}`,
		at.Format(time.RFC3339Nano), id, by, user, ticket, at.Format(time.RFC3339Nano))
}

// alarms are the episodes there are, each a line that says what it is an alarm of; members are counted where asked for.
func alarms(t testing.TB, w *functiontest.World) (all []string) {
	t.Helper()
	found, err := store.Find[episode.Episode](w.Raw("watch").Query(t.Context(), store.Query{Collection: episode.Episodes, Limit: store.MaxQueryResults}))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		if e.State != episode.Joined && e.State != episode.Held {
			all = append(all, fmt.Sprintf("%s %s %s %d", e.Kind, e.Rule, e.Person, e.Round))
		}
	}
	slices.Sort(all)
	return all
}

// sent counts what went out: findings by rule, other records by control and kind, messages by topic, each once.
func sent(t testing.TB, w *functiontest.World) map[string]int {
	t.Helper()
	counts, keys := map[string]int{}, map[string]bool{}
	for _, r := range w.Records(t) {
		counts[strings.TrimSpace(fmt.Sprint(r.Kind, " ", r.Control, " ", r.Facts["rule"]))]++
	}
	for _, topic := range []string{"message.requested", episode.TopicSuspended, episode.TopicChanged} {
		for _, m := range w.Published(topic) {
			if key := topic + m.Message.Attributes[bus.AttributeID]; !keys[key] {
				keys[key], counts[topic] = true, counts[topic]+1
			}
		}
	}
	return counts
}

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const stranger = "violation approved-identities emma 1"

// TestEnvelopes: whatever an entry is wrapped in when it comes, it is judged, and the same one in another wrapping is the
// same one.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	at := functiontest.Start
	one := granted("1", "emma.dubois", at)
	quoted := base64.StdEncoding.EncodeToString([]byte(one))
	event := `{"specversion":"1.0","id":"x","type":"google.cloud.audit.log.v1.written","source":"//cloudaudit.googleapis.com/projects/p/logs/activity","data":` + one + `}`
	w := functiontest.New(t, setup)
	for _, c := range []struct{ name, data string }{
		{"an entry", one},
		{"an array", "[" + one + "," + one + "]"},
		{"an event of a trigger", event},
		{"a message in a message", `{"message":{"data":"` + quoted + `","messageId":"1"},"subscription":"projects/p/subscriptions/s"}`},
		{"an event with a message inside", `{"specversion":"1.0","id":"x","type":"google.cloud.pubsub.topic.v1.messagePublished","source":"//pubsub","data":{"message":{"data":"` + quoted + `"}}}`},
	} {
		fresh := functiontest.New(t, setup)
		entry(t, fresh, c.data).Want(t, 204, "")
		same(t, c.name, alarms(t, fresh), []string{stranger})
		entry(t, w, c.data).Want(t, 204, "")
	}
	same(t, "all of them in one place", alarms(t, w), []string{stranger})
	if got := sent(t, w); got["finding watch approved-identities"] != 1 {
		t.Errorf("went out: %v", got)
	}
}

// TestApplications: the company's own log lines are read as watch.yaml says, or, without it, below jsonPayload.
func TestApplications(t *testing.T) {
	t.Parallel()
	tell := func(w *functiontest.World, line func(user string, at time.Time) string) {
		t.Helper()
		for i, user := range []string{"u-1", "u-2", "u-3"} {
			entry(t, w, line(user, w.Clock.Now().Add(time.Duration(i)*time.Minute))).Want(t, 204, "")
		}
	}
	mapped := functiontest.New(t, setup)
	tell(mapped, func(user string, at time.Time) string { return acted(user, "emma.dubois", user, "", at) })
	want := []string{"violation impersonation-burst emma 1", "violation impersonation-with-ticket emma 1"}
	same(t, "by watch.yaml", alarms(t, mapped), want)
	covered := functiontest.New(t, setup)
	tell(covered, func(user string, at time.Time) string { return acted(user, "emma.dubois", user, "T-204", at) })
	same(t, "with a ticket", alarms(t, covered), nil)
	other := setup
	other.Policy = map[string]string{"watch.yaml": "regions: [eu]\n"}
	unmapped := functiontest.New(t, other)
	tell(unmapped, func(user string, at time.Time) string {
		return fmt.Sprintf(`{"logName":"projects/p/logs/app","insertId":%q,"timestamp":%q,"jsonPayload":{"actor":"emma.dubois@sharedcontacts.example","action":"impersonate","user":%[1]q,"tenant":"customer.example"}}`,
			user, at.Format(time.RFC3339))
	})
	same(t, "below jsonPayload", alarms(t, unmapped), want)
}

// TestOneAlarm: shuffled and doubled, over two instances, what belongs together is one alarm with all of its members.
func TestOneAlarm(t *testing.T) {
	t.Parallel()
	for seed := range min(require.Seeds(4), 100) {
		r := rand.New(rand.NewPCG(uint64(seed), 4))
		w := functiontest.New(t, setup)
		w.Advance(t, 9*time.Minute)
		var all []string
		for i := range 4 {
			at := functiontest.Start.Add(time.Duration(i) * 2 * time.Minute)
			all = append(all, granted(fmt.Sprint("g", i), "emma.dubois", at), acted(fmt.Sprint("a", i), "erik.vogel", fmt.Sprint("u-", i), "", at))
		}
		all = append(all, all...)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for i, e := range all {
			if i == len(all)/2 {
				w.Restart()
			}
			entry(t, w, e).Want(t, 204, "")
		}
		same(t, fmt.Sprint("seed ", seed), alarms(t, w), []string{
			stranger, "violation impersonation-burst erik 1", "violation impersonation-with-ticket erik 1"})
		for name, n := range sent(t, w) {
			if strings.HasPrefix(name, "finding") && n != 1 {
				t.Errorf("seed %d: %d of %s", seed, n, name)
			}
		}
		if members := documents(t, w, "episode_members"); members != 4+4+2 { // a count of three is there with the third, and with the fourth
			t.Errorf("seed %d: %d members", seed, members)
		}
	}
}

func documents(t testing.TB, w *functiontest.World, collection string) int {
	t.Helper()
	docs, err := w.Raw("watch").Query(t.Context(), store.Query{Collection: collection, Limit: store.MaxQueryResults})
	if err != nil {
		t.Fatal(err)
	}
	return len(docs)
}

// TestOtherControls: a suspended account and a changed asset are told, once whatever comes twice.
func TestOtherControls(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	suspended := audited("s", "admin.googleapis.com", "google.admin.AdminService.suspendUser", "organizations/1/userSettings", "simone.bernard", w.Clock.Now(),
		`"metadata":{"event":[{"eventName":"SUSPEND_USER","eventType":"USER_SETTINGS","parameter":[{"name":"USER_EMAIL","value":"emma.dubois@sharedcontacts.example"}]}]}`)
	changed := audited("c", "compute.googleapis.com", "v1.compute.disks.resize", "projects/sharedcontacts-live/zones/europe-west1-b/disks/one", "marc.petit", w.Clock.Now(), `"request":{}`)
	for range 2 {
		entry(t, w, "["+suspended+","+changed+"]").Want(t, 204, "")
	}
	if got := sent(t, w); got[episode.TopicSuspended] != 1 || got[episode.TopicChanged] != 1 {
		t.Errorf("told: %v", got)
	}
	var told episode.Suspended
	if err := json.Unmarshal(w.Published(episode.TopicSuspended)[0].Message.Data, &told); err != nil || told.Person != "emma" {
		t.Errorf("told %+v, %v", told, err)
	}
}

// parted are the parts of an entry by which TLS was weakened: only the second says so.
func parted(w *functiontest.World) (parts []string) {
	for i, rest := range []string{`"request":{"name":"p"}`, `"request":{"minTlsVersion":"TLS_1_0"}`} {
		part := audited(fmt.Sprint("p", i), "compute.googleapis.com", "v1.compute.sslPolicies.insert", "projects/sharedcontacts-live/global/sslPolicies/p", "marc.petit", w.Clock.Now(), rest)
		parts = append(parts, strings.Replace(part, `"protoPayload"`, fmt.Sprintf(`"split":{"uid":"p","index":%d,"totalSplits":2},"protoPayload"`, i), 1))
	}
	return parts
}

// TestParts: an entry that came in parts is judged as one, once, and what was stored of them is gone.
func TestParts(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	parts := parted(w)
	entry(t, w, parts[1]).Want(t, 204, "")
	if len(alarms(t, w)) != 0 || documents(t, w, "split_parts") != 1 || len(w.Published(episode.TopicChanged)) != 0 {
		t.Errorf("a part by itself: %v", alarms(t, w))
	}
	entry(t, w, "["+parts[0]+","+parts[1]+"]").Want(t, 204, "")
	same(t, "alarms", alarms(t, w), []string{"violation tls-weakened marc 1"})
	if sent(t, w)[episode.TopicChanged] != 1 || documents(t, w, "split_parts")+documents(t, w, "splits") != 0 {
		t.Errorf("told %v, %d parts left", sent(t, w), documents(t, w, "split_parts"))
	}
}

// TestUnmatched: what no rule wants writes nothing, and asks the database for nothing but the list of addresses.
func TestUnmatched(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	list := func(i int) string {
		return audited(fmt.Sprint("n", i), "storage.googleapis.com", "storage.buckets.list", "projects/sharedcontacts-live", "marc.petit", w.Clock.Now(), `"request":{}`)
	}
	entry(t, w, list(0)).Want(t, 204, "")
	before, calls := w.State(t), w.Store.Calls()
	for i := range 100 {
		var ten []string
		for j := range 10 {
			ten = append(ten, list(10*i+j))
		}
		entry(t, w, "["+strings.Join(ten, ",")+"]").Want(t, 204, "")
	}
	w.Unchanged(t, before)
	if n := w.Store.Calls() - calls; n != 0 {
		t.Errorf("1,000 entries asked the database %d times", n)
	}
	if len(w.Records(t)) > 0 || len(alarms(t, w)) > 0 {
		t.Errorf("%v, %v", w.Records(t), alarms(t, w))
	}
}

// TestGate: nobody but the function's own invoker brings entries.
func TestGate(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	var seen functiontest.Coverage
	functiontest.MachineGate(t, setup, &seen, "watchaudit", functiontest.Request{Method: "POST", Path: "/watchaudit/events", Body: pushed(w, TopicEntries, granted("1", "emma.dubois", w.Clock.Now()))})
	w.Store.Down()
	seen.Saw(entry(t, w, granted("1", "emma.dubois", w.Clock.Now()))) // a push answers without a problem document
	if len(w.Routes("watchaudit")) != 1 {
		t.Errorf("routes: %+v", w.Routes("watchaudit"))
	}
}

// FuzzPush: whatever comes is acknowledged, judged or with a record and an alarm, and never loops.
func FuzzPush(f *testing.F) {
	at := functiontest.Start
	for _, data := range append(slices.Clone(unreadable), granted("1", "emma.dubois", at), "["+granted("1", "emma.dubois", at)+"]", acted("a", "emma.dubois", "u", "", at), `{"textPayload":"x"}`) {
		f.Add([]byte(data))
	}
	w := functiontest.New(f, setup)
	token := w.Invoker("watchaudit")
	f.Fuzz(func(t *testing.T, data []byte) {
		got := w.Call(t, functiontest.Request{Method: "POST", Path: "/watchaudit/events", Body: pushed(w, TopicEntries, string(data)), Token: token})
		if got.Status != 204 {
			t.Errorf("answered %d", got.Status)
		}
		for _, r := range w.Records(t) {
			if r.Kind == record.Gap && !slices.Contains(alarms(t, w), "unreadable unreadable-entry  1") {
				t.Error("set aside without an alarm")
			}
		}
		w.Forget()
	})
}

// Lines of a mixed log that no mapping reads are counted, and told now and then: a line about each would make the log of
// the watch as long as the one it reads.
func TestIgnoredLinesAreCounted(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	w := &watchaudit{Parts: &parts.Parts{Deps: &wiring.Deps{Log: slog.New(slog.NewTextHandler(&out, nil))}}}
	mixed := []auditlog.Entry{{Ignored: true}, {}, {Ignored: true}}
	for _, minute := range []int{0, 1, 14, 16, 40} {
		if minute == 40 {
			mixed = []auditlog.Entry{{}}
		}
		w.count(t.Context(), mixed, functiontest.Start.Add(time.Duration(minute)*time.Minute))
	}
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "lines=2\n") || !strings.Contains(got, "lines=6\n") {
		t.Errorf("%s", got)
	}
}
