// Package accesslevel enforces the allow-list in Access Context Manager, the one door on Google Cloud that ties an address to
// the person who registered it and to the time at which her lease ends.
//
// It promises that an address opens for the person who holds it and for nobody else, fixed sites excepted; that it shuts at
// its end without anybody's doing, for each condition requires a level that ends by itself; that no list it writes is ever
// empty, for an empty one means everybody; and that what it reads is never less than what the levels let in.
//
// Terraform creates the levels NAME_00, NAME_01 and so on, says where they are required, and ignores their conditions and
// descriptions, which are this package's; the levels NAME_until_TIME are this package's altogether. It does not promise to
// see other levels that somebody requires in place of these, and where two processes write at once it is the fence of the
// caller that keeps them apart: a level has no etag to insist on.
package accesslevel

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// Permissions names, for each method of allowlist.Target, the IAM permissions it needs on the access policy
// (https://cloud.google.com/access-context-manager/docs/audit-logging). An operation is read with the permission to get
// what it works on.
var Permissions = map[string][]string{
	"Target.Read": {"accesscontextmanager.accessLevels.list"},
	"Target.Apply": {"accesscontextmanager.accessLevels.create", "accesscontextmanager.accessLevels.delete", "accesscontextmanager.accessLevels.get",
		"accesscontextmanager.accessLevels.list", "accesscontextmanager.accessLevels.update"},
	"Target.Remove": {"accesscontextmanager.accessLevels.get", "accesscontextmanager.accessLevels.list", "accesscontextmanager.accessLevels.update"},
}

// What the service takes (https://cloud.google.com/access-context-manager/quotas).
const (
	mostConditions = 40  // of a level
	mostItems      = 200 // of a list in a condition
	mostLevels     = 500 // of an organization
)

// The service takes 50 writes a minute of an organization, whoever makes them. We make at most 30: Terraform and people
// have the rest. With 15 seconds between two Apply, 200 people who register within ten minutes are four Apply a minute, each
// with five newcomers in the one level that has room: four writes a minute, eight where that level fills up. Were all of them
// known already, in the five levels that 200 people take, it would be 20.
const (
	writesAMinute = 30
	every         = 15 * time.Second
)

// DefaultCapacity is the number of entries when the policy declares none.
const DefaultCapacity = 5000

// Target is a row of access levels. It is safe for concurrent use; handles of one process on the same levels write in turn.
type Target struct {
	policy  string // accessPolicies/NUMBER
	name    string // before _00 and _until_
	options allowlist.Options
	service *lazy.Value[*acm.Service]
	pause   func(ctx context.Context, d time.Duration) error
	size    int                  // conditions of a level
	room    atomic.Pointer[room] // as last read; nil before
	writes  *budget
}

var (
	_ allowlist.Target = (*Target)(nil)
	_ allowlist.Packer = (*Target)(nil)
)

func init() {
	allowlist.Targets.Register("accesslevel", func(_ context.Context, u *url.URL, o allowlist.Options) (allowlist.Target, error) {
		return open(u, o)
	})
}

// A name is up to 50 characters, and the longest of ours ends in _until_ and twelve digits.
var urlForm = regexp.MustCompile(`^(accessPolicies/[0-9]{1,20})/([A-Za-z][A-Za-z0-9_]{0,30})$`)

func open(u *url.URL, o allowlist.Options) (*Target, error) {
	parts := urlForm.FindStringSubmatch(u.Opaque)
	if parts == nil || u.RawQuery != "" {
		return nil, fault.New(fault.Misconfigured, "opening access levels: allowed is accesslevel:accessPolicies/NUMBER/NAME, a name of letters, digits and _")
	}
	return New(parts[1], parts[2], o, googledoor.Client, "")
}

// New returns the target of the levels NAME_00, NAME_01 and so on of a policy, accessPolicies/NUMBER. connect makes the
// client at first use; endpoint is where the service is, "" for Google's. Misconfigured: a negative capacity.
func New(policy, name string, o allowlist.Options, connect func(context.Context) (*http.Client, error), endpoint string) (*Target, error) {
	if o.Capacity < 0 {
		return nil, fault.New(fault.Misconfigured, "opening access levels: capacity %d", o.Capacity)
	}
	if o.Capacity == 0 {
		o.Capacity = DefaultCapacity
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	return &Target{policy: policy, name: name, options: o, service: dial(connect, endpoint), pause: pause, size: mostConditions, writes: &budget{}}, nil
}

// Name implements allowlist.Target.
func (t *Target) Name() string { return t.options.Name }

// Limits implements allowlist.Target: what is declared. What the levels have room for is not a number of entries, for people
// who share an address need a condition each, and the addresses of one person share one: Over counts it.
func (t *Target) Limits() allowlist.Limits {
	return allowlist.Limits{Capacity: t.options.Capacity, Every: every}
}

// Owns reports whether a resource, by its full name, is one of the levels, or the policy: whoever replaces all levels at once
// calls that.
func (t *Target) Owns(asset string) bool {
	const service = "//accesscontextmanager.googleapis.com/"
	name, ours := strings.CutPrefix(asset, service+t.policy)
	if !ours || name == "" {
		return ours
	}
	suffix, ours := strings.CutPrefix(name, "/accessLevels/"+t.name+"_")
	return ours && (shellForm.MatchString(suffix) || endForm.MatchString(suffix))
}

// Read implements allowlist.Target. What ended by itself is reported until it is taken out, for the levels still name it: so
// that they read differently only when somebody wrote.
func (t *Target) Read(ctx context.Context) (allowlist.Observed, error) {
	v, err := t.list(ctx)
	if err != nil {
		return allowlist.Observed{}, err
	}
	return v.observed(), nil
}

// Apply implements allowlist.Target. It writes only the levels that change, those first that shut something, and looks at
// each right before. Invalid: somebody in the set has no sign-in address, and nothing was written. Exhausted: the levels have
// no room, or the writes of this minute are used up: what takes away was written all the same. What was written until then
// stands, and reads as torn; if that is not only what takes away, it is ErrPart.
func (t *Target) Apply(ctx context.Context, s allowlist.Set, w allowlist.Write) error {
	if err := s.Check(t.Limits()); err != nil {
		return err
	}
	want, err := t.holdings(s)
	if err != nil {
		return err
	}
	done, err := turn(ctx, t.policy+"/"+t.name)
	if err != nil {
		return err
	}
	defer done()
	v, err := t.list(ctx)
	if err != nil {
		return err
	}
	if fence := v.fence(); fence > w.Fence {
		return fault.New(fault.Conflict, "applying to %s: fence %d is older than %d", t.name, w.Fence, fence)
	}
	if v.etag() != w.Etag {
		return fault.New(fault.Conflict, "applying to %s: changed since it was read", t.name)
	}
	p, err := t.plan(v, together(want), s.Digest(), w.Fence)
	if err != nil {
		return errors.Join(err, t.narrow(ctx, v, want))
	}
	written, err := t.carryOut(ctx, v, p)
	if fault.Is(err, fault.Exhausted) {
		if open := t.shut(ctx, want); open != nil {
			return errors.Join(err, open) // somebody who has to go may still be let in: that is no part of what is wanted
		}
		if written > 0 {
			return errors.Join(allowlist.ErrPart, err)
		}
		return err
	}
	return googledoor.As(err, map[fault.Kind]fault.Kind{fault.NotFound: fault.Conflict}) // it went since it was read
}

// shut takes away all that is not wanted from the levels as they are now.
func (t *Target) shut(ctx context.Context, want map[holding]int64) error {
	v, err := t.list(ctx)
	if err != nil {
		return err
	}
	return t.narrow(ctx, v, want)
}

// narrow takes away all that is not wanted.
func (t *Target) narrow(ctx context.Context, v *view, want map[holding]int64) error {
	return t.takeAway(ctx, v, func(level *acm.AccessLevel) ([]*acm.Condition, bool) { return v.within(level, want) })
}

// Remove implements allowlist.Target. It needs no room and no end level: a level that is left with nothing gets the one
// condition nobody meets. It goes on after an error, so that one level that cannot be written keeps no other one open.
func (t *Target) Remove(ctx context.Context, gone []netip.Prefix) error {
	done, err := turn(ctx, t.policy+"/"+t.name)
	if err != nil {
		return err
	}
	defer done()
	v, err := t.list(ctx)
	if err != nil {
		return err
	}
	return t.takeAway(ctx, v, func(level *acm.AccessLevel) ([]*acm.Condition, bool) { return without(level, gone) })
}

// turn waits until no other handle of this process writes to the levels; done ends the turn.
func turn(ctx context.Context, levels string) (done func(), err error) {
	return googledoor.TurnOf("accesslevel:"+levels).Take(ctx, "to write to "+levels)
}

// budget counts the writes of the last minute.
type budget struct {
	mu   sync.Mutex
	made []time.Time
}

// spend notes a write at now. With enforce it refuses the one too many: Exhausted, with the time until there is room.
func (b *budget) spend(now time.Time, enforce bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.made) > 0 && now.Sub(b.made[0]) >= time.Minute {
		b.made = b.made[1:]
	}
	if enforce && len(b.made) >= writesAMinute {
		return &fault.Error{Kind: fault.Exhausted, RetryAfter: time.Minute - now.Sub(b.made[0]),
			Err: fault.New(fault.Exhausted, "writing access levels: %d writes in the last minute, the rest of the quota is for others", len(b.made))}
	}
	b.made = append(b.made, now)
	return nil
}
