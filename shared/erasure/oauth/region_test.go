package oauth_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/policy"
)

// TestElsewhere: connections kept in another region are left to the deployment there, and no store there is opened. Where they might
// live by the same account, a person ends it: no program ends theirs with it.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, _, err := policy.Load(fstest.MapFS{
		"p/company.yaml": {Data: []byte("company:\n  name: Firm\n  domains: [firm.example]\n  zone: Europe/Berlin\n  country: DE\n  languages: [en]\n  environments: [{id: live, project: firm-live, kind: live}]\n")},
		"p/people.yaml":  {Data: []byte(people)},
		"p/tenants.yaml": {Data: []byte("tenants: [{id: a, name: A, country: DE, language: en, domains: [a.example], contract_hours: 24, contacts: [], region: europe-west1}, " +
			"{id: b, name: B, country: DE, language: en, domains: [b.example], contract_hours: 24, contacts: [], region: europe-west3}]")},
		"p/datamap.yaml":      {Data: []byte("regions: [europe-west1]\n" + strings.Replace(mapped, "firestore://{project}/main", `"firestore://{project}/main-{region}"`, 1))},
		"p/promises/all.yaml": {Data: []byte("promises: []\n")},
	}, "p")
	if err != nil {
		t.Fatal(err)
	}
	m, problems := datamap.Read(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w.m, w.Service.Map = m, m
	open := w.Service.Eraser
	w.Service.Eraser = func(ctx context.Context, url string) (erasure.Store, error) {
		if strings.Contains(url, "europe-west3") {
			t.Errorf("%s is opened", url)
		}
		return open(ctx, url)
	}
	w.connect("b", "there", "u1", "zoom", "t-there", "x")
	if taken, err := w.Take(t.Context(), w.cut("r1", "b", "u1"), w.Clock.Now()); err != nil || taken != 0 {
		t.Errorf("of another region: %d taken, %v", taken, err)
	}
	w.connect("a", "zoom", "u1", "zoom", "t-zoom", "x")
	w.connect("a", "google", "u1", "google", "t-google", "sub")
	w.connect("a", "more", "u2", "google", "t-more", "sub")
	for _, uid := range []string{"u1", "u2"} {
		if _, err := w.Take(t.Context(), w.cut("r-"+uid, "a", uid), w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		if err := w.work(); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.counts(); got != "1 revoked, 1 shared, 1 manual" || !w.live["t-more"] || !w.live["t-there"] {
		t.Errorf("%s, live are %v", got, w.live)
	}
}
