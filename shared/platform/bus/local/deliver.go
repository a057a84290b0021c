package local

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// How a message is delivered.
const (
	MaxAttempts    = 10               // after so many it is a dead letter
	MaxParallel    = 8                // deliveries under way at once
	AttemptTimeout = 60 * time.Second // for one delivery
	firstWait      = 100 * time.Millisecond
	longestWait    = 5 * time.Second
)

// Target is where messages go.
type Target struct {
	// Handler returns the handler that serves /<function>/, or nil when there is no such function here: that is a
	// failed attempt.
	Handler func(function string) http.Handler
	// Authorization returns the value of the Authorization header of a push to the function, as the platform would
	// sign it. Nil sends none; an error is a failed attempt.
	Authorization func(ctx context.Context, function string) (string, error)
	// Log is told of every message that is set aside.
	Log *slog.Logger
}

// dispatcher is the state of one Deliver call.
type dispatcher struct {
	queue    *queue
	to       Target
	ready    []string // keys, to be tried now, first come first served
	delayed  []delayed
	underway int
	results  chan result
}

type delayed struct {
	key string
	due time.Time
}

// result says how an attempt ended: again after wait, or not at all when wait is 0.
type result struct {
	key  string
	wait time.Duration
	err  error // of the file, not of the attempt
}

// Deliver pushes what is queued, and what arrives, until ctx ends or the Bus is closed; then it waits for what is under
// way and returns nil. An attempt that the end cut short does not count. It returns early with the error when the file
// cannot be read or written, and with Conflict when another call delivers this queue already.
func (b *Bus) Deliver(ctx context.Context, to Target) error {
	if err := b.enter(); err != nil {
		return err
	}
	defer b.active.Done()
	if !b.queue.begin() {
		return fault.New(fault.Conflict, "delivering messages: this queue is being delivered already")
	}
	defer b.queue.end()
	ready, err := b.queue.keys(queued)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d := &dispatcher{queue: b.queue, to: to, ready: ready, results: make(chan result)}
	err = d.run(ctx, b.done)
	cancel()
	for ; d.underway > 0; d.underway-- {
		if r := <-d.results; err == nil {
			err = r.err
		}
	}
	return err
}

func (d *dispatcher) run(ctx context.Context, done <-chan struct{}) error {
	d.queue.notify() // for what arrived while nobody delivered
	for {
		timer := time.NewTimer(d.start(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-done:
			timer.Stop()
			return nil
		case <-timer.C:
		case <-d.queue.wake:
			ready, more, err := d.queue.fanOut()
			if err != nil {
				return err
			}
			if d.ready = append(d.ready, ready...); more {
				d.queue.notify()
			}
		case r := <-d.results:
			d.underway--
			if r.err != nil {
				return r.err
			}
			if r.wait > 0 {
				d.delayed = append(d.delayed, delayed{r.key, time.Now().Add(r.wait)})
			}
		}
		timer.Stop()
	}
}

// start begins as many attempts as may run, and returns how long until the next delayed one is due.
func (d *dispatcher) start(ctx context.Context) time.Duration {
	now, next := time.Now(), time.Hour
	waiting := d.delayed[:0]
	for _, late := range d.delayed {
		if left := late.due.Sub(now); left > 0 {
			waiting, next = append(waiting, late), min(next, left)
		} else {
			d.ready = append(d.ready, late.key)
		}
	}
	d.delayed = waiting
	for d.underway < MaxParallel && len(d.ready) > 0 {
		key := d.ready[0]
		d.ready = d.ready[1:]
		d.underway++
		go func() { d.results <- d.attempt(ctx, key) }()
	}
	return next
}

// attempt delivers one entry once and settles it in the file.
func (d *dispatcher) attempt(ctx context.Context, key string) result {
	e, err := d.queue.load(key)
	if err != nil {
		return result{err: err}
	}
	why := d.to.push(ctx, e)
	if why == "" {
		return result{err: d.queue.remove(key)}
	}
	if ctx.Err() != nil {
		return result{}
	}
	e.Attempts++
	e.Why = why
	if e.Attempts < MaxAttempts {
		return result{key, d.queue.backoff(e.Attempts), d.queue.keep(key, e, false)}
	}
	d.to.Log.ErrorContext(ctx, "message set aside as a dead letter",
		"function", e.Function, "topic", e.Topic, "message", e.ID, "attempts", e.Attempts, "why", why)
	return result{err: d.queue.keep(key, e, true)}
}

// backoff doubles with each failed attempt.
func (q *queue) backoff(attempts int) time.Duration {
	return min(q.firstWait<<(attempts-1), longestWait)
}

func (q *queue) begin() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.delivering {
		return false
	}
	q.delivering = true
	return true
}

func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.delivering = false
}
