package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/intake"
)

// shape is a kind of event of the outside world, how it is recognised, and where it goes. Without a way it is refused.
type shape struct {
	name string
	// has are members of which one at least is there.
	has  []string
	send func(ctx context.Context, w *World, event json.RawMessage) error
}

// shapes are tried in this order: an audit entry is a log line too.
var shapes = []shape{
	{name: "CloudEvents", has: []string{"specversion"}, send: sendCloudEvent},
	{name: "audit entries", has: []string{"protoPayload"}, send: sendEntry},
	{name: "asset changes", has: []string{"asset", "priorAsset"}, send: sendAsset},
	{name: "application log lines", has: []string{"logName", "jsonPayload", "textPayload", "severity", "insertId"}, send: sendEntry},
	{name: "pushes of a log sink", has: []string{"message"}, send: sendEntry},
}

// events takes what the outside world would send, each as its sender would. Nothing is hidden: what is not taken is told
// line by line, with the reason.
func (w *World) events(rw http.ResponseWriter, r *http.Request) error {
	lines, err := readEvents(rw, r)
	if err != nil {
		return err
	}
	type rejected struct {
		Line int    `json:"line"`
		Why  string `json:"why"`
	}
	refused := []rejected{}
	for i, line := range lines {
		if err := w.event(r.Context(), line); err != nil {
			refused = append(refused, rejected{i + 1, err.Error()})
		}
	}
	if r.URL.Query().Get("wait") == "1" {
		if err := w.Settled(r.Context()); err != nil {
			return err
		}
	}
	return web.WriteJSON(rw, http.StatusAccepted, map[string]any{"accepted": len(lines) - len(refused), "rejected": refused})
}

// event hands one event on by its shape. The error says why it was not taken.
func (w *World) event(ctx context.Context, event json.RawMessage) error {
	var members map[string]json.RawMessage
	if json.Unmarshal(event, &members) != nil || members == nil {
		return errors.New("it is not an object")
	}
	for _, s := range shapes {
		switch {
		case !slices.ContainsFunc(s.has, func(name string) bool { _, there := members[name]; return there }):
		case s.send == nil:
			return fmt.Errorf("no function of this process reads %s", s.name)
		default:
			return s.send(ctx, w, event)
		}
	}
	return errors.New("it is neither a CloudEvent nor an audit entry, an asset change or a log line")
}

// sendCloudEvent sends machine evidence to collectevidence as the source it must come from.
func sendCloudEvent(ctx context.Context, w *World, event json.RawMessage) error {
	var e struct {
		Type string          `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(event, &e) == nil && e.Type == auditEntry {
		return sendEntry(ctx, w, event)
	}
	if !slices.Contains(intake.Types(), e.Type) {
		return errors.New("no function of this process reads CloudEvents of this type")
	}
	var data struct {
		Promises []string `json:"promises"`
	}
	_ = json.Unmarshal(e.Data, &data) // what cannot be read is refused by who reads it strictly
	from, err := w.sender(e.Type, data.Promises)
	if err != nil {
		return err
	}
	return w.evidenceOf(ctx, from.ID, event)
}

// sender is the one source that may send a type of evidence about some promises, or, for an event that names none, the
// one that may send the type at all.
func (w *World) sender(eventType string, promises []string) (policy.Source, error) {
	var found []policy.Source
	for _, from := range w.policy.Sources {
		if slices.Contains(from.Types, eventType) && !slices.ContainsFunc(promises, func(id string) bool { return !slices.Contains(from.Promises, id) }) {
			found = append(found, from)
		}
	}
	switch {
	case len(found) == 0:
		return policy.Source{}, errors.New("no source of services.yaml may send this type about these promises")
	case len(found) > 1:
		return policy.Source{}, errors.New("several sources of services.yaml may send this; name in data.promises those of one of them")
	}
	return found[0], nil
}

// evidenceOf posts a CloudEvent to collectevidence with the token of a source.
func (w *World) evidenceOf(ctx context.Context, source string, event any) error {
	if _, there := w.functions["collectevidence"]; !there {
		return errors.New("this process runs without collectevidence")
	}
	token, err := w.serviceToken(source, nil)
	if err != nil {
		return err
	}
	_, err = w.call(ctx, http.MethodPost, "/collectevidence/v1/events", event,
		http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/cloudevents+json"}})
	if refused, ok := errors.AsType[*refusal](err); ok {
		return fmt.Errorf("collectevidence answers %w: %s", err, refused.detail)
	}
	return err
}

// readEvents splits a body into events: one object, an array, or one object a line.
func readEvents(rw http.ResponseWriter, r *http.Request) ([]json.RawMessage, error) {
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 64<<20))
	var found []json.RawMessage
	for {
		var one json.RawMessage
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, &fault.Error{Kind: fault.Invalid, Code: "body_invalid", Detail: "The body is not JSON.", Next: "Send an object, an array, or one object a line.", Err: err}
		}
		var many []json.RawMessage
		if json.Unmarshal(one, &many) == nil && many != nil {
			found = append(found, many...)
		} else {
			found = append(found, one)
		}
	}
}
