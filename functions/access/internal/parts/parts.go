// Package parts builds what the functions of the access control have in common from a function's dependencies.
package parts

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/notice"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/access/pair"
	"ostiary.internal/shared/access/reminder"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
)

// Schema is what the access control keeps in its database.
var Schema = slices.Concat(store.Schema{outbox.Collection()}, otp.Collection(), lease.Collection(), pair.Collection(), allowlist.Collection(), clientproof.Collection(), reminder.Collection(), store.Schema{heartbeat.Collection()})

// Parts are a function's dependencies and the access control's services on them.
type Parts struct {
	*wiring.Deps
	Gate    caller.Gate
	Rules   access.Rules
	Notices *notice.Sender
	OTP     *otp.Service
	Screen  address.Screen // refuses what nobody may register, our own entrance among it
}

// New reads access.yaml and builds the services. Misconfigured: the policy has no access.yaml, or a wrong one.
func New(d *wiring.Deps) (*Parts, error) {
	rules, problems := access.ReadRules(d.Policy)
	switch {
	case len(problems) > 0:
		return nil, fault.New(fault.Misconfigured, "reading the access rules: %s", problems[0])
	case !rules.On:
		return nil, fault.New(fault.Misconfigured, "the policy has no access.yaml: the access control is off")
	}
	screen, err := ownAddresses(d)
	if err != nil {
		return nil, err
	}
	return &Parts{
		Deps:  d,
		Gate:  caller.Gate{Policy: d.Policy, Identity: d.Identity, Directory: d.Directory, Clock: d.Clock, Fronted: d.Fronted()},
		Rules: rules, Screen: screen,
	}, nil
}

// WithOTP builds the service of one-time passwords, for functions that may use its key.
func (p *Parts) WithOTP() error {
	p.Notices = notice.New(p.Policy, seal.NewCache(p.MessageKeys, p.Random, p.Clock), p.Random)
	var err error
	p.OTP, err = otp.New(otp.Config{
		Store: p.Store, Box: p.Box, Keys: p.Seal, Random: p.Random, Rules: p.otpRules(), Notify: p.notify,
		Promises: p.Promises("otp-gate"), Policy: p.PolicyDigest(),
	})
	return err
}

// notify tells the person, and the allow-list when an authenticator may be in other hands: what was registered
// with it ends too. Both leave in the transaction that ended the authenticator.
func (p *Parts) notify(b *outbox.Batch, n otp.Notice) error {
	if err := p.Notices.Notify(b, n); err != nil {
		return err
	}
	why := otp.Reason(n.Data["why"])
	if n.Kind == otp.ResetApproved {
		why = otp.ByReset
	}
	if !slices.Contains([]otp.Reason{otp.ReportLost, otp.Compromised, otp.ByReset}, why) {
		return nil
	}
	return b.Message(TopicEnded, TopicEnded+"/"+n.Key, Ended{Person: n.Person, Why: why})
}

// TopicEnded tells that an authenticator ended because it may be in other hands, at the time of the message.
const TopicEnded = "authenticator.ended"

// Ended is the payload of TopicEnded.
type Ended struct {
	Person string     `json:"person"` // id in people.yaml
	Why    otp.Reason `json:"why"`
}

// Account returns the person's account: the zero one when she has none yet. Denied with code subject_changed when her
// address belongs to another sign-in account than the one her authenticators were bound by: whoever holds an address
// later must not find what its owner before left.
func (p *Parts) Account(ctx context.Context, who caller.Staff) (otp.Account, error) {
	var account otp.Account
	err := p.Store.Get(ctx, otp.Accounts, who.ID, &account)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return account, caller.Refused(err)
	}
	return account.BoundTo(who.Subject)
}

func (p *Parts) otpRules() otp.Rules {
	r := p.Rules.OTP
	return otp.Rules{
		Issuer: r.Issuer, MaxAuthenticators: r.MaxAuthenticators, FreeFailures: r.FreeFailures, FirstWait: r.FirstWait, MaxWait: r.MaxWait,
		HardStop: r.HardStop, MalformedPerMinute: r.MalformedPerMinute, GrantLife: r.GrantLife, LinkLife: r.LinkLife, ResetWait: r.ResetWait,
	}
}

// Leases builds the service that keeps leases.
func (p *Parts) Leases() (*lease.Service, error) {
	capacity := 0
	for _, t := range p.Rules.Targets {
		if capacity == 0 || t.Capacity < capacity {
			capacity = t.Capacity
		}
	}
	return lease.New(lease.Config{
		Store: p.Store, Box: p.Box, OTP: p.OTP, Clock: p.Clock, Rules: p.Rules.Lease, Screen: p.Screen, Fixed: p.fixed, Capacity: capacity, Full: p.full,
		Promises: p.Promises("ip-daily"), Policy: p.PolicyDigest(), Random: p.Random, Log: p.Log,
	})
}

func (p *Parts) full(ctx context.Context, now time.Time) (bool, error) {
	return allowlist.Full(ctx, p.Store, now)
}

// fixed are the sites that are always let in.
func (p *Parts) fixed(context.Context) ([]access.Fixed, error) { return p.Rules.Fixed, nil }

// EnvTargets lists where the allow-list is enforced: NAME=URL, separated by commas; the names are those of
// access.yaml.
const EnvTargets = "OSTIARY_TARGETS"

// Targets opens every target of the policy. Misconfigured: one has no URL, or a URL no target.
func (p *Parts) Targets(ctx context.Context) ([]allowlist.Target, error) {
	urls, err := p.targetURLs()
	if err != nil {
		return nil, err
	}
	var targets []allowlist.Target
	for _, t := range p.Rules.Targets {
		url, ok := urls[t.Name]
		if !ok {
			return nil, fault.New(fault.Misconfigured, "opening target %s: %s does not name it", t.Name, EnvTargets)
		}
		delete(urls, t.Name)
		target, err := allowlist.Targets.Open(ctx, url, allowlist.Options{Name: t.Name, Capacity: t.Capacity, Clock: p.Clock, Account: p.account})
		if err != nil {
			return nil, fmt.Errorf("opening target %s: %w", t.Name, err)
		}
		targets = append(targets, target)
	}
	for name := range urls {
		return nil, fault.New(fault.Misconfigured, "reading %s: access.yaml has no target %q", EnvTargets, name)
	}
	return targets, nil
}

// account is the address a person signs in with.
func (p *Parts) account(person string) (email string, ok bool) {
	who, known := p.Policy.PersonByID(person)
	return who.Email, known
}

// targetURLs reads EnvTargets.
func (p *Parts) targetURLs() (map[string]string, error) {
	urls := map[string]string{}
	value, _ := p.Env(EnvTargets)
	if value == "" {
		return urls, nil
	}
	for pair := range strings.SplitSeq(value, ",") {
		name, url, ok := strings.Cut(pair, "=")
		if _, twice := urls[name]; !ok || twice {
			return nil, fault.New(fault.Misconfigured, "reading %s: not a list of NAME=URL, each name once", EnvTargets)
		}
		urls[name] = url
	}
	return urls, nil
}

// Reconciler builds what makes the targets hold what the leases say.
func (p *Parts) Reconciler(leases *lease.Service, targets []allowlist.Target, lost func(ctx context.Context, person string) (lease.Why, error)) (*allowlist.Reconciler, error) {
	// Deployed, two instances may live for a moment while one replaces the other; here the data folder has one owner.
	owner := "local"
	if _, deployed := p.Env("K_SERVICE"); deployed {
		var b [10]byte
		if _, err := io.ReadFull(p.Random, b[:]); err != nil {
			return nil, fault.New(fault.Transient, "naming this instance: %w", err)
		}
		owner = hex.EncodeToString(b[:])
	}
	doors := notice.NewDoors(p.Policy, seal.NewCache(p.MessageKeys, p.Random, p.Clock), p.Random, p.Clock)
	return allowlist.New(allowlist.Config{
		Store: p.Store, Box: p.Box, Leases: leases, Targets: targets, Lost: lost, Owner: owner, Tell: doors.Tell, Ready: doors.Ready,
		Promises: p.Promises("ip-allowlist"), Policy: p.PolicyDigest(), Log: p.Log,
	})
}

// Reminder builds what reminds people to register. Without an hour in access.yaml it reminds nobody, and needs no site.
func (p *Parts) Reminder(leases *lease.Service) (*reminder.Service, error) {
	site := ""
	if p.Rules.Lease.Remind != "" {
		var err error
		if site, err = p.Site(); err != nil {
			return nil, err
		}
	}
	letters := notice.NewReminders(site, seal.NewCache(p.MessageKeys, p.Random, p.Clock), p.Random)
	return reminder.New(reminder.Config{Store: p.Store, Box: p.Box, People: p.Policy.People, At: p.Rules.Lease.Remind,
		Leases: leases.OfDate, Tell: letters.Tell, Ready: letters.Ready})
}

// Refusal tells a signed-in person the exact outcome of an attempt that was refused.
func Refusal(r otp.Result) error { return Outcome(r.Fault(), r) }

// Outcome puts the exact outcome of an attempt into a problem, and how long to wait.
func Outcome(problem error, r otp.Result) error {
	return web.Extend(problem, map[string]any{"outcome": string(r.Outcome), "retry_after_s": page.Seconds(r.RetryAfter)})
}

// Ready prepares a request that may give notice: it fails before anything is decided.
func (p *Parts) Ready(ctx context.Context) error {
	if err := p.Notices.Ready(ctx); err != nil {
		return caller.Unavailable(err)
	}
	return nil
}

// Meta is what is known of a request: its id, and where it came from when that can be told.
func (p *Parts) Meta(r *http.Request) otp.Meta {
	return otp.Meta{Request: web.RequestID(r.Context()), Source: p.Source(r)}
}

// Source is the network a request came from, /32 or /64; the zero prefix when it cannot be told.
func (p *Parts) Source(r *http.Request) netip.Prefix {
	addr, err := p.Client.Client(r)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
