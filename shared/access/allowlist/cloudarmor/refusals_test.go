package cloudarmor

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
)

// TestRefusals are answered with their kind, name no address, and leave the door as it was.
func TestRefusals(t *testing.T) {
	t.Parallel()
	before, after := many(0, 3, 0, 0), many(0, 2, 0, 2)
	for _, row := range []struct {
		status      int
		reason      string
		look, write fault.Kind
	}{
		{429, "rateLimitExceeded", fault.Transient, fault.Exhausted}, {403, "quotaExceeded", fault.Transient, fault.Exhausted}, {403, "forbidden", fault.Denied, fault.Denied},
		{401, "required", fault.Denied, fault.Denied}, {404, "notFound", fault.Misconfigured, fault.Transient}, {409, "resourceNotReady", fault.Transient, fault.Conflict},
		{412, "conditionNotMet", fault.Transient, fault.Conflict}, {400, "invalid", fault.Misconfigured, fault.Misconfigured}, {503, "backendError", fault.Transient, fault.Transient},
		{302, "", fault.Misconfigured, fault.Misconfigured},
	} {
		w := newWorld(t, "")
		target := w.open(t, 0, nil)
		if err := apply(t, target, before); err != nil {
			t.Fatal(err)
		}
		check := func(doing string, err error, want fault.Kind) {
			t.Helper()
			if !fault.Is(err, want) || strings.Contains(err.Error(), "81.") || strings.Contains(err.Error(), "2a02") {
				t.Errorf("%d %s, %s: %v is of kind %q, want %s", row.status, row.reason, doing, err, fault.KindOf(err), want)
			}
			if e, _ := errors.AsType[*fault.Error](err); e != nil && (want == fault.Exhausted || doing == "reading") && e.RetryAfter != 7*time.Second {
				t.Errorf("%d %s, %s: to be tried again after %s", row.status, row.reason, doing, e.RetryAfter)
			}
		}
		seen, _ := target.Read(t.Context())
		w.Writes = nil
		fails := func(part string) {
			w.Failing = func(r *http.Request) (int, string) {
				if strings.HasSuffix(r.URL.Path, part) {
					return row.status, row.reason
				}
				return 0, ""
			}
		}
		fails("/edge")
		_, err := target.Read(t.Context())
		check("reading", err, row.look)
		check("applying", target.Apply(t.Context(), after, allowlist.Write{Etag: seen.Etag}), row.look)
		check("removing", target.Remove(t.Context(), before.Prefixes()), row.look)
		fails("Rule")
		check("writing", apply(t, target, after), row.write)
		gone := row.write
		if gone == fault.Conflict {
			gone = fault.Transient
		}
		check("taking away", target.Remove(t.Context(), before.Prefixes()), gone)
		if len(w.Writes) > 0 {
			t.Errorf("%d %s: wrote %v", row.status, row.reason, w.Writes)
		}
		w.Failing = nil
		holds(t, target, before)
	}
}

// TestFailedOperations: what an operation says when it is done is what the call says.
func TestFailedOperations(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]fault.Kind{
		"QUOTA_EXCEEDED": fault.Exhausted, "RESOURCE_OPERATION_RATE_EXCEEDED": fault.Exhausted, "RESOURCE_NOT_READY": fault.Conflict, "PERMISSIONS_ERROR": fault.Denied,
		"RESOURCE_NOT_FOUND": fault.Transient, "SOMETHING_ELSE": fault.Misconfigured,
	} {
		w := newWorld(t, "europe-west9")
		w.FailOp = code
		if err := apply(t, w.open(t, 0, nil), many(0, 11, 0, 0)); !fault.Is(err, want) || strings.Contains(err.Error(), "81.2") || len(w.Writes) != 1 {
			t.Errorf("%s: %v is of kind %q, want %s", code, err, fault.KindOf(err), want)
		}
	}
	for name, row := range map[string]struct {
		op   *compute.Operation
		want fault.Kind
	}{
		"done":                      {&compute.Operation{Status: "DONE"}, ""},
		"done with warnings":        {&compute.Operation{Status: "DONE", Warnings: []*compute.OperationWarnings{{Code: "X"}}}, ""},
		"an error that says no why": {&compute.Operation{Status: "DONE", Error: &compute.OperationError{}}, fault.Transient},
		"a status alone":            {&compute.Operation{Status: "DONE", HttpErrorStatusCode: 403}, fault.Denied},
		"an error with a status":    {&compute.Operation{Status: "DONE", HttpErrorStatusCode: 503, Error: &compute.OperationError{Errors: []*compute.OperationErrorErrors{{Code: "X"}}}}, fault.Transient},
	} {
		if err := googledoor.Outcome("writing", row.op); fault.KindOf(err) != row.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := newWorld(t, "")
	w.Slow = 1000
	if err := apply(t, w.open(t, 0, nil), many(0, 1, 0, 0)); !fault.Is(err, fault.Transient) || w.Ops != 1 {
		t.Errorf("one that never ends: %v", err)
	}
	w.Slow = 3
	w.Pending = nil
	if err := apply(t, w.open(t, 0, nil), many(0, 1, 0, 0)); err != nil {
		t.Errorf("one that takes its time: %v", err)
	}
}

// TestHostileAnswers: what no service of Google says is no answer, at whichever request it comes.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing": "", "null": "null", "an empty object": "{}", "a list": "[]", "a page": "<html><body>Sign in</body></html>", "cut": `{"name":"edge","fingerprint":"f","rules":[{"priority":1`,
		"another policy": `{"name":"other","fingerprint":"f","rules":[` + closed + `]}`, "no fingerprint": `{"name":"edge","rules":[` + closed + `]}`, "a rule that is none": `{"name":"edge","fingerprint":"f","rules":[null,` + closed + `]}`,
		"a rule twice": `{"name":"edge","fingerprint":"f","rules":[` + regular + "," + regular + "," + closed + `]}`, "a number for a text": `{"name":7}`,
		"huge": `{"name":"` + strings.Repeat("x", googledoor.MostOfAnswer) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, part := range []string{"/edge", "Rule", "/wait", "/projects/shop"} {
				w := newWorld(t, "")
				good := w.open(t, 0, nil)
				if err := apply(t, good, many(0, 11, 0, 0)); err != nil {
					t.Fatal(err)
				}
				seen, _ := good.Read(t.Context())
				target := w.open(t, 0, says{part, text})
				_, err := target.Read(t.Context())
				if part == "/projects/shop" {
					if err != nil || target.Limits().Capacity != 100 {
						t.Errorf("the quota: %v, %+v", err, target.Limits())
					}
					continue
				}
				if (part == "/edge") != fault.Is(err, fault.Transient) {
					t.Errorf("%s, reading: %v", part, err)
				}
				if err := target.Apply(t.Context(), many(5, 11, 0, 0), allowlist.Write{Etag: seen.Etag}); !fault.Is(err, fault.Transient) {
					t.Errorf("%s, applying: %v", part, err)
				}
				if err := target.Remove(t.Context(), many(0, 11, 0, 0).Prefixes()); !fault.Is(err, fault.Transient) {
					t.Errorf("%s, removing: %v", part, err)
				}
			}
		})
	}
	w := newWorld(t, "")
	if _, err := w.open(t, 0, says{"/edge", `{"name":"edge","fingerprint":"f","type":"CLOUD_ARMOR_NETWORK","rules":[` + closed + `]}`}).Read(t.Context()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a policy for packets: %v", err)
	}
	if _, err := w.open(t, 0, says{"/edge", `{"name":"edge","fingerprint":"f","type":"CLOUD_ARMOR_EDGE","rules":[` + closed + `]}`}).Read(t.Context()); err != nil {
		t.Errorf("a policy of the edge: %v", err)
	}
}

// says answers requests whose path ends so with a text, and lets the others through.
type says struct{ suffix, text string }

func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, s.suffix) {
		return http.DefaultTransport.RoundTrip(r)
	}
	answer := httptest.NewRecorder()
	_, _ = io.WriteString(answer, s.text)
	return answer.Result(), nil
}
