package erasure

import (
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	month, year := Change{Kind: ChangeGeneralise, To: ToMonth}, Change{Kind: ChangeGeneralise, To: ToYear}
	coarser := Change{Kind: ChangeGeneralise, To: ToMap, Coarser: map[string]string{"Nantes": "France", "Bonn": "Germany"}}
	at := time.Date(2026, 3, 17, 22, 30, 1, 2, time.FixedZone("", 3600))
	for name, c := range map[string]struct {
		change    Change
		old, want any
		gone      bool
	}{
		"a field goes":             {Change{Kind: ChangeDelete}, "x", nil, true},
		"a field goes, null":       {Change{Kind: ChangeDelete}, nil, nil, true},
		"a fixed value":            {Change{Kind: ChangeSet, Value: "erased"}, int64(7), "erased", false},
		"null stays null":          {Change{Kind: ChangeSet, Value: "erased"}, nil, nil, false},
		"a reference goes":         {Change{Kind: ChangeDetach}, "u1", nil, false},
		"a day to its month":       {month, "2026-03-17", "2026-03-01", false},
		"a day to its year":        {year, "2026-03-17", "2026-01-01", false},
		"the first stays":          {month, "2026-03-01", "2026-03-01", false},
		"a moment, as text":        {month, "2026-03-17T22:30:01.5+01:00", "2026-03-01T00:00:00+01:00", false},
		"a moment":                 {year, at, time.Date(2026, 1, 1, 0, 0, 0, 0, at.Location()), false},
		"no date":                  {month, "in March 2026", "", false},
		"nothing of a number":      {month, int64(1773786601), "", false},
		"a city to its country":    {coarser, "Nantes", "France", false},
		"a country stays":          {coarser, "France", "France", false},
		"a city nobody thought of": {coarser, "Lyon", "", false},
		"no city":                  {coarser, int64(4), "", false},
	} {
		value, gone := c.change.Of(c.old)
		if moment, is := c.want.(time.Time); value != c.want && !(is && moment.Equal(value.(time.Time))) || gone != c.gone {
			t.Errorf("%s: %v (%t), want %v (%t)", name, value, gone, c.want, c.gone)
		}
		if again, _ := c.change.Of(value); c.change.Kind == ChangeGeneralise && again != value {
			t.Errorf("%s: changed again to %v", name, again)
		}
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 3, 17, 21, 30, 1, 500_000_000, time.UTC)
	for _, v := range []any{want, want.In(time.FixedZone("", 3600)), "2026-03-17T22:30:01.5+01:00", want.UnixMicro()} {
		if got := Moment(v); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%v reads as %s", v, got)
		}
	}
	for _, v := range []any{nil, "", "yesterday", 3.5, true} {
		if got := Moment(v); !got.IsZero() {
			t.Errorf("%v reads as %s", v, got)
		}
	}
	if q := (Query{CreatedBefore: want}); q.Before(want) || !q.Before(want.Add(-1)) || !q.Before(time.Time{}) || !(Query{}).Before(want) {
		t.Error("what belongs to a query by its time is another")
	}
}

func TestAt(t *testing.T) {
	t.Parallel()
	document := map[string]any{"a": map[string]any{"b": nil, "c": "x"}, "d": "y"}
	for path, want := range map[string]bool{"a": true, "a.b": true, "a.c": true, "a.x": false, "d": true, "d.x": false, "": false, "a.c.x": false} {
		if _, found := At(document, path); found != want {
			t.Errorf("%q: %t, want %t", path, found, want)
		}
	}
}

// TestCheck: what is bound passes; erasetest holds every store to what does not.
func TestCheck(t *testing.T) {
	t.Parallel()
	match := Match{Kind: MatchEquals, Field: "uid", Values: []string{"u1"}}
	for name, c := range map[string]struct {
		q    Query
		want fault.Kind
	}{
		"by field":               {Query{Tenant: Tenant{BindField, "tenant", "a"}, Match: match}, ""},
		"by path":                {Query{Tenant: Tenant{BindPath, "", "a"}, Match: match}, ""},
		"global":                 {Query{Tenant: Tenant{Binding: BindGlobal}, Match: match}, ""},
		"global, a tenant":       {Query{Tenant: Tenant{Binding: BindGlobal}, Match: Match{Kind: MatchTenant}}, fault.Invalid},
		"a tenant of two parts":  {Query{Tenant: Tenant{BindPath, "", "a/b"}, Match: match}, fault.Invalid},
		"a tenant without field": {Query{Tenant: Tenant{BindField, "", "a"}, Match: match}, fault.Invalid},
		"a prefix":               {Query{Tenant: Tenant{BindPath, "", "a"}, Match: Match{Kind: MatchPrefix, Values: []string{"users/u1/"}}}, ""},
		"a prefix of two":        {Query{Tenant: Tenant{BindPath, "", "a"}, Match: Match{Kind: MatchPrefix, Values: []string{"users/u1"}}}, fault.Invalid},
		"a prefix of all":        {Query{Tenant: Tenant{BindPath, "", "a"}, Match: Match{Kind: MatchPrefix, Values: []string{"//"}}}, fault.Invalid},
		"a change of nothing":    {Query{Tenant: Tenant{BindPath, "", "a"}, Match: match, Action: ActionAnonymise}, fault.Invalid},
		"a coarser what":         {Query{Tenant: Tenant{BindPath, "", "a"}, Match: match, Action: ActionAnonymise, Changes: []Change{{Field: "x", Kind: ChangeGeneralise}}}, fault.Invalid},
		"a coarser month":        {Query{Tenant: Tenant{BindPath, "", "a"}, Match: match, Action: ActionAnonymise, Changes: []Change{{Field: "x", Kind: ChangeGeneralise, To: ToMonth}}}, ""},
	} {
		if err := c.q.Check(); fault.KindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	q := Query{Tenant: Tenant{BindPath, "", "a"}, Match: match}
	if err := q.CheckErase(nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("nothing to do: %v", err)
	}
	q.Action = ActionDelete
	if err := q.CheckErase(make([]Item, MaxPage+1)); !fault.Is(err, fault.Invalid) || q.CheckErase(make([]Item, MaxPage)) != nil {
		t.Errorf("more than a page: %v", err)
	}
}
