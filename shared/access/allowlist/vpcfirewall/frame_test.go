package vpcfirewall

import (
	"testing"

	"google.golang.org/api/compute/v1"
)

// TestFrame: what somebody does to all rules alike does not read as torn; the frame tells it. What is ours to change, and how
// many rules there are, is no part of it.
func TestFrame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(r *compute.Firewall)
		torn bool
		same bool
	}{
		"ports": {edit: func(r *compute.Firewall) {
			r.Allowed = []*compute.FirewallAllowed{{IPProtocol: "tcp", Ports: []string{"1-65535"}}}
		}},
		"protocol":        {edit: func(r *compute.Firewall) { r.Allowed = []*compute.FirewallAllowed{{IPProtocol: "all"}} }},
		"tags":            {edit: func(r *compute.Firewall) { r.TargetTags = nil }},
		"accounts":        {edit: func(r *compute.Firewall) { r.TargetServiceAccounts = []string{"vm@edge.iam.gserviceaccount.com"} }},
		"priority":        {edit: func(r *compute.Firewall) { r.Priority = 1 }},
		"network":         {edit: func(r *compute.Firewall) { r.Network += "-2" }},
		"destination":     {edit: func(r *compute.Firewall) { r.DestinationRanges = []string{"10.0.0.0/8"} }},
		"direction":       {edit: func(r *compute.Firewall) { r.Direction = "EGRESS" }, torn: true},
		"source tags":     {edit: func(r *compute.Firewall) { r.SourceTags = []string{"inner"} }, torn: true},
		"source accounts": {edit: func(r *compute.Firewall) { r.SourceServiceAccounts = []string{"vm@edge.iam.gserviceaccount.com"} }, torn: true},
		"denies":          {edit: func(r *compute.Firewall) { r.Denied = []*compute.FirewallDenied{{IPProtocol: "tcp"}} }, torn: true},
		"order of tags":   {edit: func(r *compute.Firewall) { r.TargetTags = []string{"b", "a"} }, same: true},
		"description":     {edit: func(r *compute.Firewall) { r.Description = "Edge" }, same: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVPC(t, 2)
			target := v.door(t, 4, 8, nil)
			for rule := range v.Rules {
				v.Edit(rule, func(r *compute.Firewall) { r.TargetTags = []string{"a", "b"} })
			}
			mustApply(t, target, numbered(0, 3))
			before := read(t, target)
			for rule := range v.Rules {
				v.Edit(rule, c.edit)
			}
			seen := read(t, target)
			if before.Frame == "" || (seen.Frame == before.Frame) != c.same || (seen.Torn != "") != c.torn {
				t.Errorf("reads frame %q, torn %q; before %q", seen.Frame, seen.Torn, before.Frame)
			}
		})
	}
}

// TestFrameStays: writing entries, and more rules made alike, leave the frame as it is; one rule made otherwise does not.
func TestFrameStays(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 2)
	target := v.door(t, 4, 8, nil)
	frame := read(t, target).Frame
	mustApply(t, target, numbered(0, 7))
	if read(t, target).Frame != frame {
		t.Error("the entries are part of the frame")
	}
	v.Shells(3)
	if seen := read(t, target); seen.Frame != frame || seen.Torn != "" {
		t.Errorf("with more rules the frame is %q, before %q; torn %q", seen.Frame, frame, seen.Torn)
	}
	v.Edit("edge-v6-01", func(r *compute.Firewall) { r.Allowed = []*compute.FirewallAllowed{{IPProtocol: "all"}} })
	if seen := read(t, target); seen.Frame == frame || seen.Torn == "" {
		t.Errorf("with one that is made otherwise it stays %q, torn %q", seen.Frame, seen.Torn)
	}
}
