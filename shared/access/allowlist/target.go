// Package allowlist carries the set of live leases to the targets that enforce it: firewalls, proxies, files. The
// whole set is computed anew each time and the target made to hold exactly it; nothing is ever added or removed one by
// one.
//
// It promises that after a run no address is let in without a lease or a fixed site, that a lease is called confirmed
// only when it was read back from every target, that an empty set shuts the door, and that a run that died anywhere
// is made good by the next. It does not promise that removing an entry cuts connections already open: that depends
// on the target.
package allowlist

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// Limits are what a target can hold.
type Limits struct {
	Capacity int // entries of both families together; at least 1
	// Every is the shortest time between two Apply that keeps within the target's write quota; 0 when it has none.
	Every time.Duration
}

// Observed is what a target holds now, as read back from the outside world.
type Observed struct {
	// Prefixes are let in, sorted as in Set.Prefixes. Empty means the door is shut: a target whose own empty list
	// means "everyone" reports 0.0.0.0/0 and ::/0.
	Prefixes []netip.Prefix
	// Digest is the Set.Digest of the last Apply where the target can remember it, "" where it cannot.
	Digest string
	// Etag changes with every change of the target, whoever made it; "" where there is no such thing.
	Etag string
	// Fence is the highest fence ever applied where the target remembers it, else 0.
	Fence int64
	// Torn says why the target does not hold one version whole, such as "never written" or "nginx.conf was
	// edited"; "" when it does. A torn target holds nothing we may call confirmed.
	Torn string
	// Wider names, sorted, what lets more in than our entries do, past them: rules of others with a wider source and
	// a higher precedence. It is reported and never changed.
	Wider []string
	// Frame is a digest of what the target is made of beside its entries, such as the ports and machines its rules are for:
	// it changes when somebody changes that. "" where nothing of it is known.
	Frame string
}

// Holds reports whether the target holds exactly the set.
func (o Observed) Holds(s Set) bool {
	return o.Torn == "" && slices.Equal(o.Prefixes, s.Prefixes()) && (o.Digest == "" || o.Digest == s.Digest())
}

// Write says on what ground a set is applied.
type Write struct {
	Fence int64  // of the reconciler's lease; a target that knows a higher one refuses
	Etag  string // of the Read this decision rests on; a target that changed since refuses
}

// Target is one place where the allow-list is enforced. It is safe for concurrent use. Every implementation passes
// targettest.
type Target interface {
	// Name is the target's name in the policy.
	Name() string
	// Limits are the declared ones or, where the API tells, the real ones.
	Limits() Limits
	// Read reads back what is let in now. Errors: Transient, Denied, Misconfigured.
	Read(ctx context.Context) (Observed, error)
	// Apply makes the target hold exactly the set, and returns when the target has accepted it; it does not read
	// back. It begins with Set.Check and writes nothing when that refuses. A crash or error leaves the old set or
	// the new one, or some entries of either. An empty set shuts the door. Errors: ErrPart, Conflict (a higher fence or another etag was seen; nothing
	// written), Invalid, Exhausted (with RetryAfter where the API says), Transient, Denied, Misconfigured.
	Apply(ctx context.Context, s Set, w Write) error
	// Remove takes away the entries of these prefixes, and the target's fence and digest with them where it must; it
	// adds nothing and needs no fence, for two removals never disagree. One that is not there is no error. A writer at
	// work at the same time may undo it, or be undone: its next run puts that right. The last one taken away shuts the
	// door. Errors: Transient, Denied, Misconfigured, Exhausted.
	Remove(ctx context.Context, gone []netip.Prefix) error
}

// ErrPart is among the errors of an Apply that wrote part of a set before its time or its quota ran out: what it wrote stands,
// and the next Apply goes on. One that wrote nothing never returns it.
var ErrPart = errors.New("part of the set is written; the next run goes on")

// Packer is a target whose room is not counted in prefixes.
type Packer interface {
	// Over returns the ids of the leases of a set for which there is no room, the latest registered first. It asks nobody:
	// what was last read counts. Without them the set can be applied.
	Over(s Set) []string
}

// Options are what every driver receives.
type Options struct {
	Name     string // of the target in the policy
	Capacity int    // declared in the policy; 0 for the driver's own
	Clock    clock.Clock
	// Account tells the sign-in address of a person, for targets that bind an entry to who may use it; false when
	// there is none. Nil where no target needs it.
	Account func(person string) (email string, ok bool)
}

// Targets opens targets by URL: file:DIR, and what the packages beside file register.
var Targets = driver.NewRegistry[Options, Target]("allow-list target")
