package scan

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// head says which scan is on, and which was whole last.
type head struct {
	V      int       `json:"v"`
	Number int64     `json:"number"` // of the newest scan
	Began  time.Time `json:"began,omitzero"`
	Lanes  int       `json:"lanes"`
	Wants  string    `json:"wants"` // digest of the places and types it lists
	Done   bool      `json:"done"`
	Partly bool      `json:"partly,omitempty"` // some of it could not be read

	Whole      int64     `json:"whole"` // number of the newest that is done; 0 for none
	WholeLanes int       `json:"whole_lanes"`
	WholeBegan time.Time `json:"whole_began,omitzero"`
	WholeEnded time.Time `json:"whole_ended,omitzero"`

	Fence int64 `json:"fence"` // of the lease
	Until int64 `json:"until"` // microseconds: when it ends
}

const headID = "head"

// lane is one part of a scan: the facts of one kind in one place.
type lane struct {
	V     int    `json:"v"`
	Place string `json:"place"` // scope of a source
	What  string `json:"what"`  // content

	Page   string         `json:"page,omitempty"`
	Chunks int            `json:"chunks"`
	Assets int            `json:"assets"`
	Kinds  map[string]int `json:"kinds,omitempty"`
	Unread []string       `json:"unread,omitempty"` // why some could not be read, at most asset.MaxUnread lines
	Dim    []string       `json:"dim,omitempty"`    // the types of all such lines, sorted; "" for those that name none
	Read   time.Time      `json:"read,omitzero"`    // when the first page of it was true
	Tries  int            `json:"tries,omitempty"`

	Done   bool                 `json:"done,omitempty"`
	Failed fault.Kind           `json:"failed,omitempty"` // why nothing can be said of it
	Lost   map[string]time.Time `json:"lost,omitempty"`   // types of which there was something before, and since when nothing
	Old    []part               `json:"old,omitempty"`    // what was known of what could not be read, the oldest first

	Expires time.Time `json:"expires"`
}

// part is what one scan stored of a lane.
type part struct {
	Scan   int64    `json:"scan"`
	Lane   int      `json:"lane"`
	Chunks int      `json:"chunks"`
	Only   []string `json:"only,omitempty"` // types; none: all
}

// listed are the types that have to be read.
func listed(set *baseline.Set, terraform, ours bool) []string {
	all := set.Types()
	if ours {
		all = append(all, self.Types()...)
	}
	if terraform {
		all = append(all, diff.Types()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// google reports whether a type is one of Google Cloud, and not of facts from elsewhere.
func google(kind string) bool {
	service, _, _ := strings.Cut(kind, "/")
	return strings.HasSuffix(service, ".googleapis.com")
}

// cloud reports whether a place is one of Google Cloud, where only its types can be asked for.
func cloud(place string) bool {
	return slices.ContainsFunc([]string{"organizations/", "folders/", "projects/"}, func(begin string) bool { return strings.HasPrefix(place, begin) })
}

// due reports whether a list of everything is to begin: once a day, sooner where some of it could not be read, and whenever
// something else is to be listed.
func (h head) due(now time.Time, wants string) bool {
	last := time.Date(now.Year(), now.Month(), now.Day(), Hour, 0, 0, 0, time.UTC)
	if now.Before(last) {
		last = last.AddDate(0, 0, -1)
	}
	return h.Number == 0 || h.Wants != wants || h.Began.Before(last) || h.Done && h.Partly && now.Sub(h.Began) >= sooner
}

// lister is one run of a scan.
type lister struct {
	*Service
	head  head
	lanes []lane
	// called: the next call waits.
	called bool
}

// List goes on with the scan that is on, or begins the one that is due, for a slice of time at most; true when one became
// whole. While another process does so it does nothing.
func (s *Service) List(ctx context.Context) (bool, error) {
	l := &lister{Service: s}
	if mine, err := l.take(ctx); err != nil || !mine {
		return false, err
	}
	done, err := l.slice(ctx)
	if fault.Is(err, fault.Conflict) {
		return false, nil // another process goes on with it
	}
	return done, err
}

func (l *lister) slice(ctx context.Context) (bool, error) {
	within, cancel := context.WithTimeout(ctx, Slice)
	defer cancel()
	for i := range l.lanes {
		if err := l.run(within, i); err != nil {
			return false, l.leave(ctx, err)
		}
	}
	if !slices.ContainsFunc(l.lanes, func(one lane) bool { return !one.Done }) {
		return true, l.finish(ctx)
	}
	return false, l.leave(ctx, nil)
}

// places are the parts of a scan, in the order in which they are listed.
func (s *Service) places() []lane {
	var all []lane
	for _, source := range s.Sources {
		for _, scope := range source.Scopes() {
			for _, what := range asset.Contents() {
				all = append(all, lane{V: version, Place: scope, What: string(what)})
			}
		}
	}
	return all
}

func wants(places []lane, kinds []string) string {
	var texts []string
	for _, l := range places {
		texts = append(texts, l.Place, l.What)
	}
	return digest(append(append(texts, ""), kinds...)...)
}

// take takes the lease, and begins a scan where one is due.
func (l *lister) take(ctx context.Context) (mine bool, err error) {
	now, places := l.Clock.Now().UTC(), l.places()
	want := wants(places, l.listed)
	err = l.Store.Tx(ctx, func(tx store.Tx) error {
		mine, l.head, l.lanes = false, head{}, nil
		if err := tx.Get(scans, headID, &l.head); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		h := &l.head
		begin := h.due(now, want)
		if now.UnixMicro() < h.Until || h.Done && !begin {
			return nil
		}
		if begin {
			h.Number, h.Began, h.Lanes, h.Wants, h.Done = h.Number+1, now, len(places), want, false
			l.lanes = places
		}
		for i := range h.Lanes {
			if begin {
				l.lanes[i].Expires = now.Add(kept)
				continue
			}
			var one lane
			if err := tx.Get(scans, laneID(h.Number, i), &one); err != nil {
				return err
			}
			l.lanes = append(l.lanes, one)
		}
		mine, h.V = true, version
		h.Fence, h.Until = h.Fence+1, now.Add(lease).UnixMicro()
		for i := range l.lanes {
			if begin {
				if err := tx.Put(scans, laneID(h.Number, i), l.lanes[i]); err != nil {
					return err
				}
			}
		}
		return tx.Put(scans, headID, *h)
	})
	return mine, err
}

// hold writes under the lease, and makes it longer where it ends soon. Conflict: it is another's by now.
func (l *lister) hold(ctx context.Context, write func(tx store.Tx, h *head) error) error {
	return l.Store.Tx(ctx, func(tx store.Tx) error {
		var h head
		if err := tx.Get(scans, headID, &h); err != nil {
			return err
		}
		if h.Fence != l.head.Fence {
			return fault.New(fault.Conflict, "listing what there is: another process does by now")
		}
		was := h
		if now := l.Clock.Now(); h.Until < now.Add(lease/2).UnixMicro() {
			h.Until = now.Add(lease).UnixMicro()
		}
		if err := write(tx, &h); err != nil {
			return err
		}
		if h == was {
			return nil
		}
		return tx.Put(scans, headID, h)
	})
}

// leave gives the lease back, so that the next run need not wait for its end.
func (l *lister) leave(ctx context.Context, why error) error {
	err := l.hold(context.WithoutCancel(ctx), func(_ store.Tx, h *head) error {
		h.Until = 0
		return nil
	})
	if why == nil && !fault.Is(err, fault.Conflict) {
		why = err
	}
	return why
}

// finish makes the scan the one that counts.
func (l *lister) finish(ctx context.Context) error {
	return l.hold(ctx, func(tx store.Tx, h *head) error {
		h.Done, h.Until = true, 0
		h.Partly = slices.ContainsFunc(l.lanes, func(one lane) bool { return one.Failed != "" || len(one.Lost) > 0 || one.dark() })
		h.Whole, h.WholeLanes, h.WholeBegan, h.WholeEnded = h.Number, h.Lanes, h.Began, l.Clock.Now().UTC()
		if !h.Partly {
			return noted(tx, h)
		}
		return nil
	})
}

// counted adds assets to what a lane counts.
func (l *lane) counted(all []asset.Asset) {
	l.Kinds = maps.Clone(l.Kinds)
	if l.Kinds == nil {
		l.Kinds = map[string]int{}
	}
	for _, a := range all {
		l.Kinds[a.Type]++
	}
	l.Assets += len(all)
}
