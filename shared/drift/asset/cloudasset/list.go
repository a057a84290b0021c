package cloudasset

import (
	"bytes"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/asset/apiv1/assetpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// List implements asset.Source. Types of other places than googleapis.com are passed over. Conflict: the list cannot be read on
// from where the page before ended; begin it anew.
func (s *Source) List(ctx context.Context, scope string, what asset.Content, kinds []string, page string) (asset.Page, error) {
	content := map[asset.Content]assetpb.ContentType{asset.Resources: assetpb.ContentType_RESOURCE, asset.Policies: assetpb.ContentType_IAM_POLICY}[what]
	if content == 0 || !slices.Contains(s.scopes, scope) {
		return asset.Page{}, fault.New(fault.Misconfigured, "listing assets: neither the scope nor the kind of fact is one of this source's")
	}
	if word, token, on := strings.Cut(page, " "); on && slices.Contains([]string{above, software, insights}, word+" ") {
		return s.beside(ctx, scope, kinds, word+" ", token)
	}
	asked, after := asked(kinds), then(scope, what, kinds, "")
	var out []string
	without, token, _ := strings.Cut(page, " ")
	if without != "" {
		out = append(out, strings.Split(without, ",")...)
	}
	for {
		wanted := slices.DeleteFunc(slices.Clone(asked), func(kind string) bool { return slices.Contains(out, kind) })
		p := asset.Page{Read: s.clock.Now().UTC()}
		for _, kind := range out {
			if token == "" {
				p.Unread = append(p.Unread, kind+": the inventory has no list of it")
			}
		}
		if len(wanted) == 0 {
			p.Next = after
			return p, nil
		}
		answer, err := s.page(ctx, &assetpb.ListAssetsRequest{Parent: scope, AssetTypes: wanted, ContentType: content, PageSize: pageSize, PageToken: token})
		if strange := unknown(err, wanted); strange != "" && token == "" {
			out = append(out, strange)
			continue
		}
		if err != nil {
			return asset.Page{}, explain(err, token != "")
		}
		if at := answer.GetReadTime(); at.IsValid() {
			p.Read = at.AsTime()
		}
		take(&p, answer.GetAssets(), wanted)
		if err := s.roles(ctx, &p); err != nil {
			return asset.Page{}, err
		}
		p.Next = after
		if next := answer.GetNextPageToken(); next != "" {
			p.Next = strings.Join(out, ",") + " " + next
		}
		return p, nil
	}
}

// beside lists what is no list of the inventory's, and says what is listed after it.
func (s *Source) beside(ctx context.Context, scope string, kinds []string, word, token string) (p asset.Page, err error) {
	switch word {
	case above:
		p, err = s.upwards(ctx, scope, kinds)
	case software:
		p, err = s.software(ctx, scope, token)
	case insights:
		p, err = s.insights(ctx, scope, token)
	}
	if err == nil && p.Next == "" {
		p.Next = then(scope, asset.Resources, kinds, word)
	}
	return p, err
}

// then is what is listed after the resources, or after a part of what is; "" for nothing.
func then(scope string, what asset.Content, kinds []string, done string) string {
	past := done == ""
	for _, next := range []struct {
		word   string
		wanted bool
	}{{above, climbs(scope, kinds)}, {software, slices.Contains(kinds, softwareType)}, {insights, slices.Contains(kinds, insightType)}} {
		if past && next.wanted && what == asset.Resources {
			return next.word
		}
		past = past || next.word == done
	}
	return ""
}

// asked are the types the inventory is asked for.
func asked(kinds []string) (asked []string) {
	for _, kind := range slices.Compact(slices.Sorted(slices.Values(kinds))) {
		host, _, _ := strings.Cut(kind, "/")
		if strings.HasSuffix(host, ".googleapis.com") && kind != softwareType && kind != insightType {
			asked = append(asked, kind)
		}
	}
	return asked
}

// unknown returns the type the inventory says it does not know: it refuses a request for one such among many.
func unknown(err error, kinds []string) string {
	refused := status.Convert(err)
	if refused.Code() != codes.InvalidArgument {
		return ""
	}
	if at := slices.IndexFunc(kinds, func(kind string) bool { return strings.Contains(refused.Message(), kind) }); at >= 0 {
		return kinds[at]
	}
	return ""
}

// page asks once. The generated client would try again by itself, and read on until it has as many as it was asked for.
func (s *Source) page(ctx context.Context, r *assetpb.ListAssetsRequest) (*assetpb.ListAssetsResponse, error) {
	conn, err := s.list.Get(ctx)
	if err != nil {
		return nil, unconnected("Cloud Asset Inventory", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "x-goog-request-params", "parent="+url.QueryEscape(r.Parent))
	return assetpb.NewAssetServiceClient(conn).ListAssets(ctx, r)
}

// take reads the assets of a page the way exports are read.
func take(p *asset.Page, all []*assetpb.Asset, kinds []string) {
	names, more := asset.NewNames(), 0
	for i, one := range all {
		kind := one.GetAssetType()
		if !slices.Contains(kinds, kind) {
			continue
		}
		a, err := decode(one, p.Read, names)
		switch {
		case err == nil:
			p.Assets = append(p.Assets, a)
		case len(p.Unread) < asset.MaxUnread-1:
			p.Unread = append(p.Unread, kind+": number "+strconv.Itoa(i+1)+" of a page could not be read")
		default:
			more++
		}
	}
	if more > 0 {
		p.Unread = append(p.Unread, strconv.Itoa(more)+" more could not be read")
	}
}

func decode(one *assetpb.Asset, read time.Time, names *asset.Names) (asset.Asset, error) {
	raw, err := protojson.Marshal(one)
	if err != nil {
		return asset.Asset{}, fault.New(fault.Invalid, "reading an asset: no JSON can be made of it")
	}
	for a, err := range asset.Decode(bytes.NewReader(raw), read, names) {
		return a, err
	}
	return asset.Asset{}, fault.New(fault.Invalid, "reading an asset: it is empty")
}
