package erasure

import (
	"strings"
	"unicode/utf8"

	"ostiary.internal/shared/platform/fault"
)

// separators may end a value of MatchPrefix: without one the prefix of u1 would reach what belongs to u10.
const separators = "/:|#"

// Check is what every store asks of a query before it looks at anything: that it is bound to a tenant and names
// somebody. What it refuses is Invalid; the text holds no value. A store may refuse more.
func (q Query) Check() error {
	for _, check := range []func() string{q.checkTenant, q.checkMatch, q.checkChanges} {
		if wrong := check(); wrong != "" {
			return fault.New(fault.Invalid, "searching for entry %q: %s", q.Entry, wrong)
		}
	}
	return nil
}

// CheckErase is Check for a query that is to be carried out on items.
func (q Query) CheckErase(items []Item) error {
	if err := q.Check(); err != nil {
		return err
	}
	if q.Action == "" || len(items) > MaxPage {
		return fault.New(fault.Invalid, "erasing of entry %q: no action, or more than %d items", q.Entry, MaxPage)
	}
	return nil
}

// CheckTotals refuses with Invalid a query that adds to totals: of a store that cannot do it in the step that takes the field away.
func (q Query) CheckTotals() error {
	if q.Sums() {
		return fault.New(fault.Invalid, "erasing of entry %q: this store cannot change an item and a total in one step", q.Entry)
	}
	return nil
}

// CheckLimit refuses with Invalid what is no size of a page.
func CheckLimit(limit int) error {
	if limit < 1 || limit > MaxPage {
		return fault.New(fault.Invalid, "searching: a page holds 1 to %d items", MaxPage)
	}
	return nil
}

func (q Query) checkTenant() string {
	switch b := q.Tenant; {
	case b.Binding == BindGlobal && b.ID == "" && q.Match.Kind != MatchTenant:
		return ""
	case b.Binding == BindPath && plain(b.ID) && !strings.Contains(b.ID, "/"), b.Binding == BindField && plain(b.ID) && b.Field != "":
		return ""
	}
	return "no tenant is bound"
}

func (q Query) checkMatch() string {
	for _, m := range q.Not {
		if m.Kind == MatchTenant {
			return "it leaves out a whole tenant"
		}
		if wrong := m.check(); wrong != "" {
			return wrong
		}
	}
	return q.Match.check()
}

func (m Match) check() string {
	switch m.Kind {
	case MatchEquals, MatchContains, MatchMapKey, MatchMetadata:
		if m.Field == "" {
			return "no field is named to recognise items by"
		}
	case MatchRef, MatchDocument, MatchPrefix:
		if m.Fold {
			return "names are not recognised whatever their case"
		}
	case MatchTenant:
		if len(m.Values) > 0 {
			return "a whole tenant is recognised by nothing else"
		}
		return ""
	default:
		return "its way of recognising items is unknown"
	}
	if len(m.Values) == 0 || len(m.Values) > MaxValues {
		return "nobody is named, or too many are"
	}
	for _, v := range m.Values {
		if !plain(v) || m.Kind == MatchPrefix && (!strings.ContainsRune(separators, rune(v[len(v)-1])) || strings.Trim(v, separators) == "") {
			return "one of its values names nobody"
		}
	}
	return ""
}

func plain(value string) bool {
	return value != "" && utf8.ValidString(value) && !strings.ContainsRune(value, 0)
}

func (q Query) checkChanges() string {
	if (q.Action == ActionAnonymise) != (len(q.Changes) > 0) || q.Action != "" && q.Action != ActionDelete && q.Action != ActionAnonymise {
		return "its action is unknown, or does not fit its changes"
	}
	for _, c := range q.Changes {
		switch {
		case c.Field == "":
			return "a change names no field"
		case c.Kind == ChangeGeneralise && (c.To == ToMonth || c.To == ToYear || c.To == ToMap):
		case c.Kind == ChangeAggregate && c.Into != "":
		case c.Kind == ChangeDelete, c.Kind == ChangeSet, c.Kind == ChangeDetach:
		default:
			return "a change is of no kind that is known"
		}
	}
	return ""
}
