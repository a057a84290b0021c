package intake

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

const version = 1

var utc = time.UTC

// feedDoc is what one check knows of one promise: the newest event of each scope.
type feedDoc struct {
	V       int              `json:"v"`
	Check   string           `json:"check"`
	Promise string           `json:"promise"`
	Scopes  map[string]scope `json:"scopes"` // by a hash: senders name scopes as they like
}

// scope is the newest event about one suite, tool, store and so on. Times are microseconds since 1970.
type scope struct {
	State record.State `json:"state"`
	At    int64        `json:"at"`
	Until int64        `json:"until"`
}

// maxScopes is how many scopes one check tells apart for one promise.
const maxScopes = 100

// scopeName is what the newest event replaces.
func (in incoming) scopeName() string {
	parts := append([]string{in.source.ID, in.event.Type}, in.report.scope...)
	for i := range parts {
		parts[i] = record.Digest([]byte(parts[i]))
	}
	return strings.TrimPrefix(record.Digest([]byte(strings.Join(parts, " "))), "sha256:")[:32]
}

// record writes everything the event says in one transaction: the receipt, an observation for each check and promise,
// and that the event is done with.
func (s *Service) record(ctx context.Context, in incoming, receipt record.Record, now time.Time) (Receipt, error) {
	var done receivedDoc
	err := s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		done = receivedDoc{}
		if err := tx.Get(received, in.id, &done); err != nil || done.Done {
			return err
		}
		moved, observations, err := s.observe(tx, in, receipt.ID(), now)
		if err != nil {
			return err
		}
		for _, r := range append(observations, receipt) {
			if err := r.Put(batch); err != nil {
				return err
			}
		}
		for _, feed := range moved {
			if err := tx.Put(feeds, feed.name(), feed); err != nil {
				return err
			}
		}
		done.Done, done.Record, done.Promises = true, receipt.ID(), receipt.Promises
		return tx.Put(received, in.id, done)
	})
	return done.receipt(), err
}

func (f feedDoc) name() string { return f.Check + "." + f.Promise }

// observe reads every feed the event belongs to, moves it on and says how the promise stands by it.
func (s *Service) observe(tx store.Tx, in incoming, receipt string, now time.Time) (moved []feedDoc, observations []record.Record, err error) {
	if in.report.silent {
		return nil, nil, nil
	}
	for _, b := range in.bound {
		for _, check := range b.checks {
			feed := feedDoc{V: version, Check: check, Promise: b.promise.ID}
			if err := tx.Get(feeds, feed.name(), &feed); err != nil && !fault.Is(err, fault.NotFound) {
				return nil, nil, err
			}
			result, population := s.judged(in, check, b.promise)
			newest, err := feed.take(in, result.State, b.lasts(in, check), now)
			if err != nil {
				return nil, nil, err
			}
			if !newest {
				continue // something newer is known of this scope
			}
			r := in.begin(check, b.promise.ID, s.Digest, now)
			r.Result, r.Population = result, population
			r.Refs = []record.Ref{{Rel: "from", ID: receipt}}
			feed.combine(&r, now)
			moved, observations = append(moved, feed), append(observations, r)
		}
	}
	return moved, observations, nil
}

// take puts an event into its scope. newest is false when a newer one is there.
func (f *feedDoc) take(in incoming, state record.State, lasts int64, now time.Time) (newest bool, err error) {
	at := earlier(in.fact(f.Check), now)
	f.Scopes = maps.Clone(f.Scopes)
	maps.DeleteFunc(f.Scopes, func(_ string, s scope) bool { return s.forgotten(now) })
	name := in.scopeName()
	if there, known := f.Scopes[name]; known && there.At > at.UnixMicro() {
		return false, nil
	} else if !known && len(f.Scopes) >= maxScopes {
		return false, fault.Refuse(fault.Exhausted, "scopes_exhausted", "This promise is fed by too many suites, tools or targets.", "Send fewer, or reports that cover more.")
	}
	if f.Scopes == nil {
		f.Scopes = map[string]scope{}
	}
	f.Scopes[name] = scope{state, at.UnixMicro(), at.Add(time.Duration(lasts) * time.Second).UnixMicro()}
	return true, nil
}

// forgotten reports whether a scope has been silent for twice as long as its event lasted, at least a day and at most 90
// longer: then it is taken as given up, after it has counted as unknown. What is broken does not mend by silence: only a
// newer event of its scope says that it is over.
func (s scope) forgotten(now time.Time) bool {
	more := min(max(time.Duration(s.Until-s.At)*time.Microsecond, day), 90*day)
	return s.State != record.Broken && now.After(time.UnixMicro(s.Until).Add(more))
}

// combine makes an observation say how the promise stands by all scopes: as the worst of them, as long as the first of
// them lasts. A scope that fell silent is Unknown.
func (f feedDoc) combine(r *record.Record, now time.Time) {
	until, at := int64(0), int64(0)
	state := r.Result.State
	for _, name := range slices.Sorted(maps.Keys(f.Scopes)) {
		s := f.Scopes[name]
		at = max(at, s.At)
		if s.Until <= now.UnixMicro() {
			s.State = worst(s.State, record.Unknown)
		} else if until == 0 || s.Until < until {
			until = s.Until
		}
		state = worst(state, s.State)
	}
	if state != r.Result.State { // another scope is worse: the number at hand says nothing about it
		r.Result, r.Population = record.Result{State: state}, nil
	}
	r.Source.Observed = time.UnixMicro(at)
	if until == 0 {
		until = now.UnixMicro()
	}
	r.Expires = time.UnixMicro(until)
}

func worst(a, b record.State) record.State {
	if worse(b, a) {
		return b
	}
	return a
}
