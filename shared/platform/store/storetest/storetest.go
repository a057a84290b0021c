// Package storetest is the conformance suite of the store seam: every driver passes it, the embedded ones
// included, so that what works on a laptop works in production. It also holds wrappers with which other packages
// test their own use of a store: Faulty, which fails at a chosen point, and Twice, which finds transaction bodies
// with side effects.
package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
)

// Open opens an empty store that no other test sees, and closes it when the test ends.
type Open func(t *testing.T, schema store.Schema, clk clock.Clock) store.Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Helper()
	run(t, suite{open: open, writers: 50, rivals: 50, seeds: require.Seeds(25)})
}

// RunSlow runs the suite with few parallel writers and few seeds, for a store over an emulator, which resolves each
// contention by waiting for seconds.
func RunSlow(t *testing.T, open Open) {
	t.Helper()
	run(t, suite{open: open, writers: 8, rivals: 3, seeds: require.Seeds(3)})
}

type suite struct {
	open    Open
	writers int // in parallel, on documents of their own or on one counter
	rivals  int // in parallel, for what is not there yet
	seeds   int
}

func run(t *testing.T, s suite) {
	for name, test := range map[string]func(*testing.T, suite){
		"Documents":       testDocuments,
		"ValuesAreKept":   testValuesAreKept,
		"DecodeReplaces":  testDecodeReplaces,
		"Expiry":          testExpiry,
		"ExpiryInQueries": testExpiryInQueries,
		"Limits":          testLimits,
		"Ids":             testIDs,
		"Ending":          testEnding,
		"Create":          testCreate,
		"UserError":       testUserError,
		"ReadsFirst":      testReadsFirst,
		"FailureSticks":   testFailureSticks,
		"JoinedWrites":    testJoinedWrites,
		"Atomic":          testAtomic,
		"BodyRunTwice":    testBodyRunTwice,
		"Counters":        testCounters,
		"Phantoms":        testPhantoms,
		"ParallelUse":     testParallelUse,
		"OrderById":       testOrderByID,
		"Pages":           testPages,
		"Bounds":          testBounds,
		"IndexFollows":    testIndexFollows,
		"RefusedQueries":  testRefusedQueries,
		"Model":           testModel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// start is when the suite's clocks begin.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// schema has a collection with indexes, one whose documents expire, and one plain.
var schema = store.Schema{
	{Name: "things", Indexes: []store.Index{{"rank"}, {"kind"}, {"kind", "rank"}, {"kind", "done", "rank"}}},
	{Name: "passing", Indexes: []store.Index{{"rank"}, {"expires"}}, Expires: true},
	{Name: "plain"},
}

// thing is the suite's document.
type thing struct {
	V       int       `json:"v"`
	Kind    string    `json:"kind,omitempty"`
	Done    *bool     `json:"done,omitempty"`
	Rank    any       `json:"rank,omitempty"`
	Count   int64     `json:"count,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

func (s suite) store(t *testing.T) (store.Store, *clock.Manual) {
	t.Helper()
	clk := clock.NewManual(start)
	return s.open(t, schema, clk), clk
}

// put writes documents, id by id, in one transaction.
func put(t *testing.T, s store.Store, collection string, docs map[string]any) {
	t.Helper()
	if err := s.Tx(t.Context(), func(tx store.Tx) error {
		for id, doc := range docs {
			if err := tx.Put(collection, id, doc); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatalf("putting documents: %v", err)
	}
}

// insist runs a transaction until it no longer loses against others, as the platform does by redelivery.
func insist(ctx context.Context, s store.Store, fn func(store.Tx) error) error {
	for {
		err := s.Tx(ctx, fn)
		if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Transient) || ctx.Err() != nil {
			return err
		}
	}
}

// ids returns the ids a query finds, joined by spaces, as a test reads best.
func ids(t *testing.T, s store.Store, q store.Query) string {
	t.Helper()
	docs, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatalf("querying %+v: %v", q, err)
	}
	return join(docs)
}

func join(docs []store.Document) string {
	var found []string
	for _, d := range docs {
		found = append(found, d.ID)
	}
	return strings.Join(found, " ")
}

// wantKind checks an error's kind; "" wants no error.
func wantKind(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if want == "" && err != nil || want != "" && !fault.Is(err, want) {
		t.Errorf("%s: error %v of kind %q; want kind %q", what, err, fault.KindOf(err), want)
	}
}

var errUser = errors.New("the user's own error")
