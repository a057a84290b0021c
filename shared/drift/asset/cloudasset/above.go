package cloudasset

import (
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/asset/apiv1/assetpb"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// What a place lies in is in no list of the place, and who has a right there has it in the place too: those folders and the
// organization are read one by one, once the resources are through. Their page is called by the word.
const (
	projectType      = "cloudresourcemanager.googleapis.com/Project"
	folderType       = "cloudresourcemanager.googleapis.com/Folder"
	organizationType = "cloudresourcemanager.googleapis.com/Organization"
	above            = "above "
)

// climbs reports whether of a place it is asked what it lies in.
func climbs(scope string, kinds []string) bool {
	return !strings.HasPrefix(scope, "organizations/") && slices.ContainsFunc([]string{folderType, organizationType, firewallPolicyType}, func(kind string) bool { return slices.Contains(kinds, kind) })
}

// upwards reads what a place lies in, resource and policy, and the firewall policies it has from there. What may not be read is named with what has to be granted, and
// nothing else is in doubt.
func (s *Source) upwards(ctx context.Context, scope string, kinds []string) (asset.Page, error) {
	p := asset.Page{Read: s.clock.Now().UTC()}
	chain, err := s.chain(ctx, scope)
	if err != nil {
		return asset.Page{}, err
	}
	if len(chain) == 0 {
		for _, kind := range []string{folderType, organizationType, firewallPolicyType} {
			if slices.Contains(kinds, kind) {
				p.Unread = append(p.Unread, kind+": what the place lies in is not told")
			}
		}
	}
	for i, name := range chain {
		kind := kindAbove(name)
		if !slices.Contains(kinds, kind) || slices.Contains(s.scopes, name) { // a place of its own is listed
			continue
		}
		a, err := s.Get(ctx, kind, "//cloudresourcemanager.googleapis.com/"+name)
		switch {
		case fault.Is(err, fault.Denied):
			p.Unread = append(p.Unread, kind+": "+name+" may not be read: grant "+strings.Join(services[kind].needs, " and ")+" there")
		case fault.Is(err, fault.Transient), fault.Is(err, fault.Exhausted):
			return asset.Page{}, err
		case err != nil:
			p.Unread = append(p.Unread, kind+": "+name+": "+err.Error())
		case a.Deleted:
			p.Unread = append(p.Unread, kind+": "+name+" is not there")
		default:
			a.Ancestors = slices.Clone(chain[i:])
			p.Assets = append(p.Assets, a)
		}
	}
	if slices.Contains(kinds, firewallPolicyType) {
		if err := s.inherited(ctx, scope, chain, &p); err != nil {
			return asset.Page{}, err
		}
	}
	return p, nil
}

// kindAbove is the type of what a project lies in; "" for the project.
func kindAbove(name string) string {
	switch {
	case strings.HasPrefix(name, "folders/"):
		return folderType
	case strings.HasPrefix(name, "organizations/"):
		return organizationType
	}
	return ""
}

// mostEmpty bounds how many pages without anything are passed over.
const mostEmpty = 10

// chain is what a place lies in, from the nearest, as the inventory tells it of the first project or folder there; none where
// it lists neither.
func (s *Source) chain(ctx context.Context, scope string) ([]string, error) {
	token := ""
	for range mostEmpty {
		answer, err := s.page(ctx, &assetpb.ListAssetsRequest{Parent: scope, AssetTypes: []string{projectType, folderType}, ContentType: assetpb.ContentType_RESOURCE, PageSize: 1, PageToken: token})
		if err != nil {
			return nil, explain(err, token != "")
		}
		for _, one := range answer.GetAssets() {
			// Of a folder that is the place, folders in it come first.
			names := one.GetAncestors()
			names = names[slices.Index(names, scope)+1:]
			if names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return kindAbove(name) == "" }); len(names) > 0 {
				return names, nil
			}
		}
		if token = answer.GetNextPageToken(); token == "" {
			break
		}
	}
	return nil, nil
}
