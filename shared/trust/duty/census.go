package duty

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// crowd is how far a personal duty has come among the people who owe it.
type crowd struct {
	expected, seen int64
	until          time.Time // when the first of them runs out; zero for never
	late           bool      // one of them came after somebody's first day
}

// state is what the count says where the whole would say good: of nobody nothing is proven.
func (c crowd) state(good record.State) record.State {
	if c.expected == 0 {
		return record.Unknown
	}
	return good
}

// crowd counts the people who owe a personal duty, with a changed task as it will be.
func (s *Service) crowd(tx store.Tx, d terms, now time.Time, changed ...Task) (*crowd, error) {
	tasks, err := all(tx.Query, d.ID)
	if err != nil {
		return nil, err
	}
	byPerson := map[string]Task{}
	for _, t := range append(tasks, changed...) {
		byPerson[t.Person] = t
	}
	c := &crowd{}
	for _, p := range s.Policy.People {
		if !p.Active(now) {
			continue
		}
		c.expected++
		t, known := byPerson[p.ID]
		if !known || !t.InForce(now) {
			continue
		}
		c.seen++
		c.late = c.late || t.Late
		if !t.Valid.IsZero() && (c.until.IsZero() || t.Valid.Before(c.until)) {
			c.until = t.Valid
		}
	}
	return c, nil
}

// census says when and among whom a personal duty was counted last, as it is stored.
type census struct {
	V      int       `json:"v"`
	Nonce  string    `json:"nonce"` // the evidence's ids are made from it
	Number int       `json:"number"`
	Among  string    `json:"among"`
	At     time.Time `json:"at"`
}

// longestCount is how long a count is believed at most before the next.
const longestCount = 30 * 24 * time.Hour

// recount is how often a personal duty is counted although nobody did anything: twice in the time a proof of its promises
// counts.
func (s *Service) recount(d terms) time.Duration {
	often := longestCount
	kept := sentences(s.Policy, d.all())
	for _, p := range s.Policy.Promises {
		if slices.Contains(kept, cmp.Or(p.SameAs, p.ID)) && !p.MaxAge.IsZero() {
			often = min(often, length(p.MaxAge)/2)
		}
	}
	return max(often, time.Hour)
}

// count records how far a personal duty has come, when other people owe it than at the last count, or that is long ago.
func (s *Service) count(ctx context.Context, d terms, now time.Time) error {
	nonce, err := s.Nonce()
	if err != nil {
		return err
	}
	var who []string
	for _, p := range s.Policy.People {
		if p.Active(now) {
			who = append(who, p.ID)
		}
	}
	among := record.Digest([]byte(strings.Join(who, "\n")))
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		last := census{Nonce: nonce}
		if err := tx.Get(rosters, TaskID(d.ID, "count"), &last); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if last.Among == among && now.Before(last.At.Add(s.recount(d))) {
			return nil
		}
		c, err := s.crowd(tx, d, now)
		if err != nil {
			return err
		}
		last.V, last.Number, last.Among, last.At = Version, last.Number+1, among, now
		if err := tx.Put(rosters, TaskID(d.ID, "count"), last); err != nil {
			return err
		}
		r := d.evidence(record.Observation, Task{Nonce: last.Nonce, Cycle: last.Number}, "counted", now, d.all())
		r.Facts = map[string]string{"event": "counted"}
		r.Result, r.Expires = record.Result{State: c.state(d.proven())}, c.until
		r.Population = &record.Population{Expected: c.expected, Seen: c.seen}
		if c.late {
			r.Facts["late"] = "true"
		}
		return s.Put(batch, r)
	})
}
