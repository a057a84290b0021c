// Package watchaudit takes the entries of the company's logs as they are written: the rules judge each, and what follows
// of it, an alarm or nothing, is one transaction. It also keeps the list of addresses that people may come from.
//
// It promises that an entry is acknowledged only when what it leads to is stored, that one delivered again changes
// nothing, and that what cannot be read is set aside with an alarm, never dropped in silence.
package watchaudit

import (
	"context"
	_ "embed"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/watch/internal/parts"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/listing"

	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("watchaudit", Function.Entry()) }

// Topics that wake the function: a log sink writes entries to the first, the access control tells of registrations by
// the second.
const (
	TopicEntries = "audit.entries"
	TopicLeases  = "lease.changed"
)

// TopicUnreadable is where a message that cannot be read is kept, as it came, until somebody has looked at it: the dead
// letters of the log.
const TopicUnreadable = "audit.unreadable"

type watchaudit struct {
	*parts.Parts
	ignored atomic.Int64 // lines of mixed logs that no mapping reads, since they were told last
	told    atomic.Int64 // microseconds since 1970: when that was
}

func build(_ context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	w := &watchaudit{Parts: p}
	return d.Served(machine.Routes(d, machine.On{Event: w.event, Unread: w.unread})...)
}

func (w *watchaudit) event(ctx context.Context, e event.Event) error {
	if e.Topic == TopicLeases {
		var change listing.Change
		if err := json.Unmarshal(e.Data, &change); err != nil {
			return fault.New(fault.Invalid, "reading a message of %s: not the JSON of one", e.Topic)
		}
		return w.Listed.Take(ctx, change)
	}
	return w.take(ctx, e)
}

// take takes one message of the log sink, or one event of a trigger; it may hold several entries. All that can be read
// are judged, and those that were before one that has to come again are known when it does.
func (w *watchaudit) take(ctx context.Context, e event.Event) error {
	if err := w.Ready(ctx); err != nil {
		return err
	}
	now := w.Clock.Now()
	entries, unreadable := w.decode(e.Data)
	if err := w.Listed.Refresh(ctx, now); err != nil {
		return err
	}
	w.count(ctx, entries, now)
	for _, entry := range entries {
		if _, err := w.Episodes.Ingest(ctx, entry, now); err != nil {
			return machine.Understood("judging a log entry", err)
		}
	}
	return unreadable
}

// count tells, once in a quarter of an hour, how many lines no mapping reads: those of a log that holds other things too.
func (w *watchaudit) count(ctx context.Context, entries []auditlog.Entry, now time.Time) {
	for i := range entries {
		if entries[i].Ignored {
			w.ignored.Add(1)
		}
	}
	last := w.told.Load()
	if now.UnixMicro()-last < (15*time.Minute).Microseconds() || w.ignored.Load() == 0 || !w.told.CompareAndSwap(last, now.UnixMicro()) {
		return
	}
	w.Log.InfoContext(ctx, "lines of mixed logs were none that a mapping reads", "lines", w.ignored.Swap(0))
}

// decode reads the entries of a message. One that cannot be read does not take the others of its array with it.
func (w *watchaudit) decode(data json.RawMessage) (entries []auditlog.Entry, unreadable error) {
	entries, unreadable = auditlog.Decode(data, w.Mappings...)
	var items []json.RawMessage
	if unreadable == nil || json.Unmarshal(data, &items) != nil {
		return entries, unreadable
	}
	for _, item := range items {
		some, err := auditlog.Decode(item, w.Mappings...)
		if err == nil {
			entries = append(entries, some...)
		}
	}
	return entries, unreadable
}

// unread keeps a message that cannot be read among the dead letters, and makes an alarm of it. The message delivered again is the same alarm, though its
// envelope counts deliveries.
func (w *watchaudit) unread(ctx context.Context, body []byte) error {
	if err := w.Ready(ctx); err != nil {
		return err
	}
	var push struct {
		Message struct {
			Data []byte `json:"data"`
		} `json:"message"`
	}
	if json.Unmarshal(body, &push) == nil && len(push.Message.Data) > 0 {
		body = push.Message.Data
	}
	digest := record.Digest(body)
	kept, err := json.Marshal(map[string][]byte{"body": body[:min(len(body), maxKept)]})
	if err != nil {
		return err
	}
	if err := w.Bus.Publish(ctx, TopicUnreadable, bus.Message{Data: kept, Attributes: map[string]string{bus.AttributeID: digest}}); err != nil {
		return err
	}
	return w.Episodes.Unreadable(ctx, digest, "malformed", w.Clock.Now())
}

// maxKept is how much of a message that cannot be read is kept, in bytes: a message holds 10 MB, base64 included.
const maxKept = 6 << 20
