package auditlog

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// join puts the parts of a split entry together, in order of their index: everything but request, response and
// metadata is in each of them, and those three are spread over them. Objects are joined by name, lists one after the
// other, text end to end (Cloud Logging, split audit log entries).
func join(parts []Entry) Entry {
	whole := parts[0]
	pick := func(of func(Entry) json.RawMessage) json.RawMessage {
		raws := make([]json.RawMessage, len(parts))
		for i, p := range parts {
			raws[i] = of(p)
		}
		return joinTrees(raws)
	}
	whole.Request = pick(func(e Entry) json.RawMessage { return e.Request })
	whole.Response = pick(func(e Entry) json.RawMessage { return e.Response })
	whole.Metadata = pick(func(e Entry) json.RawMessage { return e.Metadata })
	return whole
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
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(whole) != nil {
		return raws[0]
	}
	return bytes.TrimSpace(out.Bytes())
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
