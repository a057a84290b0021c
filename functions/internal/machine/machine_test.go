package machine_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/platform/identity/google"
)

// manifest is the manifest of a function that is woken by a topic and by a schedule.
const manifest = `{"name":"example","control":"access","entry_point":"example","summary":"An example.","callers":"machine",
	"triggers":[{"kind":"topic","topic":"thing.changed"},{"kind":"schedule","cron":"* * * * *"}],
	"memory_mib":256,"timeout_s":30,"concurrency":1,"max_instances":1,"permissions":[{"permission":"storage.objects.create","resource":"bucket:evidence-inbox"}],"evidence":{"controls":{"example":["gap"]}},"environment":[],"secrets":[],"publishes":[],"freshness":"","checks":["example"]}`

func world(t testing.TB, on machine.On, env ...string) *functiontest.World {
	t.Helper()
	variables := map[string]string{}
	for i := 0; i+1 < len(env); i += 2 {
		variables[env[i]] = env[i+1]
	}
	return functiontest.New(t, functiontest.Setup{Env: variables, Functions: []wiring.Function{{
		Manifest: []byte(manifest), Schema: store.Schema{outbox.Collection()},
		Build: func(_ context.Context, d *wiring.Deps) (web.Function, error) {
			return d.Served(machine.Routes(d, on)...)
		},
	}}})
}

func push(data string) string {
	return functiontest.Push("example", functiontest.Published{Topic: "thing.changed", At: functiontest.Start, Message: bus.Message{Data: []byte(data)}})
}

// TestAnswers: what an error of the function says to the platform in front.
func TestAnswers(t *testing.T) {
	t.Parallel()
	refusal := fault.Refuse(fault.Invalid, "body_invalid", "a", "b")
	for name, test := range map[string]struct {
		err         error
		event, tick int
		recorded    bool
	}{
		"done":          {nil, 204, 204, false},
		"transient":     {fault.New(fault.Transient, "down"), 503, 503, false},
		"misconfigured": {fault.New(fault.Misconfigured, "no index"), 503, 503, false},
		"unclassified":  {errors.New("nobody knows"), 503, 500, false},
		"not found":     {fault.New(fault.NotFound, "gone"), 503, 500, false},
		"denied":        {fault.New(fault.Denied, "no right"), 503, 500, false},
		"conflict":      {fault.New(fault.Conflict, "lost"), 503, 500, false},
		"refused":       {refusal, 204, 500, true},
		"joined":        {errors.Join(errors.New("x"), fault.New(fault.Transient, "down")), 503, 503, false},
		"time is up":    {context.DeadlineExceeded, 503, 503, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world(t, machine.On{Event: func(context.Context, event.Event) error { return test.err }, Tick: func(context.Context) error { return test.err }})
			if got := w.Event(t, "example", push("{}")); got.Status != test.event {
				t.Errorf("the event is answered %d", got.Status)
			}
			if got := w.Tick(t, "example"); got.Status != test.tick {
				t.Errorf("the schedule is answered %d", got.Status)
			}
			if recorded := len(w.Records(t)) == 1; recorded != test.recorded {
				t.Errorf("recorded: %v", recorded)
			}
		})
	}
}

// TestPanics: a panic of either is a failed delivery, and shows nothing.
func TestPanics(t *testing.T) {
	t.Parallel()
	w := world(t, machine.On{Event: func(context.Context, event.Event) error { panic("a person's data") }, Tick: func(context.Context) error { panic("a person's data") }})
	for _, got := range []functiontest.Answer{w.Event(t, "example", push("{}")), w.Tick(t, "example")} {
		if got.Status != 500 || strings.Contains(string(got.Body), "person's data") {
			t.Errorf("answered %d: %s", got.Status, got.Body)
		}
	}
}

// TestOneRecord: the same undecodable body is one record, another body another.
func TestOneRecord(t *testing.T) {
	t.Parallel()
	w := world(t, machine.On{Event: func(context.Context, event.Event) error { return nil }})
	for _, body := range []string{"x", "x", "y", "x"} {
		w.Event(t, "example", body).Want(t, 204, "")
		w.Advance(t, time.Millisecond)
	}
	if n := len(w.Records(t)); n != 2 {
		t.Errorf("%d records", n)
	}
	for _, r := range w.Records(t) {
		if r.Kind != record.Gap || r.Result.State != record.Undetermined || r.Source.Event == "" {
			t.Errorf("%+v", r)
		}
	}
}

// TestUnread: whoever has to know of a message that could not be understood is told once it is recorded, of the function's
// own refusal and of the envelope's; while that fails, it comes again.
func TestUnread(t *testing.T) {
	t.Parallel()
	var told []string
	var fails error
	w := world(t, machine.On{
		Event: func(context.Context, event.Event) error { return fault.New(fault.Invalid, "no such thing") },
		Unread: func(_ context.Context, body []byte) error {
			told = append(told, string(body))
			return fails
		},
	})
	fails = fault.New(fault.Transient, "down")
	if got := w.Event(t, "example", "x"); got.Status != 503 {
		t.Errorf("answered %d", got.Status)
	}
	fails = nil
	w.Event(t, "example", "x").Want(t, 204, "")
	w.Event(t, "example", push("{}")).Want(t, 204, "")
	if want := []string{"x", "x", push("{}")}; !slices.Equal(told, want) || len(w.Records(t)) != 2 {
		t.Errorf("told %q, %d records", told, len(w.Records(t)))
	}
}

// TestOnlyWhatIsThere: a function without a topic or a schedule has no such route.
func TestOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	w := world(t, machine.On{Event: func(context.Context, event.Event) error { return nil }})
	w.Tick(t, "example").Want(t, 404, "not_found")
	w = world(t, machine.On{Tick: func(context.Context) error { return nil }})
	w.Event(t, "example", push("{}")).Want(t, 404, "not_found")
}

// TestFront: behind IAM the function asks for no token, and needs none of what would verify one, but takes none of another account,
// whom IAM may have let in for a right on the whole project; anywhere else nobody passes where no invoker is declared.
func TestFront(t *testing.T) {
	t.Parallel()
	on := machine.On{Tick: func(context.Context) error { return nil }}
	tick := functiontest.Request{Method: "POST", Path: "/example/tick"}
	w := world(t, on, wiring.EnvIAM, "front", wiring.EnvIdentity, "")
	w.Call(t, tick).Want(t, 204, "")
	for _, header := range []string{"Authorization", "X-Serverless-Authorization"} {
		other := tick
		other.Header = http.Header{header: {"Bearer " + w.Invoker("registerip")}}
		w.Call(t, other).Want(t, 403, "caller_denied")
	}
	own := tick
	own.Token = w.Invoker("example")
	w.Call(t, own).Want(t, 204, "")
	own.Header = http.Header{"X-Serverless-Authorization": {"Bearer " + w.Invoker("registerip")}} // the one that IAM has looked at
	w.Call(t, own).Want(t, 403, "caller_denied")
	w = world(t, on, wiring.EnvIAM, "elsewhere")
	w.Call(t, tick).Want(t, 401, "caller_unauthenticated")
	w = world(t, on, wiring.EnvInvoker, "")
	tick.Token = w.Invoker("example")
	w.Call(t, tick).Want(t, 403, "caller_denied")
}
