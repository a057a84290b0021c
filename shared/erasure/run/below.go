package run

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// What is added to a step's id for names that are kept of its items.
const (
	below = "+" // of deleted documents below which something may be written later
	alike = "*" // of anonymised ones, which nothing recognises any more, to see whether they stand alone
)

// list is some names of items, at most erasure.MaxValues: as many as one query takes.
type list struct {
	V       int           `json:"v"`
	Request string        `json:"request"`
	List    string        `json:"list"` // the request and the step
	Names   seal.Envelope `json:"names"`
}

// firestore says that something may lie below what is not there.
func (s *step) firestore() bool { return strings.HasPrefix(s.Store, "firestore://") }

// watched reports whether something may come late below items that are deleted, where nobody would find it: of a whole
// tenant's path everything is found, at any depth.
func (s *step) watched() bool {
	if s.Query.Match.Kind == erasure.MatchTenant && s.Query.Tenant.Binding == erasure.BindPath {
		return false
	}
	return s.Query.Descend && s.Query.Action == erasure.ActionDelete && !s.Query.TakesOut() && s.firestore() && !s.names
}

// unlinked reports whether anonymising an item takes away what it is recognised by.
func (s *step) unlinked() bool {
	return slices.ContainsFunc(s.Query.Changes, func(c erasure.Change) bool { return overlap(c.Field, s.Query.Match.Field) })
}

// remember returns the lists to be kept of a page that is about to be erased, by id.
func (w *walk) remember(s *step, t task, items []erasure.Item) (all []kept, err error) {
	if all, err = w.list(s.ID+added, t, sums(items)); err != nil {
		return nil, err
	}
	var names []string
	for _, i := range items {
		names = append(names, i.Ref)
	}
	var more []kept
	switch {
	case s.watched():
		more, err = w.list(s.ID+below, t, names)
	case s.Query.Action == erasure.ActionAnonymise && s.Entry.Group != nil && s.unlinked():
		more, err = w.list(s.ID+alike, t, names)
	}
	return append(all, more...), err
}

// list makes lists of names, by id.
func (w *walk) list(of string, t task, names []string) (all []kept, err error) {
	id := w.job.Request + "." + of
	for part := range slices.Chunk(names, erasure.MaxValues) {
		plain, err := json.Marshal(part)
		if err != nil {
			return nil, fault.New(fault.Invalid, "keeping names: %w", err)
		}
		sealed, err := w.lists.Seal(w.Random, plain)
		seal.Wipe(plain)
		if err != nil {
			return nil, err
		}
		key := fmt.Sprintf("%s.%06d.%012d.%d", id, w.job.Round, t.Count.Found, len(all))
		all = append(all, kept{key, list{V: version, Request: w.job.Request, List: id, Names: sealed}})
	}
	return all, nil
}

// kept is a document that is written with the progress of a walk.
type kept struct {
	id  string
	doc any
}

// listed returns the list of a step behind another; none at the end.
func (e *Engine) listed(ctx context.Context, j Job, of, after string) (names []string, id string, err error) {
	q := store.Query{Collection: jobs, Equal: []store.Field{{Name: "list", Value: j.Request + "." + of}}, Limit: 1}
	if after != "" {
		q.After = &store.Cursor{ID: after}
	}
	docs, err := e.Store.Query(ctx, q)
	all, err := store.Find[list](docs, err)
	if err != nil || len(all) == 0 {
		return nil, "", err
	}
	plain, err := seal.Open(ctx, e.Keys, all[0].Names, e.bound(j, "names"))
	if err != nil {
		return nil, "", err
	}
	defer seal.Wipe(plain)
	if err := json.Unmarshal(plain, &names); err != nil {
		return nil, "", fault.New(fault.Invalid, "reading names: not what was kept")
	}
	return names, docs[0].ID, nil
}

// below finds the deleted documents of one list below which there is something again. What stands in their place is for
// other steps to find.
func (w *walk) below(ctx context.Context, from erasure.Reader, s *step, cursor string) (f found, err error) {
	names, id, err := w.listed(ctx, w.job, s.ID, cursor)
	if err != nil || len(names) == 0 {
		return f, err
	}
	q := s.Query
	q.Match, q.Not = erasure.Match{Kind: erasure.MatchRef, Values: names}, nil
	page, err := from.Find(ctx, q, "", erasure.MaxPage)
	if err != nil {
		return f, err
	}
	for _, i := range page.Items {
		if i.Version == "" && (i.Tenant == "" || ours(q, i)) {
			i.Tenant = q.Tenant.ID // it was, and a document that is not there tells nothing
			f.Items = append(f.Items, i)
		}
	}
	f.Next = id
	return f, nil
}

// named is a query for items by their names alone.
func named(q erasure.Query, items []erasure.Item) erasure.Query {
	q.Match = erasure.Match{Kind: erasure.MatchRef}
	for _, i := range items {
		q.Match.Values = append(q.Match.Values, i.Ref)
	}
	return q
}

// small reports whether anonymised items of a step stand alone: fewer than the map asks for are like them, or have part in a
// total. Those that nothing leads to any more were kept by name; of a store that finds nothing by that nobody can tell that
// they do not.
func (w *walk) small(ctx context.Context, from erasure.Reader, s *step) (bool, error) {
	g := s.Entry.Group
	if s.Query.Action != erasure.ActionAnonymise || s.Entry.Retain != nil {
		return false, nil
	}
	if few, err := w.few(ctx, from, s); g == nil || few || err != nil {
		return few, err
	}
	if !s.unlinked() {
		n, err := from.Group(ctx, s.Query, g.Fields)
		return n > 0 && n < g.Min, err
	}
	for id := ""; ; {
		names, next, err := w.listed(ctx, w.job, s.ID+alike, id)
		if err != nil || len(names) == 0 {
			return false, err
		}
		q := s.Query
		q.Match, q.Not = erasure.Match{Kind: erasure.MatchRef, Values: names}, nil
		n, err := from.Group(ctx, q, g.Fields)
		switch {
		case fault.Is(err, fault.Invalid):
			return w.anonymised(ctx, s)
		case err != nil || n > 0 && n < g.Min:
			return err == nil, err
		}
		id = next
	}
}

// anonymised reports whether items of a step have been.
func (w *walk) anonymised(ctx context.Context, s *step) (any bool, err error) {
	err = w.history(ctx, w.job.Request, func(_ string, t task) {
		any = any || t.Phase == erasing && t.Entry == s.Entry.ID && t.Count.Anonymised > 0
	})
	return any, err
}
