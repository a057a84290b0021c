package datamap

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure"
)

// Field is what becomes of one field of an item.
type Field struct {
	Field   string              `yaml:"field"`
	Do      Do                  `yaml:"do"`
	Value   string              `yaml:"value"`   // of DoSet
	To      erasure.Granularity `yaml:"to"`      // of DoGeneralise
	Coarser map[string]string   `yaml:"coarser"` // of ToMap
	Into    string              `yaml:"into"`    // of DoAggregate: the place of the same store where the totals are kept, in no_personal_data
	By      []string            `yaml:"by"`      // of DoAggregate: fields of the group by which there is a total each
}

// Do is what is done to a field.
type Do string

// What can be done. DoAggregate adds a field's number to a total, kept where nobody's data is, and removes it, in one step. The last three
// leave something that is computed from the person, which is pseudonymous at best (GDPR article 4(5)): only an entry that
// says so may list them, and it satisfies no request.
const (
	DoDelete     Do = "delete"
	DoSet        Do = "set"
	DoGeneralise Do = "generalise"
	DoDetach     Do = "detach"
	DoAggregate  Do = "aggregate"
	DoHash       Do = "hash"
	DoHMAC       Do = "hmac"
	DoEncrypt    Do = "encrypt"
)

// Group says how many must be alike in what is left, so that nobody stands out.
type Group struct {
	Fields []string `yaml:"fields"` // by default those that are generalised
	Min    int      `yaml:"min"`    // UsualGroup by default
}

// How many must be alike.
const (
	LeastGroup = 5
	UsualGroup = 10
)

// Least is how many must be alike, or take part in a total, of an entry that is anonymised.
func (e *Entry) Least() int {
	if e.Group == nil {
		return UsualGroup
	}
	return e.Group.Min
}

// Ground is why something is kept although its subject asks for erasure. It is stored, and stands in letters.
type Ground string

// The grounds of GDPR article 17(3), and retention by a statute.
const (
	Expression   Ground = "art17-3-a"
	Obligation   Ground = "art17-3-b"
	PublicHealth Ground = "art17-3-c"
	Archiving    Ground = "art17-3-d"
	LegalClaims  Ground = "art17-3-e"
	Statute      Ground = "statute"
)

// Grounds returns all grounds.
func Grounds() []Ground {
	return []Ground{Expression, Obligation, PublicHealth, Archiving, LegalClaims, Statute}
}

// Retain keeps items until a period is over, what is needed of them and no more (GDPR article 5(1)(c)).
type Retain struct {
	Ground   Ground          `yaml:"ground"`
	Citation string          `yaml:"citation"` // the provision, as the letter names it
	From     string          `yaml:"from"`     // field from which the period counts; "created" for Entry.Created
	Period   calendar.Period `yaml:"period"`
	Fields   []string        `yaml:"fields"`   // what is needed
	Minimise []string        `yaml:"minimise"` // what is not, and is removed at once
}

// fromCreated is a Retain.From that is no field of its own.
const fromCreated = "created"

// Bounds of periods.
const (
	leastAge = 24 * time.Hour
	mostAge  = 100 * 366 * 24 * time.Hour
	maxText  = 200 // bytes of a citation
	maxGroup = 20  // fields
	maxFixed = 500 // bytes of a fixed value
)

// length is about how long a period is.
func length(p calendar.Period) time.Duration {
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	return p.Add(from, time.UTC).Sub(from)
}

func (r *reader) period(key string, p calendar.Period) {
	if p.Years > 100 || p.Months > 1200 || p.Days > 36600 || length(p) < leastAge || length(p) > mostAge {
		r.wrong(key, "is out of bounds", "P1D to P100Y")
	}
}

// action checks that an entry does something, and says what it takes.
func (r *reader) action(key string, e *Entry, d driver) {
	all := []string{string(Delete), string(Anonymise), string(Pseudonymise), string(Review), string(RetainIt)}
	if !slices.Contains(all, string(e.Action)) {
		r.wrong(key+".action", "is no action", strings.Join(all, ", "))
		return
	}
	if changes := e.Action == Anonymise || e.Action == Pseudonymise; changes != (len(e.Fields) > 0) || len(e.Fields) > maxFields {
		r.wrong(key+".fields", "do not fit the action", fmt.Sprintf("1 to %d with %s and %s, none with the others", maxFields, Anonymise, Pseudonymise))
	}
	if (e.Action == RetainIt) != (e.Retain != nil) {
		r.wrong(key+".retain", "does not fit the action", "retain: {ground, citation, from, period, fields}, with action: retain and no other")
	}
	if e.Group != nil && e.Action != Anonymise {
		r.wrong(key+".group", "does not fit the action", "with "+string(Anonymise))
	}
	if e.Action != RetainIt && e.Action != Review && r.m.retains(e) {
		r.wrong(key+".action", "would erase items that another entry of the same place keeps", "review, or a place of its own")
	}
	r.fields(key, e)
	if e.Action == Anonymise {
		r.anonymous(key, e, d)
	}
	if e.Retain != nil {
		r.retain(key+".retain", e, d)
	}
}

func (r *reader) fields(key string, e *Entry) {
	seen := map[string]bool{}
	for i, f := range e.Fields {
		key := at(key+".fields", i)
		switch {
		case !isField(f.Field):
			r.wrong(key+".field", "is no field", allowedField)
		case seen[f.Field]:
			r.wrong(key+".field", "is here already", "each field once")
		}
		seen[f.Field] = true
		r.do(key, e, f)
	}
}

func (r *reader) do(key string, e *Entry, f Field) {
	switch f.Do {
	case DoHash, DoHMAC, DoEncrypt:
		if e.Action == Anonymise {
			r.wrong(key+".do", "leaves something that is computed from the person and leads back to her: that is no anonymising",
				"delete, set, generalise, detach, aggregate; or action: pseudonymise, which satisfies no request")
		}
	case DoDelete, DoDetach, DoSet, DoAggregate:
	case DoGeneralise:
		if f.To != erasure.ToMonth && f.To != erasure.ToYear && f.To != erasure.ToMap {
			r.wrong(key+".to", "does not say how coarse", "month, year, map")
		}
	default:
		r.wrong(key+".do", "is nothing that can be done", "delete, set, generalise, detach, aggregate; hash, hmac and encrypt with action: pseudonymise")
		return
	}
	if f.Do != DoSet && f.Value != "" || len(f.Value) > maxFixed || strings.ContainsAny(f.Value, "{}") {
		r.wrong(key+".value", "does not belong here", "with do: set, the same fixed text for everybody")
	}
	if f.Do != DoGeneralise && f.To != "" {
		r.wrong(key+".to", "does not belong here", "with do: generalise")
	}
	if mapped := f.Do == DoGeneralise && f.To == erasure.ToMap; mapped != (len(f.Coarser) > 0) || len(f.Coarser) > maxListed {
		r.wrong(key+".coarser", "does not belong here, or is missing", "with to: map, what each value becomes")
	}
	for from, to := range f.Coarser {
		if _, onwards := f.Coarser[to]; onwards && from != to {
			r.wrong(key+".coarser", "would change again what it has changed", "values that are no keys")
		}
	}
	if f.Do != DoAggregate && len(f.By) > 0 || len(f.By) > maxGroup {
		r.wrong(key+".by", "does not belong here, or names too much", "with do: aggregate, fields by which there is a total each")
	}
	if into := f.Do == DoAggregate; into != (f.Into != "") {
		r.wrong(key+".into", "does not belong here, or is missing", "with do: aggregate, the place of no_personal_data that keeps the totals")
	}
}

// anonymous checks that nothing by which the person is recognised stays.
func (r *reader) anonymous(key string, e *Entry, d driver) {
	if !d.fields {
		r.wrong(key+".action", "cannot be done in this store: its items have no fields", "delete, review, retain")
		return
	}
	change := map[string]Do{}
	for _, f := range e.Fields {
		change[f.Field] = f.Do
	}
	if e.Tenant.Field != "" && change[e.Tenant.Field] != "" {
		r.wrong(key+".fields", "change the field that tells the tenant", "any other field")
	}
	for _, s := range e.selectors() {
		switch {
		case s.Document != "" || s.Prefix != "":
			r.wrong(key+".action", "cannot be done: the item's name says whose it is", "delete")
		case s.Contains != "" || s.MapKey != "":
			r.wrong(key+".action", "cannot be done: the list or map keeps naming the person", "delete, which takes her out and leaves the item")
		case s.Equals+s.Column != "":
			if do := change[s.Equals+s.Column]; do == "" || do == DoGeneralise {
				r.wrong(key+".fields", "leave the field that names the person, "+s.Equals+s.Column, "delete, set or detach it")
			}
		}
	}
	r.group(key+".group", e)
}

// group fills in what is left out of the group.
func (r *reader) group(key string, e *Entry) {
	var coarse []string
	gone := map[string]bool{}
	for _, f := range e.Fields {
		if f.Do == DoGeneralise {
			coarse = append(coarse, f.Field)
		}
		gone[f.Field] = f.Do != DoGeneralise
	}
	if e.Group == nil {
		if len(coarse) == 0 {
			return // nothing of her is left by which she could stand out
		}
		e.Group = &Group{}
	}
	if len(e.Group.Fields) == 0 {
		e.Group.Fields = coarse
	}
	if e.Group.Min == 0 {
		e.Group.Min = UsualGroup
	}
	if e.Group.Min < LeastGroup || e.Group.Min > 1000 {
		r.wrong(key+".min", "is out of bounds", fmt.Sprintf("%d to 1000", LeastGroup))
	}
	if n := len(e.Group.Fields); n == 0 || n > maxGroup {
		r.wrong(key+".fields", "name nothing, or too much, that is left", fmt.Sprintf("1 to %d fields", maxGroup))
	}
	for i, field := range e.Group.Fields {
		if !isField(field) || gone[field] {
			r.wrong(at(key+".fields", i), "is no field that is left", "fields that are generalised or untouched")
		}
	}
}

func (r *reader) retain(key string, e *Entry, d driver) {
	t := e.Retain
	if !slices.Contains(Grounds(), t.Ground) {
		r.wrong(key+".ground", "is no ground to keep anything", "art17-3-a, art17-3-b, art17-3-c, art17-3-d, art17-3-e, statute")
	}
	if !oneLine(t.Citation, maxText) {
		r.wrong(key+".citation", "does not name the provision", fmt.Sprintf("one line, at most %d bytes", maxText))
	}
	r.period(key+".period", t.Period)
	switch {
	case t.From == "" || t.From == fromCreated:
		t.From = fromCreated
		if e.Created == "" && !d.own {
			r.wrong(key+".from", "counts from nothing this store knows", "a field, or created: a field in the entry")
		}
	case !isField(t.From):
		r.wrong(key+".from", "is no field", "created, or "+allowedField)
	}
	if d.fields && len(t.Fields) == 0 || len(t.Fields)+len(t.Minimise) > maxFields {
		r.wrong(key+".fields", "do not say what is needed", "the fields that the ground asks for")
	}
	if !d.fields && len(t.Minimise) > 0 {
		r.wrong(key+".minimise", "cannot be done in this store: its items have no fields", "leave it out")
	}
	for i, field := range slices.Concat(t.Fields, t.Minimise) {
		at := at(key+".fields", i)
		if i >= len(t.Fields) {
			at = fmt.Sprintf("%s.minimise[%d]", key, i-len(t.Fields))
		}
		if !isField(field) {
			r.wrong(at, "is no field", allowedField)
		}
	}
	for i, field := range t.Minimise {
		if slices.Contains(t.Fields, field) || field == t.From || field == e.Tenant.Field || e.recognises(field) {
			r.wrong(at(key+".minimise", i), "is needed: by the ground, the period, or to find the item again", "fields that nothing needs")
		}
	}
}

// recognises reports whether the entry's items are found by a field.
func (e *Entry) recognises(field string) bool {
	return slices.ContainsFunc(e.selectors(), func(s *Selector) bool {
		return field == s.Equals || field == s.Column || field == s.Contains || field == s.MapKey
	})
}
