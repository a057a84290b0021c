package run

import (
	"context"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
)

// Bounds of comparing stores with the map.
const (
	mostPlaces = 2_000 // of one store
	mostNamed  = 100   // of those that nobody has mapped: enough to begin with
)

// drift is what the map does not know.
type drift struct {
	names   []string
	missing int64
	lost    []request.Open // entries of the job in stores that do not say what they hold
}

// places compares what all stores hold with the map. A store that does not answer concerns the requests that need it.
func (e *Engine) places(ctx context.Context, j Job, of []step, phase string, until time.Time) (d drift, done bool, err error) {
	var stores []step
	for i, url := range e.Map.Stores() {
		id := "store" + strconv.Itoa(i)
		stores = append(stores, step{Step: datamap.Step{ID: id, Entry: &datamap.Entry{ID: id}, Reader: url, Store: url}})
	}
	for i, url := range e.Map.Around() {
		if id := "around" + strconv.Itoa(i); e.Lister != nil {
			stores = append(stores, step{Step: datamap.Step{ID: id, Entry: &datamap.Entry{ID: id}, Store: url}})
		}
	}
	w := &walk{Engine: e, job: j, phase: "places." + phase, until: until, patience: fewTries}
	w.page = func(ctx context.Context, s *step, t *task, p *position) error {
		names, err := w.unmapped(ctx, s)
		if err != nil {
			return err
		}
		t.Count.Left, t.Done, p.Names = int64(len(names)), true, names[:min(len(names), mostNamed)]
		return nil
	}
	all, done, err := w.walk(ctx, stores)
	if err != nil || !done {
		return d, false, err
	}
	for i, t := range all {
		d.missing += t.Count.Left
		at := slices.IndexFunc(of, func(s step) bool { return s.Reader == stores[i].Reader })
		if stores[i].Reader == "" && e.Map.Strict {
			at = min(0, len(of)-1) // whose data lies in a store that nobody sees is not known
		}
		if t.Why != "" && at >= 0 {
			d.lost = append(d.lost, request.Open{Entry: of[at].Entry.ID, Why: "places_" + t.Why})
		}
		p, err := w.position(ctx, t)
		if err != nil {
			return d, false, err
		}
		d.names = append(d.names, p.Names...)
	}
	slices.Sort(d.names)
	d.names = d.names[:min(len(d.names), mostNamed)]
	return d, true, nil
}

// unmapped are the places of a store that nobody has mapped, or the stores themselves.
func (w *walk) unmapped(ctx context.Context, s *step) ([]string, error) {
	if s.Reader == "" {
		lister, err := w.Lister(ctx, s.Store)
		if err != nil {
			return nil, err
		}
		stores, err := lister.Stores(ctx, mostPlaces)
		return w.Map.Strange(stores, w.Clock.Now()), err
	}
	reader, err := w.Reader(ctx, s.Reader)
	if err != nil {
		return nil, err
	}
	places, err := reader.Places(ctx, mostPlaces)
	w.Pace.Spent(s.Store, len(places))
	return w.Map.Unmapped(map[string][]string{s.Reader: places}), err
}

// share returns how much of its tenant's items a plan would erase, in percent, where that decides whether a person has
// to look. It reads no more than needed to tell that it is less than the limit, which it then answers with 0. What cannot
// be counted, or only by reading what others have there too, is not: the share is the larger for it.
func (e *Engine) share(ctx context.Context, j Job, p Plan, until time.Time) (percent int, done bool, err error) {
	limit, items := int64(e.Map.Limits.TenantPercent), p.Summary("").Items
	if j.Scope == Account || limit == 0 || items == 0 || items > int64(e.Map.Limits.AutoApproveItems) {
		return 0, true, nil
	}
	base, err := e.Map.Close(j.Tenant)
	if err != nil {
		return 0, false, err
	}
	var steps []step
	for _, s := range base {
		if !s.Scans {
			s.Within = nil
			steps = append(steps, step{Step: s})
		}
	}
	w := &walk{Engine: e, job: j, phase: "share", until: until, patience: 1}
	w.page = w.tally(func(seen int64) bool { return seen*limit >= items*100 })
	all, done, err := w.walk(ctx, steps)
	if err != nil || !done {
		return 0, false, err
	}
	sum := int64(0)
	for _, t := range all {
		sum += t.Count.Found
	}
	if sum*limit >= items*100 {
		return 0, true, nil
	}
	return int((items*100 + sum - 1) / max(sum, 1)), true, nil
}

// tally counts the tenant's items until there are enough.
func (w *walk) tally(enough func(seen int64) bool) func(context.Context, *step, *task, *position) error {
	seen := map[string]int64{}
	return func(ctx context.Context, s *step, t *task, at *position) error {
		seen[s.ID] = t.Count.Found
		sum := int64(0)
		for _, n := range seen {
			sum += n
		}
		if t.Done = enough(sum); t.Done {
			return nil
		}
		reader, err := w.Reader(ctx, s.Reader)
		if err != nil {
			return err
		}
		page, err := reader.Find(ctx, s.Query, at.Cursor, erasure.MaxPage)
		if err != nil {
			return err
		}
		w.Pace.Spent(s.Store, len(page.Items))
		for _, i := range page.Items {
			if ours(s.Query, i) {
				t.Count.Found++
			}
		}
		seen[s.ID] = t.Count.Found
		at.Cursor, t.Done = page.Next, page.Next == ""
		return nil
	}
}
