package scan

import (
	"context"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
)

// between lets something happen after everything was judged, and before what was found is kept.
type between struct {
	*finding.Service
	happens func()
}

func (b *between) Out(ctx context.Context, all []finding.Seen, now time.Time) error {
	if do := b.happens; do != nil {
		b.happens = nil
		do()
	}
	return b.Service.Out(ctx, all, now)
}

// TestBetween: what a message finds while everything is judged is not healed by that look, which began before.
func TestBetween(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ticks(1)
	w.pass(2 * time.Hour)
	hook := &between{Service: w.found}
	hook.happens = func() {
		w.pass(time.Second)
		w.cloud.set(door("live", "a", "0.0.0.0/0"))
		w.look(door("live", "a", "").Key)
		w.pass(time.Second)
	}
	w.Service.Findings = hook
	over, ended := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-over:
				ended <- nil
				return
			default:
			}
			if _, err := w.Names(t.Context()); err != nil {
				ended <- err
				return
			}
		}
	}()
	if err := w.Judge(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(over)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	w.want("found meanwhile", "a doors settling")
	w.ticks(4)
	w.want("and it stands", "a doors open")
	var c counts
	if err := w.store.Get(t.Context(), scans, countsID, &c); err != nil || c.Counts[0].Out != 1 {
		t.Errorf("%+v %v", c, err)
	}
}

// slow is a cloud that answers late.
type slow struct {
	*inventory
	meanwhile func()
}

func (s *slow) Get(ctx context.Context, kind, key string) (asset.Asset, error) {
	a, err := s.inventory.Get(ctx, kind, key)
	s.meanwhile()
	return a, err
}

// TestSlowAnswer: an answer that was asked for before everything was judged, and kept after, is not swept away either.
func TestSlowAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ticks(1)
	w.pass(2 * time.Hour)
	judged, kept, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	w.Service.Findings = &between{Service: w.found, happens: func() { close(judged); <-kept }}
	w.Service.Sources = []asset.Source{&slow{inventory: w.cloud, meanwhile: func() {
		w.pass(time.Second)
		go func() { ended <- w.Judge(t.Context()) }()
		<-judged
		w.pass(time.Second)
	}}}
	w.cloud.set(door("live", "a", "0.0.0.0/0"))
	w.look(door("live", "a", "").Key)
	close(kept)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	w.want("found late", "a doors settling")
}
