package scan

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/people"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// known is what one process knows of what there is: a whole scan, with what was read by itself since.
type known struct {
	head   head
	live   *asset.Inventory
	blinds []blind
	kinds  map[string]bool      // types of which something was listed
	clouds bool                 // a place of Google Cloud was listed, which tells of every type
	behind map[string]bool      // keys of what was read by itself so shortly before the list that it may not tell of it, and not since
	good   map[string]time.Time // when an asset was in order last, by key
	after  int64                // microseconds: changes stored before are in it
	at     time.Time            // what was stored before is in it
	news   bool                 // something came since everything was judged
}

// blind is a place in which nobody can tell.
type blind struct {
	place  string
	what   string
	kinds  map[string]bool // nil: of all
	partly bool            // what was read is known all the same
	why    string
}

// overlap is by how much clocks of processes may differ.
const overlap = 2 * time.Minute

// learn brings what is known up to date. It is called with the lock.
func (s *Service) learn(ctx context.Context) (*known, error) {
	now := s.Clock.Now().UTC()
	var h head
	if err := s.Store.Get(ctx, scans, headID, &h); err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	if !h.WholeBegan.IsZero() && !now.Before(h.WholeBegan.Add(kept)) {
		h.Whole, h.WholeLanes = 0, 0 // what it read is kept no longer: nobody can tell before the next one is done
	}
	if s.known == nil || s.known.head.Whole != h.Whole {
		s.known = nil // two of them need not fit into memory
		k, err := s.load(ctx, h)
		if err != nil {
			return nil, err
		}
		s.known = k
	}
	k := s.known
	k.head = h
	if err := s.overlay(ctx, k); err != nil {
		return nil, err
	}
	k.at = now
	return k, nil
}

// load reads the scan that was whole last.
func (s *Service) load(ctx context.Context, h head) (*known, error) {
	k := &known{head: h, live: asset.NewInventory(), good: map[string]time.Time{}, behind: map[string]bool{}, news: true, kinds: map[string]bool{}}
	for i := range h.WholeLanes {
		var one lane
		if err := s.Store.Get(ctx, scans, laneID(h.Whole, i), &one); err != nil {
			return nil, err
		}
		for _, p := range one.Old {
			if _, err := s.chunks(ctx, p, func(a asset.Asset) {
				if len(p.Only) == 0 || slices.Contains(p.Only, a.Type) {
					k.live.Add(a)
				}
			}); err != nil {
				return nil, err
			}
		}
		whole, err := s.chunks(ctx, part{Scan: h.Whole, Lane: i, Chunks: one.Chunks}, k.live.Add)
		switch {
		case err != nil:
			return nil, err
		case !whole:
			one.Failed = fault.NotFound
		}
		k.blinds = append(k.blinds, blinded(one, s.listed)...)
		k.clouds = k.clouds || cloud(one.Place)
		for kind := range one.Kinds {
			k.kinds[kind] = true
		}
	}
	k.live.Settle()
	return k, nil
}

// blinded are the blinds of a lane: types it names as not read, or all of them where it names none.
func blinded(l lane, listed []string) (all []blind) {
	if l.Failed != "" {
		return []blind{{place: l.Place, what: l.What, why: string(l.Failed)}}
	}
	if len(l.Lost) > 0 {
		lost := map[string]bool{}
		for kind := range l.Lost {
			lost[kind] = true
		}
		all = append(all, blind{place: l.Place, what: l.What, kinds: lost, why: "lost"})
	}
	if len(l.Unread) == 0 {
		return all
	}
	unread := blind{place: l.Place, what: l.What, partly: true, why: "unread"}
	if !l.dark(listed) {
		unread.kinds = map[string]bool{}
		for _, line := range l.Unread {
			unread.kinds[named(line)] = true
		}
	}
	return append(all, unread)
}

// named is the type a line of what could not be read begins with; "" for none.
func named(line string) string {
	kind, _, _ := strings.Cut(line, ": ")
	return kind
}

// dark reports whether some could not be read and nobody knows of which type.
func (l lane) dark(listed []string) bool {
	return slices.ContainsFunc(l.Unread, func(line string) bool { return !slices.Contains(listed, named(line)) })
}

// overlay adds what was read by itself since the scan began. What was read before, and no list holds any more, is gone.
func (s *Service) overlay(ctx context.Context, k *known) error {
	from := max(k.after-overlap.Microseconds(), 0)
	q := store.Query{Collection: changes, Range: &store.Range{Name: "at", From: from}, Limit: 100}
	for {
		docs, err := s.Store.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, d := range docs {
			var c change
			if err := d.Decode(&c); err != nil {
				return err
			}
			q.After = &store.Cursor{Value: c.At, ID: d.ID}
			if c.At > k.after {
				k.news, k.after = true, c.At
			}
			take := func(a asset.Asset) { k.add(a, c.Good) }
			switch {
			case c.At < k.head.WholeBegan.Add(-Lag).UnixMicro():
				continue
			case c.At < k.head.WholeBegan.UnixMicro():
				take = func(a asset.Asset) { k.behind[k.live.Names().Key(a.Type, a.Key)] = true }
			}
			if err := unpack(c.Data, take); err != nil {
				return err
			}
		}
		if len(docs) < q.Limit {
			return nil
		}
	}
}

// add adds what was read by itself.
func (k *known) add(a asset.Asset, good time.Time) {
	a.Key, a.Project = k.live.Names().Key(a.Type, a.Key), k.live.Names().ID(a.Project)
	if !good.IsZero() {
		k.good[a.Key] = good
	}
	delete(k.behind, a.Key)
	k.live.Add(a)
	if strings.HasSuffix(a.Type, "/Project") {
		k.live.Settle()
	}
}

// unseen reports whether nobody can tell about an asset of a type: what there is in its place, or of its type, was not
// listed, and it was not read by itself since.
func (k *known) unseen(kind, key string) (why string, is bool) {
	if k.behind[key] {
		return "behind", true
	}
	a, there := k.live.Get(kind, key)
	for _, b := range k.blinds {
		if b.kinds != nil && kind != "" && !b.kinds[kind] {
			continue
		}
		if b.about(kind, key, a) && !(there && (b.partly && told(a, b.what) || k.fresh(a, b.what))) {
			return b.place + ": " + b.why, true
		}
	}
	return "", false
}

// told reports whether a kind of fact about an asset was read at all.
func told(a *asset.Asset, what string) bool {
	if what == string(asset.Policies) {
		return a.Deleted || a.IAM != nil
	}
	return a.Deleted || a.Data != nil
}

// fresh reports whether a kind of fact about an asset was read since the scan began.
func (k *known) fresh(a *asset.Asset, what string) bool {
	if what == string(asset.Policies) && !a.Deleted {
		return a.IAM != nil && !a.IAM.Read.Before(k.head.WholeBegan)
	}
	return !a.Read.Before(k.head.WholeBegan)
}

// about reports whether an asset may lie in the place. Of what is not known and does not say where it lies nobody can tell.
func (b blind) about(kind, key string, a *asset.Asset) bool {
	if b.place == people.Scope || kind != "" && !google(kind) {
		return kind != "" && !google(kind) && (b.place == people.Scope || !cloud(b.place))
	}
	project := asset.ProjectOf(key)
	if a != nil && a.Project != "" {
		project = a.Project
	}
	id, of := strings.CutPrefix(b.place, "projects/")
	switch {
	case of && project != "":
		return project == id
	case of || !cloud(b.place) || a == nil || len(a.Ancestors) == 0:
		return true
	}
	return slices.Contains(a.Ancestors, b.place)
}

// read reports whether all assets of a type were listed, if there are any. Where no list is bound to tell of every type, of one of
// which it tells nothing nobody knows.
func (k *known) read(kind string, listed []string) bool {
	if k.head.Whole == 0 || !slices.Contains(listed, kind) || !k.kinds[kind] && !(k.clouds && google(kind)) {
		return false
	}
	return !slices.ContainsFunc(k.blinds, func(b blind) bool {
		return b.about(kind, "", nil) && (b.kinds == nil || b.kinds[kind])
	})
}
