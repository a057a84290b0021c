// Package callback tells controllers how their instructions go: it posts a signed status to the URLs a controller gave with
// a request, each time what there is to say has changed (OpenDSR 2.0, section "Status Callbacks").
//
// It promises that a status is said again until one was taken, for a day at growing intervals, after which a person is told, once,
// and it stands on record until one is taken; and that what is sent goes to https hosts agreed with that controller and no other. A
// status may come twice, and one that was overtaken is left out. How they are reached is package wire's.
package callback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Requests tells how a request stands. Ended says that nothing will change any more. An error of the kind NotFound says that
// it is gone.
type Requests func(ctx context.Context, tenant, id string) (state opendsr.State, ended bool, err error)

// Desk keeps whom to tell, and tells them. All fields are needed.
type Desk struct {
	Store    store.Store
	Requests Requests
	Signer   func(ctx context.Context) (*opendsr.Signer, error)
	Hosts    func(tenant string) []string // agreed with it, now
	// Post sends a body with headers, to be taken with any answer of success.
	Post   func(ctx context.Context, url string, header map[string][]string, body []byte) error
	Random io.Reader
	Log    *slog.Logger
	Box    *outbox.Box // of the same database
	// Policy is record.Digest of the one in force, Promises are those that requests keep.
	Policy   string
	Promises []string
	// Alarm tells the people who look after requests of a controller that takes nothing; nil: the evidence alone does.
	Alarm *request.Alarm
}

// callbacks is the collection, in the database "erasure".
const callbacks = "callbacks"

// Times of a callback.
const (
	first = time.Minute          // until a new request is looked at
	look  = time.Hour            // between two looks at one of which nobody said that it changed: Wake
	lease = 2 * time.Minute      // of whoever tells
	Keep  = 400 * 24 * time.Hour // at most, from the request on
	page  = 50                   // requests in one sweep's query
	// Of requests that are told of side by side, and how long one of them may take: a host that hangs holds up no other.
	beside   = 8
	patience = 45 * time.Second
)

// Collection declares what is kept.
func Collection() store.Collection {
	return store.Collection{Name: callbacks, Indexes: []store.Index{{"due"}}, Expires: true}
}

// subscription is whom to tell of one request. It holds nothing of the person.
type subscription struct {
	V       int             `json:"v"`
	Tenant  string          `json:"tenant"`
	ID      string          `json:"id"` // the controller's
	Version opendsr.Version `json:"version"`
	URLs    []target        `json:"urls"`
	Due     int64           `json:"due"`               // microseconds since 1970
	Woken   int64           `json:"woken,omitempty"`   // counts Wake
	Finding string          `json:"finding,omitempty"` // open record that a status was not taken for a day
	Fence   int64           `json:"fence"`
	Until   int64           `json:"until,omitempty"` // of whoever is telling, as Due
	Expires time.Time       `json:"expires"`
}

// target is one URL.
type target struct {
	URL   string `json:"url"`
	Said  string `json:"said"`            // what was taken last, or given up
	Try   string `json:"try,omitempty"`   // what is being said
	Tries int    `json:"tries,omitempty"` // in vain
	First int64  `json:"first,omitempty"` // of the first in vain since one was taken, in microseconds since 1970
	Due   int64  `json:"due,omitempty"`   // of the next
	Lost  bool   `json:"lost,omitempty"`  // none was taken for a day
}

// Register notes whom to tell of a request; again it changes nothing. said is what the controller knows already.
func (d *Desk) Register(ctx context.Context, tenant string, v opendsr.Version, said opendsr.State, urls []string, now time.Time) error {
	if len(urls) == 0 {
		return nil
	}
	s := subscription{V: 1, Tenant: tenant, ID: said.ID, Version: v, Due: now.Add(first).UnixMicro(), Expires: now.Add(Keep)}
	for _, url := range urls {
		s.URLs = append(s.URLs, target{URL: url, Said: news(said)})
	}
	err := d.Store.Tx(ctx, func(tx store.Tx) error {
		var known subscription
		if err := tx.Get(callbacks, key(tenant, said.ID), &known); !fault.Is(err, fault.NotFound) {
			return err
		}
		return tx.Create(callbacks, key(tenant, said.ID), s)
	})
	if err != nil {
		return fmt.Errorf("noting whom to tell of a request: %w", err)
	}
	return nil
}

// key names a subscription: two tenants may choose the same id.
func key(tenant, id string) string {
	sum := sha256.Sum256([]byte(tenant + "\x00" + id))
	return hex.EncodeToString(sum[:])
}

// news tells two things to say apart: the status, and when it is expected to end.
func news(s opendsr.State) string {
	return string(s.Status) + " " + s.Expected.UTC().Format(time.RFC3339)
}

// Sweep tells whoever has to be told, until ctx ends. One that cannot be told stops no other; its error is returned. It
// may run at any time, any number of times, and in several places at once.
func (d *Desk) Sweep(ctx context.Context, now time.Time) (told int, err error) {
	q := store.Query{Collection: callbacks, Range: &store.Range{Name: "due", To: now.UnixMicro() + 1}, Limit: page}
	var errs []error
	for ctx.Err() == nil {
		due, err := store.Find[subscription](d.Store.Query(ctx, q))
		if err != nil {
			return told, errors.Join(append(errs, err)...)
		}
		n, wrong := d.several(ctx, due, now)
		told, errs = told+n, append(errs, wrong...)
		if len(due) < page {
			break
		}
		last := due[len(due)-1]
		q.After = &store.Cursor{Value: last.Due, ID: key(last.Tenant, last.ID)}
	}
	return told, errors.Join(errs...)
}

// tell says to each URL of one request what is new.
func (d *Desk) tell(ctx context.Context, s subscription, now time.Time) (told int, err error) {
	if s, err = d.take(ctx, s, now); err != nil || s.V == 0 {
		return 0, err
	}
	state, ended, err := d.Requests(ctx, s.Tenant, s.ID)
	if fault.Is(err, fault.NotFound) {
		return 0, d.settle(ctx, s, true)
	} else if err != nil {
		return 0, err
	}
	open := false
	var ours error
	for i := range s.URLs {
		taken, err := d.say(ctx, &s, i, state, now)
		if taken {
			told++
		}
		ours = errors.Join(ours, err)
		open = open || s.URLs[i].Said != news(state)
	}
	s.Due = s.next(now)
	return told, errors.Join(ours, d.settle(ctx, s, ended && !open))
}

// several tells of some requests side by side.
func (d *Desk) several(ctx context.Context, due []subscription, now time.Time) (told int, errs []error) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	slots := make(chan struct{}, beside)
	for _, s := range due {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			n, err := d.tell(ctx, s, now)
			mu.Lock()
			defer mu.Unlock()
			if told += n; err != nil {
				errs = append(errs, fmt.Errorf("telling a controller how its request stands: %w", err))
			}
		})
	}
	wait.Wait()
	return told, errs
}

// next is when a request is looked at again by itself: when there is another try, or after a while.
func (s subscription) next(now time.Time) int64 {
	at := now.Add(look).UnixMicro()
	for _, t := range s.URLs {
		if t.Try != "" && t.Due < at {
			at = max(t.Due, now.Add(first).UnixMicro())
		}
	}
	return at
}

// Wake has a controller's request looked at in the next sweep, as it has changed: within the transaction that changes it, before
// anything is written there. One that nobody is told of is left alone. What it returns writes it.
func Wake(tx store.Tx, tenant, id string, now time.Time) (write func() error, err error) {
	nothing := func() error { return nil }
	var at subscription
	if err := tx.Get(callbacks, key(tenant, id), &at); fault.Is(err, fault.NotFound) {
		return nothing, nil
	} else if err != nil {
		return nil, err
	}
	at.Woken++
	if due := now.UnixMicro(); at.Due > due && !at.taken(now) {
		at.Due = due
	}
	return func() error { return tx.Put(callbacks, key(tenant, id), at) }, nil
}

// taken reports whether somebody is telling of it now.
func (s subscription) taken(now time.Time) bool { return s.Until > now.UnixMicro() }

// take makes the request this sweep's for a while; a subscription without a version is another's.
func (d *Desk) take(ctx context.Context, s subscription, now time.Time) (mine subscription, err error) {
	err = d.Store.Tx(ctx, func(tx store.Tx) error {
		mine = subscription{}
		var at subscription
		if err := tx.Get(callbacks, key(s.Tenant, s.ID), &at); fault.Is(err, fault.NotFound) {
			return nil
		} else if err != nil || at.Due > now.UnixMicro() {
			return err
		}
		at.Fence++
		at.Due, at.Until = now.Add(lease).UnixMicro(), now.Add(lease).UnixMicro()
		mine = at
		return tx.Put(callbacks, key(s.Tenant, s.ID), at)
	})
	return mine, err
}

// settle writes down how far it has come, unless another has taken over, with what follows where a status was not taken for a day,
// or one is taken again. What changed meanwhile is looked at at once.
func (d *Desk) settle(ctx context.Context, s subscription, over bool) error {
	ctx = context.WithoutCancel(ctx)
	follows, err := d.follows(ctx, &s, over, time.UnixMicro(s.Until).Add(-lease))
	if err != nil {
		return err
	}
	return d.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var at subscription
		if err := tx.Get(callbacks, key(s.Tenant, s.ID), &at); fault.Is(err, fault.NotFound) || err == nil && at.Fence != s.Fence {
			return nil
		} else if err != nil {
			return err
		}
		if err := follows(batch); err != nil {
			return err
		}
		next := s
		next.Until = 0
		if next.Woken = at.Woken; at.Woken != s.Woken {
			next.Due, over = min(next.Due, time.UnixMicro(s.Until).Add(first-lease).UnixMicro()), false
		}
		if over {
			return tx.Delete(callbacks, key(s.Tenant, s.ID))
		}
		return tx.Put(callbacks, key(s.Tenant, s.ID), next)
	})
}
