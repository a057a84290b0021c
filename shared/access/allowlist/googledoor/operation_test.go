package googledoor_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"

	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
)

func failed(status int64, codes ...string) *compute.Operation {
	op := &compute.Operation{Status: "DONE", HttpErrorStatusCode: status, Error: &compute.OperationError{}}
	for _, code := range codes {
		op.Error.Errors = append(op.Error.Errors, &compute.OperationErrorErrors{Code: code, Message: "81.2.69.142"})
	}
	return op
}

// TestOutcome: the code of an operation says more than its status, which may be missing or the general one.
func TestOutcome(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		op   *compute.Operation
		want fault.Kind
	}{
		"done":                     {&compute.Operation{Status: "DONE"}, ""},
		"done, said so":            {&compute.Operation{Status: "DONE", HttpErrorStatusCode: 200}, ""},
		"a status alone":           {&compute.Operation{Status: "DONE", HttpErrorStatusCode: 403}, fault.Denied},
		"no why":                   {failed(0), fault.Transient},
		"no why, status ok":        {failed(200), fault.Transient},
		"another":                  {failed(0, "INTERNAL"), fault.Transient},
		"another, wrong":           {failed(400, "INVALID"), fault.Misconfigured},
		"not ready":                {failed(0, "RESOURCE_NOT_READY"), fault.Conflict},
		"not ready, as it comes":   {failed(400, "RESOURCE_NOT_READY"), fault.Conflict},
		"not ready, conflict":      {failed(409, "RESOURCE_NOT_READY"), fault.Conflict},
		"not found":                {failed(0, "RESOURCE_NOT_FOUND"), fault.NotFound},
		"no right":                 {failed(0, "PERMISSIONS_ERROR"), fault.Denied},
		"quota":                    {failed(403, "QUOTA_EXCEEDED"), fault.Exhausted},
		"rate":                     {failed(0, "RATE_LIMIT_EXCEEDED"), fault.Exhausted},
		"rate of the thing":        {failed(0, "RESOURCE_OPERATION_RATE_EXCEEDED"), fault.Exhausted},
		"the first that is known":  {failed(400, "INVALID", "QUOTA_EXCEEDED", "RESOURCE_NOT_FOUND"), fault.Exhausted},
		"a reason that is missing": {&compute.Operation{Error: &compute.OperationError{Errors: []*compute.OperationErrorErrors{nil}}}, fault.Transient},
	} {
		if err := googledoor.Outcome("writing rule edge", row.op); fault.KindOf(err) != row.want || err == nil != (row.want == "") {
			t.Errorf("%s: %v is of kind %q, want %q", name, err, fault.KindOf(err), row.want)
		}
	}
}

// TestNotReady: the answer to a request while another change is under way is a 400, and no mistake of ours.
func TestNotReady(t *testing.T) {
	t.Parallel()
	err := googledoor.Explain("writing", &googleapi.Error{Code: 400, Errors: []googleapi.ErrorItem{{Reason: "resourceNotReady"}}})
	if !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
}

// TestAwait: an operation is asked about until it is done, and no more often than that.
func TestAwait(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		polls int // until it is done
		then  *compute.Operation
		err   error
		want  fault.Kind
		asked int
	}{
		"at once":   {0, &compute.Operation{Status: "DONE"}, nil, "", 0},
		"soon":      {3, &compute.Operation{Status: "DONE"}, nil, "", 3},
		"at last":   {googledoor.MostWaits, &compute.Operation{Status: "DONE"}, nil, "", googledoor.MostWaits},
		"too late":  {googledoor.MostWaits + 1, nil, nil, fault.Transient, googledoor.MostWaits},
		"fails":     {2, failed(404, "RESOURCE_NOT_FOUND"), nil, fault.NotFound, 2},
		"is none":   {1, nil, nil, fault.Transient, 1},
		"unknown":   {1, nil, &googleapi.Error{Code: 404}, fault.Transient, 1},
		"no right":  {1, nil, &googleapi.Error{Code: 403}, fault.Denied, 1},
		"no answer": {1, nil, errors.New("reset"), fault.Transient, googledoor.MostWaits},
	} {
		asked := 0
		at := func() (*compute.Operation, error) {
			if asked == row.polls {
				return row.then, row.err
			}
			return &compute.Operation{Name: "operation-1", Status: "RUNNING"}, nil
		}
		op, _ := at()
		err := googledoor.Await(t.Context(), "writing", op, func(_ context.Context, operation string) (*compute.Operation, error) {
			if asked++; operation != "operation-1" {
				t.Errorf("%s: asked about %q", name, operation)
			}
			return at()
		})
		if fault.KindOf(err) != row.want || err == nil != (row.want == "") || asked != row.asked {
			t.Errorf("%s: %v is of kind %q after %d questions, want %q after %d", name, err, fault.KindOf(err), asked, row.want, row.asked)
		}
	}
}

// TestTurn: of two on the same thing one waits, and gives up when told to; another thing is nobody's business.
func TestTurn(t *testing.T) {
	t.Parallel()
	done, err := googledoor.TurnOf("turn-test/a").Take(t.Context(), "to write to a")
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := googledoor.TurnOf("turn-test/a").Take(gone, "to write to a"); !fault.Is(err, fault.Transient) || err.Error() != "waiting to write to a: context canceled" {
		t.Errorf("out of turn: %v", err)
	}
	for _, name := range []string{"turn-test/b", "turn-test/a"} {
		other, err := googledoor.TurnOf(name).Take(t.Context(), "to write")
		if err != nil {
			t.Fatal(err)
		}
		if name == "turn-test/b" {
			done()
		}
		other()
	}
}

// TestAs: an error gets the kind it has for this caller, and keeps how long to wait.
func TestAs(t *testing.T) {
	t.Parallel()
	for from, want := range map[fault.Kind]fault.Kind{fault.NotFound: fault.Misconfigured, fault.Conflict: fault.Transient, fault.Exhausted: fault.Transient,
		fault.Transient: fault.Transient, fault.Denied: fault.Denied, fault.Misconfigured: fault.Misconfigured} {
		err := googledoor.Reading(&fault.Error{Kind: from, RetryAfter: time.Minute, Err: errors.New("reading")})
		if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != want || e.RetryAfter != time.Minute || err.Error() == "" {
			t.Errorf("%s: %+v, want %s", from, e, want)
		}
	}
	if googledoor.Reading(nil) != nil {
		t.Error("no error is one")
	}
}

// TestPrefix: what a service may answer as a source.
func TestPrefix(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"81.2.69.142": "81.2.69.142/32", "2001:db8::1": "2001:db8::1/128", "81.2.69.1/24": "81.2.69.1/24", "::/0": "::/0", "*": "", "": "", "81.2.69.0/33": "", "fe80::1%eth0": ""} {
		p, err := googledoor.Prefix(text)
		if (err == nil) != (want != "") || err == nil && p.String() != want {
			t.Errorf("%q: %s, %v", text, p, err)
		}
	}
	all := googledoor.Everyone()
	if len(all) != 2 || !all[0].Contains(netip.MustParseAddr("1.2.3.4")) || !all[1].Contains(netip.MustParseAddr("2001::1")) {
		t.Errorf("everyone is %v", all)
	}
	for text, want := range map[string]bool{"shop": true, "shop.example:web": true, "Shop": false, "": false, "a/b": false, "a": false} {
		if googledoor.IsProject(text) != want {
			t.Errorf("%q is a project: %t", text, !want)
		}
	}
	if googledoor.Digest("a", "b") == googledoor.Digest("a\nb") || googledoor.Digest("a", "b") == googledoor.Digest("b", "a") {
		t.Error("other texts have one digest")
	}
}

// TestHeldQuestion: a question that the service holds for longer than a request may take is asked again, and as often as any
// other; one that it refuses is not.
func TestHeldQuestion(t *testing.T) {
	t.Parallel()
	for silences, want := range map[int]fault.Kind{2: "", googledoor.MostWaits: fault.Transient} {
		asked := 0
		err := googledoor.Await(t.Context(), "writing rule edge", &compute.Operation{Name: "op-1", Status: "RUNNING"}, func(_ context.Context, name string) (*compute.Operation, error) {
			if asked++; name != "op-1" {
				t.Errorf("asked about %q", name)
			}
			if asked <= silences {
				return nil, errors.New("Client.Timeout exceeded while awaiting headers")
			}
			return &compute.Operation{Status: "DONE"}, nil
		})
		if fault.KindOf(err) != want || asked > googledoor.MostWaits {
			t.Errorf("%d silences: %v after %d questions", silences, err, asked)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	asked := 0
	err := googledoor.Await(gone, "writing rule edge", &compute.Operation{Status: "RUNNING"}, func(context.Context, string) (*compute.Operation, error) {
		asked++
		cancel()
		return nil, context.Canceled
	})
	if !fault.Is(err, fault.Transient) || asked != 1 {
		t.Errorf("nobody waits any more: %v after %d questions", err, asked)
	}
}
