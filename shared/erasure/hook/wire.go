package hook

import (
	"time"

	"ostiary.internal/shared/erasure"
)

// version of the protocol.
const version = 1

// Head begins every body.
type Head struct {
	V int `json:"v" required:"true"`
}

func (h Head) current() bool { return h.V == version }

// Query is an erasure.Query. Match.Field is the kind of identifier in the map, such as "email", where the map says "hook".
type Query struct {
	Entry         string     `json:"entry"`
	Place         string     `json:"place"`
	Tenant        Tenant     `json:"tenant"`
	Match         Match      `json:"match"`
	Not           []Match    `json:"not,omitempty"`
	Descend       bool       `json:"descend,omitempty"`
	Action        string     `json:"action,omitempty"`
	Changes       []Change   `json:"changes,omitempty"`
	CreatedField  string     `json:"created_field,omitempty"`
	CreatedBefore *time.Time `json:"created_before,omitempty"`
	Show          []string   `json:"show,omitempty"`
}

// Tenant is an erasure.Tenant.
type Tenant struct {
	Binding string `json:"binding"`
	Field   string `json:"field,omitempty"`
	ID      string `json:"id,omitempty"`
}

// Match is an erasure.Match. With "fold" A to Z count as one letter whatever their case: a service that could only compare as
// given answers 400. Of kind "ref" the values are names of items that an answer gave.
type Match struct {
	Kind   string   `json:"kind"`
	Field  string   `json:"field,omitempty"`
	Values []string `json:"values,omitempty"`
	Fold   bool     `json:"fold,omitempty"`
}

// Change is an erasure.Change.
type Change struct {
	Field   string            `json:"field"`
	Kind    string            `json:"kind"`
	Value   string            `json:"value,omitempty"`
	To      string            `json:"to,omitempty"`
	Coarser map[string]string `json:"coarser,omitempty"`
}

// Item is an erasure.Item.
type Item struct {
	Ref     string            `json:"ref"`
	Version string            `json:"version,omitempty"`
	Created *time.Time        `json:"created,omitempty"`
	Tenant  string            `json:"tenant,omitempty"`
	Clean   bool              `json:"clean,omitempty"`
	Held    *time.Time        `json:"held,omitempty"`
	Shown   map[string]string `json:"shown,omitempty"`
}

// Result is an erasure.Result.
type Result struct {
	Ref     string     `json:"ref"`
	Outcome string     `json:"outcome"`
	Until   *time.Time `json:"until,omitempty"`
}

// FindRequest is the body of POST /find; FindAnswer that of its answer.
type (
	FindRequest struct {
		Head
		Query  Query  `json:"query"`
		Cursor string `json:"cursor,omitempty"`
		Limit  int    `json:"limit"`
	}
	FindAnswer struct {
		Head
		Items []Item `json:"items" required:"true"`
		Next  string `json:"next,omitempty"`
	}
)

// EraseRequest is the body of POST /erase; EraseAnswer that of its answer, one result for each item in their order.
type (
	EraseRequest struct {
		Head
		Query Query  `json:"query"`
		Items []Item `json:"items"`
	}
	EraseAnswer struct {
		Head
		Results []Result `json:"results" required:"true"`
	}
)

// ValuesRequest is the body of POST /values; ValuesAnswer that of its answer.
type (
	ValuesRequest struct {
		Head
		Query Query  `json:"query"`
		Field string `json:"field"`
		Limit int    `json:"limit"`
	}
	ValuesAnswer struct {
		Head
		Values []string `json:"values" required:"true"`
	}
)

// GroupRequest is the body of POST /group; GroupAnswer that of its answer.
type (
	GroupRequest struct {
		Head
		Query  Query    `json:"query"`
		Fields []string `json:"fields"`
	}
	GroupAnswer struct {
		Head
		Smallest int `json:"smallest" required:"true"`
	}
)

// PlacesRequest is the body of POST /places; PlacesAnswer that of its answer.
type (
	PlacesRequest struct {
		Head
		Limit int `json:"limit"`
	}
	PlacesAnswer struct {
		Head
		Places []string `json:"places" required:"true"`
	}
)

// TracesRequest is the body of POST /traces; TracesAnswer that of its answer, in seconds.
type (
	TracesRequest struct {
		Head
	}
	TracesAnswer struct {
		Head
		SoftDelete int64    `json:"soft_delete_s"`
		Rewind     int64    `json:"rewind_s"`
		Unknown    []string `json:"unknown,omitempty"`
	}
)

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func queryToWire(q erasure.Query) Query {
	w := Query{
		Entry: q.Entry, Place: q.Place, Tenant: Tenant{string(q.Tenant.Binding), q.Tenant.Field, q.Tenant.ID},
		Match: matchToWire(q.Match), Descend: q.Descend, Action: string(q.Action),
		CreatedField: q.CreatedField, CreatedBefore: optional(q.CreatedBefore), Show: q.Show,
	}
	for _, m := range q.Not {
		w.Not = append(w.Not, matchToWire(m))
	}
	for _, c := range q.Changes {
		w.Changes = append(w.Changes, Change{c.Field, string(c.Kind), c.Value, string(c.To), c.Coarser})
	}
	return w
}

func (w Query) query() erasure.Query {
	q := erasure.Query{
		Entry: w.Entry, Place: w.Place, Tenant: erasure.Tenant{Binding: erasure.Binding(w.Tenant.Binding), Field: w.Tenant.Field, ID: w.Tenant.ID},
		Match: w.Match.match(), Descend: w.Descend,
		Action: erasure.Action(w.Action), CreatedField: w.CreatedField, CreatedBefore: moment(w.CreatedBefore), Show: w.Show,
	}
	for _, m := range w.Not {
		q.Not = append(q.Not, m.match())
	}
	for _, c := range w.Changes {
		q.Changes = append(q.Changes, erasure.Change{Field: c.Field, Kind: erasure.ChangeKind(c.Kind), Value: c.Value, To: erasure.Granularity(c.To), Coarser: c.Coarser})
	}
	return q
}

func matchToWire(m erasure.Match) Match {
	return Match{string(m.Kind), m.Field, m.Values, m.Fold}
}

func (w Match) match() erasure.Match {
	return erasure.Match{Kind: erasure.MatchKind(w.Kind), Field: w.Field, Values: w.Values, Fold: w.Fold}
}

func itemToWire(i erasure.Item) Item {
	return Item{i.Ref, i.Version, optional(i.Created), i.Tenant, i.Clean, optional(i.Held), i.Shown}
}

func (w Item) item() erasure.Item {
	return erasure.Item{Ref: w.Ref, Version: w.Version, Created: moment(w.Created), Tenant: w.Tenant, Clean: w.Clean, Held: moment(w.Held), Shown: w.Shown}
}
