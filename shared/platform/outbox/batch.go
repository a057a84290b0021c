package outbox

import (
	"bytes"
	"encoding/json"
	"time"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// maxKeyBytes is what Pub/Sub takes as the value of an attribute.
const maxKeyBytes = 1_024

// Batch collects what one transaction sends. It must not be used after the transaction's body returned, nor by
// several goroutines.
type Batch struct {
	now     time.Time
	writer  string
	stamp   func(record []byte) ([]byte, error)
	entries []held
	ids     map[string]bool
	err     error // the first; it fails the transaction even if the body goes on
}

// Message adds a message. The payload encodes to a JSON object; key is what its consumers recognise a duplicate by
// (bus.AttributeID): the same for the same event, another for any other. Errors are Invalid: a topic or key missing
// or too long, a payload that is no object or too large, a key used twice.
func (b *Batch) Message(topic, key string, payload any) error {
	data, err := json.Marshal(payload)
	switch {
	case err != nil:
		return b.refuse("encoding a message for %q: %w", topic, err)
	case topic == "":
		return b.refuse("adding a message without a topic")
	case !bytes.HasPrefix(data, []byte("{")):
		return b.refuse("adding a message for %q that is not an object", topic)
	case len(data) > bus.MaxMessageBytes:
		return b.refuse("adding a message for %q of %d bytes", topic, len(data))
	}
	return b.add(Entry{Kind: Message, Target: topic, Key: key, Data: data, Attributes: map[string]string{
		bus.AttributeID:   key,
		bus.AttributeTime: b.now.Format(time.RFC3339Nano),
	}})
}

// Record adds an evidence record in its canonical form, under its own id. A missing id or the same id twice fails
// the transaction with Invalid.
func (b *Batch) Record(id string, data []byte) {
	data = bytes.Clone(data)
	if b.stamp != nil {
		stamped, err := b.stamp(data)
		if err != nil {
			_ = b.refuse("adding a record: %w", err)
			return
		}
		data = stamped
	}
	_ = b.add(Entry{Kind: Record, Key: id, Data: data}) // Commit returns it
}

func (b *Batch) add(e Entry) error {
	if e.Key == "" || len(e.Key) > maxKeyBytes {
		return b.refuse("adding a %s with a key of %d bytes", e.Kind, len(e.Key))
	}
	e.V, e.Writer = version, b.writer
	id := idOf(e)
	if b.ids[id] {
		return b.refuse("adding a %s twice under one key", e.Kind)
	}
	b.ids[id] = true
	b.entries = append(b.entries, held{id, e})
	return nil
}

func (b *Batch) refuse(format string, args ...any) error {
	err := fault.New(fault.Invalid, format, args...)
	if b.err == nil {
		b.err = err
	}
	return err
}

// write puts the entries into the transaction under a lease of ours that ends at due.
func (b *Batch) write(tx store.Tx, due int64) error {
	if b.err != nil {
		return b.err
	}
	for i := range b.entries {
		e := &b.entries[i].entry
		// A time makes a fence that no earlier lease on this key had: those count up from a time before.
		e.Due, e.Fence = due, due
		if err := tx.Put(collection, b.entries[i].id, *e); err != nil {
			return err
		}
	}
	return nil
}
