// Package cloudarmor enforces the allow-list at a load balancer: with the rules of one Cloud Armor security policy whose
// priorities are set aside for it. Terraform owns the policy and its default rule, which must deny; this package owns the
// rules from..to and touches no other.
//
// # What it promises
//
// A rule of ours lets in one to ten prefixes of one family, is enforced, and never holds an empty list: what would be empty is
// taken away, so that the default rule shuts the door. What anybody else left between from and to is taken out again. The
// policy is read right before each write, and a change that is not ours stops the writing. Only rules that change are
// written: one lease costs one write. A default rule that is no plain deny reads as everyone, and as torn; so does a rule of
// ours that lets in by anything but prefixes.
//
// # What it does not do
//
// Adding, patching and removing a rule take no fingerprint: whoever writes between our reading and our writing is noticed at
// the next reading, not before. It does not see whether the policy is attached to a backend, nor the policies of a folder, of
// an organization or of the network's edge. Rules of others are named where they let more in or shut out, and left alone: a
// rule that limits a rate lets in what it does not limit. A set that changes several rules takes effect rule by rule, and
// where it takes longer than a call may, the next call goes on.
package cloudarmor

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/option"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// Permissions names, for each method of allowlist.Target, the IAM permissions it needs on the project of a global policy
// (https://cloud.google.com/compute/docs/reference/rest/v1, at each method).
var Permissions = map[string][]string{
	"Target.Read":   {"compute.projects.get", "compute.securityPolicies.get"},
	"Target.Apply":  {"compute.globalOperations.get", "compute.securityPolicies.get", "compute.securityPolicies.update"},
	"Target.Remove": {"compute.globalOperations.get", "compute.securityPolicies.get", "compute.securityPolicies.update"},
}

// RegionalPermissions are Permissions for a regional policy.
var RegionalPermissions = map[string][]string{
	"Target.Read":   {"compute.regionSecurityPolicies.get", "compute.regions.get"},
	"Target.Apply":  {"compute.regionOperations.get", "compute.regionSecurityPolicies.get", "compute.regionSecurityPolicies.update"},
	"Target.Remove": {"compute.regionOperations.get", "compute.regionSecurityPolicies.get", "compute.regionSecurityPolicies.update"},
}

// every keeps a morning of two hundred people in ten minutes to sixty runs, of a rule or two each.
const every = 10 * time.Second

// mostRules bounds the priorities that may be set aside.
const mostRules = 5000

func init() {
	allowlist.Targets.Register("cloudarmor", func(_ context.Context, u *url.URL, o allowlist.Options) (allowlist.Target, error) {
		return New(u, o, Connect)
	})
}

// Connect returns a client of the Compute API that speaks as whom the process runs.
func Connect(ctx context.Context) (*compute.Service, error) {
	client, err := googledoor.Client(ctx)
	if err != nil {
		return nil, err
	}
	return compute.NewService(ctx, option.WithHTTPClient(client))
}

// Target is the part of a security policy between two priorities. It is safe for concurrent use.
type Target struct {
	name     string
	policy   string
	span     span
	declared int // entries; 0 when the policy folder declares none
	door     door
	service  *lazy.Value[*compute.Service]
	room     atomic.Int64 // rules of ours the quota has room for as last read, and one; 0 before any was
}

var _ allowlist.Target = (*Target)(nil)

// span are the priorities set aside, both ends included.
type span struct{ from, to int64 }

func (s span) has(priority int64) bool { return s.from <= priority && priority <= s.to }

var (
	policyForm = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)
	regionForm = regexp.MustCompile(`^[a-z]{2,20}-[a-z]{2,20}[0-9]{1,2}$`)
	placeForm  = regexp.MustCompile(`^([^/]+)/([^/]+)$`)
)

const usage = "allow-list target: allowed is cloudarmor:PROJECT/POLICY?from=N&to=N, with &region=R for a regional policy"

// New returns the target that u names, as in cloudarmor:shop/edge?from=1000&to=1999; connect runs at the first call that
// needs it, and again after it failed. The priorities from 1 to 2147483646 may be set aside, at most 5,000 in a row.
// Misconfigured: another form, a key that is not known or there twice, a negative capacity.
func New(u *url.URL, o allowlist.Options, connect func(context.Context) (*compute.Service, error)) (*Target, error) {
	place := placeForm.FindStringSubmatch(u.Opaque)
	keys, err := url.ParseQuery(u.RawQuery)
	if err != nil || place == nil || !googledoor.IsProject(place[1]) || !policyForm.MatchString(place[2]) {
		return nil, fault.New(fault.Misconfigured, usage)
	}
	for key, values := range keys {
		if !slices.Contains([]string{"from", "to", "region"}, key) || len(values) != 1 {
			return nil, fault.New(fault.Misconfigured, "%s; %q is none of them, or there twice", usage, key)
		}
	}
	from, errFrom := strconv.ParseInt(keys.Get("from"), 10, 64)
	to, errTo := strconv.ParseInt(keys.Get("to"), 10, 64)
	if errFrom != nil || errTo != nil || from < 1 || to >= lastPriority || to < from || to-from >= mostRules {
		return nil, fault.New(fault.Misconfigured, "%s; from and to are priorities above 0, at most %d in a row", usage, mostRules)
	}
	if o.Capacity < 0 {
		return nil, fault.New(fault.Misconfigured, "opening allow-list target %s: capacity %d", o.Name, o.Capacity)
	}
	t := &Target{name: o.Name, policy: place[2], span: span{from, to}, declared: o.Capacity, service: lazy.New(connect)}
	t.door = global{project: place[1], policy: place[2]}
	if keys.Has("region") {
		if !regionForm.MatchString(keys.Get("region")) {
			return nil, fault.New(fault.Misconfigured, "%s; the region has another form", usage)
		}
		t.door = regional{project: place[1], policy: place[2], region: keys.Get("region")}
	}
	return t, nil
}

// Name implements allowlist.Target.
func (t *Target) Name() string { return t.name }

// Limits implements allowlist.Target. The capacity is the declared one, or what the rules set aside and the project's quota
// of rules, as read by the last Read that could, have room for, whichever is less: ten a rule. Over says who has no room
// where the families, which do not share a rule, leave some of it unused. Without any room it is 1, which no Apply holds.
func (t *Target) Limits() allowlist.Limits {
	capacity := max(1, perRule*t.rules())
	if t.declared > 0 {
		capacity = min(capacity, t.declared)
	}
	return allowlist.Limits{Capacity: capacity, Every: every}
}

// rules is how many rules of ours there may be.
func (t *Target) rules() int {
	most := int(t.span.to - t.span.from + 1)
	if room := t.room.Load(); room > 0 {
		most = min(most, int(room-1))
	}
	return most
}

// Owns reports whether a resource, by its full name, is the policy: the log names it for each of its rules.
func (t *Target) Owns(asset string) bool {
	return asset == "//compute.googleapis.com/"+t.door.place()+"/securityPolicies/"+t.policy
}

// Read implements allowlist.Target. A quota that could not be read leaves the capacity as it was.
func (t *Target) Read(ctx context.Context) (allowlist.Observed, error) {
	seen, err := t.look(ctx)
	if err != nil {
		return allowlist.Observed{}, err
	}
	if free, err := t.free(ctx); err == nil {
		t.room.Store(int64(len(seen.ours)+len(seen.alien)+free) + 1)
	}
	return seen.observed(), nil
}
