package cloudasset

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// What of the rights in a project was used is no type of the inventory's: the service that watches them lists it, for one project at
// a time, once the resources are through (https://cloud.google.com/recommender/docs/reference/rest/v1/projects.locations.insightTypes.insights/list).
// Each page of those begins with the word.
const (
	insightType = "recommender.googleapis.com/Insight"
	insights    = "insights "
	ofPolicies  = "/locations/global/insightTypes/google.iam.policy.Insight/insights"
)

// insights lists what of the rights in a project was used. Where that cannot be told nothing else is in doubt.
func (s *Source) insights(ctx context.Context, scope, token string) (asset.Page, error) {
	p := asset.Page{Read: s.clock.Now().UTC()}
	if !strings.HasPrefix(scope, "projects/") {
		p.Unread = []string{insightType + ": it is told of places that are one project alone"}
		return p, nil
	}
	query := url.Values{"pageSize": {"1000"}}
	if token != "" {
		query.Set("pageToken", token)
	}
	answer, err := s.call(ctx, insightType, http.MethodGet, "https://recommender.googleapis.com/v1/", scope+ofPolicies, query.Encode(), nil)
	switch {
	case fault.Is(err, fault.Denied), fault.Is(err, fault.NotFound), fault.Is(err, fault.Misconfigured):
		p.Unread = []string{insightType + ": " + err.Error()}
		return p, nil
	case err != nil:
		return asset.Page{}, err
	}
	all, _ := answer["insights"].([]any)
	for _, one := range all {
		a, is := insight(one, p.Read)
		if !is {
			p.Unread = append(p.Unread[:min(len(p.Unread), asset.MaxUnread-1)], insightType+": one could not be read")
			continue
		}
		p.Assets = append(p.Assets, a)
	}
	if next, _ := answer["nextPageToken"].(string); next != "" {
		p.Next = insights + next
	}
	return p, nil
}

func insight(told any, read time.Time) (asset.Asset, bool) {
	data, is := told.(map[string]any)
	name, _ := data["name"].(string)
	if !is || !strings.HasPrefix(name, "projects/") {
		return asset.Asset{}, false
	}
	raw, err := json.Marshal(map[string]any{"name": "//recommender.googleapis.com/" + name, "assetType": insightType, "resource": map[string]any{"data": data, "location": "global"}})
	if err != nil {
		return asset.Asset{}, false
	}
	for a, err := range asset.Decode(bytes.NewReader(raw), read, asset.NewNames()) {
		return a, err == nil
	}
	return asset.Asset{}, false
}
