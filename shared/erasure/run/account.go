package run

import (
	"context"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Report is what a receipt says of the work on a request. It holds nothing of a person but numbers.
type Report struct {
	Map     string       // digest of the data map of the last search
	Entries []EntryCount // in the order of the work, over all rounds; those that were searched last
	Passes  []Pass       // the searches since the last run, in order
	Traces  []Trace      // of each store that was searched
	// Unsuppressed says that the ledger of who was erased does not have her, as nothing of hers is hers for good: after a
	// restore somebody has to look for her.
	Unsuppressed bool
}

// EntryCount is what became of the items of one entry, over all rounds.
type EntryCount struct {
	Entry      string
	Action     datamap.Action
	Found      int64
	Erased     int64
	Anonymised int64
	Sought     int64 // of Anonymised: looked at again behind the change, of which Stood were in their place
	Stood      int64 // of which Same were in the group that the change makes of theirs, Moved in another; of the rest nobody can tell
	Same       int64
	Moved      int64
	Gone       int64     // somebody else was first
	Kept       int64     // by a ground or a hold, at the last search
	Foreign    int64     // of another tenant or of none
	Left       int64     // to be erased, looked at by a person, or let go by the store, at the last search
	Open       string    // a word: what stands in the way, at the last search; "" nothing
	Until      time.Time // latest known end of what is kept or the store holds; zero for none
	Freed      time.Time // of Left: latest known end of what the store holds; zero for none
}

// Pass is what one search counted.
type Pass struct {
	N        int            `json:"n"`             // from 1
	Map      string         `json:"map,omitempty"` // digest of the data map it went by
	At       time.Time      `json:"at"`
	Entries  []Entry        `json:"entries"`
	Open     []request.Open `json:"open,omitempty"`
	Unmapped int64          `json:"unmapped,omitempty"`
}

// Trace is what the store of an entry keeps of what it erased.
type Trace struct {
	Entry string // the first of those in the store
	erasure.Traces
}

// record is a Pass as it is stored.
type record struct {
	V       int    `json:"v"`
	Request string `json:"request"`
	Pass    Pass   `json:"pass"`
}

func passID(request string, n int) string { return request + ".pass." + strconv.Itoa(n) }

// passed puts on record what a search counted; the first of a round begins anew.
func (e *Engine) passed(ctx context.Context, j Job, n int, list []Entry, o request.Outcome) error {
	r := record{V: version, Request: j.Request, Pass: Pass{N: n, Map: e.Map.Digest(), At: e.Clock.Now().UTC(), Entries: list, Open: o.Open, Unmapped: o.Missing}}
	err := e.Store.Tx(ctx, func(tx store.Tx) error {
		for later := n + 1; later <= len(request.Passes()); later++ {
			if err := tx.Delete(jobs, passID(j.Request, later)); err != nil {
				return err
			}
		}
		return tx.Put(jobs, passID(j.Request, n), r)
	})
	if err != nil {
		return err
	}
	return e.outdated(ctx, j)
}

// Account returns what has been done for a request so far, for its receipt. It asks stores what they keep of what is
// erased; one that does not answer is listed with that.
func (e *Engine) Account(ctx context.Context, j Job) (r Report, err error) {
	r.Map = e.Map.Digest()
	for n := 1; n <= len(request.Passes()); n++ {
		var kept record
		if err := e.Store.Get(ctx, jobs, passID(j.Request, n), &kept); err != nil {
			if n == 1 || !fault.Is(err, fault.NotFound) {
				return r, err
			}
			break
		}
		r.Passes = append(r.Passes, kept.Pass)
	}
	done := map[string]*Count{}
	if err := e.history(ctx, j.Request, func(_ string, t task) {
		if t.Phase != erasing {
			return
		}
		if done[t.Entry] == nil {
			done[t.Entry] = &Count{}
		}
		done[t.Entry].add(t.Count)
	}); err != nil {
		return r, err
	}
	last := r.Passes[len(r.Passes)-1]
	if last.Map != "" {
		r.Map = last.Map
	}
	if r.Unsuppressed, err = e.unsuppressed(ctx, j); err != nil {
		return r, err
	}
	for _, entry := range last.Entries {
		r.Entries = append(r.Entries, counted(entry, done[entry.ID], last))
	}
	r.Traces, err = e.traces(ctx, j, last)
	return r, err
}

func counted(last Entry, done *Count, p Pass) EntryCount {
	if done == nil {
		done = &Count{}
	}
	c := EntryCount{
		Entry: last.ID, Action: last.Action, Erased: done.Erased, Anonymised: done.Anonymised, Gone: done.Gone,
		Sought: done.Sought, Stood: done.Stood, Same: done.Same, Moved: done.Moved,
		Kept: last.Count.Kept, Foreign: last.Count.Foreign, Left: last.Count.Left, Until: last.Count.Until, Freed: last.Count.Freed,
	}
	there := last.Count.Found - last.Count.Clean
	if last.Action != datamap.RetainIt { // of which what was anonymised is found again, as kept
		there += done.Anonymised
	}
	c.Found = done.Erased + done.Gone + max(there, done.Anonymised)
	if at := slices.IndexFunc(p.Open, func(o request.Open) bool { return o.Entry == last.ID }); at >= 0 {
		c.Open = p.Open[at].Why
		c.Left += last.Count.Review + last.Count.Held // where a person has settled them they keep nothing open
	}
	return c
}

// traces asks each store of the entries once.
func (e *Engine) traces(ctx context.Context, j Job, p Pass) (all []Trace, err error) {
	k, _, _, err := e.recall(ctx, j, j.Request)
	if err != nil {
		return nil, err
	}
	base, err := e.base(j, k.IDs)
	if err != nil {
		return nil, err
	}
	asked := map[string]bool{}
	for _, s := range base {
		if asked[s.Reader] || !slices.ContainsFunc(p.Entries, func(e Entry) bool { return e.ID == s.Entry.ID }) {
			continue
		}
		asked[s.Reader] = true
		t := Trace{Entry: s.Entry.ID}
		reader, err := e.Reader(ctx, s.Reader)
		if err == nil {
			t.Traces, err = reader.Traces(ctx)
		}
		if err != nil {
			t.Traces = erasure.Traces{Unknown: []string{"what the store keeps of erased data"}}
		}
		all = append(all, t)
	}
	return all, nil
}
