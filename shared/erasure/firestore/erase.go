package firestore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	vkit "cloud.google.com/go/firestore/apiv1"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

const (
	inOneCommit = 100   // items
	attempts    = 5     // at one commit that others contend with
	mostLooked  = 3_000 // documents below items that one call looks at before it deletes any
)

// Erase implements erasure.Store. One call deletes at most erasure.MaxPage documents below its items; items whose turn
// has not come are incomplete too. After an error it answers for the items whose fate is known.
func (s *Store) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	p, err := check(q)
	if err == nil {
		err = q.CheckErase(items)
	}
	if err != nil {
		return nil, err
	}
	parts := slices.Collect(slices.Chunk(items, inOneCommit))
	done, errs := make([][]erasure.Result, len(parts)), make([]error, len(parts))
	var all sync.WaitGroup
	for i, part := range parts {
		all.Go(func() { done[i], errs[i] = s.part(ctx, q, p, part, erasure.MaxPage/len(parts)) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return slices.Concat(done...), err
		}
	}
	return slices.Concat(done...), nil
}

// part erases some of the items in one commit. One that lost against another writer is tried again.
func (s *Store) part(ctx context.Context, q erasure.Query, p place, items []erasure.Item, below int) ([]erasure.Result, error) {
	client, ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	for try := range attempts {
		w := work{store: s, query: q, place: p, below: below, looks: mostLooked}
		if err = w.run(ctx, client, items); err == nil {
			return w.results, nil
		}
		if errors.Is(err, errLarge) && (len(items) > 1 || below > 1) {
			return s.halves(ctx, q, p, items, below)
		}
		if !fault.Is(err, fault.Conflict) {
			return nil, err
		}
		if !pause(ctx, time.Duration(1<<try)*20*time.Millisecond) {
			break
		}
	}
	return nil, fault.New(fault.Transient, "erasing in Firestore: other writers were faster each time")
}

// errLarge says that a commit was refused as it stands: with its indexes it may be too large.
var errLarge = fault.New(fault.Invalid, "erasing in Firestore: a commit is refused")

// halves erases the items in two commits, or of one what lies below it.
func (s *Store) halves(ctx context.Context, q erasure.Query, p place, items []erasure.Item, below int) (all []erasure.Result, err error) {
	if len(items) == 1 {
		return s.part(ctx, q, p, items, below/2)
	}
	for _, half := range [][]erasure.Item{items[:len(items)/2], items[len(items)/2:]} {
		done, err := s.part(ctx, q, p, half, max(below/2, 1))
		if all = append(all, done...); err != nil {
			return all, err
		}
	}
	return all, nil
}

// run is one attempt. It takes no transaction: a precondition on each document read is enough to erase that and nothing
// later, and to count nobody twice, and locks would outlive a process that is killed.
func (w *work) run(ctx context.Context, client *vkit.Client, items []erasure.Item) error {
	if err := w.items(ctx, items); err != nil || len(w.writes) == 0 {
		return err
	}
	adding, err := w.store.adding(ctx, w.totals)
	if err != nil {
		return err
	}
	w.writes = append(w.writes, adding...)
	_, err = client.Commit(ctx, &pb.CommitRequest{Database: w.store.database, Writes: w.writes})
	switch code := status.Code(err); code {
	case codes.FailedPrecondition, codes.NotFound:
		err = status.Error(codes.Aborted, "a document is not as it was read")
	case codes.InvalidArgument:
		return errLarge
	}
	return classify("erasing in", err)
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// work is one attempt at one commit.
type work struct {
	store   *Store
	query   erasure.Query
	place   place
	below   int // documents below items that may still be deleted
	looks   int // and looked at
	results []erasure.Result
	writes  []*pb.Write
	totals  []erasure.Total
	seen    string // how far it was looked below the item in hand
}

func (w *work) items(ctx context.Context, items []erasure.Item) error {
	var paths []string
	for _, i := range items {
		if w.ours(i.Ref) {
			paths = append(paths, i.Ref)
		}
	}
	slices.Sort(paths)
	found := map[string]*pb.Document{}
	if paths = slices.Compact(paths); len(paths) > 0 {
		var err error
		if found, err = w.store.get(ctx, paths, reads(w.query)); err != nil {
			return err
		}
	}
	for _, i := range items {
		result := erasure.Result{Ref: i.Ref, Outcome: erasure.OutcomeForeign}
		if w.ours(i.Ref) {
			var err error
			w.seen = ""
			if result.Outcome, err = w.item(ctx, i, found[i.Ref]); err != nil {
				return err
			}
			result.Seen = w.seen
			delete(found, i.Ref) // named twice, it is gone the second time
		}
		w.results = append(w.results, result)
	}
	return nil
}

// whole reports that each document of the place, at any depth, is an item of its own.
func (w *work) whole() bool { return whole(w.query, w.place) }

// descends reports that what lies below an item goes with it.
func (w *work) descends() bool {
	return w.query.Descend && w.query.Action == erasure.ActionDelete && !w.query.TakesOut() && !w.whole()
}

// ours reports whether a path can be an item of the query at all.
func (w *work) ours(path string) bool {
	return (w.place.holds(path) || w.whole() && w.place.within(path)) && !excepted(w.query, w.place, path)
}

// item decides about one document as it is read now; nil is one that does not exist.
func (w *work) item(ctx context.Context, i erasure.Item, d *pb.Document) (erasure.Outcome, error) {
	q := w.query
	switch {
	case d == nil && w.descends() && i.Version == "" && i.Tenant != q.Tenant.ID:
		return erasure.OutcomeForeign, nil
	case d == nil && w.descends() && i.Version == "": // it did not exist when it was found
		return w.descend(ctx, i, nil)
	case d == nil:
		return erasure.OutcomeGone, nil
	case q.Tenant.Binding == erasure.BindField && tenant(q, d.Fields) != q.Tenant.ID:
		return erasure.OutcomeForeign, nil
	case !w.store.recognises(q, w.place, q.Match, d):
		return erasure.OutcomeGone, nil
	}
	var e edit
	switch {
	case q.Action == erasure.ActionAnonymise:
		if e = anonymise(q, d.Fields); len(e.mask) == 0 {
			return erasure.OutcomeGone, nil
		}
	case q.TakesOut():
		e = takeOut(q, d.Fields)
	}
	switch {
	case i.Version != version(d):
		return erasure.OutcomeChanged, nil
	case e.mask != nil:
		w.totals = append(w.totals, q.Totals(adds(d))...)
		w.writes = append(w.writes, &pb.Write{Operation: &pb.Write_Update{Update: &pb.Document{Name: d.Name, Fields: e.fields}},
			UpdateMask: &pb.DocumentMask{FieldPaths: e.mask}, CurrentDocument: unchanged(d)})
		return erasure.OutcomeErased, nil
	case w.descends():
		return w.descend(ctx, i, d)
	}
	w.delete(d)
	return erasure.OutcomeErased, nil
}

func (w *work) delete(d *pb.Document) {
	w.writes = append(w.writes, &pb.Write{Operation: &pb.Write_Delete{Delete: d.Name}, CurrentDocument: unchanged(d)})
}

// unchanged has the server refuse a write of a document that is not as it was read.
func unchanged(d *pb.Document) *pb.Precondition {
	return &pb.Precondition{ConditionType: &pb.Precondition_UpdateTime{UpdateTime: d.UpdateTime}}
}
