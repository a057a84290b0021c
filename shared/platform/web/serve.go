package web

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/log"
)

// server serves one function.
type server struct {
	Function
	mux    *http.ServeMux
	routes map[string]*Route // by pattern
	cross  *http.CrossOriginProtection
	csp    string
}

// Handler returns the function's handler. It serves /<name>/..., /<name>/openapi.json, and redirects /<name>. It
// panics when the table contradicts itself: a fault of the build.
func (f Function) Handler() http.Handler {
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	if f.Cap == nil {
		f.Cap = NewCap(clock.System{}, 0)
	}
	if f.Random == nil {
		f.Random = rand.Reader
	}
	s := &server{
		Function: f, mux: http.NewServeMux(), routes: map[string]*Route{},
		cross: http.NewCrossOriginProtection(), csp: contentPolicy(f.Connect, f.Forms),
	}
	for _, origin := range f.Origins {
		if err := s.cross.AddTrustedOrigin(origin); err != nil {
			panic(fmt.Sprintf("%s: trusting origin %q: %v", f.Name, origin, err))
		}
	}
	description := OpenAPI(f)
	s.add(Route{Method: http.MethodGet, Path: "/openapi.json", Handle: func(w http.ResponseWriter, _ *http.Request) error {
		return writeBytes(w, http.StatusOK, jsonType, description)
	}})
	for _, route := range f.Routes {
		s.add(route)
	}
	root := "/" + f.Name
	s.mux.Handle(root, http.RedirectHandler(root+"/", http.StatusPermanentRedirect))
	return s
}

// add registers a route. The mux only finds it and fills in the path's values: see call.
func (s *server) add(route Route) {
	pattern := route.Method + " /" + s.Name + route.Path
	if strings.HasSuffix(pattern, "/") {
		pattern += "{$}" // a page at the root is not an answer to every path below it
	}
	s.routes[pattern] = &route
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		w.(*recorder).err = route.Handle(w, r)
	})
}

// ServeHTTP answers one request and writes one log line.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := clock.System{}.Now()
	out := &recorder{ResponseWriter: w}
	found, pattern := s.mux.Handler(r)
	route := s.routes[pattern]
	id := s.requestID()
	r = r.WithContext(context.WithValue(log.WithTrace(r.Context(), r), requestKey{}, id))
	s.headers(w.Header(), id)

	err := s.guard(func() error { return s.call(out, r, route, found, pattern) })
	var problem Problem
	cut := false
	if err != nil {
		problem = ProblemOf(err)
		if cut = out.status != 0 || errors.Is(err, http.ErrAbortHandler); !cut {
			s.refuse(out, r, route, problem)
		}
	}
	s.line(r, out, pattern, problem, err, clock.System{}.Now().Sub(begun))
	if cut {
		// Half an answer is on its way: closing the connection is the only way left to say that it is not whole.
		panic(http.ErrAbortHandler)
	}
}

// call finds the answer: cap, origin, then the route.
func (s *server) call(out *recorder, r *http.Request, route *Route, found http.Handler, pattern string) error {
	if route == nil || !route.Uncapped {
		client, err := s.Client.Client(r)
		if err != nil {
			client = netip.Addr{} // all the unknown share one bucket
		}
		if wait, ok := s.Cap.Take(client); !ok {
			refusal := fault.Refuse(fault.Exhausted, "too_many_requests", "Too many requests came from this network.", "Wait, then try again.")
			refusal.RetryAfter = wait
			return refusal
		}
	}
	if pattern == "" {
		return s.unrouted(found, r)
	}
	if route != nil && (route.Browser || route.Page) {
		if err := s.cross.Check(r); err != nil {
			return &fault.Error{Kind: fault.Denied, Code: "cross_origin", Detail: "This came from a page of another site.",
				Next: "Open the page here and try again.", Err: err}
		}
	}
	s.mux.ServeHTTP(out, r)
	return out.err
}

// unrouted asks the mux's own answer whether the path or only the method is unknown.
func (s *server) unrouted(found http.Handler, r *http.Request) error {
	probe := &probe{header: http.Header{}}
	found.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		refusal := fault.Refuse(fault.Invalid, "method_not_allowed", "This address does not answer this method.", "Use one of the methods in the Allow header.")
		refusal.Status = http.StatusMethodNotAllowed
		return &extended{err: refusal, allow: probe.header.Get("Allow")}
	}
	return fault.Refuse(fault.NotFound, "not_found", "There is nothing at this address.", "Check the address.")
}

// guard turns a panic into an error that carries the stack.
func (s *server) guard(call func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		cause, isError := p.(error)
		if !isError {
			cause = fmt.Errorf("panic: %v", p)
		}
		if errors.Is(cause, http.ErrAbortHandler) { // the handler gave up on purpose: no stack
			err = cause
			return
		}
		err = log.WithStack(fmt.Errorf("serving: %w", cause), debug.Stack())
	}()
	return call()
}

// line writes the request's log line: the route's pattern, never the path or the query.
func (s *server) line(r *http.Request, out *recorder, pattern string, p Problem, err error, took time.Duration) {
	status := out.status
	if status == 0 {
		status = http.StatusOK
	}
	method, path := knownMethod(r.Method), "(none)"
	if _, rest, ok := strings.Cut(pattern, " "); ok {
		path = strings.TrimSuffix(rest, "{$}")
	} else if pattern != "" {
		path = pattern
	}
	attrs := []slog.Attr{
		slog.String("request", RequestID(r.Context())),
		slog.Group("httpRequest",
			slog.String("requestMethod", method), slog.String("requestUrl", path), slog.Int("status", status),
			slog.String("responseSize", strconv.FormatInt(out.bytes, 10)),
			slog.String("latency", strconv.FormatFloat(took.Seconds(), 'f', 6, 64)+"s")),
	}
	level := slog.LevelInfo
	if err != nil {
		attrs = append(attrs, slog.String("code", p.Code), slog.Any("error", err))
		switch {
		case fault.Is(err, fault.Transient):
			level = slog.LevelWarn
		case p.Status >= http.StatusInternalServerError:
			level = slog.LevelError
		}
	}
	s.Log.LogAttrs(r.Context(), level, method+" "+path+" "+strconv.Itoa(status), attrs...)
}

// knownMethod keeps a caller's invention out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "OTHER"
}

// requestKey is the context key of a request's id.
type requestKey struct{}

// RequestID returns the id of the request a context belongs to, also sent in the header X-Request-Id; "" outside
// of one. It is made here, never taken from the caller.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

func (s *server) requestID() string {
	var b [10]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return ""
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}
