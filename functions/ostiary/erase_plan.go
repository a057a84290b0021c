package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"ostiary.internal/shared/erasure/datamap"
)

// planned is the data map as programs read it.
type planned struct {
	Map     string            `json:"map"`               // digest
	Ignored []datamap.Ignored `json:"ignored,omitempty"` // stores somebody has looked into
	Owners  string            `json:"owners"`
	Entries []datamap.Row     `json:"entries"`
}

// describe is the data map as somebody reads it who answers for it.
func describe(m *datamap.Map) string {
	var b strings.Builder
	rows := m.Table()
	var stores []string
	for _, r := range rows {
		if !slices.Contains(stores, r.Store) {
			stores = append(stores, r.Store)
		}
	}
	for _, section := range []struct {
		title string
		of    func(datamap.Row) bool
	}{
		{"Erased when a person asks, in this order", func(r datamap.Row) bool { return r.Role == datamap.Controller && !r.Staff }},
		{"Our customers answer for it: a request is forwarded, and erased when they say so", func(r datamap.Row) bool { return r.Role == datamap.Processor }},
		{"Of people who work here: erased " + plural(m.Limits.LeaverDays) + " after their last day, what is kept when that is over", func(r datamap.Row) bool { return r.Role == datamap.Controller && r.Staff }},
	} {
		entries(&b, section.title, slices.DeleteFunc(slices.Clone(rows), func(r datamap.Row) bool { return !section.of(r) }), stores)
	}
	b.WriteString("Stores\n")
	for i, s := range stores {
		fmt.Fprintf(&b, "  %s  %s\n", initial(i), s)
	}
	fmt.Fprintf(&b, "\nOwners of an account\n  %s\n\n", owners(m))
	atTheEnd(&b, m, rows)
	desk(&b, m)
	elsewhere(&b, m)
	ignored(&b, m)
	fmt.Fprintf(&b, "Map %s\n", m.Digest())
	return b.String()
}

// initial stands for a store, whose URL would fill the line.
func initial(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return initial(i/26-1) + initial(i%26)
}

// entries prints one line of each entry, and below it what does not fit.
func entries(b *strings.Builder, title string, rows []datamap.Row, stores []string) {
	if len(rows) == 0 {
		return
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "#\tENTRY\tWHAT IS DONE\tWHERE\tTENANT BY\tFOUND BY")
	for _, r := range rows {
		where := initial(slices.Index(stores, r.Store)) + " " + cmp.Or(r.Place, "*")
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", r.Order, r.Entry, r.Action, where, r.Tenant, r.Selector)
	}
	w.Flush() // into memory
	lines := strings.Split(strings.TrimSuffix(table.String(), "\n"), "\n")
	fmt.Fprintf(b, "%s\n  %s\n", title, lines[0])
	for i, r := range rows {
		fmt.Fprintf(b, "  %s\n", strings.TrimRight(lines[i+1], " "))
		for _, more := range details(r) {
			fmt.Fprintf(b, "       %s\n", more)
		}
	}
	b.WriteString("\n")
}

func details(r datamap.Row) []string {
	var all []string
	if r.Grants != "" {
		all = append(all, "the connection ends at "+r.Grants+" first")
	}
	if r.Letters {
		all = append(all, "an address that stands there in other letters is not found: a person looks, or the map says how they are written (case)")
	}
	if r.Retention != "" {
		all = append(all, r.Retention)
	}
	if len(r.Changes) > 0 {
		all = append(all, strings.Join(r.Changes, ", "))
	}
	switch {
	case len(r.Below) > 0:
		all = append(all, "with what lies below it: "+strings.Join(r.Below, ", "))
	case r.Descend:
		all = append(all, "with what lies below it")
	}
	if len(r.Within) > 0 {
		all = append(all, "stays as long as something is kept of what lies in it: "+strings.Join(r.Within, ", "))
	}
	return all
}

func owners(m *datamap.Map) string {
	o := m.Owner
	switch {
	case o == nil:
		return "Nothing tells who they are (owners: in " + datamap.File + "): a person of the desk looks before an account is closed, and an administrator may have an owner erased."
	case o.Where != "":
		return fmt.Sprintf("Whose %s is %q in %s, by %s. The last one hands the account over, or closes it.", o.Where, o.Is, o.Entry, o.Kind)
	}
	return fmt.Sprintf("Whose %s stands in %s of %s. The last one hands the account over, or closes it.", o.Kind, o.From, o.Entry)
}

// atTheEnd tells what the end of an account leaves.
func atTheEnd(b *strings.Builder, m *datamap.Map, rows []datamap.Row) {
	kept := map[datamap.Action][]string{}
	for _, r := range rows {
		deleted := r.Action == datamap.Anonymise && r.Account == "" // by another entry of the same place
		if r.Tenant != "global" && !deleted {
			kept[r.Account] = append(kept[r.Account], r.Entry)
		}
	}
	fmt.Fprintf(b, "When an account is closed, after %s\n  everything of it is deleted, but:\n", plural(m.Limits.GraceDays))
	for _, line := range []struct {
		of   datamap.Action
		text string
	}{{datamap.Anonymise, "made anonymous"}, {datamap.RetainIt, "kept until the end above"}, {"", "left to another entry of the same place"}} {
		if entries := kept[line.of]; len(entries) > 0 {
			wrap(b, line.text+": "+strings.Join(entries, ", "))
		}
	}
	b.WriteString("\n")
}

// desk tells what is not done without a person.
func desk(b *strings.Builder, m *datamap.Map) {
	l := m.Limits
	b.WriteString("Waits for a person\n")
	wrap(b, fmt.Sprintf("more than %d items, more than %d percent of the tenant's, %d percent more than planned, shared and doubtful addresses, what is for review", l.AutoApproveItems, l.TenantPercent, l.GrowthPercent))
	if m.Strict {
		wrap(b, "a place that is not in this map, before a request reads completed")
	}
	b.WriteString("\n")
}

// elsewhere tells what no request reaches, and who else is told.
func elsewhere(b *strings.Builder, m *datamap.Map) {
	if len(m.Backups) > 0 {
		b.WriteString("Backups have forgotten it\n")
	}
	for _, c := range m.Backups {
		var in []string
		for _, e := range m.Entries {
			if e.Backup == c.Class {
				in = append(in, e.ID)
			}
		}
		wrap(b, fmt.Sprintf("%s, after %s: %s", c.Class, plural(c.Days), strings.Join(in, ", ")))
	}
	if len(m.Recipients) > 0 {
		b.WriteString("\nAre told of an erasure\n")
	}
	for _, r := range m.Recipients {
		fmt.Fprintf(b, "  %s, by %s\n", r.Name, r.By)
	}
	if len(m.Outside) > 0 {
		b.WriteString("\nNo request reaches\n")
	}
	for _, o := range m.Outside {
		days := "stays"
		if o.Days > 0 {
			days = "gone after " + plural(o.Days)
		}
		wrap(b, fmt.Sprintf("%s (%s): %s", o.Place, days, o.What))
	}
	b.WriteString("\n")
}

// ignored tells which stores nobody has to map, and until when.
func ignored(b *strings.Builder, m *datamap.Map) {
	if len(m.Ignored) == 0 {
		return
	}
	b.WriteString("Stores left out, for somebody has looked into them\n")
	for _, i := range m.Ignored {
		wrap(b, fmt.Sprintf("%s (counts until %s): %s", i.Store, i.Review, i.Why))
	}
	b.WriteString("\n")
}

func plural(days int) string {
	if days == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", days)
}

// width of what is no table, in bytes.
const width = 110

// wrap prints text below a heading, the lines behind the first further in.
func wrap(b *strings.Builder, text string) {
	line := " "
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) >= width {
			b.WriteString(line + "\n")
			line = "     "
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
