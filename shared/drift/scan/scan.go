// Package scan looks at what a company has on Google Cloud, and says what of it is otherwise than promised, or than
// Terraform wants, or than was released of the controls themselves: once a night at everything, and within the minute at what a message says changed.
//
// # What it promises
//
// The nightly list goes on where it stopped, whenever it stopped: each page is stored with the place after it in one
// transaction, under a lease with a number. What is known is what was read last, fact by fact: lists, and single answers of the
// services. A message is a hint; it is looked at before anything is said. What could not be read is neither in order
// nor healed: a place that is refused, a kind of thing of which there was something and suddenly is nothing, an asset that
// cannot be asked for. Of those the last that was known is kept, with its age.
//
// # What it does not do
//
// It repairs nothing, and keeps no findings: package finding does. A list is as old as its service makes it, of Cloud Asset
// Inventory up to two days: what was read by itself in that time is read again when a list ends.
package scan

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Times of a scan.
const (
	Hour     = 1                      // of the day, UTC: when a list of everything begins
	Slice    = 8 * time.Minute        // of one run: platforms end a request after nine
	Pause    = 200 * time.Millisecond // between two calls: 300 a minute
	Lag      = 48 * time.Hour         // by which a list may be behind what there is
	sooner   = 6 * time.Hour          // after one of which some could not be read
	Stale    = 36 * time.Hour         // a list older than that says nothing of now
	kept     = 14 * 24 * time.Hour    // what was read
	lease    = 2 * time.Minute        // how long a list belongs to whom wrote its last page
	maxTries = 10                     // of one part of a list, a minute apart
	forgets  = 30 * 24 * time.Hour    // a kind of thing of which nothing was listed for so long is gone
)

// Names of the collections of the database "drift".
const (
	scans   = "scans"   // the scan that is on, its parts, and what it counted
	assets  = "assets"  // what was listed, many in a document
	changes = "changes" // what was read by itself since, one in a document
	hints   = "hints"   // what the watch told of calls
)

// Collection declares what the control's schema holds for this package.
func Collection() []store.Collection {
	return []store.Collection{
		{Name: scans, Expires: true}, {Name: assets, Expires: true},
		{Name: changes, Indexes: []store.Index{{"at"}}, Expires: true},
		{Name: hints, Indexes: []store.Index{{"asset", "micros"}, {"micros"}}, Expires: true},
	}
}

// findings are where it is kept what was found.
type findings interface {
	Out(ctx context.Context, seen []finding.Seen, now time.Time) error
	In(ctx context.Context, asset string, fate func(finding.Finding) finding.What, read, now time.Time) error
	Lost(ctx context.Context, asset string, read, now time.Time) error
	BlameEach(ctx context.Context, asset string, who func(finding.Finding) []finding.Actor, now time.Time) error
	Sweep(ctx context.Context, began time.Time, fate func(finding.Finding) finding.What, now time.Time) error
	List(ctx context.Context, state finding.State, after *store.Cursor, limit int) ([]finding.Finding, *store.Cursor, error)
}

// Config is what a Service needs.
type Config struct {
	Store    store.Store
	Clock    clock.Clock
	Log      *slog.Logger
	Sources  []asset.Source // of Google Cloud, of the directory
	States   []diff.Source  // what Terraform wants; may be empty
	Named    []string       // what each of States is called; what is missing is called by its number
	Set      *baseline.Set
	Findings findings
	Self     *self.Expected          // what has to be there of the controls themselves; nil: nobody says, and nothing is said of them
	Agents   func(*asset.Asset) bool // what Google made itself; nil: nothing
	Pause    time.Duration           // between two calls of a list; 0 means Pause, less than 0 none
	Random   io.Reader               // nil means crypto/rand
}

// Service scans. It is safe for concurrent use, by several processes too.
type Service struct {
	Config
	listed []string // types that are listed

	mu    sync.Mutex // of what follows
	known *known
	judge judged
	want  wanted
	// beside are the assets a finding rests on beside its own, by its id.
	beside map[string][]string
	// asked are the findings of the last look about which it was asked who it may have been, by id.
	asked map[string]int
}

// New returns a Service, or Misconfigured when a part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Clock == nil || c.Log == nil || len(c.Sources) == 0 || c.Set == nil || c.Findings == nil {
		return nil, fault.New(fault.Misconfigured, "scanning: store, clock, log, source, assertions and findings are all needed")
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	switch {
	case c.Pause == 0:
		c.Pause = Pause
	case c.Pause < 0:
		c.Pause = 0
	}
	return &Service{Config: c, listed: listed(c.Set, len(c.States) > 0, c.Self != nil)}, nil
}

// get reads an asset from whichever source has assets of its type.
func (s *Service) get(ctx context.Context, kind, key string) (a asset.Asset, err error) {
	for _, source := range s.Sources {
		if a, err = source.Get(ctx, kind, key); !fault.Is(err, fault.NotFound) {
			return a, err
		}
	}
	return a, err
}

// Hint keeps what the watch told of a call, for as long as somebody may ask who it was. The same again changes nothing.
func (s *Service) Hint(ctx context.Context, h attribution.Hint) error {
	if len(h.Asset) > store.MaxIndexedBytes || !h.At.Add(attribution.Kept).After(s.Clock.Now()) {
		return nil // no name of an asset is so long, and nobody asks about what is so old
	}
	h, err := s.compared(ctx, h)
	if err != nil {
		return err
	}
	stored := hint{V: version, Hint: h, Micros: h.At.UnixMicro(), Expires: h.At.Add(attribution.Kept)}
	err = s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Create(hints, digest(h.Asset, h.Entry), stored) })
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}
