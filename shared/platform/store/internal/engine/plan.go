package engine

import (
	"bytes"
	"slices"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Plan is a checked query, ready for both kinds of drivers: those that ask a database the Query, whose values are
// now string, bool or int64, and those that walk the keys of an index between Low (inclusive) and High (exclusive,
// nil is open).
type Plan struct {
	Query store.Query
	Index store.Index // nil: by id alone, the key is the id
	Low   []byte
	High  []byte
}

// plan checks a query against the declared indexes.
func (s schema) plan(q store.Query) (Plan, error) {
	c, err := s.collection(q.Collection)
	if err != nil {
		return Plan{}, err
	}
	if q.Limit < 1 || q.Limit > store.MaxQueryResults {
		return Plan{}, fault.New(fault.Invalid, "limit %d is not between 1 and %d", q.Limit, store.MaxQueryResults)
	}
	if q.Descending && q.Range == nil {
		return Plan{}, fault.New(fault.Invalid, "a descending query needs a range to order by")
	}
	if q.Range != nil {
		r := *q.Range // ours to normalise
		q.Range = &r
	}
	index, err := choose(c, q)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Query: q, Index: index}
	return p, p.bound()
}

// choose finds the declared index that holds exactly the fields of the query.
func choose(c store.Collection, q store.Query) (store.Index, error) {
	var wanted []string
	for _, f := range q.Equal {
		if slices.Contains(wanted, f.Name) {
			return nil, fault.New(fault.Invalid, "field %q is compared twice", f.Name)
		}
		wanted = append(wanted, f.Name)
	}
	slices.Sort(wanted)
	if q.Range == nil && len(wanted) == 0 {
		return nil, nil
	}
	for _, index := range c.Indexes {
		equal := slices.Clone(index)
		if q.Range != nil {
			if last := len(equal) - 1; equal[last] == q.Range.Name {
				equal = equal[:last]
			} else {
				continue
			}
		}
		slices.Sort(equal)
		if slices.Equal(equal, wanted) {
			return index, nil
		}
	}
	if q.Range != nil {
		wanted = append(wanted, q.Range.Name)
	}
	return nil, fault.New(fault.Misconfigured, "no index on %q is declared", wanted)
}

// bound normalises the query's values and computes the keys it lies between.
func (p *Plan) bound() error {
	prefix, err := p.prefix()
	if err != nil {
		return err
	}
	p.Low, p.High = prefix, behind(prefix)
	if r := p.Query.Range; r != nil {
		if err := p.bounds(prefix, r); err != nil {
			return err
		}
	}
	return p.after(prefix)
}

// prefix encodes the values compared for equality, in the order of the index.
func (p *Plan) prefix() ([]byte, error) {
	p.Query.Equal = slices.Clone(p.Query.Equal)
	for i, f := range p.Query.Equal {
		value, err := comparable(f.Name, f.Value)
		if err != nil {
			return nil, err
		}
		p.Query.Equal[i].Value = value
	}
	var prefix []byte
	for _, name := range p.Index {
		for _, f := range p.Query.Equal {
			if f.Name == name {
				prefix, _ = appendValue(prefix, f.Value)
			}
		}
	}
	return prefix, nil
}

// bounds narrows the plan to the range. A range with one bound finds values of that bound's type only.
func (p *Plan) bounds(prefix []byte, r *store.Range) (err error) {
	for _, bound := range []*any{&r.From, &r.To} {
		if *bound == nil {
			continue
		}
		if *bound, err = comparable(r.Name, *bound); err != nil {
			return err
		}
		key, _ := appendValue(slices.Clone(prefix), *bound)
		typed := key[:len(prefix)+1]
		if !bytes.HasPrefix(p.Low, typed) {
			if len(p.Low) > len(prefix) {
				return fault.New(fault.Invalid, "the bounds of %q are of two types", r.Name)
			}
			p.Low, p.High = typed, behind(typed)
		}
		if bound == &r.From {
			p.Low = key
		} else {
			p.High = key
		}
	}
	return nil
}

// after moves the plan's bound behind the cursor.
func (p *Plan) after(prefix []byte) (err error) {
	if p.Query.After == nil {
		return nil
	}
	cursor := *p.Query.After
	if err := CheckID(cursor.ID); err != nil {
		return err
	}
	key := slices.Clone(prefix)
	if r := p.Query.Range; r != nil {
		if cursor.Value, err = comparable(r.Name, cursor.Value); err != nil {
			return err
		}
		key, _ = appendValue(key, cursor.Value)
		if typed := p.Low[:min(len(p.Low), len(prefix)+1)]; !bytes.HasPrefix(key, typed) {
			return fault.New(fault.Invalid, "the cursor is of another type than the bounds of %q", r.Name)
		}
	} else if cursor.Value != nil {
		return fault.New(fault.Invalid, "a cursor has a value, and the query no range")
	}
	p.Query.After = &cursor
	key = append(key, cursor.ID...)
	if p.Query.Descending {
		if p.High == nil || bytes.Compare(key, p.High) < 0 {
			p.High = key
		}
		return nil
	}
	if key = append(key, 0); bytes.Compare(key, p.Low) > 0 { // the least key behind it
		p.Low = key
	}
	return nil
}
