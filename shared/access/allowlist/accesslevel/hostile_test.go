package accesslevel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/access/allowlist/accesslevel/acmtest"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
)

// TestHostile: answers no service should give, at each request in turn. Nothing is taken for done, and no error names anybody.
func TestHostile(t *testing.T) {
	t.Parallel()
	say := func(status int, body string) func(w http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const named = `{"error":{"code":0,"message":"user:ana@x.example from 81.2.69.142","errors":[{"reason":"r"}]}}`
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		kind   fault.Kind
	}{
		"a page":      {say(200, "<html>sign in as ana@x.example</html>"), fault.Transient},
		"cut":         {say(200, `{"accessLevels":[{"name":"`), fault.Transient},
		"nothing":     {say(200, ""), fault.Transient},
		"huge":        {huge, fault.Transient},
		"a list":      {say(200, `["ana@x.example"]`), fault.Transient},
		"no right":    {say(403, named), fault.Denied},
		"nobody":      {say(401, named), fault.Denied},
		"too often":   {say(429, named), fault.Exhausted},
		"at work":     {say(409, named), fault.Conflict},
		"wrong":       {say(400, named), fault.Misconfigured},
		"down":        {say(503, named), fault.Transient},
		"elsewhere":   {say(302, ""), fault.Misconfigured},
		"an odd code": {say(418, "short and stout"), fault.Misconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				f := newFake(t, 2)
				target := f.open(2)
				w := write(t, target, 1)
				from, struck := f.Asked, false
				f.Trouble = func(_ *http.Request, asked int) func(http.ResponseWriter) {
					if asked != from+n {
						return nil
					}
					struck = true
					return c.answer
				}
				err := target.Apply(t.Context(), set(t, "ana "+home), w)
				if !struck {
					must(t, err)
					if n < 10 {
						t.Fatalf("an Apply is %d requests", n-1)
					}
					return
				}
				kind := c.kind
				if n == 1 && (kind == fault.Exhausted || kind == fault.Conflict) {
					kind = fault.Transient // it was the list
				}
				if !fault.Is(err, kind) || strings.Contains(fmt.Sprint(err), "ana") || strings.Contains(fmt.Sprint(err), "81.2.") {
					t.Errorf("at request %d: %v is of kind %q, want %s", n, err, fault.KindOf(err), kind)
				}
				if e, ok := errors.AsType[*fault.Error](err); c.kind == fault.Exhausted && (!ok || e.RetryAfter != 7*time.Second) {
					t.Errorf("at request %d: to be tried again %+v", n, e)
				}
				f.Trouble = nil
				mustApply(t, f.open(2), set(t, "ana "+home), 2)
			}
		})
	}
}

// huge is JSON without an end.
func huge(w http.ResponseWriter) {
	_, _ = w.Write([]byte(`{"name":"`))
	chunk := []byte(strings.Repeat("x", 1<<20))
	for range googledoor.MostOfAnswer>>20 + 1 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
	_, _ = w.Write([]byte(`"}`))
}

// TestHostileLists: lists that do not end, repeat themselves, or hold what is not a level of ours.
func TestHostileLists(t *testing.T) {
	t.Parallel()
	f := newFake(t, 1)
	target := f.open(2)
	mustApply(t, target, set(t, "ana "+home), 1)
	must(t, func() error { _, err := target.Read(t.Context()); return err }())
	of := func(body any) func(*http.Request, int) func(http.ResponseWriter) {
		return func(*http.Request, int) func(http.ResponseWriter) {
			return func(w http.ResponseWriter) { acmtest.Answer(w, body) }
		}
	}
	shell := *f.Levels[policy+"/accessLevels/edge_00"]
	end := f.Levels[slices.MaxFunc(slices.Collect(maps.Keys(f.Levels)), strings.Compare)]
	f.Trouble = of(acm.ListAccessLevelsResponse{NextPageToken: "again"})
	if _, err := target.Read(t.Context()); !fault.Is(err, fault.Transient) || f.Asked > 200 {
		t.Errorf("a list without end: %v after %d requests", err, f.Asked)
	}
	f.Trouble = of(acm.ListAccessLevelsResponse{})
	if _, err := target.Read(t.Context()); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "edge_00") {
		t.Errorf("no level: %v", err)
	}
	others := []*acm.AccessLevel{nil, {}, {Name: policy + "/accessLevels/edge_"}, {Name: policy + "/accessLevels/edge_0"}, {Name: policy + "/accessLevels/edge_1000"},
		{Name: policy + "/accessLevels/edge_xx"}, {Name: policy + "/accessLevels/edgy_00"}, {Name: "accessPolicies/1/accessLevels/edge_01"},
		{Name: policy + "/accessLevels/edge_until_"}, {Name: policy + "/accessLevels/edge_until_01"}, {Name: policy + "/accessLevels/edge_until_9x"}, {Name: policy + "/accessLevels/edge_until_-5"}}
	f.Trouble = of(acm.ListAccessLevelsResponse{AccessLevels: append(others, &shell, &shell, end)})
	seen, err := target.Read(t.Context())
	if err != nil || seen.Torn != "" || fmt.Sprint(seen.Prefixes) != "["+home+"]" {
		t.Errorf("among other things: %v, torn %q, %v", seen.Prefixes, seen.Torn, err)
	}
}

// TestOperations: how the operation of a write may end, and what its name may not be.
func TestOperations(t *testing.T) {
	t.Parallel()
	for code, kind := range map[int64]fault.Kind{3: fault.Misconfigured, 5: fault.Conflict, 6: fault.Conflict, 7: fault.Denied, 8: fault.Exhausted, 9: fault.Conflict, 10: fault.Conflict, 13: fault.Transient, 16: fault.Denied, 99: fault.Transient} {
		f := newFake(t, 2)
		target := f.open(2)
		f.Ending = func(r *http.Request) *acm.Status {
			if r.Method != http.MethodPatch {
				return nil
			}
			return &acm.Status{Code: code, Message: "user:ana@x.example"}
		}
		err := apply(t, target, set(t, "ana "+home), 1)
		if !fault.Is(err, kind) || strings.Contains(err.Error(), "ana@") || f.admits(request{"ana@x.example", ordered(prefixes(t, home))[0].Addr(), morning}) {
			t.Errorf("code %d: %v is of kind %q, want %s", code, err, fault.KindOf(err), kind)
		}
		f.Ending = nil
		mustApply(t, target, set(t, "ana "+home), 2)
	}
	for _, name := range []string{"", "operations/", "operations/../../v1/" + policy, "operations/a/../b", "operations/a?x=1", "operations/a%2f..", "../x", "projects/x", "operations/" + strings.Repeat("a", 101), "operations/a b"} {
		f := newFake(t, 1)
		asked := ""
		f.Trouble = func(r *http.Request, _ int) func(http.ResponseWriter) {
			if r.Method == http.MethodPost {
				return func(w http.ResponseWriter) { acmtest.Answer(w, acm.Operation{Name: name}) }
			}
			if asked != "" || !strings.HasSuffix(r.URL.Path, "/accessLevels") {
				asked += r.URL.Path
			}
			return nil
		}
		if err := apply(t, f.open(1), set(t, "ana "+home), 1); !fault.Is(err, fault.Transient) || asked != "" {
			t.Errorf("operation %q: %v, asked for %q", name, err, asked)
		}
	}
	f := newFake(t, 1)
	polls := 0
	f.Trouble = func(r *http.Request, _ int) func(http.ResponseWriter) {
		if !strings.Contains(r.URL.Path, "/operations/") {
			return nil
		}
		polls++
		return func(w http.ResponseWriter) { acmtest.Answer(w, acm.Operation{Name: "operations/x"}) }
	}
	target := f.open(1)
	var waited time.Duration
	target.pause = func(_ context.Context, d time.Duration) error { waited += d; return nil }
	if err := apply(t, target, set(t, "ana "+home), 1); !fault.Is(err, fault.Transient) || polls != mostPolls || waited < time.Minute || waited > 90*time.Second {
		t.Errorf("an operation without end: %v after %d polls and %s", err, polls, waited)
	}
	target.pause = pause
	ctx, cancel := context.WithCancel(t.Context())
	w := write(t, target, 1)
	f.Trouble = func(r *http.Request, _ int) func(http.ResponseWriter) {
		if r.Method != http.MethodGet {
			cancel()
		}
		return nil
	}
	if err := target.Apply(ctx, set(t, "ana "+home), w); !fault.Is(err, fault.Transient) {
		t.Errorf("cancelled while an operation is at work: %v", err)
	}
}
