// Package bustest holds what every bus must do. A driver's tests call Run; what it passes on a laptop it then does in
// production, as far as a fake of production can tell.
package bustest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
)

// Patience is how long a test waits for a delivery before it fails; no passing test waits for it.
const Patience = 40 * time.Second

// Driver is one bus under test.
type Driver struct {
	Publisher bus.Publisher
	Topic     string // exists and belongs to this test alone
	Missing   string // a topic that does not exist; "" where any topic may be published to

	// Held returns the messages the broker holds of Topic. Only needed where Consume is nil.
	Held func(t testing.TB) []bus.Message
	// Consume pushes Topic to a function's handler from now on, until the test ends. Nil where the driver, or the
	// fake behind it, does not deliver.
	Consume func(t testing.TB, function string, h http.Handler)
	// Attempts is how many failed deliveries make a dead letter, and Dead how many of them there are.
	Attempts int
	Dead     func(t testing.TB) int
	// Restart ends the process's side of the bus and opens it again. Nil where nothing of it is ours to restart.
	Restart func(t testing.TB) Driver
}

// Run runs the suite; open returns a fresh driver with a topic of its own for each test.
func Run(t *testing.T, open func(t *testing.T) Driver) {
	tests := []struct {
		name string
		run  func(*testing.T, Driver)
	}{
		{"published messages arrive unchanged", unchanged},
		{"limits are refused", limits},
		{"concurrent publishers lose nothing", concurrent},
		{"a cancelled context publishes nothing", cancelled},
		{"a closed bus refuses", closed},
		{"a refusal is delivered again", again},
		{"every function gets its own copy", copies},
		{"a message nobody takes is set aside", setAside},
		{"a restart loses nothing", restart},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

func message(n int) bus.Message {
	return bus.Message{
		Data:       fmt.Appendf(nil, `{"n": %d, "text": "é\u0000 <&>",  "spaces":[ 1,2 ]}`, n),
		Attributes: map[string]string{bus.AttributeID: fmt.Sprint("key-", n), bus.AttributeTime: "2026-11-22T02:14:00Z", "kind": "ü \n"},
	}
}

func publish(t *testing.T, d Driver, m bus.Message) {
	t.Helper()
	if err := d.Publisher.Publish(t.Context(), d.Topic, m); err != nil {
		t.Fatalf("Publish: %v", err)
	}
}

// receive returns how to wait for n messages of the topic; it is called before anything is published.
func receive(t *testing.T, d Driver) (wait func(n int) []bus.Message) {
	if d.Consume == nil {
		return func(int) []bus.Message { return d.Held(t) }
	}
	in := newInbox(d, http.StatusNoContent)
	d.Consume(t, "consumer", in)
	return func(n int) []bus.Message {
		var messages []bus.Message
		seen := map[string]bool{}
		for len(messages) < n {
			p := in.next(t)
			if !seen[p.Message.MessageID] { // at least once
				messages = append(messages, bus.Message{Data: p.Message.Data, Attributes: p.Message.Attributes})
			}
			seen[p.Message.MessageID] = true
		}
		return messages
	}
}

func unchanged(t *testing.T, d Driver) {
	wait := receive(t, d)
	want := message(1)
	bare := bus.Message{Data: []byte(`{}`)}
	publish(t, d, want)
	publish(t, d, bare)
	got := wait(2)
	if len(got) != 2 {
		t.Fatalf("%d messages, want 2", len(got))
	}
	for _, m := range got {
		expected := want
		if len(m.Attributes) == 0 {
			expected = bare
		}
		if string(m.Data) != string(expected.Data) {
			t.Errorf("data %q, want %q", m.Data, expected.Data)
		}
		for key, value := range expected.Attributes {
			if m.Attributes[key] != value {
				t.Errorf("attribute %s is %q, want %q", key, m.Attributes[key], value)
			}
		}
	}
}

func limits(t *testing.T, d Driver) {
	ok := []byte(`{}`)
	many := map[string]string{}
	for i := range bus.MaxAttributes + 1 {
		many[fmt.Sprint("k", i)] = ""
	}
	cases := []struct {
		name, topic string
		m           bus.Message
		want        fault.Kind
	}{
		{"largest", d.Topic, bus.Message{Data: object(bus.MaxMessageBytes)}, ""},
		{"too large", d.Topic, bus.Message{Data: object(bus.MaxMessageBytes + 1)}, fault.Invalid},
		{"no data", d.Topic, bus.Message{}, fault.Invalid},
		{"not an object", d.Topic, bus.Message{Data: []byte(`[]`)}, fault.Invalid},
		{"not JSON", d.Topic, bus.Message{Data: []byte(`{`)}, fault.Invalid},
		{"not UTF-8", d.Topic, bus.Message{Data: []byte("{\"a\":\"\xff\"}")}, fault.Invalid},
		{"empty topic", "", bus.Message{Data: ok}, fault.Invalid},
		{"short topic", "ab", bus.Message{Data: ok}, fault.Invalid},
		{"topic with a slash", "a/b/c", bus.Message{Data: ok}, fault.Invalid},
		{"topic of four parts", "projects/p/topics/" + d.Topic, bus.Message{Data: ok}, fault.Invalid},
		{"reserved topic", "google-topic", bus.Message{Data: ok}, fault.Invalid},
		{"topic beginning with a digit", "1topic", bus.Message{Data: ok}, fault.Invalid},
		{"long topic", "t" + strings.Repeat("x", 255), bus.Message{Data: ok}, fault.Invalid},
		{"many attributes", d.Topic, bus.Message{Data: ok, Attributes: many}, fault.Invalid},
		{"empty key", d.Topic, bus.Message{Data: ok, Attributes: map[string]string{"": "v"}}, fault.Invalid},
		{"reserved key", d.Topic, bus.Message{Data: ok, Attributes: map[string]string{"googx": "v"}}, fault.Invalid},
		{"long key", d.Topic, bus.Message{Data: ok, Attributes: map[string]string{strings.Repeat("k", 257): "v"}}, fault.Invalid},
		{"long value", d.Topic, bus.Message{Data: ok, Attributes: map[string]string{"k": strings.Repeat("v", 1025)}}, fault.Invalid},
		{"value not UTF-8", d.Topic, bus.Message{Data: ok, Attributes: map[string]string{"k": "\xff"}}, fault.Invalid},
	}
	if d.Missing != "" {
		cases = append(cases, struct {
			name, topic string
			m           bus.Message
			want        fault.Kind
		}{"missing topic", d.Missing, bus.Message{Data: ok}, fault.Misconfigured})
	}
	for _, c := range cases {
		err := d.Publisher.Publish(t.Context(), c.topic, c.m)
		if got := fault.KindOf(err); got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: %v (kind %q), want kind %q", c.name, err, got, c.want)
		}
	}
}

// object returns a JSON object of exactly size bytes.
func object(size int) []byte { return []byte(`{"a":"` + strings.Repeat("x", size-8) + `"}`) }

func concurrent(t *testing.T, d Driver) {
	const publishers, each = 8, 10
	wait := receive(t, d)
	var group sync.WaitGroup
	for p := range publishers {
		group.Go(func() {
			for i := range each {
				if err := d.Publisher.Publish(t.Context(), d.Topic, message(p*each+i)); err != nil {
					t.Errorf("Publish: %v", err)
				}
			}
		})
	}
	group.Wait()
	keys := map[string]bool{}
	for _, m := range wait(publishers * each) {
		keys[m.Attributes[bus.AttributeID]] = true
	}
	if len(keys) != publishers*each {
		t.Errorf("%d messages arrived, want %d", len(keys), publishers*each)
	}
}

func cancelled(t *testing.T, d Driver) {
	wait := receive(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Publisher.Publish(ctx, d.Topic, message(1)); !fault.Is(err, fault.Transient) {
		t.Errorf("Publish: %v, want Transient", err)
	}
	publish(t, d, message(2))
	if got := wait(1); len(got) != 1 || got[0].Attributes[bus.AttributeID] != "key-2" {
		t.Errorf("%d messages arrived, want the second one alone", len(got))
	}
}

func closed(t *testing.T, d Driver) {
	publish(t, d, message(1))
	for range 2 {
		if err := d.Publisher.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	if err := d.Publisher.Publish(t.Context(), d.Topic, message(2)); !fault.Is(err, fault.Transient) {
		t.Errorf("Publish on a closed bus: %v, want Transient", err)
	}
}
