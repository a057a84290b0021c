package scan

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/drift/self/selftest"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// letters is a source of how many dead letters wait.
type letters struct {
	clock clock.Clock
	n     float64
	err   error
}

func (l *letters) Scopes() []string { return []string{self.WaitingPlace} }
func (l *letters) Close() error     { return nil }

func (l *letters) List(_ context.Context, _ string, what asset.Content, kinds []string, _ string) (asset.Page, error) {
	p := asset.Page{Read: l.clock.Now()}
	if l.err == nil && what == asset.Resources && slices.Contains(kinds, self.Waiting) {
		p.Assets = []asset.Asset{{Key: self.WaitingKey("live", "dead.look"), Type: self.Waiting, Project: "live", Data: asset.Object{"undelivered": l.n}, Read: p.Read}}
	}
	return p, l.err
}

func (l *letters) Get(_ context.Context, kind, _ string) (asset.Asset, error) {
	return asset.Asset{}, fault.New(fault.NotFound, "reading a %s: no", kind)
}

// TestDeadLetters: letters that wait are found at night, and healed when none does; where nobody counts them, nobody can tell, and
// nothing else is in doubt for that.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.self = released(t)
	w.self.Functions[0].Triggers = append(w.self.Functions[0].Triggers, self.Trigger{Kind: "topic", Topic: "t"})
	for _, a := range selftest.Deployed(*w.self) {
		w.cloud.set(*a)
	}
	w.restart()
	source := &letters{clock: w.clock}
	w.Service.Sources = append(w.Service.Sources, source)
	unsure := func() string {
		s, err := StatusOf(t.Context(), w.store)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, p := range s.Places {
			if p.Place == Controls {
				lines = append(lines, p.Unread...)
			}
		}
		return strings.Join(lines, "; ")
	}
	w.ticks(2)
	w.want("none waits")
	if got := unsure(); got != "" {
		t.Errorf("nobody can tell: %s", got)
	}
	source.n = 2
	w.pass(24 * time.Hour)
	w.ticks(4)
	w.want("two wait", "dead.look self-drift undelivered open")
	source.err = fault.New(fault.Denied, "no")
	w.pass(24 * time.Hour)
	w.ticks(4)
	if f := w.get("//pubsub.googleapis.com/projects/live/subscriptions/dead.look", "self-drift undelivered"); f.State.Over() {
		t.Errorf("healed by what nobody counted: %+v", f)
	}
	source.err, source.n = nil, 0
	w.pass(24 * time.Hour)
	w.ticks(4)
	w.want("sent again", "dead.look self-drift undelivered healed")
}
