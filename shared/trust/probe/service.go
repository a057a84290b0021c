package probe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

const collection = "probes"

// Collection is where is kept what was seen last.
func Collection() store.Collection { return store.Collection{Name: collection} }

// Config is what a Service needs. Store and Box are of the same database.
type Config struct {
	Store  store.Store
	Box    *outbox.Box
	Eye    Eye
	Policy *policy.Policy
	Digest string // of the policy, named in records
	// Canary returns the token of a canary account of another tenant; nil where there is none.
	Canary func(ctx context.Context) ([]byte, error)
}

// Service looks when it is time, and records what it saw. It is safe for concurrent use; two at once look twice.
type Service struct{ Config }

// New returns a Service. Misconfigured when a part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Eye == nil || c.Policy == nil {
		return nil, fault.New(fault.Misconfigured, "probes: store, outbox, eye and policy are all needed")
	}
	return &Service{c}, nil
}

// looked is what was seen of one target of one probe, and when.
type looked struct {
	V     int       `json:"v"`
	At    time.Time `json:"at"`
	Sight Sight     `json:"sight"`
}

const (
	budget = 40 * time.Second // of one run
	atOnce = 4                // targets looked at
)

// Run looks at every target that is due and records, for each promise concerned, what its targets come to. A target
// that could not be seen is due again after a quarter of an hour. Probes do not wait for each other: an error tells of
// those whose result could not be kept.
func (s *Service) Run(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	var failed []error
	for _, name := range Names() {
		if err := s.run(ctx, name, now); err != nil {
			failed = append(failed, fmt.Errorf("probe %s: %w", name, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) run(ctx context.Context, name Name, now time.Time) error {
	all := orders(s.Policy, name)
	known, err := s.known(ctx, name, all)
	if err != nil {
		return err
	}
	fresh, err := s.fresh(ctx, name, all, known, now)
	if err != nil || len(fresh) == 0 {
		return err
	}
	seen := func(target string) Sight {
		if l, ok := fresh[target]; ok {
			return l.Sight
		}
		return known[target].Sight
	}
	return s.Box.Commit(context.WithoutCancel(ctx), func(tx store.Tx, batch *outbox.Batch) error {
		for target, l := range fresh {
			if err := tx.Put(collection, id(name, target), l); err != nil {
				return err
			}
		}
		for _, o := range all {
			if !concerns(o, fresh) {
				continue
			}
			if err := s.record(batch, name, o, judge(name, o, seen), now); err != nil {
				return err
			}
		}
		return nil
	})
}

// known is what was seen before, by target.
func (s *Service) known(ctx context.Context, name Name, all []order) (map[string]looked, error) {
	known := map[string]looked{}
	for _, target := range byTarget(all) {
		var l looked
		err := s.Store.Get(ctx, collection, id(name, target), &l)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, fmt.Errorf("reading what was seen last: %w", err)
		}
		if err == nil {
			known[target] = l
		}
	}
	return known, nil
}

// fresh looks at what is due.
func (s *Service) fresh(ctx context.Context, name Name, all []order, known map[string]looked, now time.Time) (map[string]looked, error) {
	fresh := map[string]looked{}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, target := range byTarget(all) {
		l, before := known[target]
		if before && now.Sub(l.At) < wait(all, target, l) {
			continue
		}
		group.Go(func() error {
			seen := unseen("not-a-target")
			if fits(name, target) {
				seen = s.look(ctx, name, target, all, now)
			}
			mu.Lock()
			defer mu.Unlock()
			fresh[target] = looked{1, now, seen}
			return nil
		})
	}
	return fresh, group.Wait()
}

// wait is how long what was seen of a target lasts.
func wait(all []order, target string, l looked) time.Duration {
	least := longest
	for _, o := range all {
		for _, t := range o.targets {
			if t == target {
				least = min(least, o.every)
			}
		}
	}
	if !l.Sight.Seen {
		return min(least, shortest)
	}
	return least
}

func concerns(o order, fresh map[string]looked) bool {
	for _, target := range o.targets {
		if _, ok := fresh[target]; ok {
			return true
		}
	}
	return false
}

func (s *Service) record(batch *outbox.Batch, name Name, o order, v verdict, now time.Time) error {
	r := record.New(record.Observation, string(name), fmt.Sprintf("probe %s %d", name, now.UnixMilli()), o.promise.ID)
	r.Config, r.Method, r.Result, r.Population = s.Digest, record.Test, v.Result, &v.Population
	r.Source.Type, r.Source.Observed, r.Source.Collected = "probe", now, now
	r.Expires = now.Add(o.every + heartbeat.Interval + heartbeat.Grace)
	if v.Detail != "" {
		r.Facts = map[string]string{"detail": v.Detail}
	}
	return r.Put(batch)
}

// Beats says, for each probe the policy uses, how many of its targets were seen and how recently.
func (s *Service) Beats(ctx context.Context, now time.Time) ([]heartbeat.Beat, error) {
	var beats []heartbeat.Beat
	for _, name := range Names() {
		all := orders(s.Policy, name)
		if len(all) == 0 {
			continue
		}
		known, err := s.known(ctx, name, all)
		if err != nil {
			return nil, err
		}
		beat := heartbeat.Beat{Check: string(name), Mechanism: string(policy.Probe), Result: record.Result{State: record.Kept}}
		for _, o := range all {
			beat.Promises = append(beat.Promises, o.promise.ID)
			if len(o.targets) == 0 {
				beat.Population.Expected++
			}
		}
		for _, target := range byTarget(all) {
			l := known[target]
			beat.Population.Expected++
			if l.Sight.Seen && now.Sub(l.At) < wait(all, target, l)+heartbeat.Interval+heartbeat.Grace {
				beat.Population.Seen++
			}
		}
		beats = append(beats, beat)
	}
	return beats, nil
}

// id names what was seen of a target. The target is in the policy, and no secret.
func id(name Name, target string) string { return string(name) + " " + record.Digest([]byte(target)) }
