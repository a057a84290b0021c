package world

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/mailbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/secret"
)

// publisher is the bus as a function publishes to it.
type publisher struct {
	bus.Publisher
	around *around
}

// Publish implements bus.Publisher.
func (p publisher) Publish(ctx context.Context, topic string, m bus.Message) error {
	if err := p.around.faults.before(ctx, BusBefore); err != nil {
		return err
	}
	if err := p.around.push.publish(ctx, p.Publisher, topic, m); err != nil {
		return err
	}
	return p.around.faults.lost(ctx, BusLost)
}

// keys is the key service.
type keys struct {
	seal.Keys
	faults *Faults
}

// Wrap implements seal.Keys.
func (k keys) Wrap(ctx context.Context, dataKey, bound []byte) ([]byte, string, error) {
	if err := k.faults.outage(ctx, KeyOut); err != nil {
		return nil, "", err
	}
	return k.Keys.Wrap(ctx, dataKey, bound)
}

// Unwrap implements seal.Keys.
func (k keys) Unwrap(ctx context.Context, wrapped, bound []byte) ([]byte, error) {
	if err := k.faults.outage(ctx, KeyOut); err != nil {
		return nil, err
	}
	return k.Keys.Unwrap(ctx, wrapped, bound)
}

// secrets is where secrets are kept.
type secrets struct {
	secret.Store
	faults *Faults
}

// Get implements secret.Store.
func (s secrets) Get(ctx context.Context, name string) ([]byte, error) {
	if err := s.faults.outage(ctx, SecretOut); err != nil {
		return nil, err
	}
	return s.Store.Get(ctx, name)
}

// accounts is the company's directory.
type accounts struct {
	directory.Directory
	faults *Faults
}

// Lookup implements directory.Directory.
func (a accounts) Lookup(ctx context.Context, email string, maxAge time.Duration) (directory.Account, error) {
	if err := a.faults.outage(ctx, DirectoryOut); err != nil {
		return directory.Account{}, err
	}
	return a.Directory.Lookup(ctx, email, maxAge)
}

// channel sends messages, and can be asked for one whose outcome is not known: it looks into the mailbox.
type channel struct {
	message.Channel
	faults *Faults
	astray sync.Map // ids of messages to where none arrives, in this process
}

var _ message.Finder = (*channel)(nil)

// Send implements message.Channel.
func (c *channel) Send(ctx context.Context, m message.Message) (message.Outcome, error) {
	c.faults.drag(ctx)
	if c.faults.hit(ctx, MessageRefused) {
		return message.Deferred, errInjected
	}
	if strings.HasSuffix(m.To, "@"+mailbox.Lost) {
		c.astray.Store(m.ID, true)
	}
	outcome, err := c.Channel.Send(ctx, m)
	if outcome == message.Accepted && c.faults.hit(ctx, MessageLost) {
		return message.Unknown, errInjected
	}
	return outcome, err
}

// Find implements message.Finder.
func (c *channel) Find(ctx context.Context, id string) (message.Trace, error) {
	box, is := c.Channel.(*mailbox.Mailbox)
	if _, lost := c.astray.Load(id); lost || !is || c.faults.hit(ctx, MessageSilent) {
		return message.TraceSilent, errInjected
	}
	all, err := box.List()
	if err != nil {
		return message.TraceSilent, fmt.Errorf("looking for a message: %w", err)
	}
	for _, kept := range all {
		if kept.ID == id {
			message.WireOf(ctx).Named(id)
			return message.TraceTaken, nil
		}
	}
	return message.TraceNone, nil
}

// target is where the allow-list is enforced.
type target struct {
	allowlist.Target
	faults *Faults
}

// Read implements allowlist.Target. What reads back otherwise lacks its last entry.
func (t target) Read(ctx context.Context) (allowlist.Observed, error) {
	if err := t.faults.before(ctx, TargetBefore); err != nil {
		return allowlist.Observed{}, err
	}
	seen, err := t.Target.Read(ctx)
	if err == nil && len(seen.Prefixes) > 0 && t.faults.hit(ctx, TargetOther) {
		seen.Prefixes, seen.Digest = seen.Prefixes[:len(seen.Prefixes)-1], ""
	}
	return seen, err
}

// Apply implements allowlist.Target. Of a write that is cut off, every second entry is there.
func (t target) Apply(ctx context.Context, s allowlist.Set, w allowlist.Write) error {
	if err := t.faults.before(ctx, TargetBefore); err != nil {
		return err
	}
	if !t.faults.hit(ctx, TargetPart) {
		return t.Target.Apply(ctx, s, w)
	}
	if err := t.Target.Apply(ctx, allowlist.Set{V4: half(s.V4), V6: half(s.V6)}, w); err != nil {
		return err
	}
	return errInjected
}

// Remove implements allowlist.Target.
func (t target) Remove(ctx context.Context, gone []netip.Prefix) error {
	if err := t.faults.before(ctx, TargetBefore); err != nil {
		return err
	}
	return t.Target.Remove(ctx, gone)
}

func half(all []allowlist.Entry) (some []allowlist.Entry) {
	for i := 0; i < len(all); i += 2 {
		some = append(some, all[i])
	}
	return some
}
