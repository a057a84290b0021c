package monitoring

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// source is one of a Cloud Monitoring that answers by a handler.
func source(t *testing.T, handle http.HandlerFunc) *Source {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New("acme-ops", clock.NewManual(noon), func(context.Context) (*http.Client, error) {
		return &http.Client{Transport: rewriting{to}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rewriting sends what goes to Google to a server of the test's.
type rewriting struct{ to *url.URL }

func (r rewriting) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.URL.Scheme != "https" || q.URL.Host != "monitoring.googleapis.com" {
		return nil, errors.New("another address")
	}
	q = q.Clone(q.Context())
	q.URL.Scheme, q.URL.Host = r.to.Scheme, r.to.Host
	return http.DefaultTransport.RoundTrip(q)
}

func point(subscription, value string) string {
	return fmt.Sprintf(`{"resource":{"labels":{"subscription_id":%q}},"points":[{"value":{"int64Value":%q}},{"value":{"int64Value":"99"}}]}`, subscription, value)
}

// Each dead letter subscription is one asset, over all pages, with its newest number; what makes no sense is named and no number.
func TestList(t *testing.T) {
	t.Parallel()
	s := source(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.URL.Path != "/v3/projects/acme-ops/timeSeries" || !strings.Contains(q.Get("filter"), "num_undelivered_messages") || q.Get("interval.endTime") != "2026-03-03T12:00:00Z" || q.Get("interval.startTime") != "2026-03-03T11:45:00Z" {
			t.Errorf("asked for %s", r.URL)
		}
		if q.Get("pageToken") == "" {
			fmt.Fprintf(w, `{"timeSeries":[%s,%s],"nextPageToken":"2"}`, point("dead.deliver", "3"), point("dead.x", "-1"))
			return
		}
		fmt.Fprintf(w, `{"timeSeries":[%s,%s,{"resource":{"labels":{"subscription_id":"dead.empty"}}}]}`, point("dead.watchaudit", "0"), point("other", "7"))
	})
	var got []string
	unread := 0
	for page := ""; ; {
		p, err := s.List(t.Context(), self.WaitingPlace, asset.Resources, []string{self.Waiting}, page)
		if err != nil || !p.Read.Equal(noon) {
			t.Fatal(p, err)
		}
		for _, a := range p.Assets {
			got = append(got, fmt.Sprint(a.Key, " ", a.Data["undelivered"], " ", a.Type == self.Waiting, " ", a.Project))
		}
		unread += len(p.Unread)
		if page = p.Next; page == "" {
			break
		}
	}
	want := []string{self.WaitingKey("acme-ops", "dead.deliver") + " 3 true acme-ops", self.WaitingKey("acme-ops", "dead.watchaudit") + " 0 true acme-ops"}
	if !slices.Equal(got, want) || unread != 3 {
		t.Errorf("%q, %d unread", got, unread)
	}
	if a, err := s.Get(t.Context(), self.Waiting, self.WaitingKey("acme-ops", "dead.watchaudit")); err != nil || a.Data["undelivered"] != 0.0 {
		t.Error(a, err)
	}
	if _, err := s.Get(t.Context(), "storage.googleapis.com/Bucket", "x"); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	for _, p := range []struct {
		scope string
		what  asset.Content
		kinds []string
	}{{self.WaitingPlace, asset.Policies, []string{self.Waiting}}, {self.WaitingPlace, asset.Resources, []string{"x"}}} {
		if page, err := s.List(t.Context(), p.scope, p.what, p.kinds, ""); err != nil || len(page.Assets)+len(page.Unread) > 0 {
			t.Error(page, err)
		}
	}
	if _, err := s.List(t.Context(), "projects/p", asset.Resources, []string{self.Waiting}, ""); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

// What cannot be read is named or an error of its kind, and never none waiting; nothing of an answer is repeated.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code   int
		body   string
		kind   fault.Kind // "": the page says so
		header string
	}{
		"refused": {403, "canary", "", ""}, "unknown": {404, "canary", "", ""}, "elsewhere": {302, "canary", "", ""}, "too many": {429, "canary", fault.Exhausted, "7"}, "down": {503, "canary", fault.Transient, ""},
		"no JSON": {200, "<html>canary", fault.Transient, ""}, "cut off": {200, `{"timeSeries":[`, fault.Transient, ""}, "endless": {200, strings.Repeat(" ", mostBytes+2), fault.Transient, ""},
	} {
		s := source(t, func(w http.ResponseWriter, _ *http.Request) {
			if c.header != "" {
				w.Header().Set("Retry-After", c.header)
			}
			w.Header().Set("Location", "https://evil.example/")
			w.WriteHeader(c.code)
			fmt.Fprint(w, c.body)
		})
		p, err := s.List(t.Context(), self.WaitingPlace, asset.Resources, []string{self.Waiting}, "")
		if fault.KindOf(err) != c.kind || len(p.Assets) > 0 || (c.kind == "") != (len(p.Unread) == 1) || strings.Contains(fmt.Sprint(p.Unread, err), "canary") {
			t.Errorf("%s: %+v %v", name, p, err)
		}
		if told, is := errors.AsType[*fault.Error](err); c.header != "" && (!is || told.RetryAfter != 7*time.Second) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Get(t.Context(), self.Waiting, "x"); err == nil || fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	none, err := New("acme-ops", nil, func(context.Context) (*http.Client, error) { return nil, errors.New("canary.json") })
	if err != nil {
		t.Fatal(err)
	}
	if p, err := none.List(t.Context(), self.WaitingPlace, asset.Resources, []string{self.Waiting}, ""); err != nil || len(p.Unread) != 1 || strings.Contains(p.Unread[0], "canary") {
		t.Error(p, err)
	}
	for _, bad := range []string{"", "p", "acme/ops", "Acme-ops", "acme-ops?x"} {
		if _, err := New(bad, nil, nil); !fault.Is(err, fault.Misconfigured) {
			t.Error(bad, err)
		}
	}
	for url, ok := range map[string]bool{"monitoring:acme-ops": true, "monitoring:": false, "monitoring://acme-ops": false, "monitoring:acme-ops?x=1": false} {
		if _, err := asset.Sources.Open(t.Context(), url, asset.Options{}); (err == nil) != ok {
			t.Error(url, err)
		}
	}
}
