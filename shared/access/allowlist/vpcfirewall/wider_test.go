package vpcfirewall

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist/targettest"
)

func rule(name string, priority int64, sources ...string) *compute.Firewall {
	return &compute.Firewall{Name: name, Priority: priority, SourceRanges: sources}
}

func allows(r *compute.Firewall, protocol string, ports ...string) *compute.Firewall {
	r.Allowed = append(r.Allowed, &compute.FirewallAllowed{IPProtocol: protocol, Ports: ports})
	return r
}

func denies(r *compute.Firewall, protocol string, ports ...string) *compute.Firewall {
	r.Denied = append(r.Denied, &compute.FirewallDenied{IPProtocol: protocol, Ports: ports})
	return r
}

func with(r *compute.Firewall, fn func(r *compute.Firewall)) *compute.Firewall { fn(r); return r }

// TestWider: the door is edge, priority 900, tcp 443 to tag web, and holds 81.2.69.142/32, 92.40.1.0/24 and an IPv6 /64.
func TestWider(t *testing.T) {
	t.Parallel()
	const every4, every6 = "0.0.0.0/0", "::/0"
	for name, c := range map[string]struct {
		rules []*compute.Firewall
		want  string
	}{
		"nothing":                    {nil, ""},
		"everyone before":            {[]*compute.Firewall{allows(rule("open", 100, every4), "tcp", "443")}, "open"},
		"everyone beside":            {[]*compute.Firewall{allows(rule("open", 900, every6), "tcp", "443")}, "open"},
		"everyone after":             {[]*compute.Firewall{allows(rule("default-allow", 65534, every4), "all")}, "default-allow"},
		"no source":                  {[]*compute.Firewall{allows(rule("open", 900), "tcp")}, "open"},
		"a source of others":         {[]*compute.Firewall{allows(rule("office", 900, "5.6.7.0/24"), "tcp", "443")}, "office"},
		"a source around one":        {[]*compute.Firewall{allows(rule("office", 900, "81.2.69.0/24"), "tcp", "443")}, "office"},
		"a source that we hold":      {[]*compute.Firewall{allows(rule("same", 100, "81.2.69.142/32", "92.40.1.128/25"), "tcp", "443")}, ""},
		"one held, one not":          {[]*compute.Firewall{allows(rule("mixed", 100, "81.2.69.142/32", "5.6.7.8/32"), "tcp", "443")}, "mixed"},
		"unreadable source":          {[]*compute.Firewall{allows(rule("odd", 100, "?"), "tcp", "443")}, "odd"},
		"by tag":                     {[]*compute.Firewall{with(allows(rule("tagged", 900), "tcp", "443"), func(r *compute.Firewall) { r.SourceTags = []string{"batch"} })}, "tagged"},
		"by account":                 {[]*compute.Firewall{with(allows(rule("account", 900), "tcp"), func(r *compute.Firewall) { r.SourceServiceAccounts = []string{"a@b.example"} })}, "account"},
		"disabled":                   {[]*compute.Firewall{with(allows(rule("off", 100, every4), "all"), func(r *compute.Firewall) { r.Disabled = true })}, ""},
		"egress":                     {[]*compute.Firewall{with(allows(rule("out", 100, every4), "all"), func(r *compute.Firewall) { r.Direction = "EGRESS" })}, ""},
		"another network":            {[]*compute.Firewall{with(allows(rule("far", 100, every4), "all"), func(r *compute.Firewall) { r.Network = "other" })}, ""},
		"other machines":             {[]*compute.Firewall{with(allows(rule("db", 100, every4), "all"), func(r *compute.Firewall) { r.TargetTags = []string{"db"} })}, ""},
		"some of our machines":       {[]*compute.Firewall{with(allows(rule("web", 100, every4), "all"), func(r *compute.Firewall) { r.TargetTags = []string{"db", "web"} })}, "web"},
		"machines by account":        {[]*compute.Firewall{with(allows(rule("run", 100, every4), "all"), func(r *compute.Firewall) { r.TargetServiceAccounts = []string{"a@b.example"} })}, "run"},
		"another port":               {[]*compute.Firewall{allows(rule("ssh", 100, every4), "tcp", "22")}, ""},
		"a range of ports":           {[]*compute.Firewall{allows(rule("range", 100, every4), "tcp", "22", "400-500")}, "range"},
		"a range beside":             {[]*compute.Firewall{allows(rule("range", 100, every4), "tcp", "22-442", "444-500")}, ""},
		"unreadable port":            {[]*compute.Firewall{allows(rule("odd", 100, every4), "tcp", "https")}, "odd"},
		"another protocol":           {[]*compute.Firewall{allows(rule("udp", 100, every4), "udp")}, ""},
		"protocol by number":         {[]*compute.Firewall{allows(rule("six", 100, every4), "6", "443")}, "six"},
		"protocol in capitals":       {[]*compute.Firewall{allows(rule("caps", 100, every4), "TCP", "443")}, "caps"},
		"shut between":               {[]*compute.Firewall{allows(rule("default-allow", 65534, every4), "all"), denies(rule("shut", 65000, every4), "all")}, ""},
		"shut beside":                {[]*compute.Firewall{allows(rule("open", 1000, every4), "all"), denies(rule("shut", 1000, every4), "all")}, ""},
		"shut after":                 {[]*compute.Firewall{allows(rule("open", 1000, every4), "all"), denies(rule("shut", 1001, every4), "all")}, "open"},
		"shut for one family":        {[]*compute.Firewall{allows(rule("open", 1000, every6), "all"), denies(rule("shut", 950, every4), "all")}, "open"},
		"shut in part":               {[]*compute.Firewall{allows(rule("open", 1000, every4), "all"), denies(rule("shut", 950, "0.0.0.0/1"), "all")}, "open"},
		"shut for its source":        {[]*compute.Firewall{allows(rule("office", 1000, "5.6.7.0/24"), "all"), denies(rule("shut", 950, "5.0.0.0/8"), "tcp", "400-500")}, ""},
		"shut at another port":       {[]*compute.Firewall{allows(rule("open", 1000, every4), "all"), denies(rule("shut", 950, every4), "tcp", "444")}, "open"},
		"shut for another protocol":  {[]*compute.Firewall{allows(rule("open", 1000, every4), "all"), denies(rule("shut", 950, every4), "udp")}, "open"},
		"shut for other machines":    {[]*compute.Firewall{allows(rule("open", 1000, every4), "all"), with(denies(rule("shut", 950, every4), "all"), func(r *compute.Firewall) { r.TargetServiceAccounts = []string{"a@b.example"} })}, "open"},
		"shut for our machines":      {[]*compute.Firewall{allows(rule("open", 1000, every4), "all"), with(denies(rule("shut", 950, every4), "all"), func(r *compute.Firewall) { r.TargetTags = []string{"web", "db"} })}, ""},
		"shut towards some":          {[]*compute.Firewall{allows(rule("open", 1000, every4), "all"), with(denies(rule("shut", 950, every4), "all"), func(r *compute.Firewall) { r.DestinationRanges = []string{"10.0.0.0/8"} })}, "open"},
		"shut and disabled":          {[]*compute.Firewall{allows(rule("open", 1000, every4), "all"), with(denies(rule("shut", 950, every4), "all"), func(r *compute.Firewall) { r.Disabled = true })}, "open"},
		"shut at a port it misreads": {[]*compute.Firewall{allows(rule("open", 1000, every4), "all"), denies(rule("shut", 950, every4), "tcp", "https")}, "open"},
		"denied before":              {[]*compute.Firewall{denies(rule("block", 100, every4), "all")}, "deny block"},
		"denied beside":              {[]*compute.Firewall{denies(rule("block", 900, "81.2.69.0/24"), "tcp")}, "deny block"},
		"denied after":               {[]*compute.Firewall{denies(rule("block", 901, every4), "all")}, ""},
		"denied in part":             {[]*compute.Firewall{denies(rule("block", 100, "92.40.1.7/32"), "tcp")}, "deny block"},
		"denied, IPv6":               {[]*compute.Firewall{denies(rule("block", 100, "2a02:8109::/32"), "tcp")}, "deny block"},
		"denied, others":             {[]*compute.Firewall{denies(rule("block", 100, "5.6.7.0/24", "2a03::/16"), "all")}, ""},
		"denied by tag":              {[]*compute.Firewall{with(denies(rule("block", 100), "all"), func(r *compute.Firewall) { r.SourceTags = []string{"batch"} })}, ""},
		"denied at another port":     {[]*compute.Firewall{denies(rule("block", 100, every4), "tcp", "22")}, ""},
		"sorted":                     {[]*compute.Firewall{allows(rule("open", 100, every4), "all"), denies(rule("block", 50, "81.2.69.142/32"), "all")}, "deny block, open"},
		"many":                       {[]*compute.Firewall{allows(rule("b", 100, every4), "all"), allows(rule("a", 100, every6), "all"), denies(rule("c", 50, "81.2.69.142/32"), "all")}, "a, b, deny c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVPC(t, 2)
			for _, r := range c.rules {
				sources := r.SourceRanges
				v.Add(r)
				r.SourceRanges = sources
			}
			target := v.door(t, 4, 8, nil)
			mustApply(t, target, targettest.Make("81.2.69.142/32", "92.40.1.0/24", "2a02:8109:9340:1234::/64"))
			seen := read(t, target)
			if got := strings.Join(seen.Wider, ", "); got != c.want || !slices.IsSorted(seen.Wider) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestWiderAllMachines: where ours apply to every machine, a rule for some of them counts, and a rule that denies for some shuts nothing.
func TestWiderAllMachines(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 1)
	for _, r := range v.Rules {
		r.TargetTags = nil
	}
	v.Add(with(allows(rule("open", 1000, "0.0.0.0/0"), "all"), func(r *compute.Firewall) { r.TargetTags = []string{"db"} }))
	v.Add(with(denies(rule("shut", 950, "0.0.0.0/0"), "all"), func(r *compute.Firewall) { r.TargetTags = []string{"db"} }))
	if seen := read(t, v.door(t, 4, 8, nil)); !slices.Equal(seen.Wider, []string{"open"}) {
		t.Errorf("%v", seen.Wider)
	}
}

// TestWiderPorts: where ours allow many ports, any of them counts in another rule, and only one that denies all of them shuts it.
func TestWiderPorts(t *testing.T) {
	t.Parallel()
	for denied, want := range map[string]string{"300-450": "open", "450-600": "open", "401-499": "open", "400-500": "", "": ""} {
		for _, ours := range []string{"tcp", "all"} {
			v := newVPC(t, 1)
			line := &compute.FirewallAllowed{IPProtocol: ours}
			if ours == "tcp" {
				line.Ports = []string{"400-500"}
			}
			for _, r := range v.Rules {
				r.Allowed = []*compute.FirewallAllowed{line}
			}
			v.Add(allows(rule("open", 1000, "0.0.0.0/0"), "tcp", "420"))
			shut := denies(rule("shut", 950, "0.0.0.0/0"), "tcp", denied)
			if denied == "" {
				shut.Denied[0].Ports = nil
			}
			v.Add(shut)
			if ours == "all" {
				want = "open"
			}
			if got := strings.Join(read(t, v.door(t, 4, 8, nil)).Wider, ", "); got != want {
				t.Errorf("ours allow %s, %q is denied: %q, want %q", ours, denied, got, want)
			}
		}
	}
}
