package auditlog

import "encoding/json"

// members visits the members of an object, all of them, equal names too; of anything else, nothing. raw was read by
// a cursor before.
func members(raw json.RawMessage, visit func(key string, value json.RawMessage)) {
	if c := lenient(raw); c.peek() == '{' {
		c.object("", func(key string) {
			value := c.raw()
			if c.err == nil {
				visit(key, value)
			}
		})
	}
}

// items visits the items of an array; of anything else, nothing.
func items(raw json.RawMessage, visit func(json.RawMessage)) {
	if c := lenient(raw); c.peek() == '[' {
		c.array("", func() {
			if item := c.raw(); c.err == nil {
				visit(item)
			}
		})
	}
}

// child returns the member of that name, nil when there is none or it is null. Of equal names the last one is
// returned, as decoders of JSON do.
func child(raw json.RawMessage, name string) (found json.RawMessage) {
	members(raw, func(key string, value json.RawMessage) {
		if key == name {
			found = value
		}
	})
	return found
}

// holding returns the object itself if it has a member of that name.
func holding(raw json.RawMessage, name string) json.RawMessage {
	if child(raw, name) == nil {
		return nil
	}
	return raw
}

// words returns the strings of an array.
func words(raw json.RawMessage) (all []string) {
	items(raw, func(item json.RawMessage) {
		if s := descend(item, ""); s != "" {
			all = append(all, s)
		}
	})
	return all
}

// Parameters returns the parameters of a Workspace event by name: they sit in metadata.event[].parameter[], each
// with its value under the name of its type. The name of the event itself is under "eventName".
func (e Entry) Parameters() map[string][]string {
	all := map[string][]string{}
	items(child(e.Metadata, "event"), func(event json.RawMessage) {
		if name := descend(event, "eventName"); name != "" {
			all["eventName"] = append(all["eventName"], name)
		}
		items(child(event, "parameter"), func(parameter json.RawMessage) {
			name := descend(parameter, "name")
			for _, kind := range []string{"value", "intValue", "boolValue"} {
				if value := descend(parameter, kind); value != "" {
					all[name] = append(all[name], value)
				}
			}
			for _, kind := range []string{"multiValue", "multiStrValue", "multiIntValue"} {
				all[name] = append(all[name], words(child(parameter, kind))...)
			}
			if len(all[name]) == 0 {
				all[name] = []string{"false"} // proto-JSON drops a false, and then the parameter has only its name
			}
		})
	})
	return all
}
