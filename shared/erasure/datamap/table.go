package datamap

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure"
)

// Row is one entry as a person reads it.
type Row struct {
	Entry     string   `json:"entry"`
	Store     string   `json:"store"` // without query, {region} where each tenant's own counts
	Place     string   `json:"place"`
	Region    string   `json:"region"`
	Role      Role     `json:"role"`
	Staff     bool     `json:"staff,omitempty"`   // of people who work here alone
	Tenant    string   `json:"tenant"`            // how items tell it: "path", "field tenant_id", "global"
	Selector  string   `json:"selector"`          // how a person's items are recognised
	Letters   bool     `json:"letters,omitempty"` // an address in other letters than were given may stay behind: a person looks
	Action    Action   `json:"action"`
	Account   Action   `json:"account,omitempty"`   // what the end of the tenant's account does; "" where it leaves them alone
	Changes   []string `json:"changes,omitempty"`   // what becomes of fields
	Retention string   `json:"retention,omitempty"` // what is kept, on what ground and until when, or erased by age
	Order     int      `json:"order"`               // from 1
	After     []string `json:"after,omitempty"`
	Grants    string   `json:"grants,omitempty"`  // with whom the items are connections, which end there first
	Descend   bool     `json:"descend,omitempty"` // what lies below goes with it
	Below     []string `json:"below,omitempty"`   // names of what lies below, or behind foreign keys
	Within    []string `json:"within,omitempty"`  // entries that lie inside this one: while they keep something, so does it
	Backups   string   `json:"backups"`           // class and days, or "none"
}

// Table returns the entries in the order in which they are erased, for people to read. A map that was read with problems
// has none.
func (m *Map) Table() []Row {
	if m.faulty {
		return nil
	}
	var rows []Row
	for n, i := range m.order {
		e := m.Entries[i]
		rows = append(rows, Row{
			Entry: e.ID, Store: bare(e.Store), Place: e.Place, Region: e.Region, Role: e.Role, Staff: m.staffOnly(e), Tenant: e.Tenant.String(), Selector: e.Select.String(),
			Letters: slices.ContainsFunc(e.selectors(), func(s *Selector) bool { return m.blind(e, s) }),
			Action:  e.Action, Account: m.closing(e), Changes: e.changes(), Retention: m.kept(e), Order: n + 1, After: e.After, Grants: m.connects(e), Descend: e.Descend, Below: e.Below, Within: m.nested[e.ID].account, Backups: m.backup(e.Backup),
		})
	}
	return rows
}

// connects names the provider of an entry's connections; "" for one that holds none.
func (m *Map) connects(e *Entry) string {
	if e.Grants == nil {
		return ""
	}
	if e.Grants.In != "" {
		return "whoever " + e.Grants.In + " names"
	}
	p, _ := m.Provider(e.Grants.Provider)
	return p.Name
}

// changes says what becomes of each field that does not stay as it is.
func (e *Entry) changes() []string {
	var all []string
	for _, f := range e.Fields {
		text := map[Do]string{DoDelete: "without ", DoAggregate: "without ", DoDetach: "no link by "}[f.Do] + f.Field
		switch f.Do {
		case DoAggregate:
			text += ", which is added to a total in " + strings.TrimPrefix(f.Into, bare(e.Store)+"/")
			if len(f.By) > 0 {
				text += " by " + strings.Join(f.By, " and ")
			}
		case DoSet:
			text += " becomes " + f.Value
		case DoGeneralise:
			text += map[erasure.Granularity]string{erasure.ToMonth: " to the month", erasure.ToYear: " to the year", erasure.ToMap: " made coarser"}[f.To]
		case DoHash, DoHMAC, DoEncrypt:
			text += " as " + string(f.Do)
		}
		all = append(all, text)
	}
	if e.Retain != nil {
		for _, field := range e.Retain.Minimise {
			all = append(all, "without "+field)
		}
	}
	for _, s := range e.selectors() {
		if field := s.Contains + s.MapKey; field != "" && e.Action == Delete {
			all = append(all, "taken out of "+field+", the rest stays")
		}
	}
	return all
}

// String returns "path", "field PATH" or "global".
func (t Tenant) String() string {
	switch {
	case t.Path:
		return "path"
	case t.Field != "":
		return "field " + t.Field
	}
	return "global"
}

// String returns the way of recognising and its identifier, such as "equals owner.id of uid", the others
// behind "or".
func (s *Selector) String() string {
	ways := s.ways()
	var parts []string
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		part := way + " " + ways[way]
		if way == "hook" {
			part = way
		}
		if s.Of != "" {
			part += " of " + s.Of
		}
		if words := map[Case]string{Small: " in small letters", Exact: " letter for letter", Any: " whatever its letters"}[s.Case]; words != "" {
			part += words
		}
		parts = append(parts, part)
	}
	if s.Or != nil {
		parts = append(parts, "or "+s.Or.String())
	}
	return strings.Join(parts, ", ")
}

func (m *Map) kept(e *Entry) string {
	var parts []string
	if e.Retain != nil {
		parts = append(parts, fmt.Sprintf("kept %s from %s (%s: %s)", words(e.Retain.Period), e.Retain.From, e.Retain.Ground, e.Retain.Citation))
	}
	for _, rule := range m.Retention {
		if rule.Entry == e.ID {
			parts = append(parts, fmt.Sprintf("%s by age after %s", rule.Action, words(rule.OlderThan)))
		}
	}
	return strings.Join(parts, "; ")
}

// words is a period as people say it.
func words(p calendar.Period) string {
	var parts []string
	for _, unit := range []struct {
		n    int
		name string
	}{{p.Years, "year"}, {p.Months, "month"}, {p.Days, "day"}, {int(p.Clock / time.Hour), "hour"}} {
		if unit.n == 1 {
			parts = append(parts, "1 "+unit.name)
		} else if unit.n != 0 {
			parts = append(parts, fmt.Sprintf("%d %ss", unit.n, unit.name))
		}
	}
	return strings.Join(parts, " ")
}

func (m *Map) backup(class string) string {
	for _, b := range m.Backups {
		if b.Class == class {
			return fmt.Sprintf("%s, %d days", b.Class, b.Days)
		}
	}
	return class
}
