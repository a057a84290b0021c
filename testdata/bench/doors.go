package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"
	"google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/accesslevel"
	"ostiary.internal/shared/access/allowlist/accesslevel/acmtest"
	"ostiary.internal/shared/access/allowlist/cloudarmor"
	"ostiary.internal/shared/access/allowlist/cloudarmor/armortest"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/access/allowlist/vpcfirewall"
	"ostiary.internal/shared/access/allowlist/vpcfirewall/vpctest"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// What one write of a door takes, and how many writes a minute the services take: of a project
// (https://cloud.google.com/compute/api-quota), of an organization (https://cloud.google.com/access-context-manager/quotas). The fake
// of Access Context Manager keeps its own.
const (
	ofLevel, ofRule = 40, 10
	computeWrites   = 1500
	doorRuns        = 3 // each of some seconds
	mostTries       = 100
)

// doorway is one kind of door, on a fake whose clock is clk, and the least anybody can do to fill it.
type doorway struct {
	name, calls string
	open        func(clk *clock.Manual, entries int) (allowlist.Target, error)
	// bare makes the n-th call of a loop that fills the door with prefixes; done after the last one.
	bare func(ctx context.Context, clk *clock.Manual, prefixes []string) (call func(n int) (done bool, err error), err error)
}

// door compares how long the reconciler takes to fill one kind of door, from nothing to all leases confirmed, on a bbolt file with synced writes, with a
// loop of the client's calls that writes the same and reads nothing. Operations end at once. What the quota of a service makes both
// wait is a row of its own.
func (b *bench) door(of func() doorway) func(context.Context) error {
	return func(ctx context.Context) error {
		d := of()
		var ours, bare, ourWaits, bareWaits []time.Duration
		for n := range min(b.runs, doorRuns) {
			took, waited, err := b.converge(ctx, d, filepath.Join(b.dir, fmt.Sprint("door-", d.name, n)))
			if err != nil {
				return fmt.Errorf("converging on %s: %w", d.name, err)
			}
			ours, ourWaits = append(ours, took), append(ourWaits, waited)
			if took, waited, err = loop(ctx, d, b.leases); err != nil {
				return fmt.Errorf("filling %s: %w", d.name, err)
			}
			bare, bareWaits = append(bare, took), append(bareWaits, waited)
		}
		b.times(fmt.Sprintf("%s: %d leases confirmed", d.name, b.leases), ours, bare, d.calls)
		if slices.Min(bareWaits) > 0 {
			b.times(fmt.Sprintf("%s: %d leases, waiting for the quota", d.name, b.leases), ourWaits, bareWaits, d.calls+", to the last write of the quota")
		}
		return nil
	}
}

// converge runs the reconciler each minute until every lease is confirmed, as the schedule does. waited is on the door's clock.
func (b *bench) converge(ctx context.Context, d doorway, dir string) (took, waited time.Duration, err error) {
	clk := clock.NewManual(morning)
	r, release, err := b.reconciler(ctx, dir, clk, func() (allowlist.Target, error) { return d.open(clk, b.leases) })
	if release != nil {
		defer release()
	}
	if err != nil {
		return 0, 0, err
	}
	confirmed := 0
	from := time.Now()
	for tries := 0; confirmed < b.leases; tries++ {
		report, err := r.Run(ctx, clk.Now())
		if confirmed += report.Confirmed; confirmed == b.leases {
			break
		}
		if later := fault.Is(err, fault.Exhausted) || fault.Is(err, fault.Transient); err != nil && !later || tries == mostTries {
			return 0, 0, fmt.Errorf("%d of %d leases are confirmed: %w", confirmed, b.leases, err)
		}
		if err := clk.Set(clk.Now().Add(time.Minute)); err != nil {
			return 0, 0, err
		}
	}
	return time.Since(from), clk.Now().Sub(morning), nil
}

// loop makes the bare calls, and waits as long as the service has none left.
func loop(ctx context.Context, d doorway, entries int) (took, waited time.Duration, err error) {
	clk := clock.NewManual(morning)
	prefixes := make([]string, entries)
	for n := range prefixes {
		prefixes[n] = seeded(n).String()
	}
	call, err := d.bare(ctx, clk, prefixes)
	if err != nil {
		return 0, 0, err
	}
	from := time.Now()
	for n := 0; ; {
		done, err := call(n)
		var api *googleapi.Error
		switch {
		case errors.As(err, &api) && api.Code == http.StatusTooManyRequests:
			if err := clk.Set(clk.Now().Add(time.Second)); err != nil {
				return 0, 0, err
			}
		case err != nil:
			return 0, 0, err
		case done:
			return time.Since(from), clk.Now().Sub(morning), nil
		default:
			n++
		}
	}
}

// stand is the testing.TB of a fake outside of tests: what the fake finds wrong ends the measurement.
type stand struct{ testing.TB }

// Cleanup does nothing: servers end with the process.
func (stand) Cleanup(func()) {}

// Error ends the measurement.
func (stand) Error(args ...any) { panic(fmt.Sprint(args...)) }

// Errorf ends the measurement.
func (stand) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func computeAt(server string) func(context.Context) (*compute.Service, error) {
	return func(ctx context.Context) (*compute.Service, error) {
		return compute.NewService(ctx, option.WithHTTPClient(googledoor.Guard(&http.Client{})), option.WithEndpoint(server))
	}
}

func firewallDoor() doorway {
	make := func(clk *clock.Manual, entries int) *vpctest.VPC {
		v := vpctest.New(stand{}).Shells(entries/vpcfirewall.DefaultSize + 1)
		v.Clock, v.PerMinute, v.Slow = clk, computeWrites, 1
		return v
	}
	return doorway{
		name: "vpcfirewall", calls: "`firewalls.patch` of each rule",
		open: func(clk *clock.Manual, entries int) (allowlist.Target, error) {
			return vpcfirewall.New(vpctest.Project, "edge", vpcfirewall.DefaultSize, allowlist.Options{Name: "edge", Capacity: entries, Clock: clk}, computeAt(make(clk, entries).Server.URL))
		},
		bare: func(ctx context.Context, clk *clock.Manual, prefixes []string) (func(int) (bool, error), error) {
			s, err := computeAt(make(clk, len(prefixes)).Server.URL)(ctx)
			chunks := slices.Collect(slices.Chunk(prefixes, vpcfirewall.DefaultSize))
			return func(n int) (bool, error) {
				rule := &compute.Firewall{SourceRanges: chunks[n], ForceSendFields: []string{"Disabled"}}
				_, err := s.Firewalls.Patch(vpctest.Project, fmt.Sprintf("edge-v4-%02d", n), rule).Context(ctx).Do()
				return n == len(chunks)-1, err
			}, err
		},
	}
}

func armorDoor() doorway {
	make := func(clk *clock.Manual) string {
		f, server := armortest.New(stand{}, "global")
		f.Clock, f.PerMinute, f.Slow = clk, computeWrites, 0
		return server.URL
	}
	return doorway{
		name: "cloudarmor", calls: "`securityPolicies.addRule` of each rule",
		open: func(clk *clock.Manual, entries int) (allowlist.Target, error) {
			u := &url.URL{Scheme: "cloudarmor", Opaque: "shop/edge", RawQuery: "from=1000&to=1999"}
			return cloudarmor.New(u, allowlist.Options{Name: "edge", Capacity: entries, Clock: clk}, computeAt(make(clk)))
		},
		bare: func(ctx context.Context, clk *clock.Manual, prefixes []string) (func(int) (bool, error), error) {
			s, err := computeAt(make(clk))(ctx)
			chunks := slices.Collect(slices.Chunk(prefixes, ofRule))
			return func(n int) (bool, error) {
				rule := &compute.SecurityPolicyRule{Priority: int64(1000 + n), Action: "allow", ForceSendFields: []string{"Preview"}, Match: &compute.SecurityPolicyRuleMatcher{
					VersionedExpr: "SRC_IPS_V1", Config: &compute.SecurityPolicyRuleMatcherConfig{SrcIpRanges: chunks[n]}}}
				_, err := s.SecurityPolicies.AddRule("shop", "edge", rule).Context(ctx).Do()
				return n == len(chunks)-1, err
			}, err
		},
	}
}

func levelDoor() doorway {
	make := func(clk *clock.Manual, entries int) *acmtest.ACM {
		f := acmtest.New(stand{}, entries/ofLevel+1, morning)
		f.Clock, f.Slow = clk, 0
		return f
	}
	return doorway{
		name: "accesslevel", calls: "`accessLevels.patch` of each level",
		open: func(clk *clock.Manual, entries int) (allowlist.Target, error) {
			o := allowlist.Options{Name: "edge", Capacity: entries, Clock: clk, Account: func(person string) (string, bool) { return person + "@company.example", true }}
			server := make(clk, entries).Server.URL
			return accesslevel.New(acmtest.Policy, "edge", o, func(context.Context) (*http.Client, error) { return googledoor.Guard(&http.Client{}), nil }, server)
		},
		bare: func(ctx context.Context, clk *clock.Manual, prefixes []string) (func(int) (bool, error), error) {
			s, err := acm.NewService(ctx, option.WithHTTPClient(googledoor.Guard(&http.Client{})), option.WithEndpoint(make(clk, len(prefixes)).Server.URL))
			chunks := slices.Collect(slices.Chunk(prefixes, ofLevel))
			return func(n int) (bool, error) {
				level := &acm.AccessLevel{Basic: &acm.BasicLevel{CombiningFunction: "OR"}}
				for i, p := range chunks[n] {
					level.Basic.Conditions = append(level.Basic.Conditions, &acm.Condition{IpSubnetworks: []string{p}, Members: []string{fmt.Sprintf("user:p%04d@company.example", n*ofLevel+i)}})
				}
				_, err := s.AccessPolicies.AccessLevels.Patch(fmt.Sprintf("%s/accessLevels/edge_%02d", acmtest.Policy, n), level).UpdateMask("basic").Context(ctx).Do()
				return n == len(chunks)-1, err
			}, err
		},
	}
}
