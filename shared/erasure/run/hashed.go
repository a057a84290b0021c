package run

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
)

// Hashed is an identifier of which a digest alone is known.
type Hashed struct {
	Kind   string // as the data map names it
	Format opendsr.Format
	Digest string // in hexadecimal digits
}

const hashing = "hash."

// whose is what digests stand for.
type whose struct {
	ids  []datamap.Identifier
	lost []request.Open // entries that cannot be read so, or tell more than one person: somebody has to look
	read asking         // which were read to the end
}

// unhash returns whose digests a job's are: it reads all values of their kinds in the tenant, and in no other. Not done, it is
// called again.
func (e *Engine) unhash(ctx context.Context, j Job, phase string, until time.Time) (of whose, done bool, err error) {
	var steps []step
	many := map[string]bool{}
	for _, kind := range kindsOf(j.Hashed) {
		places, dark, err := e.Map.Listings(j.Tenant, kind)
		if err != nil {
			return of, false, err
		}
		for _, p := range places {
			id := strings.Join([]string{p.Entry.ID, kind, p.Field}, ".")
			s := step{Step: datamap.Step{ID: id, Kind: kind, Entry: p.Entry, Reader: p.Reader, Store: p.Reader, Query: p.Query}}
			if many[id] = p.Many; p.Field != "" {
				s.Query.Show = []string{p.Field}
			}
			steps = append(steps, s)
		}
		for _, id := range dark {
			of.lost = append(of.lost, request.Open{Entry: id, Why: notAsked})
		}
	}
	w := &walk{Engine: e, job: j, phase: hashing + phase, until: until, patience: fewTries}
	w.page = func(ctx context.Context, s *step, t *task, p *position) error {
		return w.compare(ctx, s, many[s.ID], t, p)
	}
	all, done, err := w.walk(ctx, steps)
	if err != nil || !done {
		return of, false, err
	}
	told := map[Hashed][]string{}
	for i, t := range all {
		p, err := w.position(ctx, t)
		if err != nil {
			return of, false, err
		}
		walked := missed{Entry: t.Entry, Kind: hashing + steps[i].Kind}
		if t.Why == "" {
			of.read.answered = append(of.read.answered, walked)
		} else {
			walked.Why = notAsked
			of.read.not = append(of.read.not, walked)
		}
		for _, value := range p.Names {
			for _, h := range matching(j.Hashed, steps[i].Kind, value) {
				if !slices.Contains(told[h], value) {
					told[h] = append(told[h], value)
				}
				if e.doubtful(told[h], h.Kind) {
					of.lost = append(of.lost, request.Open{Entry: t.Entry, Why: notAsked})
				}
			}
		}
	}
	for _, h := range j.Hashed {
		if values := told[h]; !e.doubtful(values, h.Kind) {
			for _, value := range values {
				of.ids = append(of.ids, datamap.Identifier{Kind: h.Kind, Value: value, Verified: true})
			}
		}
	}
	of.ids, of.lost = union(of.ids, nil), distinct(of.lost)
	return of, true, nil
}

// compare goes through one page of the values of a kind. Those that match are kept, sealed, with the place of the walk.
func (w *walk) compare(ctx context.Context, s *step, many bool, t *task, p *position) error {
	reader, err := w.Reader(ctx, s.Reader)
	if err != nil {
		return err
	}
	page, err := reader.Find(ctx, s.Query, p.Cursor, erasure.MaxPage)
	if err != nil {
		return err
	}
	w.Pace.Spent(s.Store, len(page.Items))
	values, err := valuesOf(ctx, reader, s.Query, many, page.Items)
	if err != nil {
		return err
	}
	names := slices.Clone(p.Names)
	for _, value := range values {
		if !slices.Contains(names, value) && len(matching(w.job.Hashed, s.Kind, value)) > 0 {
			names = append(names, value)
		}
	}
	if len(names) > erasure.MaxValues {
		return fault.New(fault.Invalid, "looking for whom a digest stands: more than %d values have it", erasure.MaxValues)
	}
	p.Names, p.Cursor, t.Done = names, page.Next, page.Next == ""
	return nil
}

// atOnce is of how many items lists are read together.
const atOnce = 20

// valuesOf returns what the tenant's items of a page are recognised by: what their one shown field holds, or their names.
func valuesOf(ctx context.Context, from erasure.Reader, q erasure.Query, many bool, items []erasure.Item) (values []string, err error) {
	var refs []string
	for _, i := range items {
		name, _, deep := strings.Cut(nameIn(q.Place, i.Ref), "/")
		switch {
		case !ours(q, i) || deep && len(q.Show) > 0: // another's, or of what lies below
		case many:
			refs = append(refs, i.Ref)
		case len(q.Show) > 0 && (i.Shown[q.Show[0]] != "" || q.Show[0] != datamap.NameField):
			values = append(values, i.Shown[q.Show[0]])
		case name == "":
			return nil, fault.New(fault.Invalid, "looking for whom a digest stands: an item of entry %q has no name in its place", q.Entry)
		default: // also of what lies below an item that is gone
			values = append(values, name)
		}
	}
	for part := range slices.Chunk(refs, atOnce) {
		some, err := listed(ctx, from, q, part)
		if err != nil {
			return nil, err
		}
		values = append(values, some...)
	}
	return slices.DeleteFunc(values, func(v string) bool { return v == "" }), nil
}

// listed reads the lists of items: of each alone where all together are too long.
func listed(ctx context.Context, from erasure.Reader, q erasure.Query, refs []string) ([]string, error) {
	field := q.Show[0]
	q.Match, q.Show = erasure.Match{Kind: erasure.MatchRef, Values: refs}, nil
	all, err := from.Values(ctx, q, field, erasure.MaxValues)
	if !fault.Is(err, fault.Exhausted) {
		return all, err
	}
	if len(refs) == 1 {
		return nil, fault.New(fault.Invalid, "looking for whom a digest stands: a list of entry %q is too long to be read", q.Entry)
	}
	for _, ref := range refs {
		q.Show = []string{field}
		some, err := listed(ctx, from, q, []string{ref})
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// nameIn is what an item is called in its place, "" where the store's references do not say so.
func nameIn(place, ref string) string {
	for _, separator := range []string{"/", "#"} { // of Firestore, and of the sample data that stands for it
		if name, said := strings.CutPrefix(ref, place+separator); said {
			return name
		}
	}
	return ""
}

// doubtful reports whether values of one digest may be of several people: an address is one's in capitals too, an id is not.
// What guards would have stopped as it stands is for a person as well.
func (e *Engine) doubtful(values []string, kind string) bool {
	k, _ := e.Map.Kind(kind)
	return k.Normalise != datamap.AsEmail && len(values) > 1 || slices.ContainsFunc(values, func(v string) bool {
		return datamap.Shared(v) || datamap.Guard(v, "") != nil
	})
}

func matching(all []Hashed, kind, value string) (some []Hashed) {
	for _, h := range all {
		if h.Kind == kind && h.Format.Tells(h.Digest, value) {
			some = append(some, h)
		}
	}
	return some
}

func kindsOf(all []Hashed) (kinds []string) {
	for _, h := range all {
		if !slices.Contains(kinds, h.Kind) {
			kinds = append(kinds, h.Kind)
		}
	}
	return kinds
}

func distinct(all []request.Open) (some []request.Open) {
	for _, o := range all {
		if !slices.Contains(some, o) {
			some = append(some, o)
		}
	}
	return some
}

// literal are the digests themselves as identifiers: a store may hold them in the place of what they stand for.
func literal(all []Hashed) (ids []datamap.Identifier) {
	for _, h := range all {
		ids = append(ids, datamap.Identifier{Kind: h.Kind, Value: h.Digest, Verified: true})
	}
	return ids
}
