package scan

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/coverage"
	"ostiary.internal/shared/drift/people"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// known is what one process knows of what there is: a whole scan, with what was read by itself since.
type known struct {
	head    head
	live    *asset.Inventory
	blinds  []blind
	kinds   map[string]bool      // types of which something was listed
	places  []string             // that were to be listed
	clouds  bool                 // a place of Google Cloud was listed, which tells of every type
	behind  map[string]*waiting  // by key: what changed so shortly before the list that it may not tell of it, or since, and was not read
	good    map[string]time.Time // when an asset was in order last, by key
	streams map[string]bool      // whether the log of a service arrives, by project and service; found when it is asked for
	after   int64                // microseconds: changes stored before are in it
	at      time.Time            // what was stored before is in it
	news    bool                 // something came since everything was judged
}

// blind is a place in which nobody can tell.
type blind struct {
	place  string
	what   string
	kinds  map[string]bool // nil: of all
	partly bool            // what was read is known all the same
	read   time.Time       // the list; what is older was not in it
	why    string
}

// directory is the place where accounts of people are listed.
const directory = people.Scope

// apart reports whether a place holds facts of one sort alone, and nothing of Google Cloud lies in it.
func apart(place string) bool { return place == directory || place == self.WaitingPlace }

// waiting is an asset that has to be read by itself.
type waiting struct {
	kind string
	why  string    // nobody can tell about it before; "" where nobody can all the same, since it was not listed
	due  time.Time // when it is tried again
	wait time.Duration
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
	k := &known{head: h, live: asset.NewInventory(), good: map[string]time.Time{}, behind: map[string]*waiting{}, news: true, kinds: map[string]bool{}, streams: map[string]bool{}}
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
		k.blinds = append(k.blinds, blinded(one)...)
		k.places, k.clouds = append(k.places, one.Place), k.clouds || cloud(one.Place)
		for kind := range one.Kinds {
			k.kinds[kind] = true
		}
	}
	k.live.Settle()
	return k, nil
}

// blinded are the blinds of a lane: types it names as not read, or all of them where it names none.
func blinded(l lane) (all []blind) {
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
	if len(l.Dim) == 0 {
		return all
	}
	unread := blind{place: l.Place, what: l.What, partly: true, read: l.Read, why: "unread"}
	if !l.dark() {
		unread.kinds = map[string]bool{}
		for _, kind := range l.Dim {
			unread.kinds[kind] = true
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
func (l lane) dark() bool { return slices.Contains(l.Dim, "") }

// overlay adds what was read by itself since the scan began. What was read before, and no list holds any more, is gone.
func (s *Service) overlay(ctx context.Context, k *known) error {
	from := max(k.after-overlap.Microseconds(), k.head.WholeBegan.Add(-Lag).UnixMicro(), 0)
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
			if err := k.lay(c); err != nil {
				return err
			}
		}
		if len(docs) < q.Limit {
			return nil
		}
	}
}

// lay adds what was read by itself since the list began. What is known to have changed so shortly before that the list may not
// tell of it, or could not be read since, waits to be read.
func (k *known) lay(c change) error {
	told := c.Told >= k.head.WholeBegan.Add(-Lag).UnixMicro()
	if c.At >= k.head.WholeBegan.UnixMicro() && len(c.Data) > 0 {
		if err := unpack(c.Data, func(a asset.Asset) { k.add(a, c.Good) }); err != nil {
			return err
		}
	}
	key := k.live.Names().Key(c.Type, c.Key)
	_, blind := k.unseen(c.Type, key)
	switch waits := k.behind[key]; {
	case c.Failed == "" && c.At >= k.head.WholeBegan.UnixMicro() || !told && !blind:
		delete(k.behind, key)
	case waits == nil && !told:
		k.behind[key] = &waiting{kind: c.Type}
	case waits == nil && c.Failed == "":
		k.behind[key] = &waiting{kind: c.Type, why: "behind"}
	case waits == nil:
		k.behind[key] = &waiting{kind: c.Type, why: string(c.Failed)}
	}
	return nil
}

// add adds what was read by itself.
func (k *known) add(a asset.Asset, good time.Time) {
	a.Key, a.Project = k.live.Names().Key(a.Type, a.Key), k.live.Names().ID(a.Project)
	if !good.IsZero() {
		k.good[a.Key] = good
	}
	delete(k.behind, a.Key)
	// What is read by itself does not say what its project lies in; the list did.
	if p, there := k.live.Get(projectType, "projects/"+a.Project); there && len(a.Ancestors) == 0 && a.Project != "" {
		a.Ancestors = p.Ancestors
	}
	k.live.Add(a)
	if a.Type == coverage.Type || a.Type == projectType {
		clear(k.streams)
	}
	if strings.HasSuffix(a.Type, "/Project") {
		k.live.Settle()
	}
}

// unseen reports whether nobody can tell about an asset of a type: what there is in its place, or of its type, was not
// listed, and it was not read by itself since.
func (k *known) unseen(kind, key string) (why string, is bool) {
	if waits := k.behind[key]; waits != nil && waits.why != "" {
		return waits.why, true
	}
	a, there := k.live.Get(kind, key)
	if there && k.stale(a) {
		return "stale", true
	}
	for _, b := range k.blinds {
		if b.kinds != nil && kind != "" && !b.kinds[kind] {
			continue
		}
		if b.about(kind, key, a) && !(there && (b.partly && told(a, b.what) && !asOf(a, b.what).Before(b.read) || k.fresh(a, b.what))) {
			return b.place + ": " + b.why, true
		}
	}
	return "", false
}

// stale reports whether what was read of an asset says nothing of now: whoever exports it, or lists it, has stopped.
func (k *known) stale(a *asset.Asset) bool {
	past := k.at.Add(-Stale)
	return !a.Deleted && (a.Data != nil && a.Read.Before(past) || a.IAM != nil && a.IAM.Read.Before(past))
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
	return !asOf(a, what).Before(k.head.WholeBegan)
}

// asOf is when a kind of fact about an asset was true; zero where it was not read.
func asOf(a *asset.Asset, what string) time.Time {
	switch {
	case what != string(asset.Policies) || a.Deleted:
		return a.Read
	case a.IAM == nil:
		return time.Time{}
	}
	return a.IAM.Read
}

// about reports whether an asset may lie in the place. Of what is not known and does not say where it lies nobody can tell.
func (b blind) about(kind, key string, a *asset.Asset) bool {
	if apart(b.place) || kind != "" && !google(kind) {
		return kind != "" && !google(kind) && (kind == self.Waiting) == (b.place == self.WaitingPlace) && (apart(b.place) || !cloud(b.place))
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

// read reports whether all assets of a type were listed, if there are any.
func (k *known) read(kind string, listed []string) bool { return k.lists(kind, "", listed) }

// partly reports whether a list says that it holds not all assets of a type.
func (k *known) partly(kind string) bool {
	return slices.ContainsFunc(k.blinds, func(b blind) bool { return b.partly && b.kinds[kind] })
}
