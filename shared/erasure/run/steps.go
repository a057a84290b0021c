package run

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
)

// step is a step of the data map as one job takes it.
type step struct {
	datamap.Step
	before time.Time // items made at or after it are somebody else's; zero for none
	doubt  bool      // so may be an item of which nobody knows when it was made
	late   bool      // they may be hers all the same: nobody has her address
	held   time.Time // whole items are held until then
	part   time.Time // fields of items are held until then; Query.Changes leaves them alone
	whole  bool      // fields are held that cannot be kept alone
	within bool      // its items lie inside those of another step
	shield *shield   // something inside has to stay
	// names says that the step looks below items it erased, by the names that were kept of them: what is written there
	// later is found by nothing else.
	names bool
	// What other requests hold: mine is what the step is for, theirs what it leaves alone, and dark says that nobody can tell.
	mine   *theirs
	theirs []*theirs
	dark   bool
}

// shield is why a step leaves its items alone.
type shield struct {
	entry string // inside
	hold  *Hold
	until time.Time
	open  bool // nobody can tell until when
}

// steps are the job's, in order.
func (e *Engine) steps(ctx context.Context, j Job, k known) ([]step, error) {
	base, err := e.base(j, k.IDs)
	if fault.Is(err, fault.Exhausted) {
		return nil, fault.New(fault.Invalid, "erasing: %w", err) // no other try has fewer
	} else if err != nil {
		return nil, err
	}
	inside := map[string]bool{}
	for _, s := range base {
		for _, id := range s.Within {
			inside[id] = true
		}
	}
	now := e.Clock.Now()
	var all []step
	for _, one := range base {
		if one.Global && !j.Global {
			continue
		}
		s := step{Step: one, within: inside[one.Entry.ID]}
		s.hold(j.Holds, now)
		all = append(all, s)
		if s.watched() && !j.Executed.IsZero() {
			s.ID += below
			s.names, s.Reusable = true, false
			all = append(all, s)
		}
	}
	e.spare(ctx, j, k.IDs, all)
	once(all)
	if j.Scope == Account && len(j.Beside) > 0 {
		all = e.besides(ctx, j, k, all)
	}
	return all, nil
}

// once leaves an item that an entry recognises in two ways to the first of them. Ways that differ in whose later items they
// spare leave each other nothing: what the one does not look at the other has to.
func once(steps []step) {
	for i := range steps {
		s := &steps[i]
		for _, first := range steps[:i] {
			same := first.before.Equal(s.before) && first.doubt == s.doubt && first.Query.CreatedBefore.Equal(s.Query.CreatedBefore)
			if first.Entry.ID == s.Entry.ID && same && !first.names && !s.names && s.Query.Match.Kind != erasure.MatchTenant {
				s.Query.Not = append(s.Query.Not, first.Query.Match)
			}
		}
	}
}

func (e *Engine) base(j Job, ids []datamap.Identifier) ([]datamap.Step, error) {
	switch j.Scope {
	case Account:
		if !j.Global {
			return e.Map.Close(j.Tenant)
		}
		return e.Map.CloseBy(j.Tenant, ids)
	case Instructed:
		return e.Map.Instruct(j.Tenant, ids)
	case Person:
		return e.Map.Compile(j.Tenant, ids)
	}
	return nil, fault.New(fault.Invalid, "erasing: a job of no known scope")
}

// hold keeps what is held: whole items, or of a change those fields.
func (s *step) hold(holds []Hold, now time.Time) {
	var fields []string
	for _, h := range holds {
		switch {
		case h.Entry != s.Entry.ID || !now.Before(h.Until):
		case len(h.Fields) == 0:
			s.held = latest(s.held, h.Until)
		default:
			fields, s.part = append(fields, h.Fields...), latest(s.part, h.Until)
		}
	}
	if len(fields) == 0 {
		return
	}
	var free []erasure.Change
	for _, c := range s.Query.Changes {
		if !slices.ContainsFunc(fields, func(f string) bool { return overlap(f, c.Field) }) {
			free = append(free, c)
		}
	}
	if s.Query.Action == erasure.ActionAnonymise && len(free) > 0 {
		s.Query.Changes = free
		return
	}
	// Of an item that is to go, nobody has said which fields there are beside those that are held.
	s.whole, s.held, s.part = true, latest(s.held, s.part), time.Time{}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// overlap reports whether one of two dotted paths is, or lies in, the other.
func overlap(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}

// back says who is there again.
type back struct {
	kinds map[string]bool // of reusable identifiers: somebody has one now, or nobody can tell
	self  bool            // she herself is, by an identifier that nobody else can have
	whole bool            // of an account: somebody is in it again
}

// known reports whether the directory knows somebody again, or could not be asked.
func (b back) known(m *datamap.Map) bool {
	return b.self || slices.ContainsFunc(m.Kinds, func(k datamap.Kind) bool { return k.Normalise == datamap.AsEmail && b.kinds[k.ID] })
}

// spare leaves to whoever came later what is hers. A reusable identifier finds nothing that was made since the first run;
// where the directory knows the person again, nor does any other; and where an account was closed in which somebody is again,
// nothing does. What was made since and tells nothing but an address that nobody has is for a person to look at.
func (e *Engine) spare(ctx context.Context, j Job, ids []datamap.Identifier, steps []step) {
	if j.Executed.IsZero() {
		return
	}
	b := e.returned(ctx, j, ids)
	for i := range steps {
		s := &steps[i]
		if s.Query.Match.Kind == erasure.MatchTenant && !s.names {
			if b.whole { // and not Query.CreatedBefore: of what lies below, the age is another
				s.before, s.doubt = j.Executed, true
			}
			continue
		}
		if s.names || !s.Reusable && !b.self {
			continue
		}
		s.before, s.doubt = j.Executed, b.self || b.kinds[s.Kind]
		// Whom a tenant answers for our directory does not know, be she there again or not.
		if s.late = !s.doubt && s.Entry.Role == datamap.Controller; !s.late && s.Query.CreatedField == s.Entry.Created {
			s.Query.CreatedBefore = j.Executed
		} // else the store tells how old what is retained is, and find looks for itself when it was made
	}
}

// returned asks the directory. Somebody of whom it cannot be told since when she is there counts as one who came later,
// and so does whoever cannot be asked about.
func (e *Engine) returned(ctx context.Context, j Job, ids []datamap.Identifier) back {
	b := back{kinds: map[string]bool{}}
	for _, id := range ids {
		kind, known := e.Map.Kind(id.Kind)
		if !known || !id.Verified || !kind.Reusable || b.kinds[kind.ID] {
			continue
		}
		b.kinds[kind.ID] = true
		if kind.Normalise != datamap.AsEmail {
			continue
		}
		if l, err := e.Map.OnFile(j.Tenant, id.Value); err == nil {
			b.kinds[kind.ID] = e.newer(ctx, l.Reader, l.Query, func(i erasure.Item) bool { return i.Created.IsZero() || !i.Created.Before(j.Executed) })
		}
	}
	if steps, err := e.Map.Close(j.Tenant); j.Scope == Account {
		for _, s := range steps {
			if err == nil && s.Entry.Directory {
				b.whole = b.whole || e.since(ctx, j, s)
			}
		}
	}
	steps, err := e.Map.Compile(j.Tenant, ids)
	for _, s := range steps {
		if err == nil && s.Entry.Directory && !s.Reusable && (!s.Global || j.Global) {
			b.self = b.self || e.since(ctx, j, s)
		}
	}
	return b
}

// since reports whether a step of the directory finds somebody who came after the first run, or nobody can tell.
func (e *Engine) since(ctx context.Context, j Job, s datamap.Step) bool {
	q := s.Query
	q.Action, q.Changes, q.CreatedField = "", nil, s.Entry.Created
	return e.newer(ctx, s.Reader, q, func(i erasure.Item) bool { return !i.Created.IsZero() && !i.Created.Before(j.Executed) })
}

// newer reports whether there is an item of the tenant that is, or that nobody can tell.
func (e *Engine) newer(ctx context.Context, url string, q erasure.Query, is func(erasure.Item) bool) bool {
	reader, err := e.asking(ctx, url)
	if err != nil {
		return true
	}
	for cursor := ""; ; {
		page, err := reader.Find(ctx, q, cursor, erasure.MaxPage)
		if fault.Is(err, fault.NotFound) {
			return false
		} else if err != nil {
			return true
		}
		if slices.ContainsFunc(page.Items, func(i erasure.Item) bool { return ours(q, i) && is(i) }) {
			return true
		}
		if cursor = page.Next; cursor == "" {
			return false
		}
	}
}

// ours reports whether an item is of the query's tenant.
func ours(q erasure.Query, i erasure.Item) bool {
	return q.Tenant.Binding == erasure.BindGlobal || i.Tenant == q.Tenant.ID
}
