package functiontest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/message/mailbox"
	"ostiary.internal/shared/platform/store"
)

// Counters are the fields of stored accounts that an attempt moves though it is refused: a code that was tried counts.
var Counters = []string{"throttle", "failures", "resync_step", "resync_until"}

// State returns every stored document of every control but the fields left out, by control, collection and id.
func (w *World) State(t testing.TB, without ...string) map[string]map[string]any {
	t.Helper()
	w.mu.Lock()
	stores := maps.Clone(w.stores)
	w.mu.Unlock()
	state := map[string]map[string]any{}
	for control, s := range stores {
		for _, c := range w.schemas[control] {
			docs, err := s.Query(context.Background(), store.Query{Collection: c.Name, Limit: store.MaxQueryResults})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range docs {
				var fields map[string]any
				if err := d.Decode(&fields); err != nil {
					t.Fatal(err)
				}
				state[control+"/"+c.Name+"/"+d.ID] = strip(fields, without).(map[string]any)
			}
		}
	}
	return state
}

// strip takes fields out at every depth.
func strip(v any, names []string) any {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range names {
			delete(v, name)
		}
		for name, inner := range v {
			v[name] = strip(inner, names)
		}
	case []any:
		for i, inner := range v {
			v[i] = strip(inner, names)
		}
	}
	return v
}

// Unchanged fails the test when a document differs from what it was, but for the fields left out in both.
func (w *World) Unchanged(t testing.TB, before map[string]map[string]any, without ...string) {
	t.Helper()
	if diff := cmp.Diff(before, w.State(t, without...)); diff != "" {
		t.Errorf("the state changed:\n%s", diff)
	}
}

// Published is one message that was accepted.
type Published struct {
	Topic   string
	Message bus.Message
	At      time.Time
}

// Published returns what was published on a topic, the oldest first.
func (w *World) Published(topic string) []Published {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []Published
	for _, p := range w.published {
		if p.Topic == topic {
			found = append(found, p)
		}
	}
	return found
}

// Mail returns what was sent, the oldest first.
func (w *World) Mail(t testing.TB) []mailbox.Entry {
	t.Helper()
	sent, err := w.mailbox.List()
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// Pending returns how many outbox entries of a function's control wait.
func (w *World) Pending(t testing.TB, function string) int {
	t.Helper()
	n, err := w.Deps(function).Box.Pending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Push is the body with which a subscription of a function delivers a message.
func Push(function string, p Published) string {
	id := strconv.FormatInt(p.At.UnixMicro(), 10)
	body, err := json.Marshal(map[string]any{
		"subscription": "projects/test/subscriptions/" + bus.Subscription(function, p.Topic), "deliveryAttempt": 1,
		"message": map[string]any{
			"data": p.Message.Data, "attributes": p.Message.Attributes, "messageId": id, "message_id": id, "publishTime": p.At, "publish_time": p.At,
		},
	})
	if err != nil {
		panic(err) // texts, bytes and a time
	}
	return string(body)
}

// Event sends a push to a function by its own invoker.
func (w *World) Event(t testing.TB, function, push string) Answer {
	t.Helper()
	return w.Call(t, Request{Method: "POST", Path: "/" + function + "/events", Body: push, Token: w.Invoker(function)})
}

// Tick runs a function's schedule.
func (w *World) Tick(t testing.TB, function string) Answer {
	t.Helper()
	return w.Call(t, Request{Method: "POST", Path: "/" + function + "/tick", Token: w.Invoker(function)})
}

// Deliver pushes everything published so far to the functions that run here and subscribe to it, until nothing is left.
// A push that is not acknowledged fails the test.
func (w *World) Deliver(t testing.TB) {
	t.Helper()
	for {
		w.mu.Lock()
		if w.delivered == len(w.published) {
			w.mu.Unlock()
			return
		}
		next := w.published[w.delivered]
		w.delivered++
		w.mu.Unlock()
		for _, f := range w.functions {
			subscribes := func(tr manifest.Trigger) bool { return tr.Kind == manifest.Topic && tr.Topic == next.Topic }
			if slices.ContainsFunc(f.manifest.Triggers, subscribes) {
				w.Event(t, f.manifest.Name, Push(f.manifest.Name, next)).Want(t, 204, "")
			}
		}
	}
}
