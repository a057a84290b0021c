package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// call is one request of a person or a program.
type call struct {
	kind         string // of the load it belongs to; "" for what the driver itself asks
	method, path string
	as           *caller // nil for nobody
	from         string  // address the caller sits at
	header       map[string]string
	body         any
}

// answer is what came back.
type answer struct {
	status  int
	request string // its number, by which evidence names it
	body    []byte
	code    string // of a problem
}

func (a answer) String() string { return fmt.Sprintf("%d %.400s", a.status, a.body) }

func (a answer) good() bool { return a.status >= 200 && a.status < 300 }

// into reads the body.
func (a answer) into(v any) error {
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("reading an answer: %w: %.200s", err, a.body)
	}
	return nil
}

// text is a member of the answer that is a text, or "".
func (a answer) text(name string) string {
	var all map[string]any
	_ = json.Unmarshal(a.body, &all)
	text, _ := all[name].(string)
	return text
}

// errUnanswered says that nobody answered: what was asked may have happened or not.
var errUnanswered = errors.New("no answer came")

// client talks to the process as people and programs do. It is safe for concurrent use.
type client struct {
	child  *child
	meter  *meter
	oracle *oracle
	http   *http.Client

	mu     sync.Mutex
	tokens map[string]token
}

// token is somebody's, and when it was made by the clock of the company.
type token struct {
	text string
	made time.Time
}

// tokenLife is for how long a token is shown again; they are good for an hour.
const tokenLife = 30 * time.Minute

// askLimit is how long one answer is waited for. A day of schedules is moved through in one call.
const askLimit = 4 * time.Minute

func newClient(c *child, m *meter, o *oracle) *client {
	return &client{child: c, meter: m, oracle: o, tokens: map[string]token{}, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}, Timeout: askLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// caller is a person (by address), a service, or a gateway (by id).
type caller struct{ email, service, gateway string }

func (c caller) name() string { return c.email + c.service + c.gateway }

// do makes a call. errUnanswered: the process died, or the connection was cut.
func (c *client) do(ctx context.Context, k call) (answer, error) {
	base, err := c.child.base(ctx)
	if err != nil {
		return answer{}, err
	}
	r, err := c.request(ctx, base, k)
	if err != nil {
		return answer{}, err
	}
	begun := machine.Now()
	response, err := c.http.Do(r)
	if err != nil {
		return c.unanswered(ctx, k, err)
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, request: response.Header.Get("X-Request-Id")}
	if a.body, err = io.ReadAll(response.Body); err != nil {
		return c.unanswered(ctx, k, err)
	}
	c.meter.answered(k.kind, machine.Now().Sub(begun), a.status)
	a.code = c.oracle.answer(k, response.Header, a)
	if a.status == http.StatusUnauthorized && k.as != nil {
		c.forget(*k.as)
	}
	return a, nil
}

func (c *client) unanswered(ctx context.Context, k call, err error) (answer, error) {
	if ctx.Err() != nil {
		return answer{}, ctx.Err()
	}
	c.meter.lost(k.kind)
	return answer{}, fmt.Errorf("%s %s: %w: %w", k.method, k.path, errUnanswered, err)
}

func (c *client) request(ctx context.Context, base string, k call) (*http.Request, error) {
	body := io.Reader(http.NoBody)
	if k.body != nil {
		data, err := json.Marshal(k.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, k.method, base+k.path, body)
	if err != nil {
		return nil, err
	}
	if k.body != nil {
		r.Header.Set("Content-Type", "application/json")
		r.GetBody = nil // whether it is sent again is for whoever asks to say
	}
	if k.from != "" {
		r.Header.Set("X-Ostiary-Client", k.from)
	}
	if k.as != nil {
		text, err := c.token(ctx, *k.as)
		if err != nil {
			return nil, err
		}
		if k.as.gateway != "" {
			r.Header.Set("Gateway-Key", text)
		} else {
			r.Header.Set("Authorization", "Bearer "+text)
		}
	}
	for name, value := range k.header {
		r.Header.Set(name, value)
	}
	return r, nil
}

// token signs somebody in, once in a while.
func (c *client) token(ctx context.Context, who caller) (string, error) {
	now, err := c.now(ctx)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	held, there := c.tokens[who.name()]
	c.mu.Unlock()
	if there && now.Sub(held.made) < tokenLife {
		return held.text, nil
	}
	body := map[string]string{"email": who.email}
	if who.service != "" {
		body = map[string]string{"service": who.service}
	} else if who.gateway != "" {
		body = map[string]string{"gateway": who.gateway}
	}
	a, err := c.local(ctx, "POST", "signin", body)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens[who.name()] = token{a.text("token"), now}
	return a.text("token"), nil
}

func (c *client) forget(who caller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tokens, who.name())
}

// again makes a call that changes nothing when it is made twice, until it is answered with more than "later".
func (c *client) again(ctx context.Context, k call) (a answer, err error) {
	begun := machine.Now()
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		a, err = c.do(ctx, k)
		if err == nil && a.status != http.StatusServiceUnavailable && a.status != http.StatusGatewayTimeout && a.status != http.StatusUnauthorized {
			return a, nil
		}
		if err != nil && !errors.Is(err, errUnanswered) {
			return a, err
		}
		if machine.Now().Sub(begun) > askLimit {
			return a, fmt.Errorf("%s %s is not answered for %s: %s, %v", k.method, k.path, askLimit, a, err)
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// local makes a call of local mode that must succeed.
func (c *client) local(ctx context.Context, method, path string, body any) (answer, error) {
	a, err := c.do(ctx, call{method: method, path: "/_local/" + path, body: body})
	if err == nil && !a.good() {
		err = fmt.Errorf("%s /_local/%s answers %s", method, path, a)
	}
	return a, err
}

// read gets a list of local mode, however often it takes.
func (c *client) read(ctx context.Context, path string, into any) error {
	a, err := c.again(ctx, call{method: "GET", path: "/_local/" + path})
	if err == nil && !a.good() {
		err = fmt.Errorf("reading /_local/%s: %s", path, a)
	}
	if err != nil {
		return err
	}
	return a.into(into)
}

// now is the time of the company.
func (c *client) now(ctx context.Context) (time.Time, error) {
	var told struct{ Now time.Time }
	err := c.read(ctx, "clock", &told)
	return told.Now, err
}

// problem is a problem document (RFC 9457) as the interface describes it.
type problem struct {
	Type, Title, Detail, Next, Code string
	Status                          int
}

// wholeProblem says what is wrong with an answer that refuses something.
func wholeProblem(header http.Header, a answer) (p problem, wrong string) {
	if kind := header.Get("Content-Type"); !strings.HasPrefix(kind, "application/problem+json") {
		if strings.HasPrefix(kind, "text/html") {
			return p, ""
		}
		return p, "it is " + kind
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		return p, err.Error()
	}
	if p.Title == "" || p.Code == "" || p.Detail == "" || p.Next == "" || p.Status != a.status {
		return p, "a member is missing"
	}
	return p, ""
}
