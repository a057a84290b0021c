package acceptdrift

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/drift/internal/page"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/scan"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/fault"
)

// cloud is what there is on Google Cloud: a database of which nobody read how it is reached.
type cloud struct{ refused bool }

func (c *cloud) Scopes() []string { return []string{"projects/sharedcontacts-live"} }
func (c *cloud) Close() error     { return nil }
func (c *cloud) List(_ context.Context, _ string, what asset.Content, _ []string, _ string) (asset.Page, error) {
	if c.refused && what == asset.Policies {
		return asset.Page{}, fault.New(fault.Denied, "no")
	}
	p := asset.Page{Read: time.Now()}
	if what == asset.Resources {
		p.Assets = []asset.Asset{{Key: database, Type: "sqladmin.googleapis.com/Instance", Project: "sharedcontacts-live", Data: asset.Object{"name": "canary-main"}, Read: p.Read}}
	}
	return p, nil
}
func (c *cloud) Get(_ context.Context, kind, key string) (asset.Asset, error) {
	return asset.Asset{}, fault.New(fault.NotFound, "none")
}

// state is one of Terraform's; without a text it cannot be read.
type state string

func (s state) Close() error { return nil }
func (s state) Open(context.Context) (diff.State, error) {
	if s == "" {
		return diff.State{}, fault.New(fault.Denied, "no")
	}
	return diff.State{Data: io.NopCloser(strings.NewReader(string(s))), Version: "1"}, nil
}

// looked has everything looked at once.
func looked(t testing.TB, w *functiontest.World, c *cloud, states ...diff.Source) {
	t.Helper()
	d := w.Deps("acceptdrift")
	set, problems := baseline.Load(d.Policy)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s, err := scan.New(scan.Config{Store: d.Store, Clock: d.Clock, Log: slog.New(slog.DiscardHandler), Sources: []asset.Source{c}, States: states, Named: []string{"gs://canary-state/live.tfstate"}, Set: set.Promised(), Findings: service(t, w), Pause: -1})
	if err == nil {
		err = s.Run(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

const strange = `{"version":4,"resources":[{"mode":"managed","type":"google_strange_thing","name":"s","provider":"p","instances":[{"attributes":{"a":1}}]},
	{"mode":"managed","type":"google_storage_bucket","name":"n","provider":"p","instances":[{"attributes":{"project":"x"}}]}]}`

// status: what could not be read, what nobody can tell and what nobody compares stands on the page, in words, and in the interface for programs;
// while there is any the page does not say in green that nothing is out of order.
func status(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	text := func() string {
		return string(w.Call(t, functiontest.Request{Method: "GET", Path: "/acceptdrift/", Token: w.Staff(aurel)}).Body)
	}
	var s Status
	do(t, w, aurel, "GET", "/status", nil, 200, "").Decode(t, &s)
	if !s.Late || !s.Began.IsZero() || strings.Contains(text(), `class="said good"`) {
		t.Errorf("before the first look: %+v", s)
	}
	looked(t, w, &cloud{refused: true}, state(""), state(strange))
	do(t, w, aurel, "GET", "/status", nil, 200, "").Decode(t, &s)
	if s.Late || len(s.Places) != 2 || len(s.States) != 2 || s.States[0].Failed != "denied" || !s.States[0].Unknown || s.States[0].Name != "gs://canary-state/live.tfstate" || len(s.Gaps) != 0 {
		t.Errorf("%+v", s)
	}
	for _, one := range s.Assertions {
		if one.Undetermined > 0 && len(one.Untold) == 0 {
			t.Errorf("nobody says why %s could not tell", one.Assertion)
		}
	}
	shown := text()
	for _, want := range []string{"projects/sharedcontacts-live (iam)", "access is refused", "gs://canary-state/live.tfstate", "Nobody can tell whether anything is as Terraform wants it.", "Nobody can tell (", "database-exposure"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(shown, `class="said good"`) {
		t.Error("in green, nothing is out of order")
	}
	w = functiontest.New(t, setup)
	looked(t, w, &cloud{}, state(strange))
	do(t, w, aurel, "GET", "/status", nil, 200, "").Decode(t, &s)
	if len(s.Gaps) != 1 || s.Gaps[0].Type != "google_strange_thing" || len(s.Doubts) != 1 || s.Doubts[0].Why != diff.Unnamed {
		t.Errorf("%+v", s)
	}
	if shown = text(); !strings.Contains(shown, "<code>google_strange_thing (1)</code>") || !strings.Contains(shown, "<bdi>google_storage_bucket.n</bdi>: Terraform does not say what it is about.") {
		t.Errorf("the page says nothing of gaps and doubts")
	}
	answered.Saw(w.Call(t, call(w, omkar, "GET", "/status", nil))).Want(t, 200, "")
}

// TestWords: whatever may stand in a finding, or in what is known, has words in each language.
func TestWords(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, what := range finding.AllHappened() {
		keys = append(keys, "step."+string(what))
	}
	for _, state := range finding.States() {
		keys = append(keys, "state."+string(state))
	}
	for _, class := range []diff.Class{diff.Changed, diff.Missing, diff.Unmanaged, diff.Extra, diff.StaleDesired, self.Drift, finding.Forbidden} {
		keys = append(keys, "class."+string(class))
	}
	for _, word := range []string{scan.NoField, scan.NoType, scan.NoAsset, scan.NoPlace, scan.NoMembers, scan.Behind, scan.Unread, scan.Old, scan.NoReason} {
		keys = append(keys, "untold."+word)
	}
	for _, word := range []string{diff.Unnamed, diff.Unlisted, diff.Unread, diff.UsersUnread, diff.Shape} {
		keys = append(keys, "doubt."+word)
	}
	for _, kind := range []fault.Kind{fault.Invalid, fault.Denied, fault.NotFound, fault.Conflict, fault.Exhausted, fault.Transient, fault.Misconfigured} {
		keys = append(keys, why(string(kind)))
	}
	pages := page.New("acceptdrift")
	for _, key := range append(keys, scan.Controls, scan.Changes, why(diff.TooLong), why(scan.StateEmpty)) {
		for _, language := range []string{"en", "fr", "de"} {
			if pages.Text(language, key) == "" {
				t.Errorf("no words for %s in %s", key, language)
			}
		}
	}
	if limit := strconv.Itoa(scan.StatesMost >> 20); !strings.Contains(pages.Text("en", why(diff.TooLong)), limit+" MiB") {
		t.Errorf("it is not said that %s MiB are the limit", limit)
	}
}
