package pubsub_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/bus/bustest"
	"ostiary.internal/shared/platform/bus/pubsub"
	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/event"
)

// consume provisions a push subscription to a server of ours, with a dead-letter topic, as Terraform does.
func (b broker) consume(t testing.TB, function, topic string, h http.Handler) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	b.subscribe(t, &pubsubpb.Subscription{
		Name: bus.Subscription(function, topic), Topic: topic,
		PushConfig:       &pubsubpb.PushConfig{PushEndpoint: server.URL + "/" + function + "/events"},
		DeadLetterPolicy: &pubsubpb.DeadLetterPolicy{DeadLetterTopic: b.path("topics", "dead"), MaxDeliveryAttempts: 5},
	})
}

func TestSuiteOnEmulator(t *testing.T) {
	t.Parallel()
	addr := emulatortest.PubSub(t)
	bustest.Run(t, func(t *testing.T) bustest.Driver {
		b := connect(t, addr, emulatortest.Project(t))
		b.topic(t, "lease.changed")
		b.topic(t, "dead")
		b.subscribe(t, &pubsubpb.Subscription{Name: "dead-letters", Topic: "dead"})
		p := pubsub.New(b.project, without(addr)...)
		t.Cleanup(func() { p.Close() })
		dead := 0
		return bustest.Driver{
			Publisher: p, Topic: "lease.changed", Missing: "lease.forgotten", Attempts: 5,
			Consume: func(t testing.TB, function string, h http.Handler) { b.consume(t, function, "lease.changed", h) },
			Dead: func(t testing.TB) int {
				dead += len(b.pull(t, "dead-letters"))
				return dead
			},
		}
	})
}

// TestEmulatorToHandler lets a function refuse a real push once: what comes again decodes to the same event.
func TestEmulatorToHandler(t *testing.T) {
	t.Parallel()
	addr := emulatortest.PubSub(t)
	b := connect(t, addr, emulatortest.Project(t))
	b.topic(t, "lease.changed")
	b.topic(t, "dead")
	p := pubsub.New(b.project, without(addr)...)
	defer p.Close()

	events := make(chan event.Event, 10)
	refused := false
	b.consume(t, "syncallowlist", "lease.changed", event.Handler(event.Accepts{Topics: []string{"lease.changed"}},
		func(_ context.Context, e event.Event) error {
			events <- e
			if !refused {
				refused = true
				return errors.New("not now")
			}
			return nil
		},
		func(_ context.Context, body []byte, why error) error {
			t.Errorf("rejected %s: %v", body, why)
			return nil
		}, slog.New(slog.DiscardHandler)))
	message := bus.Message{Data: []byte(`{"lease":"l1"}`), Attributes: map[string]string{bus.AttributeID: "l1/3", bus.AttributeTime: "2026-11-22T02:14:00Z"}}
	if err := p.Publish(t.Context(), "lease.changed", message); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		select {
		case e := <-events:
			if e.ID != "l1/3" || e.Topic != "lease.changed" || e.Type != event.MessagePublished || string(e.Data) != `{"lease":"l1"}` ||
				e.Source != "//pubsub.googleapis.com/"+b.path("topics", "lease.changed") || !e.Time.Equal(time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)) {
				t.Errorf("decoded %+v", e)
			}
		case <-time.After(bustest.Patience):
			t.Fatal("no push arrived")
		}
	}
}
