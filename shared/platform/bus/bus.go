// Package bus is the house's message seam: publish to a topic; a push subscription delivers over HTTP.
// Delivery is at least once, unordered, possibly a day late; every consumer is written for that.
package bus

import (
	"context"
	"strings"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// Attributes every message of ours carries. AttributeID is the key by which consumers recognise a duplicate:
// it is the same when a message is published twice.
const (
	AttributeID   = "id"
	AttributeTime = "time" // RFC 3339, when the thing happened
)

// MaxMessageBytes is the largest data of a message, in bytes.
const MaxMessageBytes = 1 << 20

// Message is what is published. Data is a JSON object; attributes are short texts that filters may read.
type Message struct {
	Data       []byte
	Attributes map[string]string
}

// Options are what every driver receives.
type Options struct {
	Clock clock.Clock
}

// Drivers opens publishers by URL: bolt:FILE (durable, in process), pubsub://PROJECT.
var Drivers = driver.NewRegistry[Options, Publisher]("bus")

// Publisher publishes messages. It is safe for concurrent use.
type Publisher interface {
	// Publish returns nil when the message is durably accepted. Errors: Transient (try again; it may or may not
	// have been accepted), Misconfigured (no such topic, no right), Invalid (too large, bad name).
	Publish(ctx context.Context, topic string, m Message) error
	// Close waits for what is under way.
	Close() error
}

// Subscription names the push subscription that carries a topic to a function. Consumers learn the topic of a
// pushed message from it: unlike an attribute, a publisher cannot choose it.
func Subscription(function, topic string) string { return function + "--" + topic }

// TopicOf is the reverse of Subscription; name may be a full resource name. It returns "" for a foreign name.
func TopicOf(subscription string) string {
	name := subscription[strings.LastIndexByte(subscription, '/')+1:]
	if _, topic, ok := strings.Cut(name, "--"); ok {
		return topic
	}
	return ""
}
