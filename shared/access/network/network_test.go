package network_test

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"ostiary.internal/shared/access/network"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const good = "# made by hand\n# date: 2026-06-17\nmobile A & B\n 192.0.2.0/25\n 2001:db8::/33\n\nrelay C\n 192.0.2.128/25\n"
	table, err := network.Parse([]byte(good))
	if err != nil || table.Date.Format("2006-01-02") != "2026-06-17" {
		t.Fatal(table, err)
	}
	for addr, want := range map[string]network.Network{
		"192.0.2.0": {Kind: network.Mobile, Name: "A & B"}, "192.0.2.127": {Kind: network.Mobile, Name: "A & B"}, "192.0.2.128": {Kind: network.Relay, Name: "C"}, "192.0.2.255": {Kind: network.Relay, Name: "C"},
		"::ffff:192.0.2.1": {Kind: network.Mobile, Name: "A & B"}, "2001:db8:7fff::1": {Kind: network.Mobile, Name: "A & B"}, "2001:db8:8000::": {},
		"192.0.1.255": {}, "192.0.3.0": {}, "::1": {},
	} {
		if got, ok := table.Of(netip.MustParseAddr(addr)); got != want || ok != (want.Kind != "") {
			t.Errorf("%s is of %+v, %t; want %+v", addr, got, ok, want)
		}
	}
	if _, ok := table.Of(netip.Addr{}); ok {
		t.Error("no address is of a network")
	}
	for _, bad := range []string{
		"", "# date: 2026-06-17\n", "mobile A\n 192.0.2.0/25\n", "# date: yesterday\nmobile A\n 192.0.2.0/25\n", "# date: 2026-06-17\nhome A\n 192.0.2.0/25\n", "# date: 2026-06-17\nmobile\n 192.0.2.0/25\n",
		"# date: 2026-06-17\n 192.0.2.0/25\n", "# date: 2026-06-17\nmobile A\n 192.0.2.1/25\n", "# date: 2026-06-17\nmobile A\n 192.0.2.0\n", "# date: 2026-06-17\nmobile A\n 192.0.2.0/24\nrelay B\n 192.0.2.0/25\n",
	} {
		if _, err := network.Parse([]byte(bad)); err == nil {
			t.Errorf("read %q", bad)
		}
	}
}

// TestShipped: the list that comes with the program reads, and knows what anybody can look up.
func TestShipped(t *testing.T) {
	t.Parallel()
	table := network.Shipped()
	for addr, want := range map[string]network.Kind{
		"172.224.226.1": network.Relay, "104.28.1.1": network.Relay, "2a02:26f7::1": network.Relay, "2a09:bac2::1": network.Relay,
		"3.120.0.1": network.Hosting, "35.205.1.1": network.Hosting, "88.198.0.1": network.Hosting,
		"92.40.1.7": network.Mobile, "81.2.69.142": "", "1.1.1.1": "", "8.8.8.8": "",
	} {
		if got, _ := table.Of(netip.MustParseAddr(addr)); got.Kind != want {
			t.Errorf("%s is of %+v, want %q", addr, got, want)
		}
	}
	text, err := os.ReadFile("networks.txt")
	if err != nil || !strings.Contains(string(text), "# source: routeviews.org") {
		t.Error("the list does not say where it comes from", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("# date: 2026-06-17\nmobile A\n 192.0.2.0/25\n 2001:db8::/32\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := network.Parse(data)
		if err != nil {
			return
		}
		for _, a := range []string{"192.0.2.1", "2001:db8::1", "::", "255.255.255.255"} {
			table.Of(netip.MustParseAddr(a))
		}
	})
}

func BenchmarkOf(b *testing.B) {
	table, addr := network.Shipped(), netip.MustParseAddr("92.40.1.7")
	for b.Loop() {
		table.Of(addr)
	}
}
