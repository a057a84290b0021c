// Package event decodes what wakes a function: CloudEvents in binary and in structured mode, and plain Pub/Sub
// push bodies, all of them strictly and with a size cap.
//
// It promises that an Event is what the platform in front says it is: the topic of a message comes from the name of
// its subscription, which no publisher chooses, and message attributes that look like a CloudEvent are believed only
// where a trigger for that type is declared. It does not say who sent an event (the platform's access check does), nor
// whether it was seen before (the store of the control does), and it does not look into the data.
//
// The CloudEvents library's own decoder is not used: it refuses null attributes and a ce-datacontenttype header, which
// the standard and Eventarc allow, and lets through empty subjects and capital extension names, which it forbids. Nor
// are protobuf's JSON rules: they refuse real push bodies, which spell the message id twice.
package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"ostiary.internal/shared/platform/fault"
)

// MaxBytes is the largest body that is read: 16 MiB. Pub/Sub itself carries 10 MB of data, base64 adds a third.
const MaxBytes = 16 << 20

// MessagePublished is the Type of a message of a topic, as Eventarc calls it.
const MessagePublished = "google.cloud.pubsub.topic.v1.messagePublished"

// Event is one thing that happened. It is delivered at least once, in any order, perhaps a day late: ID and Source
// together are the same at each delivery.
type Event struct {
	ID         string // of a message: its attribute bus.AttributeID, otherwise what Pub/Sub gave it
	Source     string // URI reference (CloudEvents 1.0, 3.1.1); of a message: its topic
	Type       string
	Subject    string
	Topic      string            // "" unless a subscription of ours carried it
	Time       time.Time         // when it happened: UTC, cut to microseconds; zero when the sender did not say
	Attributes map[string]string // a message's attributes, or a CloudEvent's extension attributes
	Data       json.RawMessage   // valid JSON, or nil when the event carries none
}

// Accepts lists what a function may be woken by. Everything else is undecodable: a sender cannot reach code that was
// never meant for it.
type Accepts struct {
	Topics   []string // messages pushed by our subscriptions of these topics (bus.Subscription)
	Eventarc []string // CloudEvent types of a declared trigger
}

// Decode reads the request's body and decodes it. Errors: Invalid when it is no event this function accepts (the
// text names no part of the body), Transient when the body could not be read to its end.
func Decode(r *http.Request, a Accepts) (Event, error) {
	if r.Method != http.MethodPost {
		return Event{}, fault.New(fault.Invalid, "decoding an event: the method is not POST")
	}
	body, err := read(nil, r)
	if err != nil {
		return Event{}, err
	}
	return decode(r.Header, body, a)
}

// read returns the body, or as much of it as was read together with the error.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBytes))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return body, fault.New(fault.Invalid, "decoding an event: the body is larger than %d bytes", MaxBytes)
	}
	if err != nil {
		return body, fault.New(fault.Transient, "reading an event's body: %w", err)
	}
	return body, nil
}

func decode(h http.Header, body []byte, a Accepts) (Event, error) {
	e, err := dispatch(h, body, a)
	if err != nil {
		return Event{}, fault.New(fault.Invalid, "decoding an event: %w", err)
	}
	return e, nil
}

// dispatch tells the shapes apart as the CloudEvents HTTP binding (3) prescribes: by content type first, then by
// the ce- headers.
func dispatch(h http.Header, body []byte, a Accepts) (Event, error) {
	media := ""
	if value := h.Get("Content-Type"); value != "" {
		var err error
		if media, _, err = mime.ParseMediaType(value); err != nil {
			return Event{}, errors.New("the content type is unreadable")
		}
	}
	switch {
	case media == "application/cloudevents+json":
		return structured(body, a)
	case strings.HasPrefix(media, "application/cloudevents"):
		return Event{}, errors.New("a batch, or an event format other than JSON")
	case isBinary(h):
		return binary(h, media, body, a)
	case media == "application/json":
		return push(body, a)
	}
	return Event{}, errors.New("neither a CloudEvent nor a Pub/Sub push")
}

// payload checks that data is JSON text (RFC 8259, 8.1: UTF-8) and returns it; empty data is none.
func payload(data []byte) (json.RawMessage, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if !utf8.Valid(data) || !json.Valid(data) {
		return nil, errors.New("the data is not JSON")
	}
	return data, nil
}

// rfc3339 is the grammar of section 5.6, which allows small letters too. time.Parse alone is laxer: it takes hours of
// one digit and a comma before the fraction.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$`)

func instant(name, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	if err != nil || !rfc3339.MatchString(text) {
		return time.Time{}, fmt.Errorf("%s is not an RFC 3339 time", name)
	}
	return t.UTC().Truncate(time.Microsecond), nil
}
