// Package monitoring asks Cloud Monitoring how many messages wait as dead letters of the controls, as a source of assets of type
// self.Waiting.
//
// It promises that what could not be read is not there, and named: never none. A number is as old as Monitoring writes it, some
// minutes. It reads no messages and changes nothing.
package monitoring

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/option"
	web "google.golang.org/api/transport/http"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
	"ostiary.internal/shared/platform/reach"
)

// Permissions names, for each method of asset.Source, the IAM permissions it needs on the project
// (https://cloud.google.com/monitoring/access-control).
var Permissions = map[string][]string{"Source.List": {"monitoring.timeSeries.list"}, "Source.Get": {"monitoring.timeSeries.list"}}

// Bounds of one request. A sample is written each minute, and may come four minutes later.
const (
	patience  = 30 * time.Second
	window    = 15 * time.Minute
	mostBytes = 4 << 20
	longest   = time.Hour
)

// only are the time series that are asked for
// (https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-pubsub).
const only = `metric.type = "pubsub.googleapis.com/subscription/num_undelivered_messages" AND resource.labels.subscription_id = starts_with("dead.")`

var projectForm = regexp.MustCompile(`^[a-z][a-z0-9-]{4,28}[a-z0-9]$`)

func init() {
	asset.Sources.Register("monitoring", func(_ context.Context, u *url.URL, o asset.Options) (asset.Source, error) {
		if u.Host != "" || u.Path != "" || u.RawQuery != "" {
			return nil, fault.New(fault.Misconfigured, "waiting messages: allowed is monitoring:PROJECT")
		}
		return New(u.Opaque, o.Clock, func(ctx context.Context) (*http.Client, error) {
			client, _, err := web.NewClient(ctx, option.WithScopes("https://www.googleapis.com/auth/monitoring.read"))
			return client, err
		})
	})
}

// Source is one project.
type Source struct {
	project string
	clock   clock.Clock
	client  *lazy.Value[*http.Client]
}

var _ asset.Source = (*Source)(nil)

// New returns a source of a project's dead letters; client runs at the first call, and again after it failed. A nil clock is
// the system's. What is no id of a project is Misconfigured.
func New(project string, c clock.Clock, client func(context.Context) (*http.Client, error)) (*Source, error) {
	if !projectForm.MatchString(project) {
		return nil, fault.New(fault.Misconfigured, "waiting messages: %q is no id of a project", project)
	}
	if c == nil {
		c = clock.System{}
	}
	return &Source{project, c, lazy.New(func(ctx context.Context) (*http.Client, error) {
		made, err := client(ctx)
		if err != nil {
			return nil, err
		}
		one := *made
		one.Timeout, one.Jar = patience, nil
		one.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		return &one, nil
	})}, nil
}

// Scopes implements asset.Source.
func (s *Source) Scopes() []string { return []string{self.WaitingPlace} }

// Close implements asset.Source.
func (s *Source) Close() error { return nil }

// List implements asset.Source. Where Monitoring refuses, nothing else is in doubt: the page says so.
func (s *Source) List(ctx context.Context, scope string, what asset.Content, kinds []string, page string) (asset.Page, error) {
	p := asset.Page{Read: s.clock.Now().UTC()}
	switch {
	case scope != self.WaitingPlace:
		return p, fault.New(fault.NotFound, "listing waiting messages: no such place")
	case what != asset.Resources || !slices.Contains(kinds, self.Waiting):
		return p, nil
	}
	answer, err := s.ask(ctx, p.Read, page)
	switch {
	case fault.Is(err, fault.Misconfigured):
		p.Unread = []string{self.Waiting + ": " + err.Error()}
		return p, nil
	case err != nil:
		return asset.Page{}, err
	}
	for _, one := range answer.Series {
		name := one.Resource.Labels["subscription_id"]
		n, known := one.newest()
		if !strings.HasPrefix(name, "dead.") || strings.ContainsAny(name, "/\\ ") || !known {
			p.Unread = append(p.Unread[:min(len(p.Unread), asset.MaxUnread-1)], self.Waiting+": one could not be read")
			continue
		}
		p.Assets = append(p.Assets, asset.Asset{Key: self.WaitingKey(s.project, name), Type: self.Waiting, Project: s.project, Data: asset.Object{"undelivered": n}, Read: p.Read})
	}
	p.Next = answer.Next
	return p, nil
}

// Get implements asset.Source.
func (s *Source) Get(ctx context.Context, kind, key string) (asset.Asset, error) {
	if kind != self.Waiting {
		return asset.Asset{}, fault.New(fault.NotFound, "reading a %s: it is not asked of Monitoring", kind)
	}
	for page := ""; ; {
		p, err := s.List(ctx, self.WaitingPlace, asset.Resources, []string{self.Waiting}, page)
		if err != nil {
			return asset.Asset{}, err
		}
		if at := slices.IndexFunc(p.Assets, func(a asset.Asset) bool { return a.Key == key }); at >= 0 {
			return p.Assets[at], nil
		}
		if page = p.Next; page == "" {
			return asset.Asset{}, fault.New(fault.Transient, "reading how many messages wait: Monitoring does not tell of it")
		}
	}
}

// series are what the API answers (projects.timeSeries.list), newest point first.
type series struct {
	Series []one  `json:"timeSeries"`
	Next   string `json:"nextPageToken"`
}

type one struct {
	Resource struct {
		Labels map[string]string `json:"labels"`
	} `json:"resource"`
	Points []struct {
		Value struct {
			Int string `json:"int64Value"`
		} `json:"value"`
	} `json:"points"`
}

func (o one) newest() (float64, bool) {
	if len(o.Points) == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(o.Points[0].Value.Int, 10, 64)
	return float64(n), err == nil && n >= 0
}

func (s *Source) ask(ctx context.Context, now time.Time, page string) (series, error) {
	const doing = "reading how many messages wait"
	client, err := s.client.Get(ctx)
	if err != nil { // its words may name a file, and who somebody is
		return series{}, fault.New(fault.Misconfigured, doing+": there are no credentials that can be used")
	}
	query := url.Values{"filter": {only}, "interval.startTime": {now.Add(-window).Format(time.RFC3339)}, "interval.endTime": {now.Format(time.RFC3339)}, "pageSize": {"1000"}}
	if page != "" {
		query.Set("pageToken", page)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://monitoring.googleapis.com/v3/projects/"+s.project+"/timeSeries?"+query.Encode(), http.NoBody)
	if err != nil {
		return series{}, fault.New(fault.Misconfigured, doing+": no address can be made of it")
	}
	answer, err := client.Do(r)
	if err != nil { // the transport's words hold the address
		return series{}, fault.New(fault.Transient, doing+": no answer")
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(answer.Body, mostBytes+1))
	if err != nil {
		return series{}, fault.New(fault.Transient, doing+": the answer is cut off")
	}
	return read(answer, data)
}

// read reads an answer.
func read(answer *http.Response, data []byte) (out series, err error) {
	const doing = "reading how many messages wait"
	switch code := answer.StatusCode; {
	case code == http.StatusTooManyRequests:
		return out, &fault.Error{Kind: fault.Exhausted, RetryAfter: reach.RetryAfter(answer.Header, longest), Err: fault.New(fault.Exhausted, doing+": too many requests")}
	case code >= 300 && code < 500:
		return out, fault.New(fault.Misconfigured, doing+": %d", code)
	case code != http.StatusOK:
		return out, fault.New(fault.Transient, doing+": %d", code)
	case len(data) > mostBytes || json.Unmarshal(data, &out) != nil:
		return series{}, fault.New(fault.Transient, doing+": the answer is no list of time series")
	}
	return out, nil
}
