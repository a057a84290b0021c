// Package local is the bus of one process: a queue in the same bbolt file as the stores, delivered to the functions
// as the bodies Pub/Sub pushes.
//
// It promises what production promises, no more: a published message is on disk, it is delivered at least once and in
// no order, again after an answer that is no acknowledgement, and it is set aside after MaxAttempts. It delivers within
// the process that has the file open; there is no second process, and no retention limit either.
package local

import (
	"context"
	"net/url"
	"strings"
	"sync"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

func init() {
	bus.Drivers.Register("bolt", func(_ context.Context, u *url.URL, o bus.Options) (bus.Publisher, error) {
		path, _, err := driver.Path(u)
		if err != nil {
			return nil, err
		}
		return Open(path, o.Clock)
	})
}

// Bus is a handle on the queue of one file. Any number of handles of one process share the queue; one of them
// delivers. It is safe for concurrent use.
type Bus struct {
	queue   *queue
	clock   clock.Clock
	release func() error

	mu     sync.Mutex
	closed bool
	done   chan struct{} // closed by Close
	active sync.WaitGroup
}

// Open opens the queue in the bbolt file at path, creating what is missing. The clock gives messages their publish
// time; nil is the machine's. Retries run on real time whatever the clock. Errors: Conflict when another process
// holds the file.
func Open(path string, clk clock.Clock) (*Bus, error) {
	if clk == nil {
		clk = clock.System{}
	}
	q, release, err := share(path)
	if err != nil {
		return nil, err
	}
	return &Bus{queue: q, clock: clk, release: release, done: make(chan struct{})}, nil
}

// Publish returns when the message is on disk. Whom it is for is found out at delivery: a process that only publishes
// need not know the subscriptions, and a message without any is then dropped, as Pub/Sub does.
func (b *Bus) Publish(ctx context.Context, topic string, m bus.Message) error {
	if err := bus.Check(topic, m); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Transient, "publishing to %s: %w", topic, err)
	}
	if err := b.enter(); err != nil {
		return err
	}
	defer b.active.Done()
	e := entry{Topic: topic, Data: m.Data, Attributes: m.Attributes, Published: b.clock.Now()}
	if err := b.queue.arrive(e); err != nil {
		return fault.New(fault.Transient, "publishing to %s: %w", topic, err)
	}
	return nil
}

// Subscribe declares that a function receives a topic, filtered as bus.ParseFilter says ("" for no filter).
// Declarations live as long as the process and are made before Deliver is called: messages fanned out earlier are not
// handed in later. Errors: Misconfigured for a bad name or filter, or a second declaration of the same two.
func (b *Bus) Subscribe(function, topic, filter string) error {
	name := bus.Subscription(function, topic)
	if function == "" || strings.Contains(function, "--") || !bus.ValidName(topic) || !bus.ValidName(name) {
		return fault.New(fault.Misconfigured, "subscribing %q to %q: not the names of a function and a topic", function, topic)
	}
	f, err := bus.ParseFilter(filter)
	if err != nil {
		return fault.New(fault.Misconfigured, "subscribing %s to %s: %w", function, topic, err)
	}
	if !b.queue.declare(subscription{function, topic, f}) {
		return fault.New(fault.Misconfigured, "subscribing %s to %s: declared twice", function, topic)
	}
	return nil
}

// Close ends Deliver, waits for what is under way and gives the file back when this was its last user. A second
// call does nothing.
func (b *Bus) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	close(b.done)
	b.mu.Unlock()
	b.active.Wait()
	return b.release()
}

// enter counts a call that Close waits for.
func (b *Bus) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return fault.New(fault.Transient, "using the bus: it is closed")
	}
	b.active.Add(1)
	return nil
}
