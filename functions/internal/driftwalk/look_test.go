package driftwalk

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/scan"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// partly is a Google Cloud of which some can be read.
type partly struct {
	clock clock.Clock
	reads bool // what is asked for by itself
}

func (p *partly) Scopes() []string {
	return []string{"projects/sharedcontacts-live", "projects/sharedcontacts-" + strings.Repeat("auswaertige-dienstleistungen-", 4)}
}
func (p *partly) Close() error { return nil }
func (p *partly) List(_ context.Context, place string, what asset.Content, _ []string, _ string) (asset.Page, error) {
	switch {
	case place != p.Scopes()[0]:
		return asset.Page{}, fault.New(fault.Denied, "no")
	case what == asset.Policies:
		return asset.Page{Read: p.clock.Now(), Unread: []string{"cloudresourcemanager.googleapis.com/Project: who may use it is of no shape that is known: " + hostile}}, nil
	}
	return asset.Page{Read: p.clock.Now(), Assets: []asset.Asset{{Key: database, Type: "sqladmin.googleapis.com/Instance", Project: "sharedcontacts-live", Data: asset.Object{"name": "support"}, Read: p.clock.Now()}}}, nil
}
func (p *partly) Get(_ context.Context, kind, key string) (asset.Asset, error) {
	if p.reads {
		return asset.Asset{Key: key, Type: kind, Project: "sharedcontacts-live", Data: asset.Object{"name": "x"}, IAM: &asset.Policy{Read: p.clock.Now()}, Read: p.clock.Now()}, nil
	}
	return asset.Asset{}, fault.New(fault.Denied, "no")
}

// state is one of Terraform's; without a text it cannot be read.
type state string

func (s state) Close() error { return nil }
func (s state) Open(context.Context) (diff.State, error) {
	if s == "" {
		return diff.State{}, fault.New(fault.Transient, "no answer")
	}
	return diff.State{Data: io.NopCloser(strings.NewReader(string(s))), Version: "1"}, nil
}

const wants = `{"version":4,"resources":[{"mode":"managed","type":"google_strange_thing","name":"s","provider":"p","instances":[{"attributes":{"a":1}}]},
	{"mode":"managed","type":"google_storage_bucket","name":"nameless","module":"module.einkaufsverwaltungsumstellung[\"europe-west1\"]","provider":"p","instances":[{"attributes":{"project":"x"}}]}]}`

// looked has everything looked at once, and not everything read.
func (w *world) looked(states ...diff.Source) {
	w.t.Helper()
	if err := w.scan(&partly{clock: w.Clock}, states...).Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// lookedAt has everything looked at after somebody said that some of it changed.
func (w *world) lookedAt(cloud *partly, changed ...string) {
	w.t.Helper()
	s := w.scan(cloud)
	if err := s.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	for _, key := range changed {
		w.Advance(w.t, time.Second)
		if err := s.Look(w.t.Context(), "", key); err != nil {
			w.t.Fatal(err)
		}
	}
	w.Advance(w.t, 2*time.Hour)
	if err := s.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) scan(cloud asset.Source, states ...diff.Source) *scan.Service {
	w.t.Helper()
	d := w.Deps("acceptdrift")
	set, problems := baseline.Load(d.Policy)
	if len(problems) > 0 {
		w.t.Fatal(problems)
	}
	s, err := scan.New(scan.Config{Store: d.Store, Clock: d.Clock, Log: slog.New(slog.DiscardHandler), Sources: []asset.Source{cloud}, States: states, Named: []string{"gs://sharedcontacts-state/live/default.tfstate"},
		Set: set.Promised(), Findings: w.findings(), Pause: -1})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}
