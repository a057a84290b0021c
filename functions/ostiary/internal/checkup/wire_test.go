package checkup_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/ostiary/internal/checkup"
	"ostiary.internal/shared/platform/clock"
)

// options are those of an examination of the world, within this process.
func (w *world) options() checkup.Options {
	return checkup.Options{Project: project, Evidence: proof, Watchdog: dog, Manifests: w.manifests, Schemas: schemas, Clock: clock.NewManual(noon), Site: stranger{w},
		Client: func(context.Context) (*http.Client, error) { return &http.Client{Transport: w}, nil },
		Pause:  func(context.Context, time.Duration) error { return nil }}
}

// overTheWire has requests go to a server.
func (w *world) overTheWire(t *testing.T) func(*checkup.Options) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *checkup.Options) {
		o.Client = func(context.Context) (*http.Client, error) { return &http.Client{Transport: redirected{to}}, nil }
	}
}

// RoundTrip answers a request without a server between.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	one := r.Clone(r.Context())
	one.Header.Set("X-Test-Host", r.URL.Host)
	out := httptest.NewRecorder()
	w.serve(out, one)
	answer := out.Result()
	answer.Request = r
	return answer, nil
}

// redirected sends every request to the server of the test.
type redirected struct{ to *url.URL }

func (r redirected) RoundTrip(request *http.Request) (*http.Response, error) {
	one := request.Clone(request.Context())
	one.Header.Set("X-Test-Host", request.URL.Host)
	one.URL.Scheme, one.URL.Host, one.Host = r.to.Scheme, r.to.Host, r.to.Host
	return http.DefaultTransport.RoundTrip(one)
}

// serve is Google Cloud.
func (w *world) serve(out http.ResponseWriter, r *http.Request) {
	key := r.Method + " " + r.Header.Get("X-Test-Host") + r.URL.Path
	if _, rest, is := strings.Cut(r.URL.Query().Get("filter"), `metric.type = "`); is {
		metric, _, _ := strings.Cut(rest, `"`)
		key += " " + metric
	}
	w.mu.Lock()
	w.asked[key]++
	w.now++
	w.most = max(w.most, w.now)
	code, answer, there := w.codes[key], w.answers[key], false
	_, there = w.answers[key]
	w.mu.Unlock()
	defer func() { w.mu.Lock(); w.now--; w.mu.Unlock() }()
	out.Header().Set("Date", noon.Format(http.TimeFormat))
	out.Header().Set("X-Goog-Generation", "1")
	switch data, raw := answer.([]byte); {
	case code != 0:
		refuse(out, code)
	case !there:
		refuse(out, http.StatusNotFound)
	case raw:
		out.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = out.Write(data)
	default:
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(answer)
	}
}

func refuse(out http.ResponseWriter, code int) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(code)
	details := map[int]object{http.StatusForbidden: {"reason": "IAM_PERMISSION_DENIED", "metadata": object{"permission": "some.thing.get"}}, http.StatusPreconditionFailed: {"reason": "SERVICE_DISABLED", "metadata": object{"service": "x.googleapis.com"}}}
	_ = json.NewEncoder(out).Encode(object{"error": object{"code": code, "status": http.StatusText(code), "details": []any{details[code]}}})
}
