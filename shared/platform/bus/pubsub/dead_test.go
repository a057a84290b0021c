package pubsub_test

import (
	"maps"
	"slices"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/bus/pubsub"
	"ostiary.internal/shared/platform/fault"
)

// TestDead: what the platform set aside is listed and stays, is published again without the platform's marks, once however
// often it was set aside, and is nobody else's meanwhile.
func TestDead(t *testing.T) {
	t.Parallel()
	server := pstest.NewServer()
	t.Cleanup(func() { server.Close() })
	b := connect(t, server.Addr, "project")
	letters, topic := b.topic(t, "dead.reader"), b.topic(t, "lease.changed")
	b.subscribe(t, &pubsubpb.Subscription{Name: "dead.reader", Topic: "dead.reader", AckDeadlineSeconds: 10})
	for _, id := range []string{"a", "b", "a"} {
		server.Publish(letters, []byte(`{"lease":"`+id+`"}`), map[string]string{bus.AttributeID: id, "CloudPubSubDeadLetterSourceSubscription": "reader--lease.changed", "CloudPubSubDeadLetterSourceDeliveryCount": "10"})
	}
	server.Publish(letters, []byte(`{}`), map[string]string{bus.AttributeID: "stray"})

	open := func() *pubsub.Dead {
		d := pubsub.OpenDead("project", "reader", without(server.Addr)...)
		t.Cleanup(func() { d.Close() })
		return d
	}
	list := func(d *pubsub.Dead, want ...string) []pubsub.Letter {
		t.Helper()
		listed, err := d.Letters(t.Context(), 1000)
		var ids []string
		for _, l := range listed {
			ids = append(ids, l.Attributes[bus.AttributeID])
		}
		slices.Sort(ids)
		if err != nil || !slices.Equal(ids, want) {
			t.Fatalf("letters %v, %v; want %v", ids, err, want)
		}
		return listed
	}
	release := func(d *pubsub.Dead) {
		t.Helper()
		if err := d.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	first, other := open(), open()
	list(first, "a", "a", "b", "stray")
	list(other)
	release(first)
	held := list(other, "a", "a", "b", "stray")
	for _, l := range held {
		id := l.Attributes[bus.AttributeID]
		switch {
		case id == "stray" && (l.Topic != "" || l.Attempts != 0), id != "stray" && (l.Topic != "lease.changed" || l.Attempts != 10), l.ID == "" || l.Set.IsZero():
			t.Errorf("letter %+v", l)
		}
		err := error(nil)
		if id != "b" {
			err = other.Redeliver(t.Context(), l)
		}
		if fault.Is(err, fault.Invalid) != (id == "stray") {
			t.Errorf("%s: %v", id, err)
		}
	}
	release(other)
	list(first, "b", "stray")

	var again []*pstest.Message
	for _, m := range server.Messages() {
		if m.Topic == topic {
			again = append(again, m)
		}
	}
	if len(again) != 1 || string(again[0].Data) != `{"lease":"a"}` || !maps.Equal(again[0].Attributes, map[string]string{bus.AttributeID: "a"}) {
		t.Errorf("published again: %+v", again)
	}
	if _, err := pubsub.OpenDead("project", "absent", without(server.Addr)...).Letters(t.Context(), 1); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("no subscription: %v", err)
	}
}
