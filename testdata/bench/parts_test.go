package main

import (
	"slices"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	all := (&bench{}).parts()
	for only, want := range map[string]string{
		"drift": "holding scanning", "drift,breach": "notifying ticking holding scanning", "page": "page", "scanning,passwords": "passwords scanning",
		"trust,page": "following page", "evidence": "hashing sequencing verifying", "doors": "vpcfirewall cloudarmor accesslevel",
	} {
		chosen, err := choose(all, only)
		var names []string
		for _, p := range chosen {
			names = append(names, p.name)
		}
		if err != nil || strings.Join(names, " ") != want {
			t.Errorf("%s: %v, %v", only, names, err)
		}
	}
	if chosen, err := choose(all, ""); err != nil || len(chosen) != len(all) {
		t.Errorf("none is named: %d of %d, %v", len(chosen), len(all), err)
	}
	for _, only := range []string{"drifts", "drift,", ",", "drift,nothing", " drift"} {
		if _, err := choose(all, only); err == nil || !strings.Contains(err.Error(), "drift: holding scanning") {
			t.Errorf("%q: %v", only, err)
		}
	}
}

// A group that no row is of is told, once.
func TestUnmeasured(t *testing.T) {
	t.Parallel()
	all := (&bench{}).parts()
	var rows []row
	for _, p := range all {
		if p.group != "erasure" && p.group != "doors" {
			rows = append(rows, row{group: p.group})
		}
	}
	if got := unmeasured(all, rows); !slices.Equal(got, []string{"doors", "erasure"}) {
		t.Errorf("%v", got)
	}
	if got := unmeasured(all[:1], rows); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

// A group stands together, so that the list says each once; every part has a name of its own, which no group has.
func TestListing(t *testing.T) {
	t.Parallel()
	all := (&bench{}).parts()
	seen := map[string]bool{}
	for _, p := range all {
		if p.measure == nil || p.name == "" || seen[p.name] {
			t.Errorf("%+v", p)
		}
		seen[p.name] = true
	}
	groups := 0
	for line := range strings.Lines(listing(all)) {
		group, _, _ := strings.Cut(line, ":")
		if seen[group] {
			t.Errorf("%s is there twice", group)
		}
		seen[group], groups = true, groups+1
	}
	if groups != 9 {
		t.Errorf("%d groups:\n%s", groups, listing(all))
	}
}
