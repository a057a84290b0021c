package datamap

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Identifier is one way in which a person is known.
type Identifier struct {
	Kind  string
	Value string
	// Verified says that it was proved to be the requester's, or read from what was. No other is ever used.
	Verified bool
}

// Step is what is to be done in one entry, by one way of recognising. A Query without an action finds what is there and
// erases nothing: of Review, of Pseudonymise, and of RetainIt but for the fields that are not needed.
type Step struct {
	ID     string // the entry's; of its second and later ways with the kind behind a dot, as in users.email
	Kind   string // of the identifiers it searches for; "" for a whole tenant
	Entry  *Entry
	Reader string // URL, for erasure.Readers
	Store  string // URL, for erasure.Stores
	Region string // where the data is, and the work runs
	Query  erasure.Query
	// Reusable says that the identifier may be somebody else's later: items made after the request are not hers, and
	// Query.CreatedBefore is for the caller to set: where a newer person is known, and where nobody can be asked, for the
	// directory knows addresses alone.
	Reusable bool
	// Global says that the items are of no tenant: nobody but the person herself has a say about them.
	Global bool
	// Scans says that the store reads the whole place for it, what other tenants have there too: a bucket that tells
	// owner or tenant by metadata. Nothing is counted for its own sake this way.
	Scans  bool
	After  []string // entries that come before, directly or not
	Within []string // entries whose items may lie inside the items of this one, and go with them

	zone *time.Location
}

// Compile returns the steps that erase a person from one tenant's data of which the company is controller: access first,
// the directory last. Identifiers that nobody verified and kinds that the map does not have are left aside; those it
// derives are for Resolve to find before. Errors: Invalid for a tenant or an identifier that Guard refuses for good, and
// when no identifier is left; Exhausted for more than erasure.MaxValues of one kind; Misconfigured for a map that was
// read with problems. No error holds a value.
func (m *Map) Compile(tenant string, ids []Identifier) ([]Step, error) {
	return m.compile(tenant, ids, Controller)
}

// Instruct is Compile for data of which the tenant is controller and has told us to erase it.
func (m *Map) Instruct(tenant string, ids []Identifier) ([]Step, error) {
	return m.compile(tenant, ids, Processor)
}

// Close returns the steps that erase everything of a tenant: the account is closed. Data of no tenant is not among it.
// What a person would have to look at, and what is a pseudonym, goes with the rest: Step.Entry then says Delete. What is
// anonymised stays so where nothing else deletes it, and what is retained stays. Errors as Compile.
func (m *Map) Close(tenant string) ([]Step, error) {
	if err := m.fit(tenant); err != nil {
		return nil, err
	}
	return m.steps(func(e *Entry) []Step {
		action := m.closing(e)
		if action == "" {
			return nil
		}
		if action != e.Action {
			whole := *e
			whole.Action, whole.Fields = action, nil
			e = &whole
		}
		return []Step{m.step(e, tenant, erasure.Match{Kind: erasure.MatchTenant})}
	}), nil
}

// CloseBy is Close for a person who proved who she is, such as the owner of the account: what is hers and of no tenant goes with
// it. Without an identifier of hers it is Close.
func (m *Map) CloseBy(tenant string, ids []Identifier) ([]Step, error) {
	all, err := m.Close(tenant)
	if err != nil {
		return nil, err
	}
	if values, err := m.values(ids); err != nil || len(values) == 0 {
		return all, err
	}
	own, err := m.Compile(tenant, ids)
	if err != nil {
		return nil, err
	}
	all = append(all, slices.DeleteFunc(own, func(s Step) bool { return !s.Global })...)
	return m.steps(func(e *Entry) (some []Step) {
		for _, s := range all {
			if s.Entry.ID == e.ID {
				s.After = nil // steps says
				some = append(some, s)
			}
		}
		return some
	}), nil
}

// closing is what the end of an account does to an entry's items; "" where it leaves them alone: those of no tenant, and those
// of a place of which another entry keeps what it has to, or deletes all.
func (m *Map) closing(e *Entry) Action {
	switch {
	case e.Tenant.Global != "" || e.Retain == nil && m.retains(e) || e.Action == Anonymise && m.deletes(e):
		return ""
	case e.Action == Review || e.Action == Pseudonymise:
		return Delete
	}
	return e.Action
}

// deletes reports whether another entry deletes all of a tenant's items in the entry's place.
func (m *Map) deletes(e *Entry) bool {
	return slices.ContainsFunc(m.Entries, func(o *Entry) bool {
		return o.ID != e.ID && o.Store == e.Store && o.Place == e.Place && o.Tenant == e.Tenant && o.Action != Anonymise && o.Action != RetainIt
	})
}

// retains reports whether items in the entry's place are kept by another entry.
func (m *Map) retains(e *Entry) bool {
	return slices.ContainsFunc(m.Entries, func(o *Entry) bool { return o != e && o.Action == RetainIt && m.shares(e, o) })
}

func (m *Map) compile(tenant string, ids []Identifier, role Role) ([]Step, error) {
	if err := m.fit(tenant); err != nil {
		return nil, err
	}
	values, err := m.values(ids)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, fault.New(fault.Invalid, "compiling the data map: no verified identifier of a kind it has")
	}
	var refusal error
	steps := m.steps(func(e *Entry) (all []Step) {
		if e.Role != role {
			return nil
		}
		for i, s := range e.selectors() {
			if len(values[s.of()]) == 0 {
				continue
			}
			match, err := m.match(e, s, e.place(tenant), values[s.of()])
			if err != nil {
				refusal = err
				return nil
			}
			step := m.step(e, tenant, match)
			kind, _ := m.Kind(s.of())
			step.Kind, step.Reusable = kind.ID, kind.Reusable
			if i > 0 {
				step.ID += "." + kind.ID
			}
			all = append(all, step)
		}
		return all
	})
	if refusal != nil {
		return nil, refusal
	}
	return steps, nil
}

// fit refuses a map that was read with problems, and what is no tenant.
func (m *Map) fit(tenant string) error {
	if m.faulty {
		return fault.New(fault.Misconfigured, "compiling the data map: %s has problems; run ostiary check", File)
	}
	// A doubtful tenant is nobody's to approve: tenants are named by the product.
	if refused(tenant, erasure.MatchDocument) != nil || len(tenant) > 1 && doubtful(tenant) != "" {
		return fault.New(fault.Invalid, "compiling the data map: this is no tenant")
	}
	for _, e := range m.Entries {
		if separate := drivers[schemeOf(e.Store)].separate; e.place(tenant) != e.Place && strings.Contains(tenant, separate) {
			return fault.New(fault.Invalid, "compiling the data map: the tenant's id would be more than one part of the place of entry %q", e.ID)
		}
	}
	return nil
}

// asked reports whether an identifier is known for one of the entry's ways of recognising.
func (e *Entry) asked(values map[string][]string) bool {
	return slices.ContainsFunc(e.selectors(), func(s *Selector) bool { return len(values[s.of()]) > 0 })
}

// match makes of a selector what a store is asked for.
func (m *Map) match(e *Entry, s *Selector, place string, values []string) (erasure.Match, error) {
	spelt, fold := m.spelt(e, s, values)
	match, err := e.match(s, place, spelt)
	match.Fold = fold
	return match, err
}

func (e *Entry) match(s *Selector, place string, values []string) (erasure.Match, error) {
	for _, kind := range []struct {
		field string
		kind  erasure.MatchKind
	}{
		{s.Equals, erasure.MatchEquals}, {s.Column, erasure.MatchEquals}, {s.Contains, erasure.MatchContains},
		{s.MapKey, erasure.MatchMapKey}, {s.Metadata, erasure.MatchMetadata},
	} {
		if kind.field != "" {
			return erasure.Match{Kind: kind.kind, Field: kind.field, Values: values}, nil
		}
	}
	if s.Hook {
		return erasure.Match{Kind: erasure.MatchEquals, Field: s.Of, Values: values}, nil
	}
	m := erasure.Match{Kind: erasure.MatchDocument}
	text := s.Document
	if s.Prefix != "" {
		m.Kind, text = erasure.MatchPrefix, s.Prefix
	}
	for _, v := range values {
		if err := refused(v, m.Kind); err != nil {
			return erasure.Match{}, err
		}
		name := expand(text, map[string]string{s.of(): v})
		if schemeOf(e.Store) == "gcs" {
			name = place + name // a bucket knows whole names alone
		}
		m.Values = append(m.Values, name)
	}
	return m, nil
}

// step binds what is recognised to the entry and the tenant.
func (m *Map) step(e *Entry, tenant string, match erasure.Match) Step {
	q := erasure.Query{Entry: e.ID, Place: e.place(tenant), Match: match, Descend: e.Descend, Below: e.Below, CreatedField: e.Created}
	q.Tenant = erasure.Tenant{Binding: e.Tenant.binding(), Field: e.Tenant.Field, ID: tenant}
	if q.Tenant.Binding == erasure.BindGlobal {
		q.Tenant.ID = ""
	}
	if match.Kind == erasure.MatchTenant {
		q.Except, q.Whose = m.nested[e.ID].inside, e.Select.Equals+e.Select.Column
	}
	region := m.region(e, tenant)
	q.Action, q.Changes = e.work(region)
	if e.Retain != nil {
		q.CreatedField = e.retainField()
	}
	scans := match.Kind == erasure.MatchMetadata || match.Kind == erasure.MatchTenant && schemeOf(e.Store) == "gcs" && q.Tenant.Binding == erasure.BindField
	return Step{ID: e.ID, Entry: e, Global: q.Tenant.Binding == erasure.BindGlobal, Scans: scans, Within: m.nested[e.ID].of(match.Kind == erasure.MatchTenant), Reader: e.url(region, readAccount), Store: e.url(region, eraseAccount), Region: region, Query: q, zone: m.zone}
}

func (e *Entry) place(tenant string) string {
	return expand(e.Place, map[string]string{tenantName: tenant})
}

// work is what a store does to the items of an entry.
func (e *Entry) work(region string) (erasure.Action, []erasure.Change) {
	var changes []erasure.Change
	switch {
	case e.Action == Delete:
		return erasure.ActionDelete, nil
	case e.Action == Anonymise:
		for _, f := range e.Fields {
			change := f.change()
			if f.Do == DoAggregate {
				change = erasure.Change{Field: f.Field, Kind: erasure.ChangeAggregate, Into: e.totals(f, region), By: f.By, Least: e.Least()}
			}
			changes = append(changes, change)
		}
		return erasure.ActionAnonymise, changes
	case e.Retain != nil && len(e.Retain.Minimise) > 0:
		for _, field := range e.Retain.Minimise {
			changes = append(changes, erasure.Change{Field: field, Kind: erasure.ChangeDelete})
		}
		return erasure.ActionAnonymise, changes
	}
	return "", nil
}

func (f Field) change() erasure.Change {
	switch f.Do {
	case DoSet:
		return erasure.Change{Field: f.Field, Kind: erasure.ChangeSet, Value: f.Value}
	case DoGeneralise:
		return erasure.Change{Field: f.Field, Kind: erasure.ChangeGeneralise, To: f.To, Coarser: f.Coarser}
	case DoDetach:
		return erasure.Change{Field: f.Field, Kind: erasure.ChangeDetach}
	}
	return erasure.Change{Field: f.Field, Kind: erasure.ChangeDelete}
}

// steps puts the steps of the entries in order.
func (m *Map) steps(of func(e *Entry) []Step) []Step {
	var steps []Step
	var done []int
	for _, i := range m.order {
		some := of(m.Entries[i])
		if len(some) == 0 {
			continue
		}
		for k := range some {
			for _, j := range done {
				if m.before[i][j] {
					some[k].After = append(some[k].After, m.Entries[j].ID)
				}
			}
		}
		done = append(done, i)
		steps = append(steps, some...)
	}
	return steps
}
