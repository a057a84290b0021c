package checkup

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/drift/self/monitoring"
	"ostiary.internal/shared/platform/fault"
)

// series is one time series of Cloud Monitoring (projects.timeSeries.list), its newest point first.
type series struct {
	Resource struct {
		Labels map[string]string `json:"labels"`
	} `json:"resource"`
	Points []struct {
		Interval struct {
			End time.Time `json:"endTime"`
		} `json:"interval"`
		Value struct {
			Int    string  `json:"int64Value"`
			Double float64 `json:"doubleValue"`
		} `json:"value"`
	} `json:"points"`
}

// at is the value of a point.
func (s series) at(point int) float64 {
	v := s.Points[point].Value
	if n, err := strconv.ParseInt(v.Int, 10, 64); err == nil {
		return float64(n)
	}
	return v.Double
}

// last is when a point above zero was written the last time.
func (s series) last() (at time.Time, sum float64) {
	for i, p := range s.Points {
		if value := s.at(i); value > 0 {
			sum += value
			if p.Interval.End.After(at) {
				at = p.Interval.End
			}
		}
	}
	return at, sum
}

// series reads the time series of a filter, of the last while.
func (w *wire) series(ctx context.Context, project, filter string, now time.Time, while time.Duration) ([]series, error) {
	q := url.Values{"filter": {filter}, "interval.startTime": {now.Add(-while).UTC().Format(time.RFC3339)}, "interval.endTime": {now.UTC().Format(time.RFC3339)}, "pageSize": {"1000"}}
	return listed[series](ctx, w, "https://monitoring.googleapis.com/v3/projects/"+project+"/timeSeries?"+q.Encode(), "timeSeries")
}

// monitored reads the alert policies or the channels of the project.
func (g *gathering) monitored(ctx context.Context, kind, field string) {
	all, err := listed[asset.Object](ctx, g.wire, "https://monitoring.googleapis.com/v3/projects/"+g.Project+"/"+field+"?pageSize=1000", field)
	if err != nil {
		g.lost(kind, field, err)
	}
	for _, data := range all {
		name, _ := data["name"].(string)
		g.add(asset.Asset{Key: "//monitoring.googleapis.com/" + name, Type: kind, Project: g.Project, Data: data, Read: g.Clock.Now()})
	}
}

// waiting reads how many dead letters wait.
func (g *gathering) waiting(ctx context.Context) {
	source, err := monitoring.New(g.Project, g.Clock, func(context.Context) (*http.Client, error) { return g.wire.client, nil })
	if err != nil {
		g.lost(self.Waiting, "dead letters", err)
		return
	}
	for page := ""; ; {
		p, err := source.List(ctx, self.WaitingPlace, asset.Resources, []string{self.Waiting}, page)
		for _, why := range p.Unread {
			err = fault.New(fault.Transient, "%s", why)
		}
		if err != nil {
			g.lost(self.Waiting, "dead letters", err)
			return
		}
		for _, a := range p.Assets {
			g.add(a)
		}
		if page = p.Next; page == "" {
			return
		}
	}
}
