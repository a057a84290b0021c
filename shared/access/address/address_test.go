package address

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
)

func TestPrefix(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ addr, want string }{
		{"81.2.69.142", "81.2.69.142/32"},
		{"::ffff:81.2.69.142", "81.2.69.142/32"},
		{"92.40.1.7", "92.40.1.7/32"},
		{"2a02:8109:9340:1234:5678:9abc:def0:1", "2a02:8109:9340:1234::/64"},
		{"2a00:1450:4001:81b::1", "2a00:1450:4001:81b::/64"},
		{"100.128.0.1", "100.128.0.1/32"},
		{"172.32.0.1", "172.32.0.1/32"},
		{"223.255.255.255", "223.255.255.255/32"},
		{"2001:200::1", "2001:200::/64"},
		{"3fff:1000::1", "3fff:1000::/64"},
	} {
		p, err := Prefix(netip.MustParseAddr(c.addr))
		if err != nil || p.String() != c.want {
			t.Errorf("Prefix(%s) = %v, %v; want %s", c.addr, p, err, c.want)
		}
	}
}

func TestPrefixRefuses(t *testing.T) {
	t.Parallel()
	own := NewScreen(netip.MustParsePrefix("34.98.77.1/32"), netip.MustParsePrefix("2600:1901:0:abcd::1/128"))
	for _, c := range []struct{ addr, reason string }{
		{"0.0.0.0", "network"}, {"10.1.2.3", "Private-Use"}, {"100.64.0.1", "Shared"}, {"100.127.255.255", "Shared"},
		{"127.0.0.1", "Loopback"}, {"169.254.169.254", "Link Local"}, {"172.31.255.255", "Private-Use"},
		{"192.0.0.170", "NAT64"}, {"192.0.0.171", "NAT64"}, {"192.0.2.1", "TEST-NET-1"}, {"192.88.99.2", "6a44"},
		{"198.19.255.255", "Benchmarking"}, {"224.0.0.1", "multicast"}, {"239.255.255.255", "multicast"},
		{"240.0.0.1", "Reserved"}, {"255.255.255.255", "Broadcast"}, {"::ffff:10.0.0.1", "Private-Use"},
		{"::", "Unspecified"}, {"::1", "Loopback"}, {"64:ff9b::8.8.8.8", "Translat"}, {"64:ff9b:1::1", "Translat"},
		{"100::1", "Discard"}, {"100:0:0:1::1", "Dummy"}, {"2001::1", "TEREDO"}, {"2001:1::3", "DNS-SD"},
		{"2001:db8::1", "Documentation"}, {"2002:5102:458e::1", "6to4"}, {"3fff:fff::1", "Documentation"},
		{"5f00::1", "Segment"}, {"fc00::1", "Unique-Local"}, {"fdff::1", "Unique-Local"}, {"fe80::1", "Link-Local"},
		{"fec0::1", "site-local"}, {"ff02::1", "multicast"}, {"fe80::1%eth0", "zone"}, {"2a02::1%eth0", "zone"},
		{"::ffff:81.2.69.142%eth0", "zone"}, {"4000::1", "2000::/3"}, {"1fff::1", "2000::/3"},
		{"35.191.0.1", "Google"}, {"130.211.3.255", "Google"}, {"209.85.152.1", "Google"}, {"209.85.204.1", "Google"},
		{"35.235.240.1", "Identity-Aware"}, {"34.98.77.1", "our own"}, {"2600:1901:0:abcd:ffff::9", "our own"},
	} {
		_, err := own.Prefix(netip.MustParseAddr(c.addr))
		e, ok := err.(*fault.Error)
		if !ok || e.Kind != fault.Invalid || e.Code != "address_refused" || e.Status != 422 || e.Next == "" {
			t.Errorf("Prefix(%s) = %v; want an address_refused fault", c.addr, err)
			continue
		}
		if !strings.Contains(strings.ToLower(e.Detail), strings.ToLower(c.reason)) &&
			!strings.Contains(e.Detail, c.reason) {
			t.Errorf("Prefix(%s): reason %q lacks %q", c.addr, e.Detail, c.reason)
		}
		if strings.Contains(e.Detail, c.addr+" ") || strings.Contains(e.Error(), c.addr) {
			t.Errorf("Prefix(%s): the refusal repeats the address", c.addr)
		}
	}
	if _, err := Prefix(netip.Addr{}); fault.CodeOf(err) != "address_unknown" {
		t.Errorf("no address: %v; want address_unknown", err)
	}
}

func TestSite(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"81.2.69.0/24", "81.2.69.142/32", "2a02:8109:9300::/48", "2a02:8109:9340:1200::/56"} {
		if p, err := (Screen{}).Site(good); err != nil || p.String() != good {
			t.Errorf("Site(%s) = %v, %v", good, p, err)
		}
	}
	own := NewScreen(netip.MustParsePrefix("34.98.77.1/32"))
	for _, bad := range []string{
		"0.0.0.0/0", "::/0", "81.2.0.0/16", "81.2.68.0/23", "2a02:8109::/32", "2a02:8109:9300::/47", "10.0.0.0/24",
		"192.0.2.0/24", "2001:db8::/48", "35.191.0.0/24", "34.98.77.0/24", "4000::/48", "224.0.0.0/24", "81.2.69.1/24",
	} {
		if p, err := own.Site(bad); err == nil {
			t.Errorf("Site(%s) = %v, want an error", bad, p)
		}
	}
}

// TestTablesHoldTheRequiredBlocks compares the shipped data with the blocks the control must refuse, written out
// here a second time: a renewed table that lost one would open a door.
func TestTablesHoldTheRequiredBlocks(t *testing.T) {
	t.Parallel()
	required := map[string]string{
		"iana-ipv4": `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29
			192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24
			192.52.193.0/24 192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
			203.0.113.0/24 240.0.0.0/4 255.255.255.255/32`,
		"iana-ipv6": `::/128 ::1/128 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32
			2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28
			2001:30::/28 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10`,
		"other":  `224.0.0.0/4 ff00::/8 fec0::/10`,
		"google": `35.191.0.0/16 130.211.0.0/22 209.85.152.0/22 209.85.204.0/22 35.235.240.0/20`,
	}
	tables := map[string]Table{"iana-ipv4": special4, "iana-ipv6": special6, "other": other, "google": proxies}
	for name, list := range required {
		table := tables[name]
		if table.Source == "" || table.Date.Year() < 2025 {
			t.Errorf("table %s is not dated or sourced: %q %s", name, table.Source, table.Date)
		}
		for _, text := range strings.Fields(list) {
			want := netip.MustParsePrefix(text)
			if !slices.ContainsFunc(table.Blocks, func(b Block) bool { return b.Prefix == want }) {
				t.Errorf("table %s lacks %s", name, want)
			}
		}
	}
}

// TestNewerCopy replaces a table by a later one in IANA's own form and sees what it adds and what it would open.
func TestNewerCopy(t *testing.T) {
	t.Parallel()
	data, err := files.ReadFile("tables/iana-ipv4.csv")
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(data), "# date: 2026-07-18", "# date: 2027-01-02", 1) +
		"198.97.38.0/24 [3],Invented Block,[RFC9999],2027-01,N/A,True,True,True,False,False\n"
	table, err := ParseTable([]byte(newer))
	if err != nil {
		t.Fatal(err)
	}
	if !table.Date.After(special4.Date) || len(table.Blocks) != len(special4.Blocks)+1 {
		t.Errorf("newer copy: date %s, %d blocks", table.Date, len(table.Blocks))
	}
	if b, ok := table.Find(netip.MustParseAddr("198.97.38.9")); !ok || b.Name != "Invented Block" {
		t.Errorf("newer block not found: %v %v", b, ok)
	}
	if lost := opened(table, special4); len(lost) != 0 {
		t.Errorf("newer copy opens %v", lost)
	}
	var shorter []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "10.0.0.0/8") {
			shorter = append(shorter, line)
		}
	}
	table, err = ParseTable([]byte(strings.Join(shorter, "")))
	if err != nil {
		t.Fatal(err)
	}
	if lost := opened(table, special4); len(lost) != 1 || lost[0].Prefix.String() != "10.0.0.0/8" {
		t.Errorf("a copy without 10.0.0.0/8 opens %v", lost)
	}
}

// opened are the blocks of old that t does not cover: what a newer copy would open.
func opened(t, old Table) []Block {
	var missing []Block
	for _, b := range old.Blocks {
		covered := slices.ContainsFunc(t.Blocks, func(n Block) bool {
			return n.Prefix.Bits() <= b.Prefix.Bits() && n.Prefix.Contains(b.Prefix.Addr())
		})
		if !covered {
			missing = append(missing, b)
		}
	}
	return missing
}

func TestParseTableRefuses(t *testing.T) {
	t.Parallel()
	const head = "# source: x\n# date: 2026-01-01\n"
	for name, text := range map[string]string{
		"empty":       "",
		"no date":     "# source: x\nAddress Block,Name\n10.0.0.0/8,a\n",
		"bad date":    "# source: x\n# date: soon\nAddress Block,Name\n10.0.0.0/8,a\n",
		"no source":   "# date: 2026-01-01\nAddress Block,Name\n10.0.0.0/8,a\n",
		"no columns":  head,
		"wrong names": head + "Block,Name\n10.0.0.0/8,a\n",
		"no rows":     head + "Address Block,Name\n",
		"bad block":   head + "Address Block,Name\n10.0.0.0,a\n",
		"host bits":   head + "Address Block,Name\n10.0.0.1/8,a\n",
		"short row":   head + "Address Block,Name\n10.0.0.0/8\n",
	} {
		if table, err := ParseTable([]byte(text)); err == nil {
			t.Errorf("%s: read as %v", name, table)
		}
	}
}

// TestEntrance: our own addresses and those of the proxies in front of us are nobody's; all others may be somebody's.
func TestEntrance(t *testing.T) {
	t.Parallel()
	s := NewScreen(netip.MustParsePrefix("34.8.0.1/32"), netip.MustParsePrefix("2600:1901:0:1::/64"))
	for addr, want := range map[string]bool{"34.8.0.1": true, "::ffff:34.8.0.1": true, "2600:1901:0:1::9": true, "35.191.3.4": true, "130.211.0.1": true,
		"34.8.0.2": false, "2600:1901:0:2::": false, "81.2.69.142": false, "198.51.100.7": false} {
		if got := s.Entrance(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is of our entrance: %t", addr, got)
		}
	}
	if s.Entrance(netip.Addr{}) {
		t.Error("no address is of our entrance")
	}
}
