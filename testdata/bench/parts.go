package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// part is what is measured together. Its group is a control, or what all of them share.
type part struct {
	group, name string
	measure     func(context.Context) error
}

// parts are all of them, in the order of the table.
func (b *bench) parts() []part {
	return []part{
		{"access", "passwords", b.passwords}, {"access", "registration", b.registration}, {"access", "reconciling", b.reconciling},
		{"doors", "vpcfirewall", b.door(firewallDoor)}, {"doors", "cloudarmor", b.door(armorDoor)}, {"doors", "accesslevel", b.door(levelDoor)},
		{"programs", "starting", b.starting},
		{"evidence", "hashing", b.hashing}, {"evidence", "sequencing", b.sequencing}, {"evidence", "verifying", b.verifying},
		{"trust", "following", b.following}, {"trust", "page", b.paging},
		{"watch", "watching", b.watching}, {"watch", "alarming", b.alarming},
		{"erasure", "erasing", b.erasing},
		{"breach", "notifying", b.notifying}, {"breach", "ticking", b.ticking},
		{"drift", "holding", b.drifting}, {"drift", "scanning", b.scanning},
	}
}

// choose returns the parts that are named, each by itself or by its group, separated by commas; all where none is.
func choose(all []part, only string) ([]part, error) {
	if only == "" {
		return all, nil
	}
	named := map[string]bool{}
	for name := range strings.SplitSeq(only, ",") {
		if !slices.ContainsFunc(all, func(p part) bool { return name == p.name || name == p.group }) {
			return nil, fmt.Errorf("nothing is called %q; there are\n%s", name, listing(all))
		}
		named[name] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(p part) bool { return !named[p.name] && !named[p.group] }), nil
}

// listing is a line for each group.
func listing(all []part) string {
	var b strings.Builder
	group := ""
	for _, p := range all {
		if p.group != group {
			if group != "" {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "%s:", p.group)
			group = p.group
		}
		b.WriteString(" " + p.name)
	}
	return b.String() + "\n"
}

// unmeasured names the groups that no row is of.
func unmeasured(all []part, rows []row) (groups []string) {
	for _, p := range all {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.group == p.group }) && !slices.Contains(groups, p.group) {
			groups = append(groups, p.group)
		}
	}
	return groups
}

// add takes a row of the group at hand, and says so: the table comes when all is done.
func (b *bench) add(r row) {
	r.group = b.group
	b.rows = append(b.rows, r)
	fmt.Fprintf(os.Stderr, "  %s: %s; %s: %s; ratio %s, %s to %s\n", r.measured, r.ours, r.what, r.beside, figure(r.ratio.median), figure(r.ratio.least), figure(r.ratio.most))
}
