package bus

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"ostiary.internal/shared/platform/fault"
)

// Pub/Sub's limits on attributes; lengths in bytes.
const (
	MaxAttributes          = 100
	MaxAttributeKeyBytes   = 256
	MaxAttributeValueBytes = 1024
)

// Check reports whether a message may be published to a topic at all. Every driver asks it first, so that what a
// laptop accepts, production accepts too. Errors: Invalid.
func Check(topic string, m Message) error {
	if !ValidName(topic) {
		return fault.New(fault.Invalid, "publishing: the topic's name is not 3 to 255 of A-Z a-z 0-9 - _ . ~ + %%, a letter first and not goog")
	}
	if len(m.Data) > MaxMessageBytes {
		return fault.New(fault.Invalid, "publishing to %s: %d bytes of data, at most %d", topic, len(m.Data), MaxMessageBytes)
	}
	if !isObject(m.Data) {
		return fault.New(fault.Invalid, "publishing to %s: the data is not a JSON object", topic)
	}
	if len(m.Attributes) > MaxAttributes {
		return fault.New(fault.Invalid, "publishing to %s: %d attributes, at most %d", topic, len(m.Attributes), MaxAttributes)
	}
	for key, value := range m.Attributes {
		if key == "" || len(key) > MaxAttributeKeyBytes || strings.HasPrefix(key, "goog") || !utf8.ValidString(key) {
			return fault.New(fault.Invalid, "publishing to %s: an attribute's key is empty, too long, reserved or not UTF-8", topic)
		}
		if len(value) > MaxAttributeValueBytes || !utf8.ValidString(value) {
			return fault.New(fault.Invalid, "publishing to %s: the value of an attribute is too long or not UTF-8", topic)
		}
	}
	return nil
}

// ValidName holds names of topics and of subscriptions to Pub/Sub's rule: 3 to 255 letters, digits and -_.~+%, a
// letter first, not beginning with goog.
func ValidName(name string) bool {
	foreign := func(r rune) bool { return !isLetter(r) && !strings.ContainsRune("0123456789-_.~+%", r) }
	return len(name) >= 3 && len(name) <= 255 && isLetter(rune(name[0])) &&
		!strings.HasPrefix(name, "goog") && !strings.ContainsFunc(name, foreign)
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func isObject(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) && utf8.Valid(data) && json.Valid(data)
}
