package tickwatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/watch/watchaudit"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/episode"
	"ostiary.internal/shared/watch/rule"
)

func setup(streams string) functiontest.Setup {
	return functiontest.Setup{
		Functions: []wiring.Function{Function, watchaudit.Function},
		Env:       map[string]string{"OSTIARY_URL": "https://ostiary.example", "OSTIARY_DATA_ACCESS": streams, "OSTIARY_LOG_STREAMS": "all"},
	}
}

// world is the two functions, and the log of the one that ticks.
type world struct {
	*functiontest.World
	t       *testing.T
	handler http.Handler
	log     bytes.Buffer
	carried int // lines of the log that the sink has carried
}

func newWorld(t *testing.T, streams string) *world {
	t.Helper()
	w := &world{World: functiontest.New(t, setup(streams)), t: t}
	w.build()
	return w
}

// build starts an instance that writes its log where the test reads it.
func (w *world) build() {
	w.t.Helper()
	d := *w.Deps("tickwatch")
	d.Log = log.New(&w.log, "", slog.LevelInfo)
	served, err := Function.Build(w.t.Context(), &d)
	if err != nil {
		w.t.Fatal(err)
	}
	w.handler = served.Handler()
}

func (w *world) tick() int {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), "POST", "http://tickwatch.test/tickwatch/tick", nil)
	r.Header.Set("Authorization", "Bearer "+w.Invoker("tickwatch"))
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer.Code
}

// markers are the lines of the log that the sink's filter lets through, as Cloud Logging makes entries of them.
func (w *world) markers() (entries []string) {
	w.t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(w.log.String()), "\n") {
		var written map[string]any
		if err := json.Unmarshal([]byte(line), &written); err != nil {
			w.t.Fatal(err)
		}
		labels, _ := written["logging.googleapis.com/labels"].(map[string]any)
		if labels[episode.HeartbeatLabel] == nil {
			continue
		}
		data, err := json.Marshal(map[string]any{
			"insertId": fmt.Sprint(len(entries)), "logName": "projects/p/logs/run.googleapis.com%2Fstdout", "severity": written["severity"], "timestamp": written["time"],
			"labels": labels, "jsonPayload": map[string]any{"message": written["message"]}, "resource": map[string]any{"type": "cloud_run_revision"},
		})
		if err != nil {
			w.t.Fatal(err)
		}
		entries = append(entries, string(data))
	}
	return entries
}

// marker is the newest marker there is, or one that somebody made up.
func (w *world) marker() string {
	all := w.markers()
	if len(all) == 0 {
		return string(episode.Marker("p", w.Clock.Now(), "1"))
	}
	return all[len(all)-1]
}

// pass lets minutes pass, each with a run of the schedule; carries is whether the sink works.
func (w *world) pass(minutes int, carries bool) {
	w.t.Helper()
	for range minutes {
		w.Advance(w.t, time.Minute)
		if got := w.tick(); got != http.StatusNoContent {
			w.t.Fatalf("the schedule is answered %d", got)
		}
		if written := w.markers(); carries {
			for _, m := range written[w.carried:] {
				w.entry(m)
			}
			w.carried = len(written)
		}
	}
}

func (w *world) entry(text string) {
	w.t.Helper()
	w.bring(text).Want(w.t, 204, "")
}

func (w *world) bring(text string) functiontest.Answer {
	w.t.Helper()
	push := functiontest.Push("watchaudit", functiontest.Published{Topic: watchaudit.TopicEntries, At: w.Clock.Now(), Message: bus.Message{Data: []byte(text)}})
	return w.Event(w.t, "watchaudit", push)
}

// alarm brings an entry by which somebody outside was given a role.
func (w *world) alarm(id string) {
	w.t.Helper()
	w.entry(fmt.Sprintf(`{"insertId":%q,"logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,"protoPayload":{
		"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"cloudresourcemanager.googleapis.com","methodName":"SetIamPolicy",
		"resourceName":"projects/sharedcontacts-live","status":{},"authenticationInfo":{"principalEmail":"emma.dubois@sharedcontacts.example"},
		"serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/editor","member":"user:stranger@example.net"}]}}}}`, id, w.Clock.Now().Format(time.RFC3339Nano)))
}

// episodes are those there are, without what the test did not ask for.
func (w *world) episodes(kind episode.Kind) []episode.Episode {
	w.t.Helper()
	all, err := store.Find[episode.Episode](w.Raw("watch").Query(w.t.Context(), store.Query{Collection: episode.Episodes, Limit: store.MaxQueryResults}))
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e episode.Episode) bool { return e.Kind != kind })
}

// facts counts the records of a kind by one of their facts.
func (w *world) facts(kind record.Kind, name string) map[string]int {
	w.t.Helper()
	counts := map[string]int{}
	for _, r := range w.Records(w.t) {
		if r.Kind == kind {
			counts[r.Facts[name]]++
		}
	}
	return counts
}

// people is the topic of messages to people.
const people = "message.requested"

// messages counts what went out on a topic, each once.
func (w *world) messages(topic string) int {
	keys := map[string]bool{}
	for _, m := range w.Published(topic) {
		keys[m.Message.Attributes[bus.AttributeID]] = true
	}
	return len(keys)
}

// TestMarker: the marker is written each ten minutes; while it comes back nothing is heard of it. When it stays away for a
// quarter of an hour there is one alarm, however long it lasts, and it closes once the marker comes again.
func TestMarker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "allServices")
	w.pass(41, true)
	if n := len(w.markers()); n != 5 {
		t.Errorf("%d markers in 41 minutes", n)
	}
	w.pass(14, false) // the last came at minute 41
	if all := w.episodes(episode.Silence); len(all) != 0 {
		t.Errorf("after 14 minutes: %+v", all)
	}
	w.pass(31, false)
	all := w.episodes(episode.Silence)
	if len(all) != 1 || all[0].Rule != episode.SilenceRule || all[0].State != episode.Told || w.messages(people) == 0 {
		t.Fatalf("after 45 minutes of silence: %+v, %d messages", all, w.messages(people))
	}
	told := w.messages(people)
	w.pass(120, true)
	if after := w.episodes(episode.Silence); len(after) != 1 || after[0].Closed.IsZero() || w.messages(people) != told {
		t.Errorf("once it comes again: %+v, %d messages more", after, w.messages(people)-told)
	}
	w.pass(20, false)
	if after := w.episodes(episode.Silence); len(after) != 2 || w.messages(people) == told {
		t.Errorf("silent a second time: %+v", after)
	}
}

// TestDeadlines: at half time the person is reminded, at the end of it a suspicion is told, and when nothing of it can come
// any more the episode closes quietly. However often the schedule runs, each is once.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "allServices")
	w.pass(2, true)
	w.alarm("1")
	asked := w.messages(people)
	w.pass(29, true)
	if n := w.messages(people) - asked; n != 0 {
		t.Errorf("%d messages before half time", n)
	}
	w.pass(2, true)
	if n, steps := w.messages(people)-asked, w.facts(record.Case, "event"); n != 1 || steps["reminded"] != 1 {
		t.Errorf("%d messages at half time, %v", n, steps)
	}
	w.pass(28, true)
	if told := w.Published(episode.TopicSuspicion); len(told) != 0 {
		t.Errorf("a suspicion too early: %v", told)
	}
	w.pass(2, true)
	w.tick()
	var told episode.Suspicion
	published := w.Published(episode.TopicSuspicion)
	if len(published) != 1 || json.Unmarshal(published[0].Message.Data, &told) != nil || told.Why != episode.BySilence || told.Person != "emma" {
		t.Errorf("suspicions: %v", published)
	}
	messages := w.messages(people)
	w.pass(30, true)
	all := w.episodes(episode.Violation)
	if len(all) != 1 || all[0].State != episode.Escalated || all[0].Closed.IsZero() || !all[0].Open || w.messages(people) != messages {
		t.Errorf("in the end: %+v, %d messages more", all, w.messages(people)-messages)
	}
	if steps := w.facts(record.Case, "event"); steps["reminded"] != 1 || steps["suspicion"] != 1 || steps["closed"] != 1 {
		t.Errorf("steps: %v", steps)
	}
}

// TestBeats: every rule that keeps a promise, and the watch itself, says once in each quarter of an hour that it looked, on
// whatever instance; from the first marker on, and not before.
func TestBeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "allServices")
	if got := w.tick(); got != 204 || len(w.Records(t)) != 0 {
		t.Errorf("answered %d; before a marker came: %v", got, w.Records(t))
	}
	w.pass(3, true) // 08:58
	w.Restart()
	w.build()
	w.carried = 0
	w.pass(33, true) // 09:31
	runs := map[string][]int64{}
	for _, r := range w.Records(t) {
		if r.Kind != record.Run {
			continue
		}
		runs[r.Control] = append(runs[r.Control], r.Run)
		if r.Result.State != record.Kept || r.Population == nil || r.Population.Seen != 1 || r.Population.Expected != 1 {
			t.Errorf("%s: %+v %+v", r.Control, r.Result, r.Population)
		}
	}
	checks := []string{episode.Control}
	set, _ := rule.Load(w.Policy)
	for _, p := range w.Policy.Promises {
		for _, k := range p.KeptBy {
			for _, name := range k.Refs {
				if _, known := set.Rule(name); known && k.Mechanism == policy.Rule {
					checks = append(checks, name)
				}
			}
		}
	}
	slices.Sort(checks)
	if beat := slices.Sorted(maps.Keys(runs)); !slices.Equal(beat, slices.Compact(checks)) || len(beat) < 10 {
		t.Errorf("these checks beat: %v\nwant %v", beat, checks)
	}
	for check, numbers := range runs {
		slices.Sort(numbers)
		if !slices.Equal(numbers, []int64{1, 2, 3, 4}) {
			t.Errorf("%s beat %v", check, numbers)
		}
	}
}
