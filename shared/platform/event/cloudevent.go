package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isBinary reports whether any required context attribute is among the headers; which of them are missing is
// said later, by name.
func isBinary(h http.Header) bool {
	return slices.ContainsFunc([]string{"Ce-Id", "Ce-Source", "Ce-Type", "Ce-Specversion"}, func(name string) bool {
		return len(h[name]) > 0
	})
}

// binary decodes a CloudEvent whose attributes are headers and whose data is the body (HTTP binding, 3.1).
func binary(h http.Header, media string, body []byte, a Accepts) (Event, error) {
	attributes := map[string]string{}
	for header, values := range h {
		name, ok := strings.CutPrefix(strings.ToLower(header), "ce-")
		if !ok || name == "datacontenttype" {
			continue // the content type is the header's; Eventarc sends both
		}
		if len(values) != 1 {
			return Event{}, errors.New("an attribute's header appears twice")
		}
		attributes[name] = unescape(values[0])
	}
	if len(body) > 0 && !isJSON(media) {
		return Event{}, errors.New("the content type of the data is not JSON")
	}
	data, err := payload(body)
	if err != nil {
		return Event{}, err
	}
	return cloudEvent(attributes, data, a)
}

// unescape undoes one round of percent-encoding (HTTP binding, 3.1.3.2). Senders that do not encode send a bare
// percent sign now and then: such a value is taken as it is.
func unescape(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
	}
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// structured decodes a CloudEvent that is one JSON object (JSON event format, 3).
func structured(body []byte, a Accepts) (Event, error) {
	members, err := object(body)
	if err != nil {
		return Event{}, err
	}
	data, err := structuredData(members)
	if err != nil {
		return Event{}, err
	}
	attributes := map[string]string{}
	for name, raw := range members {
		if name == "data" || name == "data_base64" || name == "datacontenttype" || string(raw) == "null" {
			continue // an attribute that is null is unset (JSON event format, 2.2)
		}
		if attributes[name], err = scalar(name, raw); err != nil {
			return Event{}, err
		}
	}
	return cloudEvent(attributes, data, a)
}

// structuredData returns the data of a structured event; data and data_base64 exclude each other (JSON event
// format, 3.1).
func structuredData(members map[string]json.RawMessage) (json.RawMessage, error) {
	media := "application/json"
	if given, err := member(members, "datacontenttype", &media); err != nil {
		return nil, err
	} else if given {
		if media, _, err = mime.ParseMediaType(media); err != nil {
			return nil, errors.New("datacontenttype is not a media type")
		}
	}
	var encoded []byte
	inBase64, err := member(members, "data_base64", &encoded)
	if err != nil {
		return nil, err
	}
	data := members["data"]
	if string(data) == "null" {
		data = nil
	}
	if inBase64 && data != nil {
		return nil, errors.New("both data and data_base64")
	}
	if inBase64 {
		data = encoded
	}
	if len(data) > 0 && !isJSON(media) {
		return nil, errors.New("the content type of the data is not JSON")
	}
	return payload(data)
}

// scalar returns an attribute's value as text. Only extension attributes may be a boolean or a 32-bit integer
// (CloudEvents 1.0, 2.3; JSON event format, 2.2).
func scalar(name string, raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	if !slices.Contains(contextAttributes, name) {
		if _, err := strconv.ParseInt(string(raw), 10, 32); err == nil || string(raw) == "true" || string(raw) == "false" {
			return string(raw), nil
		}
	}
	return "", errors.New("an attribute is of the wrong type")
}

// contextAttributes are those the standard itself defines (CloudEvents 1.0, 3.1); all others are extensions.
var contextAttributes = []string{"id", "source", "type", "specversion", "subject", "time", "dataschema", "datacontenttype"}

// cloudEvent makes an event of its attributes, and checks them against CloudEvents 1.0, 2 and 3, and its type
// against the list.
func cloudEvent(attributes map[string]string, data json.RawMessage, a Accepts) (Event, error) {
	e := Event{Data: data, Attributes: map[string]string{}}
	for _, required := range []string{"id", "source", "type", "specversion"} {
		if attributes[required] == "" {
			return Event{}, fmt.Errorf("%s is missing or empty", required)
		}
	}
	// In order, so that the same event is refused with the same words each time it is delivered: they are recorded.
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if !allowedText(attributes[name]) {
			return Event{}, errors.New("an attribute holds a character the standard forbids")
		}
		if err := e.set(name, attributes[name]); err != nil {
			return Event{}, err
		}
	}
	if !slices.Contains(a.Eventarc, e.Type) {
		return Event{}, errors.New("the type is not one this function has a trigger for")
	}
	return e, nil
}

func (e *Event) set(name, value string) (err error) {
	switch name {
	case "specversion":
		if value != "1.0" {
			err = errors.New("specversion is not 1.0")
		}
	case "id":
		e.ID = value
	case "type":
		e.Type = value
	case "source":
		e.Source = value
		if _, bad := url.Parse(value); bad != nil || strings.Contains(value, " ") {
			err = errors.New("source is not a URI reference")
		}
	case "subject":
		if e.Subject = value; value == "" {
			err = errors.New("subject is empty")
		}
	case "time":
		e.Time, err = instant("time", value)
	case "dataschema":
		if u, bad := url.Parse(value); bad != nil || !u.IsAbs() {
			err = errors.New("dataschema is not an absolute URI")
		}
	default:
		if !isExtensionName(name) {
			err = errors.New("an extension attribute's name is not of small letters and digits")
		}
		e.Attributes[name] = value
	}
	return err
}

// isExtensionName holds names to CloudEvents 1.0, 3.1: small ASCII letters and digits, and not "data".
func isExtensionName(name string) bool {
	foreign := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	return name != "" && name != "data" && !strings.ContainsFunc(name, foreign)
}

// allowedText holds strings to CloudEvents 1.0, 2.3: no control characters, surrogates or noncharacters.
func allowedText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Noncharacter_Code_Point, r)
	})
}

// isJSON holds for application/json and for every type with the suffix +json (JSON event format, 3.1).
func isJSON(media string) bool {
	return media == "application/json" || strings.HasSuffix(media, "+json")
}
