package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/bus"
)

// message is what Pub/Sub pushes, as far as anybody here reads it.
type message struct {
	subscription string
	id           string
	published    string
	attributes   map[string]string
	data         []byte
}

// push decodes a wrapped Pub/Sub push. It is a message of a topic when one of our subscriptions carried it. When
// any other did, it is the way Eventarc falls back to if an attribute is no legal header (a subject that ends in a
// space): then the ce- attributes of the message are the event.
func push(body []byte, a Accepts) (Event, error) {
	m, err := wrapped(body)
	if err != nil {
		return Event{}, err
	}
	data, err := payload(m.data)
	if err != nil {
		return Event{}, err
	}
	if topic := bus.TopicOf(m.subscription); topic != "" {
		// ce- attributes are not looked at: whoever may publish to the topic can write them.
		return m.event(topic, data, a)
	}
	attributes := map[string]string{}
	for name, value := range m.attributes {
		if name, ok := strings.CutPrefix(name, "ce-"); ok && name != "datacontenttype" {
			attributes[name] = value
		}
	}
	if attributes["type"] == "" {
		return Event{}, errors.New("pushed by a subscription that is not ours")
	}
	return cloudEvent(attributes, data, a)
}

func (m message) event(topic string, data json.RawMessage, a Accepts) (Event, error) {
	if !slices.Contains(a.Topics, topic) {
		return Event{}, errors.New("the topic is not one this function subscribes to")
	}
	project, _, _ := strings.Cut(m.subscription, "/subscriptions/")
	e := Event{
		ID:         m.id,
		Source:     "//pubsub.googleapis.com/" + project + "/topics/" + topic,
		Type:       MessagePublished,
		Topic:      topic,
		Attributes: m.attributes,
		Data:       data,
	}
	if id := m.attributes[bus.AttributeID]; id != "" {
		e.ID = id
	}
	when, name := m.published, "publishTime"
	if happened := m.attributes[bus.AttributeTime]; happened != "" {
		when, name = happened, "the attribute "+bus.AttributeTime
	}
	var err error
	if when != "" {
		e.Time, err = instant(name, when)
	}
	return e, err
}

// wrapped reads the members of a push body. Pub/Sub writes two of them twice, in camel case and with an underscore;
// members it may add are tolerated.
func wrapped(body []byte) (message, error) {
	outer, err := object(body)
	if err != nil {
		return message{}, err
	}
	inner, err := object(outer["message"])
	if err != nil {
		return message{}, fmt.Errorf("message: %w", err)
	}
	m := message{attributes: map[string]string{}}
	if _, err := member(outer, "subscription", &m.subscription); err != nil {
		return message{}, err
	}
	if m.id, err = spelledTwice(inner, "messageId", "message_id"); err != nil {
		return message{}, err
	}
	if m.published, err = spelledTwice(inner, "publishTime", "publish_time"); err != nil {
		return message{}, err
	}
	if _, err := member(inner, "attributes", &m.attributes); err != nil {
		return message{}, err
	}
	if _, err := member(inner, "data", &m.data); err != nil {
		return message{}, err
	}
	if m.subscription == "" || m.id == "" {
		return message{}, errors.New("no subscription or no message id")
	}
	return m, nil
}

// spelledTwice returns a text under either of its two names; both must say the same.
func spelledTwice(members map[string]json.RawMessage, camel, underscore string) (string, error) {
	var one, other string
	hasOne, err := member(members, camel, &one)
	if err != nil {
		return "", err
	}
	hasOther, err := member(members, underscore, &other)
	if err != nil {
		return "", err
	}
	if hasOne && hasOther && one != other {
		return "", fmt.Errorf("%s and %s differ", camel, underscore)
	}
	if hasOne {
		return one, nil
	}
	return other, nil
}
