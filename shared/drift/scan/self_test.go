package scan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/drift/self/selftest"
	"ostiary.internal/shared/platform/fault"
)

const (
	job   = "cloudscheduler.googleapis.com/Job"
	topic = "pubsub.googleapis.com/Topic"
)

// released is one function with a schedule, and the log of its project.
func released(t testing.TB) *self.Expected {
	t.Helper()
	f, err := self.Read([]byte(`{"name":"look","callers":"machine","triggers":[{"kind":"schedule","cron":"* * * * *"}],"permissions":[{"permission":"pubsub.topics.publish","resource":"topic:t"}],"environment":[],"publishes":["t"]}`))
	if err != nil {
		t.Fatal(err)
	}
	return &self.Expected{Project: "live", Region: "europe-west1", Functions: []self.Function{f}, Code: map[string]string{"look": "sha256:1"}, Values: map[string]map[string]string{"look": selftest.Values(f)}, Watched: []string{"live"}, Need: `log_id("x")`}
}

// made is what was released, as it is deployed.
func made(t testing.TB) map[string]*asset.Asset { return selftest.Deployed(*released(t)) }

// newReleased is a world in which the controls themselves are looked at.
func newReleased(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	for _, a := range made(t) {
		w.cloud.set(*a)
	}
	w.self = released(t)
	w.restart()
	return w
}

// thing is one of them, for a change.
func (w *world) thing(kind, base string) asset.Asset {
	w.t.Helper()
	for _, a := range made(w.t) {
		if a.Type == kind && asset.Base(a.Key) == base {
			return *a
		}
	}
	w.t.Fatal(kind, base)
	return asset.Asset{}
}

// TestControlsAtNight: what is changed of the controls themselves is found by the list, grave, and healed by the next.
func TestControlsAtNight(t *testing.T) {
	t.Parallel()
	w := newReleased(t)
	w.ticks(4)
	w.want("as released")
	if s, err := w.Status(t.Context()); err != nil || slices.ContainsFunc(s.Places, func(p Place) bool { return p.Place == Controls }) {
		t.Errorf("all could be told: %+v %v", s, err)
	}
	paused := w.thing(job, "look-0")
	paused.Data["state"] = "PAUSED"
	w.cloud.set(paused)
	w.cloud.drop(w.thing(topic, "t").Key)
	w.pass(24 * time.Hour)
	w.ticks(4)
	w.want("paused, and a topic is gone", "look-0 self-drift state open", "t self-drift open")
	all, _, err := w.found.List(t.Context(), "open", nil, 10)
	if err != nil || len(all) != 2 || all[0].Severity != "critical" || all[0].Class != string(self.Drift) {
		t.Errorf("%+v %v", all, err)
	}
	for _, a := range made(w.t) {
		w.cloud.set(*a)
	}
	w.pass(24 * time.Hour)
	w.ticks(2)
	w.want("put right", "look-0 self-drift state healed", "t self-drift healed")
}

// TestControlsWithinTheMinute: a change of one of the controls is judged as soon as somebody tells of it, whatever it is a change of;
// how something of theirs is called by the log is enough.
func TestControlsWithinTheMinute(t *testing.T) {
	t.Parallel()
	w := newReleased(t)
	w.ticks(2)
	for _, c := range []struct {
		kind, base string
		change     func(a *asset.Asset)
		want       string
	}{
		{"run.googleapis.com/Service", "look", func(a *asset.Asset) { a.IAM.Grant("roles/run.invoker", "", "allUsers") }, "look self-drift iam open"},
		{sink, "ostiary-watch", func(a *asset.Asset) { a.Data["disabled"] = true }, "ostiary-watch self-drift filter open"},
		{job, "look-0", func(a *asset.Asset) { a.Data["state"] = "PAUSED" }, "look-0 self-drift state settling"},
		{"iam.googleapis.com/Role", "ostiary.look.topic_t", func(a *asset.Asset) { a.Data["includedPermissions"] = []any{"pubsub.topics.delete"} }, "ostiary.look.topic_t self-drift includedPermissions settling"},
		{"iam.googleapis.com/ServiceAccount", "fn-look@live.iam.gserviceaccount.com", func(a *asset.Asset) { a.Data["disabled"] = true }, "fn-look@live.iam.gserviceaccount.com self-drift disabled settling"},
		{topic, "audit.entries", func(a *asset.Asset) { a.IAM = &asset.Policy{} }, "audit.entries self-drift iam open"},
		{"cloudresourcemanager.googleapis.com/Project", "live", func(a *asset.Asset) {
			a.IAM.Grant("roles/editor", "", "serviceAccount:fn-look@live.iam.gserviceaccount.com")
		}, "live self-drift iam open"},
	} {
		a := w.thing(c.kind, c.base)
		c.change(&a)
		w.cloud.set(a)
		w.pass(time.Second)
		if err := w.Look(t.Context(), "", a.Key); err != nil {
			t.Fatal(c.base, err)
		}
		if got := w.findings(); !slices.Contains(got, c.want) {
			t.Errorf("%s: %q lacks %q", c.base, got, c.want)
		}
		w.cloud.set(w.thing(c.kind, c.base))
		w.pass(time.Second)
		if err := w.Look(t.Context(), "", a.Key); err != nil {
			t.Fatal(c.base, err)
		}
		for _, line := range w.findings() {
			if !strings.HasSuffix(line, " healed") {
				t.Errorf("%s: put right, and there is %q", c.base, line)
			}
		}
	}
	gone := w.thing(job, "look-0")
	w.cloud.drop(gone.Key)
	w.pass(time.Second)
	if err := w.Look(t.Context(), "", gone.Key); err != nil {
		t.Fatal(err)
	}
	if got := w.findings(); !slices.Contains(got, "look-0 self-drift settling") {
		t.Errorf("gone: %q", got)
	}
}

// TestControlsUnread: what cannot be read of the controls is neither in order nor healed, and is named; where nobody lists their
// project, or nobody says what was released, nothing is found.
func TestControlsUnread(t *testing.T) {
	t.Parallel()
	w := newReleased(t)
	paused := w.thing(job, "look-0")
	paused.Data["state"] = "PAUSED"
	w.cloud.set(paused)
	w.ticks(4)
	w.want("found", "look-0 self-drift state open")
	unsaid := func() []string {
		s, err := w.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(s.Places, func(p Place) bool { return p.Place == Controls })
		if at < 0 {
			return nil
		}
		return s.Places[at].Unread
	}
	w.cloud.unread = map[string][]string{"projects/live resource": {job + ": the inventory has no list of it"}}
	w.cloud.hide(job, true)
	w.cloud.fail(paused.Key, denied)
	w.pass(24 * time.Hour)
	w.ticks(3)
	w.want("schedules are listed no more", "look-0 self-drift state open unknown")
	if got := unsaid(); len(got) != 1 || !strings.HasPrefix(got[0], job+": ") {
		t.Errorf("nobody can tell of: %q", got)
	}
	w.cloud.unread = nil
	w.cloud.hide(job, false)
	w.cloud.fail(paused.Key, nil)
	w.cloud.fail("projects/live", denied)
	w.pass(24 * time.Hour)
	w.ticks(2)
	w.want("the project is refused", "look-0 self-drift state open unknown")
	if got := unsaid(); len(got) == 0 {
		t.Error("a project that may not be listed is not named")
	}
	other := newReleased(t)
	other.self.Project = "elsewhere"
	other.restart()
	other.ticks(3)
	other.want("nobody lists their project")
	w = other
	if got := unsaid(); len(got) != 1 {
		t.Errorf("nobody lists their project: %q", got)
	}
	if err := w.Look(t.Context(), job, paused.Key); err != nil || fault.KindOf(err) != "" {
		t.Error(err)
	}
	w.want("nor of one")
	quiet := newWorld(t)
	quiet.ticks(3)
	quiet.want("nobody says what was released")
}

// TestLogged: who changed something is asked of a log only where its sinks let it through to where it is read.
func TestLogged(t *testing.T) {
	t.Parallel()
	w := newReleased(t)
	w.cloud.set(door("live", "b", "0.0.0.0/0"))
	all := w.thing(sink, "ostiary-watch")
	all.Data["filter"] = `log_id("x") OR (log_id("cloudaudit.googleapis.com/activity") AND protoPayload.serviceName="compute.googleapis.com")`
	w.cloud.set(all)
	hint := func(h string) {
		if err := w.Hint(t.Context(), attribution.Hint{Asset: door("live", h, "").Key, Kind: "service", Entry: h, At: w.clock.Now().Add(-30 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	hint("somewhere else")
	w.ticks(4)
	why := func(what string) (all []string) {
		found, _, err := w.found.List(t.Context(), "open", nil, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			for _, a := range f.Actors {
				if f.What == what {
					all = append(all, a.Why)
				}
			}
		}
		return all
	}
	if got := why("doors"); len(got) != 1 || got[0] == attribution.StreamOff {
		t.Errorf("the log arrives: %q", got)
	}
	other := newReleased(t)
	other.cloud.set(door("live", "b", "0.0.0.0/0"))
	w = other
	hint("somewhere else")
	w.ticks(4)
	if got := why("doors"); !slices.Equal(got, []string{attribution.StreamOff}) {
		t.Errorf("the log does not arrive: %q", got)
	}
}
