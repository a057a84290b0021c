// Package vpcfirewall enforces the allow-list through the firewall rules of a VPC network on Google Cloud. Terraform makes the
// rules, NAME-v4-00 and on and NAME-v6-00 and on, ingress and allow, and owns all of them but two fields: which sources they
// let in, and whether they are disabled. This package writes those two and nothing else.
//
// # What it promises
//
// No rule is ever sent an empty list, which would let everybody in: a rule that holds nobody is disabled and holds an address
// that is nobody's. A change of one lease is a write of one rule. What takes addresses away is written before what adds some.
// A rule that is not as Terraform makes it, or holds what we would not write, reads as torn, and as what it lets in. Of the
// other rules of the network, those that let in more at the same machines and ports are named, whatever their precedence,
// unless a rule that denies stands before them; so are those that deny what ours let in.
//
// # What it does not do
//
// A firewall rule has no fingerprint: nothing makes the service refuse a write that rests on an older reading. Writers of one
// process take turns; each rule is read again right before it is written, and refused when it changed; between processes
// the lock of the reconciler keeps writers apart. No fence is kept in a rule: it could not be compared with the write either,
// and the description is Terraform's and the reader's. Rules are written one by one: for seconds some hold the new list and
// some the old. Firewall policies, of the network and those above the project, are not looked at. Connections that are open
// stay open.
package vpcfirewall

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/option"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// Permissions names, for each method of allowlist.Target, the IAM permissions it needs on the project
// (https://cloud.google.com/compute/docs/reference/rest/v1/firewalls).
var Permissions = map[string][]string{
	"Target.Read":   {"compute.firewalls.list"},
	"Target.Apply":  writing,
	"Target.Remove": writing,
}

var writing = []string{"compute.firewalls.get", "compute.firewalls.list", "compute.firewalls.update", "compute.globalOperations.get", "compute.networks.updatePolicy"}

const (
	// DefaultCapacity is the number of entries when the policy declares none and the rules were not read yet.
	DefaultCapacity = 5000
	// DefaultSize is the number of sources in one rule when the URL says nothing.
	DefaultSize = 256
	// MaxSize is the most sources that one rule can hold (VPC quotas, limits per firewall rule).
	MaxSize = 5000
	// every collects the changes of a busy morning: the service takes some seconds to carry out a write.
	every = 5 * time.Second
)

func init() { allowlist.Targets.Register("vpcfirewall", open) }

// nameForm leaves room in the 63 characters of a rule's name for what follows it.
var nameForm = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,53}[a-z0-9])?$`)

// open reads vpcfirewall:PROJECT/NAME?size=N.
func open(_ context.Context, u *url.URL, o allowlist.Options) (allowlist.Target, error) {
	wrong := fault.New(fault.Misconfigured, "opening firewall door %s: allowed is vpcfirewall:PROJECT/NAME, and ?size=1 to %d", o.Name, MaxSize)
	project, rules, ok := strings.Cut(u.Opaque, "/")
	query, err := url.ParseQuery(u.RawQuery)
	if !ok || err != nil {
		return nil, wrong
	}
	size := DefaultSize
	for key, values := range query {
		if size, err = strconv.Atoi(values[0]); key != "size" || len(values) != 1 || err != nil {
			return nil, wrong
		}
	}
	return New(project, rules, size, o, Dial)
}

// Dial connects to Compute Engine as whom the process runs.
func Dial(ctx context.Context) (*compute.Service, error) {
	client, err := googledoor.Client(ctx)
	if err != nil {
		return nil, err
	}
	return service(ctx, client)
}

func service(ctx context.Context, client *http.Client, options ...option.ClientOption) (*compute.Service, error) {
	made, err := compute.NewService(ctx, append(options, option.WithHTTPClient(client))...)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "connecting to Compute Engine: %w", err)
	}
	return made, nil
}

// Target is the rules of one name. It is safe for concurrent use.
type Target struct {
	name     string
	project  string
	rules    string // what their names begin with
	size     int
	declared int
	service  *lazy.Value[*compute.Service]
	turn     googledoor.Turn
	room     atomic.Int64 // entries of one family that the rules last read can hold; 0 before
}

var _ allowlist.Target = (*Target)(nil)

// New returns the target of the rules of a project whose names begin with rules, each of at most size sources; dial runs at the
// first call that needs it, and again after it failed. Misconfigured: a name that is none, a size or capacity out of bounds.
func New(project, rules string, size int, o allowlist.Options, dial func(context.Context) (*compute.Service, error)) (*Target, error) {
	switch {
	case !googledoor.IsProject(project) || !nameForm.MatchString(rules):
		return nil, fault.New(fault.Misconfigured, "opening firewall door %s: project or name is none", o.Name)
	case size < 1 || size > MaxSize:
		return nil, fault.New(fault.Misconfigured, "opening firewall door %s: size %d, allowed is 1 to %d", o.Name, size, MaxSize)
	case o.Capacity < 0:
		return nil, fault.New(fault.Misconfigured, "opening firewall door %s: capacity %d", o.Name, o.Capacity)
	case o.Capacity == 0:
		o.Capacity = DefaultCapacity
	}
	return &Target{name: o.Name, project: project, rules: rules, size: size, declared: o.Capacity, service: lazy.New(dial),
		turn: googledoor.TurnOf("vpcfirewall:" + project + "/" + rules)}, nil
}

// Name implements allowlist.Target.
func (t *Target) Name() string { return t.name }

// Limits implements allowlist.Target. The capacity is the declared one or, when they were read and hold less, what the rules
// of the smaller family hold: so neither family is ever full while the door is not.
func (t *Target) Limits() allowlist.Limits {
	capacity := t.declared
	if room := int(t.room.Load()); room > 0 {
		capacity = min(capacity, room)
	}
	return allowlist.Limits{Capacity: capacity, Every: every}
}

// Owns reports whether a resource, by its full name, is one of the rules.
func (t *Target) Owns(asset string) bool {
	name, here := strings.CutPrefix(asset, "//compute.googleapis.com/projects/"+t.project+"/global/firewalls/")
	_, ours := t.ours(name)
	return here && ours
}

// Read implements allowlist.Target.
func (t *Target) Read(ctx context.Context) (allowlist.Observed, error) {
	client, err := t.service.Get(ctx)
	if err != nil {
		return allowlist.Observed{}, err
	}
	l, err := t.look(ctx, client)
	if err != nil {
		return allowlist.Observed{}, err
	}
	entries := l.entries()
	return allowlist.Observed{Prefixes: entries, Etag: l.etag(), Frame: l.frame(), Torn: l.torn(), Wider: l.wider(entries)}, nil
}

// Apply implements allowlist.Target.
func (t *Target) Apply(ctx context.Context, s allowlist.Set, w allowlist.Write) error {
	if err := s.Check(t.Limits()); err != nil {
		return err
	}
	client, release, err := t.begin(ctx)
	if err != nil {
		return err
	}
	defer release()
	l, err := t.look(ctx, client)
	if err != nil {
		return err
	}
	if l.etag() != w.Etag {
		return fault.New(fault.Conflict, "applying to firewall door %s: changed since it was read", t.name)
	}
	changes, err := t.plan(l, s)
	if err != nil {
		return err
	}
	var all []begun
	for _, c := range changes {
		b, err := t.write(ctx, client, c)
		if err != nil {
			return err
		}
		all = append(all, b)
	}
	return t.finish(ctx, client, all)
}

// Remove implements allowlist.Target. A rule that cannot be written keeps no other from being written.
func (t *Target) Remove(ctx context.Context, gone []netip.Prefix) error {
	client, release, err := t.begin(ctx)
	if err != nil {
		return err
	}
	defer release()
	l, err := t.look(ctx, client)
	if err != nil {
		return err
	}
	return t.remove(ctx, client, l, lookup(gone))
}

// begin waits for the turn to write.
func (t *Target) begin(ctx context.Context) (client *compute.Service, release func(), err error) {
	if client, err = t.service.Get(ctx); err != nil {
		return nil, nil, err
	}
	release, err = t.turn.Take(ctx, "to write to firewall door "+t.name)
	return client, release, err
}

func lookup(list []netip.Prefix) map[netip.Prefix]bool {
	found := make(map[netip.Prefix]bool, len(list))
	for _, p := range list {
		found[p] = true
	}
	return found
}

func sorted(list []netip.Prefix) []netip.Prefix {
	slices.SortFunc(list, netip.Prefix.Compare)
	return slices.Compact(list)
}
