package erasuretest

import (
	"encoding/json"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/message"
)

// Letters are the messages that went out, opened, by key.
func (w *World) Letters() map[string]message.Content {
	w.t.Helper()
	all := map[string]message.Content{}
	for _, m := range w.Published(message.TopicRequested) {
		var r message.Request
		if err := json.Unmarshal(m.Message.Data, &r); err != nil {
			w.t.Fatal(err)
		}
		c, err := r.Open(w.t.Context(), w.Key("message"))
		if err != nil {
			w.t.Fatal(err)
		}
		all[m.Message.Attributes[bus.AttributeID]] = c
	}
	return all
}
