package event_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
)

// validity is CloudEvents 1.0 case by case: what is changed on an event that has the four required attributes, and
// whether the result is one. A nil value takes the attribute away; the value is JSON.
var validity = []struct {
	name   string
	change map[string]string
	valid  bool
	only   string // "structured" where a header cannot say it
}{
	{name: "required attributes alone", valid: true},
	{name: "everything", valid: true, change: map[string]string{
		"subject": `"s"`, "time": `"2026-11-22T06:31:04Z"`, "dataschema": `"https://acme.example/s"`, "ext1": `"v"`}},
	{name: "no id", change: map[string]string{"id": ""}},
	{name: "no source", change: map[string]string{"source": ""}},
	{name: "no type", change: map[string]string{"type": ""}},
	{name: "no specversion", change: map[string]string{"specversion": ""}},
	{name: "id empty", change: map[string]string{"id": `""`}},
	{name: "source empty", change: map[string]string{"source": `""`}},
	{name: "type empty", change: map[string]string{"type": `""`}},
	{name: "specversion empty", change: map[string]string{"specversion": `""`}},
	{name: "id null", change: map[string]string{"id": `null`}, only: "structured"},
	{name: "source null", change: map[string]string{"source": `null`}, only: "structured"},
	{name: "type null", change: map[string]string{"type": `null`}, only: "structured"},
	{name: "specversion null", change: map[string]string{"specversion": `null`}, only: "structured"},
	{name: "specversion 0.3", change: map[string]string{"specversion": `"0.3"`}},
	{name: "specversion 1", change: map[string]string{"specversion": `"1"`}},
	{name: "specversion 1.0.1", change: map[string]string{"specversion": `"1.0.1"`}},
	{name: "specversion a number", change: map[string]string{"specversion": `1.0`}, only: "structured"},
	{name: "id a number", change: map[string]string{"id": `7`}, only: "structured"},
	{name: "type a list", change: map[string]string{"type": `["a"]`}, only: "structured"},
	{name: "source relative", change: map[string]string{"source": `"/a/b"`}, valid: true},
	{name: "source a URN", change: map[string]string{"source": `"urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"`}, valid: true},
	{name: "source without scheme", change: map[string]string{"source": `"//cloudaudit.googleapis.com/projects/p"`}, valid: true},
	{name: "source no reference", change: map[string]string{"source": `"http://[::1"`}},
	{name: "source with a space", change: map[string]string{"source": `"a b"`}},
	{name: "subject empty", change: map[string]string{"subject": `""`}},
	{name: "subject null", change: map[string]string{"subject": `null`}, valid: true, only: "structured"},
	{name: "subject a number", change: map[string]string{"subject": `5`}, only: "structured"},
	{name: "time with an offset", change: map[string]string{"time": `"2026-11-22T06:31:04.123456789+01:00"`}, valid: true},
	{name: "time in small letters", change: map[string]string{"time": `"2026-11-22t06:31:04z"`}, valid: true},
	{name: "time null", change: map[string]string{"time": `null`}, valid: true, only: "structured"},
	{name: "time empty", change: map[string]string{"time": `""`}},
	{name: "time without zone", change: map[string]string{"time": `"2026-11-22T06:31:04"`}},
	{name: "time a date", change: map[string]string{"time": `"2026-11-22"`}},
	{name: "time with a comma", change: map[string]string{"time": `"2026-11-22T06:31:04,5Z"`}},
	{name: "time with one digit", change: map[string]string{"time": `"2026-11-22T6:31:04Z"`}},
	{name: "time the 30th of February", change: map[string]string{"time": `"2026-02-30T06:31:04Z"`}},
	{name: "time in words", change: map[string]string{"time": `"Sun, 22 Nov 2026 06:31:04 GMT"`}},
	{name: "time a number", change: map[string]string{"time": `1795329064`}, only: "structured"},
	{name: "dataschema relative", change: map[string]string{"dataschema": `"/schema"`}},
	{name: "dataschema empty", change: map[string]string{"dataschema": `""`}},
	{name: "dataschema null", change: map[string]string{"dataschema": `null`}, valid: true, only: "structured"},
	{name: "datacontenttype null", change: map[string]string{"datacontenttype": `null`}, valid: true, only: "structured"},
	{name: "datacontenttype with a parameter", change: map[string]string{"datacontenttype": `"application/json; charset=utf-8"`}, valid: true},
	{name: "datacontenttype with the suffix", change: map[string]string{"datacontenttype": `"application/ld+json"`}, valid: true},
	{name: "datacontenttype no media type", change: map[string]string{"datacontenttype": `";"`}, only: "structured"},
	{name: "datacontenttype empty", change: map[string]string{"datacontenttype": `""`}, only: "structured"},
	{name: "datacontenttype a number", change: map[string]string{"datacontenttype": `1`}, only: "structured"},
	{name: "extension of digits", change: map[string]string{"123": `"v"`}, valid: true},
	{name: "extension empty", change: map[string]string{"ext": `""`}, valid: true},
	{name: "extension long", change: map[string]string{strings.Repeat("x", 40): `"v"`}, valid: true},
	{name: "extension null", change: map[string]string{"ext": `null`}, valid: true, only: "structured"},
	{name: "extension true", change: map[string]string{"ext": `true`}, valid: true, only: "structured"},
	{name: "extension the least integer", change: map[string]string{"ext": `-2147483648`}, valid: true, only: "structured"},
	{name: "extension beyond 32 bits", change: map[string]string{"ext": `2147483648`}, only: "structured"},
	{name: "extension a fraction", change: map[string]string{"ext": `1.5`}, only: "structured"},
	{name: "extension a list", change: map[string]string{"ext": `[1]`}, only: "structured"},
	{name: "extension in capitals", change: map[string]string{"Ext": `"v"`}, only: "structured"},
	{name: "extension with an underscore", change: map[string]string{"my_ext": `"v"`}},
	{name: "extension with a dash", change: map[string]string{"my-ext": `"v"`}},
	{name: "extension not ASCII", change: map[string]string{"é": `"v"`}, only: "structured"},
	{name: "extension without a name", change: map[string]string{"": `"v"`}},
	{name: "required attribute in capitals", change: map[string]string{"id": "", "ID": `"a"`}, only: "structured"},
	{name: "control character", change: map[string]string{"subject": `"a\u0007b"`}, only: "structured"},
	{name: "control character of the second row", change: map[string]string{"subject": `"a\u0085b"`}},
	{name: "noncharacter", change: map[string]string{"subject": `"a\ufffeb"`}},
	{name: "not ASCII", change: map[string]string{"subject": `"Köln 北京 😀"`}, valid: true},
}

func TestCloudEventValidity(t *testing.T) {
	t.Parallel()
	for _, c := range validity {
		attributes := map[string]string{"id": `"a-1"`, "source": `"/probe"`, "type": `"` + written + `"`, "specversion": `"1.0"`}
		for name, value := range c.change {
			if attributes[name] = value; value == "" {
				delete(attributes, name)
			}
		}
		check := func(mode, head string, body string) {
			t.Helper()
			e, err := event.Decode(build(t, head, []byte(body)), accepts)
			if (err == nil) != c.valid || (err != nil && !fault.Is(err, fault.Invalid)) {
				t.Errorf("%s, %s: %+v, %v; want valid %v", c.name, mode, e, err, c.valid)
			}
		}
		check("structured", "Content-Type: application/cloudevents+json\n\n", object(attributes))
		if c.only == "" {
			check("binary", headers(t, attributes), `{"a":1}`)
			check("fallback", "Content-Type: application/json\n\n", fallback(t, attributes))
		}
	}
}

// object writes a structured event.
func object(attributes map[string]string) string {
	members := []string{`"data":{"a":1}`}
	for name, value := range attributes {
		key, _ := json.Marshal(name)
		members = append(members, string(key)+":"+value)
	}
	slices.Sort(members)
	return "{" + strings.Join(members, ",") + "}"
}

// headers writes the attributes of a binary event.
func headers(t *testing.T, attributes map[string]string) string {
	head := "Content-Type: application/json\n"
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		head += "ce-" + name + ": " + text(t, attributes[name]) + "\n"
	}
	return head + "\n"
}

// fallback writes the raw push Eventarc falls back to.
func fallback(t *testing.T, attributes map[string]string) string {
	prefixed := map[string]string{}
	for name, value := range attributes {
		prefixed["ce-"+name] = text(t, value)
	}
	body, err := json.Marshal(map[string]any{
		"message":      map[string]any{"attributes": prefixed, "data": []byte(`{"a":1}`), "messageId": "1"},
		"subscription": "projects/p/subscriptions/eventarc-europe-west1-t-sub-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func text(t *testing.T, value string) (s string) {
	if err := json.Unmarshal([]byte(value), &s); err != nil {
		t.Fatalf("%s is not a string: the case is for structured events only", value)
	}
	return s
}

func TestPercentEncoding(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"plain":             "plain",
		"Euro%20%E2%82%AC":  "Euro €",
		"a%2520b":           "a%20b", // one round only
		"100%":              "100%",  // of a sender that does not encode
		`"quoted \" value"`: `quoted " value`,
		"Köln":              "Köln",
		"a+b":               "a+b",
	} {
		head := "ce-id: a\nce-source: /s\nce-specversion: 1.0\nce-type: " + written + "\nce-subject: " + header + "\n\n"
		e, err := event.Decode(build(t, head, nil), accepts)
		if err != nil || e.Subject != want {
			t.Errorf("%s: subject %q, %v; want %q", header, e.Subject, err, want)
		}
	}
}
