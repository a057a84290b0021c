package auditlog

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// MaxSize is how many bytes Decode takes at once, and one entry of Lines, the envelope included. Google splits an
// entry above 512 KiB; base64 adds a third. For an array of more there is Lines.
const MaxSize = 4 << 20

// maxEnvelopes bounds how deep envelopes hold each other: a CloudEvent, a push, a message, an entry.
const maxEnvelopes = 4

// Decode reads one log entry in any of its envelopes, or an array of them: a LogEntry, a CloudEvent of Eventarc with
// one or with a Pub/Sub message inside, the body of a Pub/Sub push, a pulled message, the data of an event. Each of m
// says where an application's log holds what; the first whose log an entry is of applies. Audit logs need none.
//
// Entries share data's memory: do not change it afterwards. Errors: Invalid, for what is no JSON, is no entry, has a
// field of the wrong type, holds a name twice, is nested too deep or too large; of an array nothing is returned when
// one entry is at fault. The error names the field and never holds what stood in it.
func Decode(data []byte, m ...Mapping) ([]Entry, error) {
	entries, err := decode(data, m, arrival{}, 0)
	if err != nil {
		return nil, fault.New(fault.Invalid, "reading a log entry: %w", err)
	}
	return entries, nil
}

// arrival is what an envelope says of when its entry came.
type arrival struct{ time string }

func decode(data []byte, m []Mapping, came arrival, depth int) ([]Entry, error) {
	switch {
	case len(data) > MaxSize:
		return nil, errors.New("too large")
	case depth > maxEnvelopes:
		return nil, errors.New("too many envelopes")
	}
	c := newCursor(data)
	if c.peek() != '[' {
		return decodeObject(c, m, came, depth)
	}
	var entries []Entry
	c.array("", func() {
		item := c.skip()
		if c.err != nil {
			return
		}
		some, err := decode(item, m, came, depth+1)
		if err != nil {
			c.fail(err)
		}
		entries = append(entries, some...)
	})
	c.end()
	return entries, c.err
}

// decodeObject reads an entry and an envelope alike: which of them it was is known at its end.
func decodeObject(c *cursor, m []Mapping, came arrival, depth int) ([]Entry, error) {
	var f fields
	var inner json.RawMessage
	c.object(theEntry, func(key string) {
		switch key {
		case "message", "data":
			if value := c.raw(); value != nil && (inner == nil || key == "message") {
				inner = value
			}
		case "data_base64":
			inner = c.raw()
		case "time", "publishTime", "publish_time":
			if s := c.raw(); len(s) > 1 && s[0] == '"' {
				came.time = string(s[1 : len(s)-1])
			}
		default:
			f.top(c, key)
		}
	})
	c.end()
	f.settle(c)
	if c.err != nil {
		return nil, c.err
	}
	if f.isEntry() {
		e, err := f.entry(m, came)
		if err != nil {
			return nil, err
		}
		return []Entry{e}, nil
	}
	if inner == nil {
		return nil, errors.New("neither a log entry nor an envelope that holds one")
	}
	if inner[0] != '"' {
		return decode(inner, m, came, depth+1)
	}
	content, err := unbase64(inner)
	if err != nil {
		return nil, err
	}
	return decode(content, m, came, depth+1)
}

func unbase64(quoted json.RawMessage) ([]byte, error) {
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return nil, errSyntax
	}
	content, err := base64.StdEncoding.DecodeString(text)
	if err != nil { // a decoder of proto-JSON takes both alphabets, with and without padding
		text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
		content, err = base64.RawStdEncoding.DecodeString(text)
	}
	if err != nil {
		return nil, errors.New("the data of the message is not base64")
	}
	if len(content) == 0 {
		return nil, errors.New("the message has no data")
	}
	return content, nil
}
