package driftwalk

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/drift/acceptdrift"
	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/finding/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/policy"
)

var stage walktest.Stage

func TestMain(m *testing.M) { os.Exit(stage.Run(m, walktest.Servers)) }

// Things that are out of order.
const (
	database = "//cloudsql.googleapis.com/projects/sharedcontacts-live/instances/support"
	firewall = "//compute.googleapis.com/projects/sharedcontacts-live/global/firewalls/web"
	bucket   = "//storage.googleapis.com/sharedcontacts-files-europe-west1"
	project  = "//cloudresourcemanager.googleapis.com/projects/sharedcontacts-live"
	// hostile is named by somebody who hopes that it is run, read as another line, or breaks the page.
	hostile = "//storage.googleapis.com/<img src=x onerror=alert(1)>\u202etxt.exe-Donaudampfschifffahrtsgesellschaftskapitänsmützenaufbewahrungsbehälter'\"&amp;{{.}}"
)

// world is a company in which things are out of order, and a way in for each of its people.
type world struct {
	*functiontest.World
	t       *testing.T
	handler http.Handler
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, World: functiontest.New(t, functiontest.Setup{Functions: []wiring.Function{acceptdrift.Function}, Env: map[string]string{"OSTIARY_URL": "https://ostiary.example"}})}
	served, err := acceptdrift.Function.Build(t.Context(), w.Deps("acceptdrift"))
	if err != nil {
		t.Fatal(err)
	}
	w.handler = served.Handler()
	return w
}

// findings are kept as the function that looks keeps them. They give no notice: nobody here reads mail.
func (w *world) findings() *finding.Service {
	w.t.Helper()
	d := w.Deps("acceptdrift")
	v, err := d.OpenVault()
	if err != nil {
		w.t.Fatal(err)
	}
	service, err := finding.New(finding.Config{Store: d.Store, Box: d.Box, Policy: d.Policy, Digest: d.PolicyDigest(), Random: d.Random,
		Commit: func(ctx context.Context, about vault.Subject, now time.Time) (record.Subject, error) {
			return v.Commit(ctx, about, now)
		},
		Notify: func(*outbox.Batch, notice.Notice) error { return nil }})
	if err != nil {
		w.t.Fatal(err)
	}
	return service
}

// exposed is a database whose value is another than was promised.
func exposed(got string) finding.Seen {
	return seen(database, "database-exposure", finding.Forbidden, policy.Critical,
		"!has(data.settings.ipConfiguration.ipv4Enabled) || !data.settings.ipConfiguration.ipv4Enabled", got, "F08", "D07")
}

func seen(asset, what, class string, severity policy.Severity, want, got string, promises ...string) finding.Seen {
	s := finding.Seen{Urgent: true}
	s.Asset, s.What, s.Class, s.Severity, s.Want, s.Got, s.Promises, s.Loosened = asset, what, class, severity, want, got, promises, true
	return s
}

// out has things seen out of order now, and returns the path of the last.
func (w *world) out(all ...finding.Seen) (path string) {
	w.t.Helper()
	for _, s := range all {
		s.Read = w.Clock.Now()
		if err := w.findings().Out(w.t.Context(), []finding.Seen{s}, w.Clock.Now()); err != nil {
			w.t.Fatal(err)
		}
		path = "/" + s.Name()
	}
	return path
}

// blame names who may have changed a thing.
func (w *world) blame(asset string, actors ...finding.Actor) {
	w.t.Helper()
	if err := w.findings().Blame(w.t.Context(), asset, actors, w.Clock.Now()); err != nil {
		w.t.Fatal(err)
	}
}

// lines are so many different ones.
func lines(n int, form string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(form, i/256, i%256)
	}
	return strings.Join(all, "\n")
}

// person is somebody signed in, in front of a browser.
type person struct {
	*walktest.Person
	url string
}

// sit puts somebody of the company in front of a fresh browser; the proxy before the function knows who she is.
func (w *world) sit(name string, size browser.Size, lang string) *person {
	w.t.Helper()
	tab := stage.Tab(w.t, size)
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Set(identity.AssertionHeader, w.Staff(walk.Email(name)))
		r.Header.Set(functiontest.ClientHeader, functiontest.Home)
		w.handler.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(front.Close)
	p := &person{&walktest.Person{Person: &walk.Person{Tab: tab, T: w.t, Lang: lang}, T: w.t}, front.URL + "/acceptdrift"}
	p.Open(p.url + "/?lang=" + lang)
	return p
}

// quietly checks that the page complained of nothing and called nobody else.
func (p *person) quietly() {
	p.T.Helper()
	p.Quietly(strings.TrimSuffix(p.url, "/acceptdrift"))
}

// full is a company in which a finding of every sort is there, by name.
func full(t *testing.T) (w *world, paths map[string]string) {
	t.Helper()
	w, paths = newWorld(t), map[string]string{}
	w.looked(state(wants))
	gone := seen(bucket, "google_storage_bucket.files[\"europe-west1\"] uniform_bucket_level_access", string(diff.Changed), policy.Medium, "true", "false")
	paths["healed"] = w.out(gone)
	w.Advance(t, 2*time.Minute)
	if err := w.findings().In(t.Context(), bucket, nil, w.Clock.Now(), w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	settling := seen(firewall, "google_compute_firewall.web description", string(diff.Changed), policy.Low, "web", "Web")
	settling.Urgent = false
	paths["settling"] = w.out(settling)
	paths["exposed"] = w.out(exposed("settings.ipConfiguration.ipv4Enabled: true"))
	paths["long"] = w.out(seen(firewall, "google_compute_firewall.web source_ranges", string(diff.Changed), policy.High,
		lines(200, "10.%d.%d.0/24"), lines(90, "10.%d.%d.0/24")+"\n"+lines(110, "172.16.%d.%d/32")))
	held := seen("//storage.googleapis.com/sharedcontacts-backups", "google_storage_bucket.backups public_access_prevention", string(diff.Changed), policy.Critical, "enforced", "inherited")
	held.Data = "personal"
	paths["held"] = w.out(held)
	paths["hostile"] = w.out(seen(hostile, string(diff.Unmanaged), string(diff.Unmanaged), policy.High, "", strings.Repeat("<script>alert(1)</script>\u202e", 60)))
	paths["extra"] = w.out(seen(project, "google_project_iam_member.app members", string(diff.Extra), policy.High, "", "roles/editor user:freelancer@auswaertige-dienstleistungen.example.net"))
	paths["missing"] = w.out(seen(bucket, "google_storage_bucket.archive", string(diff.Missing), policy.Medium, "google_storage_bucket.archive", ""))
	paths["company"] = w.out(seen("", "audit-sink-covers", finding.Forbidden, policy.Critical, "at least 1", "audit: nothing", "D29"))
	paths["accepted"] = w.out(seen(bucket, "log-retention-minimum", finding.Forbidden, policy.Medium, "data.retentionDays >= 30", "data.retentionDays: 29"))
	at := w.Clock.Now()
	w.blame(database, finding.Actor{Person: "stefan", Chain: []string{"stefan", "service:deployment"}, Kind: "human", Method: "cloudsql.instances.update", UserAgent: "gcloud", Ticket: "OPS-7", At: at, Entry: "e87f7dd895fcf3c1bc09dd7106bdc513322be9b4",
		Asked: []finding.Change{{Field: "settings.ipConfiguration.ipv4Enabled", Now: "true"}, {Field: "settings.ipConfiguration.authorizedNetworks", Was: "10.0.0.0/8, 192.168.0.0/16", Now: strings.Repeat("203.0.113.0/24, ", 18)},
			{Field: "rootPassword", Was: "hmac:0011223344556677", Now: "***"}, {Field: "<b>\u202ehostile", Now: "<script>alert(1)</script>", Unsure: true}}, Unasked: "too_long"},
		finding.Actor{Kind: "service", Chain: []string{"service:deployment"}, Method: "cloudsql.instances.update", At: at, Suspicious: true, Unasked: "not_logged"},
		finding.Actor{Kind: "unknown", Why: "before_retention"})
	w.blame(firewall, finding.Actor{Kind: "agent", Method: "v1.compute.firewalls.patch", At: at, Unasked: "same"}, finding.Actor{Kind: "unknown", Why: "stream_off"})
	w.blame(hostile, finding.Actor{Kind: "unknown", Why: "no_entry"})
	simone, _ := w.Deps("acceptdrift").Policy.PersonByID("simone")
	until := time.Date(2026, 3, 6, 23, 0, 0, 0, time.UTC)
	for name, what := range map[string]finding.Seen{"accepted": {Finding: finding.Finding{Got: "data.retentionDays: 29"}}, "extra": {Finding: finding.Finding{Got: "roles/editor user:freelancer@auswaertige-dienstleistungen.example.net"}}} {
		if _, err := w.findings().Accept(t.Context(), paths[name][1:], finding.Wish{Reason: "Wird mit der Einkaufsverwaltungsumstellung zurückgenommen\n" + strings.Repeat("ü", 60), Ticket: "EINKAUF-2026/4711", Got: what.Got, Until: until}, simone, w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	dropped := seen(bucket, "locations-in-the-eu", finding.Forbidden, policy.Medium, "within(location, params.areas)", "location: US")
	paths["dropped"] = w.out(dropped)
	if err := w.findings().In(t.Context(), bucket, func(f finding.Finding) finding.What {
		return map[string]finding.What{"locations-in-the-eu": finding.Drop}[f.What]
	}, w.Clock.Now(), w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	paths["pending"] = w.out(seen(firewall, "google_compute_firewall.web allow", string(diff.StaleDesired), policy.High, "tcp:443", "tcp:443,80"))
	if err := w.findings().Lost(t.Context(), project, w.Clock.Now(), w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	return w, paths
}
