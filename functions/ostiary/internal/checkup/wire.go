package checkup

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/asset/cloudasset"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
)

// Bounds of asking. IAM answers 6,000 reads a minute of a project (Google Cloud, IAM, "Quotas and limits"); an examination makes
// some hundred.
const (
	atOnce    = 12
	tries     = 4
	firstWait = time.Second
	longest   = 15 * time.Second
	patience  = time.Minute // of one request, with its tries
	mostBytes = 32 << 20
	mostPages = 200
)

// wire asks Google's APIs.
type wire struct {
	client *http.Client
	slots  chan struct{}
	pause  func(context.Context, time.Duration) error
	now    func() time.Time
	asked  func()
	count  atomic.Int64

	mu    sync.Mutex
	clock skew
}

// skew is how far this machine's clock is before Google's, by the answer that came quickest.
type skew struct {
	by    time.Duration
	round time.Duration // how long that answer took; 0 before any
}

// connect makes the client. An error says how to sign in.
func connect(ctx context.Context, o Options) (*wire, error) {
	made, err := o.Client(ctx)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Misconfigured, Code: cloudasset.Unconnected, Next: "Sign in: gcloud auth application-default login; then gcloud auth application-default set-quota-project " + o.Project,
			Err: fault.New(fault.Misconfigured, "connecting to Google Cloud: %w", err)}
	}
	w := &wire{slots: make(chan struct{}, atOnce), pause: o.Pause, now: o.Clock.Now, asked: o.Asked}
	if w.pause == nil {
		w.pause = pause
	}
	if w.asked == nil {
		w.asked = func() {}
	}
	client := *made
	client.Transport = &gate{w, client.Transport}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.client = &client
	return w, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// assets returns the source that reads single assets through the same gate; lists are never asked of it.
func (w *wire) assets(project string) (asset.Source, error) {
	return cloudasset.New([]string{"projects/" + project}, nil, func(context.Context) (*grpc.ClientConn, error) {
		return nil, errors.New("nothing is listed")
	}, func(context.Context) (*http.Client, error) { return w.client, nil })
}

// gate lets so many requests through at once, asks again where that may help, and looks at the clock.
type gate struct {
	*wire
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case g.slots <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	defer func() { <-g.slots }()
	for try, wait := 1, firstWait; ; try, wait = try+1, 2*wait {
		one := r.Clone(r.Context())
		if r.GetBody != nil {
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			one.Body = body
		}
		sent := g.now()
		answer, err := g.through(one)
		g.count.Add(1)
		g.asked()
		if err == nil {
			g.look(answer.Header.Get("Date"), sent, g.now())
		}
		if try == tries || err == nil && !again(answer.StatusCode) || err != nil && r.Context().Err() != nil {
			return answer, err
		}
		if err == nil {
			wait = min(cmp.Or(reach.RetryAfter(answer.Header, longest), wait), longest)
			_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16))
			_ = answer.Body.Close()
		}
		if err := g.pause(r.Context(), wait); err != nil {
			return nil, err
		}
	}
}

func (g *gate) through(r *http.Request) (*http.Response, error) {
	if g.next == nil {
		return http.DefaultTransport.RoundTrip(r)
	}
	return g.next.RoundTrip(r)
}

func again(code int) bool { return code == http.StatusTooManyRequests || code >= 500 }

// look compares clocks. The header has whole seconds, cut off (RFC 9110, section 5.6.7): half a second is added.
func (g *gate) look(date string, sent, got time.Time) {
	there, err := http.ParseTime(date)
	if err != nil {
		return
	}
	round := max(got.Sub(sent), time.Nanosecond)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.clock.round == 0 || round < g.clock.round {
		g.clock = skew{sent.Add(round / 2).Sub(there.Add(time.Second / 2)), round}
	}
}

// get reads one JSON object.
func (w *wire) get(ctx context.Context, address string, into any) error {
	return w.ask(ctx, http.MethodGet, address, nil, into)
}

func (w *wire) ask(ctx context.Context, method, address string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "asking Google Cloud: no address can be made of %q", address)
	}
	if r.Header.Set("Accept", "application/json"); body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	what := r.URL.Host + r.URL.Path
	answer, err := w.client.Do(r)
	if err != nil {
		return fault.New(fault.Transient, "reading %s: no answer", what)
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(answer.Body, mostBytes+1))
	switch {
	case err != nil:
		return fault.New(fault.Transient, "reading %s: the answer is cut off", what)
	case answer.StatusCode != http.StatusOK:
		return refused(what, answer.StatusCode, data)
	case len(data) > mostBytes:
		return fault.New(fault.Transient, "reading %s: the answer has more than %d MiB", what, mostBytes>>20)
	}
	if text, is := into.(*[]byte); is {
		*text = data
		return nil
	}
	if json.Unmarshal(data, into) != nil {
		return fault.New(fault.Transient, "reading %s: the answer is not the JSON of it", what)
	}
	return nil
}

// refusal is how Google's APIs say no (Google Cloud APIs, "Errors").
type refusal struct {
	Error struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  string `json:"status"`
		Details []struct {
			Reason   string            `json:"reason"`
			Metadata map[string]string `json:"metadata"`
		} `json:"details"`
	} `json:"error"`
}

// refused gives an answer its kind. NotFound only where the service itself says so: a wrong address is not a thing that is gone.
func refused(what string, code int, body []byte) error {
	var r refusal
	spoke := json.Unmarshal(body, &r) == nil && r.Error.Code == code
	e := &fault.Error{Kind: fault.Transient, Err: fault.New(fault.Transient, "reading %s: %d %s", what, code, r.Error.Status)}
	service, permission := "", ""
	for _, d := range r.Error.Details {
		if d.Reason == "SERVICE_DISABLED" {
			service = d.Metadata["service"]
		}
		permission = cmp.Or(permission, d.Metadata["permission"])
	}
	switch {
	case service != "":
		e.Kind, e.Next = fault.Misconfigured, "Switch the API on: gcloud services enable "+service
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		e.Kind, e.Next = fault.Denied, "Run it as somebody who may: docs/deploying.md, step 10, says with which roles."
		if permission != "" {
			e.Next = "Run it as somebody who has " + permission + " there."
		}
	case code == http.StatusNotFound && spoke:
		return fault.New(fault.NotFound, "reading %s: it is not there", what)
	case code < 500 && code != http.StatusTooManyRequests:
		e.Kind = fault.Misconfigured
	}
	return e
}

// next says what to do where something could not be read.
func next(err error) string {
	if e, is := errors.AsType[*fault.Error](err); is && e.Next != "" {
		return e.Next
	}
	switch fault.KindOf(err) {
	case fault.Denied:
		return "Run it as somebody who may: docs/deploying.md, step 10, says with which roles."
	case fault.NotFound:
		return "Apply Terraform again; if it stays, look at what Terraform's plan says of it."
	case fault.Transient, fault.Exhausted:
		return "Run it again in some minutes."
	}
	return "See whether this ostiary is of the release that is deployed."
}

// listed reads all pages of a list, whose items are below a field.
func listed[T any](ctx context.Context, w *wire, address, field string) ([]T, error) {
	var all []T
	for page, n := "", 0; ; n++ {
		u, err := url.Parse(address)
		if err != nil || n == mostPages {
			return nil, fault.New(fault.Transient, "reading %s: the list has no end", address)
		}
		q := u.Query()
		if page != "" {
			q.Set("pageToken", page)
		}
		u.RawQuery = q.Encode()
		var answer map[string]json.RawMessage
		if err := w.get(ctx, u.String(), &answer); err != nil {
			return nil, err
		}
		var some []T
		if raw, is := answer[field]; is && json.Unmarshal(raw, &some) != nil {
			return nil, fault.New(fault.Transient, "reading %s: the answer is not the list of it", u.Host+u.Path)
		}
		all = append(all, some...)
		var unreachable []string
		_ = json.Unmarshal(answer["unreachable"], &unreachable)
		if len(unreachable) > 0 {
			return nil, fault.New(fault.Transient, "reading %s: nothing was heard of %s", u.Host+u.Path, strings.Join(unreachable, ", "))
		}
		page = ""
		if raw, is := answer["nextPageToken"]; is {
			_ = json.Unmarshal(raw, &page)
		}
		if page == "" {
			return all, nil
		}
	}
}
