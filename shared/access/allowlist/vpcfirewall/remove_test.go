package vpcfirewall

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/platform/fault"
)

// TestRemoveGoesOn: a rule that cannot be written keeps no other from losing what it must.
func TestRemoveGoesOn(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 3)
	target := v.door(t, 4, 12, nil)
	mustApply(t, target, numbered(0, 12))
	v.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "edge-v4-00") {
			v.Fail(w, 409, "resourceNotReady")
			return true
		}
		return false
	}
	if err := target.Remove(t.Context(), numbered(0, 12).Prefixes()); !fault.Is(err, fault.Transient) {
		t.Errorf("one rule was refused: %v", err)
	}
	if left := read(t, target).Prefixes; !slices.Equal(left, numbered(0, 4).Prefixes()) {
		t.Errorf("left are %v", left)
	}
}

// TestRemoveEveryone: a rule that lets everybody in is shut by taking everybody away.
func TestRemoveEveryone(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 1)
	target := v.door(t, 4, 4, nil)
	v.Edit("edge-v4-00", func(r *compute.Firewall) { r.SourceRanges, r.Disabled = nil, false })
	v.Edit("edge-v6-00", func(r *compute.Firewall) { r.SourceRanges, r.Disabled = []string{"::/0", "2a02:8109:9340::/64"}, false })
	seen := read(t, target)
	if !slices.Contains(seen.Prefixes, everyone[0]) || !slices.Contains(seen.Prefixes, everyone[1]) || seen.Torn == "" {
		t.Fatalf("two open rules read as %+v", seen)
	}
	for _, p := range everyone { // one after the other: neither is written back for the other's sake
		if err := target.Remove(t.Context(), []netip.Prefix{p}); err != nil {
			t.Fatal(err)
		}
	}
	if left := read(t, target); !slices.Equal(left.Prefixes, []netip.Prefix{netip.MustParsePrefix("2a02:8109:9340::/64")}) || left.Torn != "" {
		t.Errorf("left is %+v", left)
	}
}

// TestRemoveFromDisabled: a rule that somebody disabled loses what is taken away, and is not enabled by that.
func TestRemoveFromDisabled(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 1)
	target := v.door(t, 4, 4, nil)
	mustApply(t, target, numbered(0, 3))
	v.Edit("edge-v4-00", func(r *compute.Firewall) { r.Disabled = true })
	if err := target.Remove(t.Context(), numbered(0, 1).Prefixes()); err != nil {
		t.Fatal(err)
	}
	if r := v.Rules["edge-v4-00"]; !r.Disabled || len(r.SourceRanges) != 2 {
		t.Errorf("left is %+v", r)
	}
}

// TestOwns: what the audit log may name when it is about this door.
func TestOwns(t *testing.T) {
	t.Parallel()
	target := newVPC(t, 1).door(t, 1, 1, nil)
	const rules = "//compute.googleapis.com/projects/" + project + "/global/firewalls/"
	for asset, want := range map[string]bool{
		rules + "edge-v4-00":     true,
		rules + "edge-v6-199":    true,
		rules + "edge-v5-00":     false,
		rules + "edge-v4":        false,
		rules + "edge-v4-x":      false,
		rules + "edge-v4-00/x":   false,
		rules + "edges-v4-00":    false,
		rules + "not-edge-v4-00": false,
		rules:                    false,
		"//compute.googleapis.com/projects/other/global/firewalls/edge-v4-00":           false,
		"//compute.googleapis.com/projects/" + project + "/global/networks/edge-v4-00":  false,
		"//example.googleapis.com/projects/" + project + "/global/firewalls/edge-v4-00": false,
		"projects/" + project + "/global/firewalls/edge-v4-00":                          false,
		"edge-v4-00": false,
		"":           false,
	} {
		if target.Owns(asset) != want {
			t.Errorf("%q: owned %t", asset, !want)
		}
	}
}
