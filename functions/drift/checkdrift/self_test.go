package checkdrift

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/drift/self/selftest"
)

// says is what a deployment into the project that is looked at says of itself.
func says(t *testing.T) string {
	t.Helper()
	d := self.Deployed{V: 1, Project: "sharedcontacts-live", Region: "europe-west1", Code: map[string]string{}, Values: map[string]map[string]string{}, Watched: []string{"sharedcontacts-live"}, Need: `log_id("x")`, Locked: []string{"inbox"}}
	var all []self.Function
	if err := json.Unmarshal(released, &all); err != nil || len(all) < 20 {
		t.Fatal(len(all), err)
	}
	for _, f := range all {
		d.Code[f.Name], d.Values[f.Name] = "sha256:"+f.Name, selftest.Values(f)
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(text); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes())
}

// own are the findings about the controls themselves.
func (w *world) own() (all []string) {
	w.t.Helper()
	for _, state := range finding.States() {
		some, _, err := w.parts().Findings.List(w.t.Context(), state, nil, 100)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range some {
			if f.Class == string(self.Drift) {
				all = append(all, strings.Join([]string{asset.Base(f.Asset), f.What, string(state), string(f.Severity)}, " "))
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestItself: all functions of the house are looked at as they were released; who opens one to everybody is found within the minute, and
// who stops this very one by its schedule as soon as it stands.
func TestItself(t *testing.T) {
	t.Parallel()
	setup := setup(t.Name())
	setup.Env[EnvSelf] = says(t)
	w := newWorldOf(t, setup)
	e, err := self.Expect(released, setup.Env[EnvSelf])
	if err != nil {
		t.Fatal(err)
	}
	things := selftest.Deployed(*e)
	for key, a := range things {
		w.cloud.things[key] = *a
	}
	w.tick(3)
	if got := w.own(); len(got) > 0 {
		t.Fatalf("as released: %q", got)
	}
	change := func(key string, edit func(*asset.Asset)) {
		w.cloud.mu.Lock()
		a := w.cloud.things[key]
		edit(&a)
		w.cloud.things[key] = a
		w.cloud.mu.Unlock()
		told := fmt.Sprintf(`{"asset":{"name":%q,"assetType":%q},"window":{"startTime":%q}}`, key, a.Type, w.Clock.Now().Format(time.RFC3339Nano))
		w.push(TopicFeed, told).Want(t, 204, "")
	}
	change("//run.googleapis.com/projects/sharedcontacts-live/locations/europe-west1/services/checkdrift", func(a *asset.Asset) { a.IAM.Grant("roles/run.invoker", "", "allUsers") })
	change("//cloudscheduler.googleapis.com/projects/sharedcontacts-live/locations/europe-west1/jobs/checkdrift-0", func(a *asset.Asset) {
		a.Data = asset.Object{"state": "PAUSED", "schedule": "* * * * *", "httpTarget": a.Data["httpTarget"]}
	})
	if got, want := w.own(), []string{"checkdrift self-drift iam open critical", "checkdrift-0 self-drift state settling critical"}; !slices.Equal(got, want) {
		t.Fatalf("within the minute: %q", got)
	}
	w.tick(3)
	if got, want := w.own(), []string{"checkdrift self-drift iam open critical", "checkdrift-0 self-drift state open critical"}; !slices.Equal(got, want) {
		t.Errorf("it stands: %q", got)
	}
	if len(w.Published("message.requested")) == 0 {
		t.Error("nobody is told")
	}
}
