package cloudtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2"

	"ostiary.internal/functions/breach/deliver"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/watch/justify"
	"ostiary.internal/functions/watch/watchaudit"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/episode"
	"ostiary.internal/shared/watch/rule"
)

// watch are the functions that judge entries, send the alarms and take the explanations.
var watch = []wiring.Function{watchaudit.Function, justify.Function, deliver.Function}

const (
	marc   = "marc.petit@sharedcontacts.example"
	stefan = "stefan.weber@sharedcontacts.example"
)

// granted is an entry by which somebody was given a role.
func granted(id, by, member string, at time.Time) string {
	return fmt.Sprintf(`{"insertId":%q,"logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,"protoPayload":{
		"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"cloudresourcemanager.googleapis.com","methodName":"SetIamPolicy",
		"resourceName":"projects/sharedcontacts-live","status":{},"authenticationInfo":{"principalEmail":%q},"requestMetadata":{"callerIp":"81.2.69.193"},
		"serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/viewer","member":"user:%s"}]}}}}`, id, at.Format(time.RFC3339Nano), by, member)
}

// written publishes entries as a log sink does, and waits until Pub/Sub has them.
func (w *world) written(entries ...string) {
	w.Helper()
	topic := w.bus.Publisher(w.path("topics", watchaudit.TopicEntries))
	defer topic.Stop()
	var sent []*pubsub.PublishResult
	for _, e := range entries {
		sent = append(sent, topic.Publish(w.Context(), &pubsub.Message{Data: []byte(e), Attributes: map[string]string{"logging.googleapis.com/timestamp": w.clock.Now().Format(time.RFC3339)}}))
	}
	for _, s := range sent {
		_, err := s.Get(w.Context())
		must(w.T, err)
	}
}

// episodes are those of the watch's database.
func (w *world) episodes() []episode.Episode {
	w.Helper()
	all, err := store.Find[episode.Episode](w.deps["watchaudit"].Store.Query(w.Context(), store.Query{Collection: episode.Episodes, Limit: store.MaxQueryResults}))
	must(w.T, err)
	return all
}

// TestAlarm is one alarm, from the log to the review: published on the sink's topic, judged, mailed, explained by the
// person, refused as her own review, and reviewed by her manager.
func TestAlarm(t *testing.T) {
	w := deploy(t, watch)
	entry := granted("1", emma, "stranger@example.net", w.clock.Now())
	w.written(entry, entry, granted("2", emma, "stranger@example.net", w.clock.Now().Add(-time.Minute)))
	w.eventually("she is asked by mail", func() bool { return len(w.post.to(emma)) > 0 })
	// The older entry may come last: after her answer it would be another question.
	w.eventually("both entries are in", func() bool {
		members, err := w.deps["watchaudit"].Store.Query(w.Context(), store.Query{Collection: "episode_members", Limit: store.MaxQueryResults})
		return err == nil && len(members) == 2
	})
	all := w.episodes()
	if len(all) != 1 {
		t.Fatalf("%d episodes: %+v", len(all), all)
	}
	link := site + "/justify/" + all[0].ID
	// The mail may break its lines where quoted-printable does.
	if mail := strings.ReplaceAll(strings.ReplaceAll(w.post.to(emma)[0], "=\r\n", ""), "=3D", "="); !strings.Contains(mail, link) {
		t.Errorf("the mail lacks %s:\n%s", link, mail)
	}
	path := strings.TrimPrefix(link, site+"/justify/")
	answer := func(who string, what, value string) reply {
		t.Helper()
		body := map[string]string{"reason": "mistake", "ticket": "SUP-7"}
		if what == "review" {
			body = map[string]string{"verdict": value}
		}
		return w.call(http.MethodPost, "/justify/v1/episodes/"+path+"/"+what, body, w.as(who)...)
	}
	if got := answer(emma, "answer", ""); got.status != http.StatusOK || got.text("state") != "answered" {
		t.Fatalf("explaining: %+v", got)
	}
	if got := answer(emma, "review", "accepted"); got.status != http.StatusForbidden || got.text("code") != "review_self" {
		t.Errorf("reviewing her own: %+v", got)
	}
	w.eventually("security reads that it waits for a review", func() bool { return len(w.post.to(stefan)) == 2 })
	if got := answer(marc, "review", "accepted"); got.status != http.StatusOK || got.text("state") != "accepted" {
		t.Errorf("reviewing: %+v", got)
	}
	w.settled("watchaudit", "deliver")
	if n := len(w.post.to(emma)); n != 1 {
		t.Errorf("%d mails to her", n)
	}
	seen := map[string]int{}
	for _, r := range w.records(emma, "Dubois", "81.2.69.193", "stranger", "SUP-7") {
		if r.Control == episode.Control {
			seen[string(r.Kind)+" "+r.Facts["event"]]++
		}
	}
	if seen[string(record.Finding)+" alarm"] != 1 || seen[string(record.Case)+" answered"] != 1 || seen[string(record.Review)+" accepted"] != 1 {
		t.Errorf("records: %v", seen)
	}
}

// TestTwentyEpisodes: what twenty people do, shuffled and doubled, comes to the alarms of somebody who reads it once, in
// order.
func TestTwentyEpisodes(t *testing.T) {
	for seed := range min(require.Seeds(1), 20) {
		r := rand.New(rand.NewPCG(uint64(seed), 20))
		w := deploy(t, watch[:1])
		var all []string
		for who := range 20 {
			for i := range 1 + r.IntN(3) {
				at := w.clock.Now().Add(-time.Duration(r.IntN(590)) * time.Second)
				all = append(all, granted(fmt.Sprint(who, "-", i), fmt.Sprintf("p%02d@sharedcontacts.example", who), "stranger@example.net", at))
			}
			all = append(all, granted(fmt.Sprint(who, "-fine"), fmt.Sprintf("p%02d@sharedcontacts.example", who), marc, w.clock.Now()))
		}
		want := w.oracle(all)
		if len(want) < 20 {
			t.Fatalf("seed %d: the oracle knows %d alarms", seed, len(want))
		}
		for _, e := range slices.Clone(all) {
			if r.IntN(3) == 0 {
				all = append(all, e)
			}
		}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		w.written(all...)
		var got map[string]int
		w.eventually("all entries are judged", func() bool {
			got = w.alarms()
			return len(got) >= len(want) && total(got) >= total(want)
		})
		if !maps.Equal(got, want) {
			t.Errorf("seed %d: alarms by rule and group\n%v\nwant\n%v", seed, got, want)
		}
		findings := 0
		w.eventually("each alarm has its record", func() bool {
			findings = 0
			for _, rec := range w.records() {
				if rec.Kind == record.Finding {
					findings++
				}
			}
			return findings >= len(want)
		})
		if findings != len(want) {
			t.Errorf("seed %d: %d findings of %d alarms", seed, findings, len(want))
		}
		if dead := w.pull("dead"); len(dead) > 0 {
			t.Errorf("seed %d: %d messages were given up", seed, len(dead))
		}
	}
}

func total(alarms map[string]int) (n int) {
	for _, members := range alarms {
		n += members
	}
	return n
}

// oracle reads entries once, in order of event time, and counts the hits of each rule and group. They all lie within
// minutes: one group is one run.
func (w *world) oracle(texts []string) map[string]int {
	w.Helper()
	set, _ := rule.Load(w.deps["watchaudit"].Policy)
	set = set.Only(func(r rule.Rule) bool { return !r.AsksList() }) // everybody comes from a fixed site
	var all []auditlog.Entry
	for _, text := range texts {
		some, err := auditlog.Decode([]byte(text))
		must(w.T, err)
		all = append(all, some...)
	}
	slices.SortStableFunc(all, func(a, b auditlog.Entry) int { return a.Time.Compare(b.Time) })
	memory, alarms := rule.NewLocal(), map[string]int{}
	for i := range all {
		hits, err := set.Evaluate(w.Context(), &all[i], memory, all[i].Time)
		must(w.T, err)
		for _, h := range hits {
			alarms[h.Rule+" "+h.Key]++
		}
	}
	return alarms
}

// alarms counts the members of the alarms there are, by rule and group.
func (w *world) alarms() map[string]int {
	w.Helper()
	alarms := map[string]int{}
	for _, e := range w.episodes() {
		docs, err := w.deps["watchaudit"].Store.Query(w.Context(), store.Query{Collection: "episode_members", Equal: []store.Field{{Name: "episode", Value: e.ID}},
			Range: &store.Range{Name: "at"}, Limit: store.MaxQueryResults})
		must(w.T, err)
		if _, doubled := alarms[e.Rule+" "+e.Key]; doubled {
			w.Errorf("two alarms of %s %s", e.Rule, e.Key)
		}
		alarms[e.Rule+" "+e.Key] += len(docs)
	}
	return alarms
}
