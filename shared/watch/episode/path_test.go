package episode

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/notice"
	"ostiary.internal/shared/watch/rule"
)

func (w *world) marker() {
	w.t.Helper()
	value, err := w.NewMarker(w.t.Context(), w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := auditlog.Decode(Marker("firm", w.now(), value), auditlog.Mapping{})
	if err != nil || len(all) != 1 {
		w.t.Fatal(err, all)
	}
	if out := w.ingest(all[0]); !out.Heartbeat {
		w.t.Fatalf("%+v", out)
	}
}

// Silence is one alarm, and a schedule that stood still hears none.
func TestSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	run := func(from, to time.Duration, markers bool) {
		for at := from; at <= to; at += time.Minute {
			w.to(at)
			if markers && at%HeartbeatInterval == 0 {
				w.marker()
			}
			w.tick()
		}
	}
	run(0, time.Hour, true)
	w.to(5 * time.Hour)
	run(5*time.Hour, 5*time.Hour+15*minutes, false)
	if w.alarms() != 0 {
		t.Errorf("%d alarms", w.alarms())
	}
	run(5*time.Hour+16*minutes, 6*time.Hour, false)
	if w.alarms() != 1 {
		t.Errorf("silence: %d alarms", w.alarms())
	}
	if v := w.only(); v.Kind != Silence || v.Rule != SilenceRule || v.State != Told || !w.said("Nothing comes from the logs") {
		t.Errorf("%+v", v.Episode)
	}
	run(6*time.Hour+minutes, 8*time.Hour, true)
	if w.alarms() != 1 {
		t.Errorf("%d alarms", w.alarms())
	}
}

// said returns whether a message of an alarm holds some words.
func (w *world) said(words string) bool {
	for _, n := range w.told {
		if n.Kind == notice.Alarm && strings.Contains(n.Why, words) {
			return true
		}
	}
	return false
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	for _, text := range []string{"a", "a", "b"} {
		if err := w.Unreadable(t.Context(), record.Digest([]byte(text)), "malformed", w.now()); err != nil {
			t.Fatal(err)
		}
	}
	v := w.only()
	if n, to := w.notices(notice.Alarm); n != 1 || titles(to) != "oli sam sue" || v.Kind != Unreadable || len(v.Members) != 2 || v.Members[0].Detail.Why != "malformed" || !w.said("could not be read") {
		t.Errorf("%d %v %+v", n, to, v)
	}
}

// A rule that could not tell is an alarm of its own kind, and makes its promise unknown.
func TestUndetermined(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"one": ruled("act", "when: listed", "justify: actor")})
	w.ingest(act("e1", "act", "ada", 0))
	if v := w.only(); v.Kind != Undetermined || v.State != Told || v.Members[0].Detail.Why == "" || !w.said("could not be told whether this happened, or what of it is new: act was seen.") {
		t.Errorf("%+v", v)
	}
	for _, r := range w.order {
		if r.Kind == record.Finding && r.Result.State != record.Unknown {
			t.Errorf("%+v", r)
		}
	}
}

func TestDerived(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	parse := func(text string) auditlog.Entry {
		all, err := auditlog.Decode([]byte(text), auditlog.Mapping{})
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	suspended := parse(`{"logName":"organizations/1/logs/cloudaudit.googleapis.com%2Factivity","insertId":"1","timestamp":"2026-03-03T11:59:00Z","protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",
		"serviceName":"admin.googleapis.com","methodName":"google.admin.AdminService.suspendUser","authenticationInfo":{"principalEmail":"sam@firm.example"},
		"metadata":{"event":[{"eventName":"SUSPEND_USER","parameter":[{"name":"USER_EMAIL","value":"Bob@firm.example"}]}]}}}`)
	changed := `{"logName":"projects/firm/logs/cloudaudit.googleapis.com%2Factivity","insertId":"2","timestamp":"2026-03-03T11:59:00Z","protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",
		"serviceName":"compute.googleapis.com","methodName":"v1.compute.firewalls.insert","resourceName":"projects/firm/global/firewalls/f","authenticationInfo":{"principalEmail":"sam@firm.example"}STATUS}}`
	w.ingest(suspended)
	w.ingest(parse(strings.Replace(changed, "STATUS", "", 1)))
	w.ingest(parse(strings.Replace(changed, "STATUS", `,"status":{"code":7}`, 1)))
	w.ingest(parse(strings.Replace(strings.Replace(changed, "STATUS", "", 1), "compute.", "other.", 1)))
	if len(w.published) != 2 {
		t.Fatalf("%v", w.published)
	}
	for _, m := range w.published {
		topic, data, _ := strings.Cut(m, " ")
		switch topic {
		case TopicSuspended:
			var s Suspended
			if err := json.Unmarshal([]byte(data), &s); err != nil || s.Person != "bob" || !s.At.Equal(noon.Add(-minutes)) || strings.Contains(data, "@") {
				t.Error(m)
			}
		case TopicChanged:
			var c Changed
			if err := json.Unmarshal([]byte(data), &c); err != nil || c.Asset != "//compute.googleapis.com/projects/firm/global/firewalls/f" {
				t.Error(m)
			}
		}
	}
	// Nothing of it touched the store.
	w.left = 1
	w.ingest(suspended)
}

// The states of promises follow: kept while the rule runs and nothing is open, broken while an episode is not explained,
// unknown when nothing comes through, or nobody looks.
func TestPromises(t *testing.T) {
	t.Parallel()
	rules := map[string]string{"one": rulesOne["one"], "none": rulesOne["none"], "other": ruled("open", "", "justify: actor")}
	w := newWorld(t, rules)
	heart := heartbeat.New(heartbeat.Config{Store: w.Store, Box: w.Box})
	states := func() (string, string, string) {
		l := promise.NewLedger(promise.NewRegister(w.Policy, nil))
		for i, r := range w.order {
			if err := l.Add(int64(i), r); err != nil {
				t.Fatal(err)
			}
		}
		sealed := record.New(record.Run, promise.LogControl, "the log lives")
		sealed.Run, sealed.Source.Collected = 1, w.now()
		if err := l.Add(int64(len(w.order)), sealed); err != nil {
			t.Fatal(err)
		}
		say := func(id string) string { return string(promise.State(l, id, w.now()).State) }
		return say("P1"), say("P2"), say("P3")
	}
	want := func(when, p1, p2, p3 string) {
		t.Helper()
		if a, b, c := states(); a != p1 || b != p2 || c != p3 {
			t.Errorf("%s: %s %s %s, want %s %s %s", when, a, b, c, p1, p2, p3)
		}
	}
	var blind []rule.Need
	at := time.Duration(0)
	pass := func(quarters int, markers bool) {
		t.Helper()
		for range 15 * quarters {
			at += time.Minute
			w.to(at)
			if markers && at%(5*time.Minute) == 0 {
				w.marker()
			}
			w.tick()
			if ready, err := w.Listened(t.Context(), w.now()); err != nil || !ready {
				if at > 5*minutes {
					t.Errorf("after %s: %v, %v", at, ready, err)
				}
				continue
			}
			if err := heart.Beat(t.Context(), w.now(), func(ctx context.Context) ([]heartbeat.Beat, error) { return w.Look(ctx, blind, w.now()) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	want("before anything ran", "unknown", "unknown", "unknown")
	pass(1, true)
	want("while it runs", "kept", "kept", "kept")
	w.ingest(act("e1", "act", "ada", at))
	want("with an open episode", "broken", "kept", "kept")
	pass(2, true)
	want("and later", "broken", "kept", "kept")
	id := w.only().ID
	_, _ = w.answer(id, "ada", support)
	want("answered", "broken", "kept", "kept")
	_, _ = w.review(id, "mia", Accept)
	want("explained", "kept", "kept", "kept")
	blind = []rule.Need{{Service: "app", Rules: []string{"other"}}}
	pass(1, true)
	want("with a stream off", "kept", "unknown", "kept")
	blind = nil
	pass(3, false)
	want("when nothing comes through", "unknown", "unknown", "unknown")
	pass(2, true)
	want("when it comes again", "kept", "kept", "kept")
	w.to(at + 40*minutes)
	want("when nobody looks", "unknown", "unknown", "unknown")
}
