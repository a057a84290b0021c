package datamap

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Row is one entry as a person reads it.
type Row struct {
	Entry     string   `json:"entry"`
	Store     string   `json:"store"` // without query, {region} where each tenant's own counts
	Place     string   `json:"place"`
	Region    string   `json:"region"`
	Role      Role     `json:"role"`
	Tenant    string   `json:"tenant"`   // how items tell it: "path", "field tenant_id", "global"
	Selector  string   `json:"selector"` // how a person's items are recognised
	Action    Action   `json:"action"`
	Retention string   `json:"retention"` // what is kept and why, or erased by age; "" for neither
	Order     int      `json:"order"`     // from 1
	After     []string `json:"after,omitempty"`
	Backups   string   `json:"backups"` // class and days, or "none"
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
			Entry: e.ID, Store: bare(e.Store), Place: e.Place, Region: e.Region, Role: e.Role, Tenant: e.Tenant.String(), Selector: e.Select.String(),
			Action: e.Action, Retention: m.kept(e), Order: n + 1, After: e.After, Backups: m.backup(e.Backup),
		})
	}
	return rows
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

// String returns the way of recognising and its identifier, such as "equals owner.id of uid", those to be tried later
// behind "else".
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
		parts = append(parts, part)
	}
	if s.Else != nil {
		parts = append(parts, "else "+s.Else.String())
	}
	return strings.Join(parts, ", ")
}

func (m *Map) kept(e *Entry) string {
	var parts []string
	if e.Retain != nil {
		parts = append(parts, fmt.Sprintf("kept %s from %s: %s, %s", e.Retain.Period, e.Retain.From, e.Retain.Ground, e.Retain.Citation))
	}
	for _, rule := range m.Retention {
		if rule.Entry == e.ID {
			parts = append(parts, fmt.Sprintf("%s after %s", rule.Action, rule.OlderThan))
		}
	}
	return strings.Join(parts, "; ")
}

func (m *Map) backup(class string) string {
	for _, b := range m.Backups {
		if b.Class == class {
			return fmt.Sprintf("%s, %d days", b.Class, b.Days)
		}
	}
	return class
}
