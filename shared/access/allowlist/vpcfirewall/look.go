package vpcfirewall

import (
	"context"
	"errors"
	"slices"
	"strings"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
)

const (
	pageSize  = 50 // rules of MaxSize make a page below googledoor.MostOfAnswer
	mostPages = 100
)

// look lists all rules of the project, for ours and their neighbours are judged together. Transient: not all of it could be
// read. Denied. Misconfigured: a family has no rule.
func (t *Target) look(ctx context.Context, client *compute.Service) (landscape, error) {
	var l landscape
	doing := "listing the rules of firewall door " + t.name
	pages, seen := 0, map[string]bool{}
	err := client.Firewalls.List(t.project).MaxResults(pageSize).Pages(ctx, func(page *compute.FirewallList) error {
		if pages++; pages > mostPages || page.Warning != nil && page.Warning.Code != "NO_RESULTS_ON_PAGE" {
			return fault.New(fault.Transient, "%s: not all of them were answered", doing)
		}
		for _, rule := range page.Items {
			if rule == nil || rule.Name == "" || seen[rule.Name] {
				return fault.New(fault.Transient, "%s: the list changed while it was read", doing)
			}
			seen[rule.Name] = true
			if v4, ours := t.ours(rule.Name); ours {
				l.shells = append(l.shells, judge(rule, v4))
			} else {
				l.others = append(l.others, rule)
			}
		}
		return nil
	})
	if err != nil {
		if _, said := errors.AsType[*fault.Error](err); !said {
			err = googledoor.Explain(doing, err)
		}
		return l, googledoor.Reading(err)
	}
	return l, t.arrange(&l)
}

// ours reports whether a rule is one of the door's by its name.
func (t *Target) ours(name string) (v4, ours bool) {
	rest, ok := strings.CutPrefix(name, t.rules+"-v")
	family, number, _ := strings.Cut(rest, "-")
	digits := strings.Trim(number, "0123456789") == "" && (len(number) == 2 || len(number) == 3)
	return family == "4", ok && digits && (family == "4" || family == "6")
}

// arrange sorts the rules of the door, compares them and learns how many they hold.
func (t *Target) arrange(l *landscape) error {
	slices.SortFunc(l.shells, func(a, b shell) int { return strings.Compare(a.rule.Name, b.rule.Name) })
	count, first := map[bool]int{}, map[bool]*compute.Firewall{}
	for i, s := range l.shells {
		if count[s.v4]++; count[s.v4] == 1 {
			first[s.v4] = s.rule
		}
		if s.wrong == "" {
			l.shells[i].wrong = differs(s.rule, l.shells[0].rule, first[s.v4])
		}
	}
	for _, v4 := range []bool{true, false} {
		if count[v4] == 0 {
			return fault.New(fault.Misconfigured, "reading firewall door %s: it has no rule %s-%s-00; Terraform makes the rules", t.name, t.rules, family(v4))
		}
	}
	t.room.Store(int64(min(count[true], count[false]) * t.size))
	return nil
}

func family(v4 bool) string {
	if v4 {
		return "v4"
	}
	return "v6"
}
