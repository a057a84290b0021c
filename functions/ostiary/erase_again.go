package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/request"
	engine "ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	sealing "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
)

// again is what erasing somebody again did.
type again struct {
	Erased     int64 `json:"erased"`
	Anonymised int64 `json:"anonymised"`
	// Connections are those with other providers' accounts that were erased. Nobody ends them there: that was done, or begun, when
	// she was erased the first time.
	Connections int64          `json:"connections,omitempty"`
	Open        []request.Open `json:"open,omitempty"`
	ended       map[string]bool
}

// disconnect notes the connections that are about to be erased again.
func (a *again) disconnect(_ context.Context, _, _ string, s datamap.Step, refs []string) error {
	for _, ref := range refs {
		a.ended[s.Entry.ID+"\x00"+ref] = true
	}
	a.Connections = int64(len(a.ended))
	return nil
}

// erase erases everybody of whom there is no doubt. It goes on with the next after an error, which it returns in the end.
func (o *opened) erase(ctx context.Context, people []*returned, bar *progress) error {
	failed := 0
	var last error
	for i, who := range people {
		if !who.Doubtful {
			at := step{bar, fmt.Sprintf("person %d of %d", i+1, len(people))}
			err := o.engine(who, at, func(e *engine.Engine) error {
				who.Done = &again{ended: map[string]bool{}}
				e.Disconnect = who.Done.disconnect
				return carry(ctx, e, o.job(who), who.Done, at)
			})
			if err != nil {
				failed, last = failed+1, err
			}
		}
	}
	if last != nil {
		return fmt.Errorf("erasing %d of %d people again; run it once more: %w", failed, len(people), last)
	}
	return nil
}

// step shows how far the erasing of one person is.
type step struct {
	bar *progress
	who string
}

func (s step) begin(what string, total int64) { s.bar.begin(s.who+", "+what, "items", total) }

// there leaves out those of whom nothing is back that is to go: what a law keeps, or two people hold, was never erased, and who
// lives on in data of the other role was never erased there.
func (o *opened) there(ctx context.Context, people []*returned, bar *progress) (found []*returned, err error) {
	found = []*returned{}
	for i, who := range people {
		if who.held, err = o.holds(ctx, who); err != nil {
			return people, err
		}
		var plan engine.Plan
		at := step{bar, fmt.Sprintf("person %d of %d", i+1, len(people))}
		if err := o.engine(who, at, func(e *engine.Engine) error {
			at.begin("looking", 0)
			j := o.job(who)
			return turns(ctx, e.Clock, func(until time.Time) (over bool, err error) {
				plan, over, err = e.Plan(ctx, j, until)
				return over, err
			})
		}); err != nil {
			return people, err
		}
		if who.Role == datamap.Global { // what is the tenant's counts with another subject
			plan.Entries = slices.DeleteFunc(plan.Entries, func(one engine.Entry) bool {
				entry, _ := o.m.Entry(one.ID)
				return entry.Tenant.Global == ""
			})
		}
		sum := plan.Summary("")
		dark := slices.ContainsFunc(plan.Entries, func(e engine.Entry) bool { return e.Why != "" })
		if who.Doubtful = who.Doubtful || sum.Items == 0; sum.Items+sum.Held+sum.Review > 0 || dark {
			found = append(found, who)
		}
	}
	return found, nil
}

// engine makes what carries out a request of its own, executed when she was erased the first time. What it keeps of its work
// lives as long as the call: begun again, it begins with whom it still finds.
func (o *opened) engine(who *returned, at step, do func(*engine.Engine) error) error {
	dir, err := os.MkdirTemp("", "ostiary-replay-")
	if err != nil {
		return fmt.Errorf("erasing again: %w", err)
	}
	defer os.RemoveAll(dir)
	state, err := memory.New(store.Options{Schema: engine.Collection(), Clock: o.clock})
	if err != nil {
		return err
	}
	defer state.Close()
	now := restored{taken: o.taken, before: who.Erased, address: who.address}
	e, err := engine.New(engine.Config{
		Store: state, Keys: sealing.New(filepath.Join(dir, "key"), rand.Reader), Random: rand.Reader, Clock: o.clock, Map: o.m, Zone: time.UTC,
		Reader: func(ctx context.Context, url string) (erasure.Reader, error) {
			r, err := o.reader(ctx, url)
			return watchedReader{now.reader(r), at.bar}, err
		},
		Eraser: func(ctx context.Context, url string) (erasure.Store, error) {
			s, err := o.store(ctx, url)
			return restoredStore{now.reader(s), s, now, at.bar}, err
		},
	})
	if err != nil {
		return err
	}
	return do(e)
}

// scope is whose request reaches what she was erased from, and nothing else.
func (r *returned) scope() engine.Scope {
	switch {
	case r.Kind == ledger.Whole && r.Role == "":
		return engine.Account
	case r.Role == datamap.Processor:
		return engine.Instructed
	}
	return engine.Person
}

func (o *opened) job(who *returned) engine.Job {
	scope := who.scope()
	id := make([]byte, 8)
	_, _ = rand.Read(id) // it never fails
	j := engine.Job{Request: "replay" + hex.EncodeToString(id), Round: 1, Tenant: who.Tenant, Scope: scope, Executed: who.Erased, Holds: who.held, Global: who.Role == datamap.Global,
		IDs: []datamap.Identifier{{Kind: who.Kind, Value: who.ID, Verified: true}}}
	if scope == engine.Account {
		j.IDs = nil
	}
	if d := o.m.Directory(); d != nil && who.address != "" {
		for s := &d.Select; s != nil; s = s.Or {
			if s.Equals == d.Address || s.Column == d.Address {
				j.IDs = append(j.IDs, datamap.Identifier{Kind: s.Of, Value: who.address, Verified: true})
			}
		}
	}
	return j
}

const (
	aTurn     = 5 * time.Minute
	mostTurns = 100             // of one person
	aPause    = 5 * time.Second // where everything waits for a store
)

// turns calls until it is over. What passes is tried again.
func turns(ctx context.Context, clk clock.Clock, call func(until time.Time) (over bool, err error)) error {
	var err error
	for range mostTurns {
		over := false
		over, err = call(clk.Now().Add(aTurn))
		switch {
		case err == nil && over:
			return nil
		case err == nil:
		case !fault.Is(err, fault.Transient):
			return err
		}
		if err != nil {
			select {
			case <-ctx.Done():
				return err
			case <-time.After(aPause):
			}
		}
	}
	return cmp.Or(err, error(fault.New(fault.Transient, "erasing again: it does not come to an end")))
}

// carry looks her up, erases, and looks whether anything is left.
func carry(ctx context.Context, e *engine.Engine, j engine.Job, done *again, at step) error {
	var total int64
	at.begin("looking", 0)
	if err := turns(ctx, e.Clock, func(until time.Time) (bool, error) {
		p, over, err := e.Plan(ctx, j, until)
		if over && err == nil {
			total = p.Summary("").Items
		}
		return over, err
	}); err != nil {
		return err
	}
	at.begin("erasing", total)
	if err := turns(ctx, e.Clock, func(until time.Time) (bool, error) {
		x, over, err := e.Execute(ctx, j, until)
		if over && err == nil {
			done.Erased, done.Anonymised = done.Erased+x.Totals.Erased, done.Anonymised+x.Totals.Anonymised
		}
		return over, err
	}); err != nil {
		return err
	}
	at.begin("looking again", 0)
	return turns(ctx, e.Clock, func(until time.Time) (bool, error) {
		o, _, over, err := e.Search(ctx, j, 1, until)
		if !over || err != nil {
			return over, err
		}
		done.Open = append(done.Open, o.Open...)
		if o.Left > 0 {
			done.Open = append(done.Open, request.Open{Why: "left"})
		}
		return over, nil
	})
}
