// Package outbox sends what a transaction decided: messages and evidence records are written in the same
// transaction as the state they belong to, and leave the database only when their receiver has accepted them.
//
// It promises that nothing committed is lost, whatever is killed at whatever line, and that nothing leaves that was
// not committed. It does not promise order, nor once only: an entry whose deletion was lost is sent again, with the
// same key, by which its receiver knows it.
//
// Whoever relays an entry holds a lease: until the entry's Due nobody else takes it, and its Fence, which grows
// with each lease, keeps one whose lease has run out from deleting what another has taken over.
package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strings"
	"time"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/store"
)

// Kind says which sink an entry goes to. Kinds are stored, hence strings.
type Kind string

const (
	Message Kind = "message" // published on a topic
	Record  Kind = "record"  // put into the evidence inbox
)

const (
	collection = "outbox"
	version    = 2
)

// Entry is one thing to send, as it is stored.
type Entry struct {
	V          int               `json:"v"`                // version of this shape: 2
	Writer     string            `json:"writer,omitempty"` // whose transaction made it
	Kind       Kind              `json:"kind"`
	Target     string            `json:"target,omitempty"` // the topic of a message
	Key        string            `json:"key"`              // the same each time the entry is sent, and only then
	Data       []byte            `json:"data"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Due        int64             `json:"due"`      // microseconds since 1970: before it, only the holder of the lease relays
	Fence      int64             `json:"fence"`    // of the present lease
	Attempts   int               `json:"attempts"` // sweeps that took it
}

// Collection declares the collection of the outbox; every control's schema holds it.
func Collection() store.Collection {
	return store.Collection{Name: collection, Indexes: []store.Index{{"due"}}}
}

// Sink hands an entry to its receiver. It returns nil only when the receiver has durably accepted it. It may be
// called again with the same entry, by several goroutines, and has about twenty seconds.
type Sink func(ctx context.Context, e Entry) error

// BusSink returns the sink that publishes messages.
func BusSink(p bus.Publisher) Sink {
	return func(ctx context.Context, e Entry) error {
		return p.Publish(ctx, e.Target, bus.Message{Data: e.Data, Attributes: e.Attributes})
	}
}

// Box is the outbox of one control, in the hands of one of its functions. It is safe for concurrent use.
type Box struct {
	store  store.Store
	clock  clock.Clock
	log    *slog.Logger
	sinks  map[Kind]Sink
	writer string
	stamp  func(record []byte) ([]byte, error)
}

// New returns the outbox in a store whose schema holds Collection; log receives refusals, with neither keys nor
// data. An entry of a kind without a sink is kept, and
// reported as an error each time it is due.
func New(s store.Store, clk clock.Clock, log *slog.Logger, sinks map[Kind]Sink) *Box {
	return &Box{store: s, clock: clk, log: log, sinks: sinks}
}

// By returns the box in the hands of a function of that name. What it commits bears the name, so that whoever relays it
// later can tell whose it is; without one, it is nobody's. Sinks decide whose entries they take. stamp, which may be nil,
// adds to each record what all of that function's say; its error fails the transaction.
func (b *Box) By(writer string, stamp func(record []byte) ([]byte, error)) *Box {
	named := *b
	named.writer, named.stamp = writer, stamp
	return &named
}

// Pending returns how many entries wait to be sent, those being relayed at the moment included.
func (b *Box) Pending(ctx context.Context) (int, error) {
	q := store.Query{Collection: collection, Range: &store.Range{Name: "due"}, Limit: store.MaxQueryResults}
	for total := 0; ; {
		docs, err := b.store.Query(ctx, q)
		if err != nil {
			return 0, err
		}
		if total += len(docs); len(docs) < q.Limit {
			return total, nil
		}
		var last Entry
		if err := docs[len(docs)-1].Decode(&last); err != nil {
			return 0, err
		}
		q.After = &store.Cursor{Value: last.Due, ID: docs[len(docs)-1].ID}
	}
}

// held is an entry under our lease.
type held struct {
	id    string
	entry Entry
}

// idOf makes one document of all entries of one writer, kind, target and key: what is decided twice is sent at least once,
// and nobody's entry takes the place of another's.
func idOf(e Entry) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{e.Writer, string(e.Kind), e.Target, e.Key}, "\x00")))
	return hex.EncodeToString(sum[:])
}

// until returns the end of a lease of the given length that begins now, in microseconds.
func (b *Box) until(length time.Duration) int64 { return b.clock.Now().Add(length).UnixMicro() }
