package address

import (
	"net/netip"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"81.2.69.142/32", "0.0.0.0/0", "::/0", "2a02::/64", "10.0.0.0/8"} {
		if p, err := Parse(good); err != nil || p.String() != good {
			t.Errorf("Parse(%q) = %v, %v", good, p, err)
		}
	}
	for _, bad := range []string{
		"", "81.2.69.142", "81.2.69.142/33", "81.2.69.142/24", "081.2.69.142/32", "81.2.69.142/032", "81.2.69.142/+32",
		" 81.2.69.142/32", "2A02::/64", "2a02:0::/64", "2a02::1/64", "2a02::%eth0/64", "::ffff:81.2.69.142/128",
		"::ffff:0:0/96", "81.2.69/24", "1/8", "81.2.69.142/32\n",
	} {
		if p, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", bad, p)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"81.2.69.142/32", "2a02::/64", "::ffff:1.2.3.4/128", "10.0.0.1/8", "0.0.0.0/0", "a%b/1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if p.String() != text || p != p.Masked() || p.Addr().Zone() != "" || p.Addr().Is4In6() {
			t.Errorf("Parse(%q) let through %v", text, p)
		}
	})
}

// FuzzPrefix: what may be registered is canonical, exactly a lease wide, holds the address, and keeps its answer.
func FuzzPrefix(f *testing.F) {
	for _, seed := range []string{"81.2.69.142", "::ffff:10.0.0.1", "2a02::1", "fe80::1%x", "64:ff9b::1", "255.255.255.255"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return
		}
		p, err := Prefix(addr)
		if err != nil {
			return
		}
		if CheckWidth(p) != nil || !p.Contains(addr.Unmap()) || (p.Bits() != LeaseIPv4 && p.Bits() != LeaseIPv6) {
			t.Errorf("Prefix(%s) = %s", addr, p)
		}
		if again, err := Prefix(p.Addr()); err != nil || again != p {
			t.Errorf("Prefix(%s) = %s, %v; want %s", p.Addr(), again, err, p)
		}
		if _, err := (Screen{}).Site(p.String()); err != nil {
			t.Errorf("Site(%s): %v", p, err)
		}
	})
}

func FuzzParseTable(f *testing.F) {
	for _, name := range []string{"iana-ipv4", "iana-ipv6", "other", "google"} {
		data, err := files.ReadFile("tables/" + name + ".csv")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := ParseTable(data)
		if err != nil {
			return
		}
		if table.Source == "" || table.Date.IsZero() || len(table.Blocks) == 0 {
			t.Errorf("incomplete table let through: %+v", table)
		}
	})
}
