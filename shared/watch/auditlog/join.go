package auditlog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Join puts parts of one split entry together, at least one, in order of their index: request, response and metadata are
// spread over them, and everything else is in each of them, or in one. Objects are joined by name, lists one after the
// other, text end to end (Cloud Logging, split audit log entries). The ID is WholeID. With all parts the entry is one in
// one piece; where some are missing, or they are too large together, it says what is known and is still a Part.
func Join(parts []Entry) Entry {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Split.Index, b.Split.Index), cmp.Compare(a.ID, b.ID))
	})
	id, split, whole := parts[0].WholeID(), parts[0].Split, len(parts) == parts[0].Split.Total
	size := 0
	for i, p := range parts {
		size += len(p.Payload)
		whole = whole && p.Split.Joinable() && p.Split.Index == i
	}
	e, ok := parts[0], false
	if size <= MaxSize {
		if joined, err := rewritten(parts); err == nil {
			e, ok = joined, true
		}
	}
	e.ID, e.Split = id, Split{}
	if !whole || !ok {
		e.Split = Split{UID: split.UID, Total: split.Total}
	}
	return e
}

// rewritten writes a log entry that holds all the parts hold, and reads it as any other: what is told of an entry
// may stand in any of them.
func rewritten(parts []Entry) (Entry, error) {
	first := parts[0]
	payload := map[string]json.RawMessage{}
	for i, p := range parts {
		members(p.Payload, func(key string, value json.RawMessage) {
			if _, there := payload[key]; !there {
				payload[key] = value
			}
		})
		if p.Time.Before(first.Time) && !p.Time.IsZero() || first.Time.IsZero() {
			first.Time = p.Time
		}
		if i > 0 && first.Operation == (Operation{}) {
			first.Operation = p.Operation
		}
	}
	for key, of := range map[string]func(Entry) json.RawMessage{
		"request":  func(e Entry) json.RawMessage { return e.Request },
		"response": func(e Entry) json.RawMessage { return e.Response },
		"metadata": func(e Entry) json.RawMessage { return e.Metadata },
	} {
		raws := make([]json.RawMessage, len(parts))
		for i, p := range parts {
			raws[i] = of(p)
		}
		if joined := joinTrees(raws); joined != nil {
			payload[key] = joined
		}
	}
	data, err := first.written(payload)
	if err != nil {
		return Entry{}, err
	}
	all, err := Decode(data)
	if err != nil {
		return Entry{}, err
	}
	return all[0], nil
}

// Written returns an entry of an audit log as the log holds it, for Decode to read again: what it was decoded from may hold other entries too.
func (e Entry) Written() ([]byte, error) { return e.written(e.Payload) }

func (e Entry) written(payload any) ([]byte, error) {
	envelope := map[string]any{
		"logName": e.LogName, "insertId": e.ID, "severity": e.Severity, "labels": e.Labels, "protoPayload": payload,
		"resource":  map[string]any{"type": e.Type, "labels": e.ResourceLabels},
		"operation": map[string]any{"id": e.Operation.ID, "producer": e.Operation.Producer, "first": e.Operation.First, "last": e.Operation.Last},
		"split":     map[string]any{"uid": e.Split.UID, "index": e.Split.Index, "totalSplits": e.Split.Total},
	}
	for key, at := range map[string]time.Time{"timestamp": e.Time, "receiveTimestamp": e.Received} {
		if !at.IsZero() {
			envelope[key] = at.Format(time.RFC3339Nano)
		}
	}
	return encoded(envelope)
}

// encoded writes JSON with letters as they are: escaped they take six times the space.
func encoded(value any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return bytes.TrimSpace(out.Bytes()), err
}

func joinTrees(raws []json.RawMessage) json.RawMessage {
	raws = slices.DeleteFunc(raws, func(r json.RawMessage) bool { return len(r) == 0 })
	switch len(raws) {
	case 0:
		return nil
	case 1:
		return raws[0]
	}
	var whole any
	for _, raw := range raws {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		var part any
		if dec.Decode(&part) == nil {
			whole = joinValues("", whole, part)
		}
	}
	out, err := encoded(whole)
	if err != nil {
		return raws[0]
	}
	return out
}

func joinValues(name string, a, b any) any {
	switch a := a.(type) {
	case nil:
		return b
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			for key, value := range b {
				a[key] = joinValues(key, a[key], value)
			}
		}
		return a
	case []any:
		if b, ok := b.([]any); ok {
			return append(a, b...)
		}
		return a
	case string:
		if b, ok := b.(string); ok && !strings.HasPrefix(name, "@") {
			return a + b
		}
		return a
	}
	return a
}
