package run

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
)

// heldUnread is why an entry is left alone of which another request holds something that nobody can tell.
const heldUnread = "held_unread"

// party is by what another request finds its person. It outlives the records that told.
type party struct {
	IDs   []datamap.Identifier `json:"ids"`
	Asked []string             `json:"asked,omitempty"` // kinds of identifiers that stores were asked for
	Dark  bool                 `json:"dark,omitempty"`  // what leads to all of hers could not be read
}

// theirs is what another request holds, as one of its steps finds it.
type theirs struct {
	find    step
	request string
	nth     int // in order
	until   time.Time
	hold    *Hold
}

// parties looks up by what other requests find those of whom they hold something, and keeps what was known before. An error is
// worth another try.
func (e *Engine) parties(ctx context.Context, j Job, before map[string]party, tries int) (map[string]party, error) {
	all := map[string]party{}
	for _, b := range j.Beside {
		own, _, found, err := e.recall(ctx, b, b.Request)
		if err != nil && worthwhile(err, tries) {
			return nil, err
		}
		// Once the account's records began to go, what they told of whom nobody looked up before is gone as well.
		late := !found && !j.Executed.IsZero() && len(before[b.Request].IDs) == 0
		p := party{IDs: union(before[b.Request].IDs, union(own.IDs, b.IDs)), Asked: slices.Concat(before[b.Request].Asked, own.Asked), Dark: err != nil || late || len(own.Missed) > 0 || !found && len(b.Hashed) > 0}
		if len(p.IDs) == 0 {
			p.Dark = true
		} else if b.Executed.IsZero() {
			if p, err = e.derive(ctx, j, p, tries); err != nil {
				return nil, err
			}
		}
		all[b.Request] = p
	}
	return all, nil
}

// askBeside is parties for what is being looked up. What cannot be asked any more is left alone.
func (e *Engine) askBeside(ctx context.Context, j Job, k *known, tries int) (err error) {
	if k.Beside, err = e.parties(ctx, j, k.Beside, tries); err != nil {
		return fault.New(fault.Transient, "looking up of whom other requests hold something: %w", err)
	}
	return nil
}

// derive adds what records tell of a party.
func (e *Engine) derive(ctx context.Context, j Job, p party, tries int) (party, error) {
	var wait error
	ids, err := e.Map.Resolve(j.Tenant, p.IDs, func(l datamap.Lookup) ([]string, error) {
		values, _, err := e.values(ctx, l)
		switch {
		case err == nil:
			p.Asked = append(p.Asked, l.Kind)
			return values, nil
		case worthwhile(err, tries):
			wait = err
			return nil, err
		}
		p.Dark = true
		return nil, nil
	})
	if wait != nil {
		return p, wait
	}
	if p.Dark = p.Dark || err != nil; err == nil {
		p.IDs = ids
	}
	slices.Sort(p.Asked)
	p.Asked = slices.Compact(p.Asked)
	return p, nil
}

// besides leaves to a step of its own what another request holds in an entry, and keeps every other away from it.
func (e *Engine) besides(ctx context.Context, j Job, k known, all []step) (with []step) {
	now := e.Clock.Now()
	var held []*theirs
	for _, b := range j.Beside {
		found, read := e.theirs(ctx, b, k.Beside[b.Request], now)
		if !read {
			e.darken(b, all, now)
		}
		held = append(held, found...)
	}
	for i, h := range held {
		h.nth = i
	}
	for _, s := range all {
		for _, h := range held {
			if h.find.Entry.ID == s.Entry.ID && s.Query.Match.Kind == erasure.MatchTenant && !s.names && !s.dark {
				with = append(with, s.leaves(h, j, now))
			}
		}
		with = append(with, s)
	}
	for i := range with {
		s := &with[i]
		s.theirs = slices.DeleteFunc(slices.Clone(held), func(h *theirs) bool {
			return h.find.Reader != s.Reader || !e.Map.Touch(h.find.Entry.ID, s.Entry.ID) || s.mine != nil && h.request == s.mine.request
		})
	}
	return with
}

// theirs are the steps of another request that find what it holds; read is false where nobody can tell.
func (e *Engine) theirs(ctx context.Context, b Job, p party, now time.Time) (all []*theirs, read bool) {
	if p.Dark || len(p.IDs) == 0 {
		return nil, false
	}
	steps, err := e.steps(ctx, b, known{IDs: p.IDs})
	if err != nil {
		return nil, false
	}
	for _, s := range steps {
		if until := latest(s.held, s.part); !s.names && now.Before(until) {
			h := &theirs{find: s, request: b.Request, until: until}
			for i := range b.Holds {
				if b.Holds[i].Entry == s.Entry.ID && b.Holds[i].Until.Equal(until) {
					h.hold = &b.Holds[i]
				}
			}
			all = append(all, h)
		}
	}
	unasked := e.unasked(b, known{IDs: p.IDs, Asked: p.Asked})
	return all, !slices.ContainsFunc(b.Holds, func(h Hold) bool { return now.Before(h.Until) && slices.Contains(unasked, h.Entry) })
}

// darken leaves alone all steps that may take what another request holds, but nobody can tell which items these are.
func (e *Engine) darken(b Job, all []step, now time.Time) {
	for _, h := range b.Holds {
		for i := range all {
			all[i].dark = all[i].dark || now.Before(h.Until) && e.Map.Touch(all[i].Entry.ID, h.Entry)
		}
	}
}

// leaves is the step that has of an entry what another request holds: of items that lose fields alone, the others go.
func (s step) leaves(h *theirs, j Job, now time.Time) step {
	_, way, _ := strings.Cut(h.find.ID, ".")
	one := step{Step: s.Step, within: s.within, mine: h, before: h.find.before, late: h.find.late}
	one.ID = strings.TrimSuffix(s.ID+".held."+h.request+"."+way, ".")
	one.Kind, one.Scans = h.find.Kind, h.find.Scans
	q := &one.Query
	q.Match, q.Not, q.CreatedBefore, q.Except, q.Whose = h.find.Query.Match, h.find.Query.Not, h.find.Query.CreatedBefore, nil, ""
	for _, b := range j.Beside {
		if b.Request != h.request {
			continue
		}
		holds := slices.Concat(b.Holds, j.Holds)
		if field := q.Match.Field; !h.find.part.IsZero() && field != "" {
			// Without what the item is found by nobody would know any more that something of it is held.
			holds = append(holds, Hold{Entry: s.Entry.ID, Fields: []string{field}, Until: h.until})
		}
		one.hold(holds, now)
	}
	return one
}

// names are the items that another request holds, by name, and what they lie below.
type names struct{ are, above map[string]bool }

// aside asks the store of a step for what others hold there, again for each page as long as that is one question.
func (w *walk) aside(ctx context.Context, from erasure.Reader, s *step) error {
	if w.theirs == nil {
		w.theirs = map[*theirs]names{}
	}
	for _, h := range s.theirs {
		if old, is := w.theirs[h]; is && (len(old.are) >= erasure.MaxPage || h.find.Entry.ID != s.Entry.ID) {
			continue
		}
		n, err := w.named(ctx, from, h)
		if err != nil {
			return err
		}
		w.theirs[h] = n
	}
	return nil
}

func (w *walk) named(ctx context.Context, from erasure.Reader, h *theirs) (names, error) {
	n := names{map[string]bool{}, map[string]bool{}}
	for cursor := ""; ; {
		page, err := w.find(ctx, from, &h.find, cursor, erasure.MaxPage)
		if fault.Is(err, fault.NotFound) {
			return n, nil
		} else if err != nil {
			return n, err
		}
		w.Pace.Spent(h.find.Store, len(page.Items))
		for _, i := range page.Items {
			if made := page.at(i); !ours(h.find.Query, i) || !h.find.late && !h.find.before.IsZero() && !made.IsZero() && !made.Before(h.find.before) {
				continue
			}
			n.are[i.Ref] = true
			for ref := i.Ref; h.paths() && strings.Contains(ref, "/"); {
				ref = ref[:strings.LastIndexByte(ref, '/')]
				n.above[ref] = true
			}
		}
		if cursor = page.Next; cursor == "" {
			return n, nil
		}
	}
}

// paths reports whether the names of items tell what lies below what.
func (h *theirs) paths() bool { return strings.HasPrefix(h.find.Entry.Store, "firestore://") }

// under reports whether an item lies below one of the names.
func (n names) under(ref string) bool {
	for strings.Contains(ref, "/") {
		if ref = ref[:strings.LastIndexByte(ref, '/')]; n.are[ref] {
			return true
		}
	}
	return false
}

// verdict is judge for an item that another request may hold.
func (w *walk) verdict(s *step, item erasure.Item, made time.Time, c *Count) judgement {
	until, named := time.Time{}, true
	for _, h := range s.theirs {
		n := w.theirs[h]
		switch is := n.are[item.Ref]; {
		case !ours(s.Query, item):
		case is && s.mine == nil && s.Entry.ID == h.find.Entry.ID && s.Query.Match.Kind == erasure.MatchTenant, is && s.mine != nil && h.nth < s.mine.nth:
			return toSpare // a step of its own has it
		case is, h.paths() && h.find.Query.Descend && n.under(item.Ref), s.Query.Descend && n.above[item.Ref]:
			until, named = latest(until, h.until), named && h.paths()
		}
	}
	if until.IsZero() {
		return w.judge(s, item, made, c)
	}
	c.Found += item.Size()
	if named {
		c.Named++
	}
	return c.keep(latest(until, latest(s.held, s.part)))
}

// beside names what another request holds, by its ground and until its last day.
func (e *Engine) beside(o *request.Outcome, s step, c Count) {
	if s.mine == nil || c.Kept == 0 {
		return
	}
	day := func(t time.Time) calendar.Day { return calendar.Date(t.Add(-time.Nanosecond), e.Zone) }
	one := request.Kept{Entry: s.Entry.ID, Items: c.Kept, Ground: s.mine.hold.Ground, Citation: s.mine.hold.Citation, Until: day(c.Until), First: day(c.First)}
	at := slices.IndexFunc(o.Kept, func(k request.Kept) bool {
		k.Items = one.Items
		return k == one
	})
	if at >= 0 {
		o.Kept[at].Items += one.Items
		return
	}
	o.Kept = append(o.Kept, one)
}
