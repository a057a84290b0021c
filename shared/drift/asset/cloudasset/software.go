package cloudasset

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"cloud.google.com/go/asset/apiv1/assetpb"
	"google.golang.org/protobuf/encoding/protojson"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// What is installed on machines is no type of the inventory's: it is a kind of fact about them, told in pages of its own once
// the resources are through. Each page of those begins with the word.
const (
	softwareType = "osconfig.googleapis.com/Inventory"
	machineType  = "compute.googleapis.com/Instance"
	software     = "software "
)

// software lists what is installed, named as the service that found it names it.
func (s *Source) software(ctx context.Context, scope, token string) (asset.Page, error) {
	p := asset.Page{Read: s.clock.Now().UTC()}
	answer, err := s.page(ctx, &assetpb.ListAssetsRequest{Parent: scope, AssetTypes: []string{machineType}, ContentType: assetpb.ContentType_OS_INVENTORY, PageSize: pageSize / 10, PageToken: token})
	if err != nil {
		err = explain(err, token != "")
		// The right to it is one of its own: without it nothing else is in doubt.
		if fault.Is(err, fault.Denied) {
			p.Unread = []string{softwareType + ": " + err.Error()}
			return p, nil
		}
		return asset.Page{}, err
	}
	if at := answer.GetReadTime(); at.IsValid() {
		p.Read = at.AsTime()
	}
	for i, one := range answer.GetAssets() {
		path, zoned := strings.CutPrefix(one.GetName(), "//compute.googleapis.com/")
		if one.GetOsInventory() == nil {
			continue
		}
		a := asset.Asset{Key: "//osconfig.googleapis.com/" + strings.Replace(path, "/zones/", "/locations/", 1) + "/inventory", Type: softwareType, Ancestors: one.GetAncestors(), Read: p.Read}
		a.Project, a.Location = asset.ProjectOf(a.Key), located(a.Key, nil)
		raw, err := protojson.Marshal(one.GetOsInventory())
		if err == nil {
			err = json.Unmarshal(raw, &a.Data)
		}
		if err == nil && zoned {
			p.Assets = append(p.Assets, a)
		} else if len(p.Unread) < asset.MaxUnread {
			p.Unread = append(p.Unread, softwareType+": number "+strconv.Itoa(i+1)+" of a page could not be read")
		}
	}
	if next := answer.GetNextPageToken(); next != "" {
		p.Next = software + next
	}
	return p, nil
}
