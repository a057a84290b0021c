package cloudasset

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// Firewall policies of folders and of the organization hold for every project below, before its own rules, and lie in no list of
// the project (https://cloud.google.com/firewall/docs/firewall-policies). A policy may be attached only to what it lies in, or
// to what lies below that: to list those of each place above finds all that hold.
const (
	firewallPolicyType = "compute.googleapis.com/FirewallPolicy"
	policyNames        = "locations/global/firewallPolicies"
)

// policyNumber is how such a policy is called.
var policyNumber = regexp.MustCompile(`^[0-9]{1,20}$`)

// inherited reads the firewall policies that lie above a place and hold in it, in the order in which they are asked: those of the
// organization first. Where some of a place may not be read that is named with what has to be granted there.
func (s *Source) inherited(ctx context.Context, scope string, chain []string, p *asset.Page) error {
	for i := len(chain) - 1; i >= 0; i-- {
		place := chain[i]
		if slices.Contains(s.scopes, place) { // a place of its own is listed
			continue
		}
		err := s.policiesOf(ctx, scope, chain, place, p)
		switch {
		case fault.Is(err, fault.Denied):
			p.Unread = append(p.Unread, firewallPolicyType+": "+place+" may not be read: grant compute.firewallPolicies.get and compute.firewallPolicies.list there")
		case fault.Is(err, fault.Transient), fault.Is(err, fault.Exhausted):
			return err
		case err != nil:
			p.Unread = append(p.Unread, firewallPolicyType+": "+place+": "+err.Error())
		}
	}
	return nil
}

// policiesOf reads those that lie in one place. Each is read by itself: of what else the list leaves out nobody could tell.
func (s *Source) policiesOf(ctx context.Context, scope string, chain []string, place string, p *asset.Page) error {
	query := url.Values{"parentId": {place}, "maxResults": {"500"}}
	for range mostEmpty {
		answer, err := s.call(ctx, firewallPolicyType, http.MethodGet, "https://compute.googleapis.com/compute/v1/", policyNames, query.Encode(), nil)
		if err != nil {
			return err
		}
		items, _ := answer["items"].([]any)
		for _, item := range items {
			one, _ := item.(asset.Object)
			number, _ := one["name"].(string)
			if !policyNumber.MatchString(number) {
				return fault.New(fault.Invalid, "one is called by no number")
			}
			a, err := s.Get(ctx, firewallPolicyType, "//compute.googleapis.com/"+policyNames+"/"+number)
			if err != nil {
				return err
			}
			if holdsIn(a, scope, chain) { // one that went meanwhile holds nowhere
				a.Ancestors = slices.Clone(chain[slices.Index(chain, place):])
				p.Assets = append(p.Assets, a)
			}
		}
		next, _ := answer["nextPageToken"].(string)
		if next == "" {
			return nil
		}
		query.Set("pageToken", next)
	}
	return fault.New(fault.Invalid, "there are more pages than are read")
}

// holdsIn reports whether a policy holds in some of a place: it is attached to the place or to what that lies in. Of a folder that
// is looked at nobody knows here what lies in it: there, whatever is attached to some folder counts.
func holdsIn(a asset.Asset, scope string, chain []string) bool {
	all, _ := a.Data["associations"].([]any)
	return slices.ContainsFunc(all, func(one any) bool {
		association, _ := one.(asset.Object)
		target, _ := association["attachmentTarget"].(string)
		return target == scope || slices.Contains(chain, target) || strings.HasPrefix(scope, "folders/") && strings.HasPrefix(target, "folders/")
	})
}
