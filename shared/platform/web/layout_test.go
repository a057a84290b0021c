package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

func layout(t testing.TB, s string) web.Layout {
	t.Helper()
	l, err := web.ParseLayout(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestParseLayout(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"direct": "direct", "loadbalancer": "loadbalancer", "header:x-ostiary-client": "header:X-Ostiary-Client",
		"header:X-Ostiary-Client,loadbalancer": "header:X-Ostiary-Client,loadbalancer", "header:X-A,direct": "header:X-A,direct",
	}
	for in, out := range good {
		if l, err := web.ParseLayout(in); err != nil || l.String() != out {
			t.Errorf("%q: %s, %v", in, l, err)
		}
	}
	for _, in := range []string{"", "Direct", "header", "header:", "header:a b", "header:X,", "header:X,header:Y", "header:X-Forwarded-For", "header:forwarded", "loadbalancer,direct", "X-Real-IP"} {
		if l, err := web.ParseLayout(in); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%q: %s, %v", in, l, err)
		}
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	forwarded := func(lines ...string) http.Header { return http.Header{"X-Forwarded-For": lines} }
	with := func(h http.Header, values ...string) http.Header { h["X-Ostiary-Client"] = values; return h }
	cases := map[string]struct {
		layout string
		header http.Header
		want   string // "" for address_unknown
	}{
		"direct, peer":                     {"direct", nil, "192.0.2.1"},
		"direct, right-most":               {"direct", forwarded("1.1.1.1, 81.2.69.142"), "81.2.69.142"},
		"direct, one":                      {"direct", forwarded("81.2.69.142"), "81.2.69.142"},
		"direct, unreadable":               {"direct", forwarded("81.2.69.142, junk"), ""},
		"direct, empty header":             {"direct", forwarded(""), ""},
		"direct, trailing comma":           {"direct", forwarded("81.2.69.142,"), ""},
		"direct, lines in order":           {"direct", forwarded("1.1.1.1", "2.2.2.2, 3.3.3.3", "81.2.69.142"), "81.2.69.142"},
		"load balancer, second":            {"loadbalancer", forwarded("1.1.1.1, 81.2.69.142, 34.1.1.1"), "81.2.69.142"},
		"load balancer, over lines":        {"loadbalancer", forwarded("9.9.9.9, 81.2.69.142", "34.1.1.1"), "81.2.69.142"},
		"load balancer, one entry":         {"loadbalancer", forwarded("81.2.69.142"), ""},
		"load balancer, none":              {"loadbalancer", nil, ""},
		"load balancer, unreadable":        {"loadbalancer", forwarded("8.8.8.8, junk, 34.1.1.1"), ""},
		"header":                           {"header:X-Ostiary-Client", with(forwarded("1.1.1.1"), "81.2.69.142"), "81.2.69.142"},
		"header, absent":                   {"header:X-Ostiary-Client", forwarded("1.1.1.1"), ""},
		"header, twice":                    {"header:X-Ostiary-Client", with(http.Header{}, "81.2.69.142", "81.2.69.142"), ""},
		"header, list":                     {"header:X-Ostiary-Client", with(http.Header{}, "1.1.1.1, 81.2.69.142"), ""},
		"header, agrees":                   {"header:X-Ostiary-Client,loadbalancer", with(forwarded("81.2.69.142, 34.1.1.1"), "81.2.69.142"), "81.2.69.142"},
		"header, agrees in another form":   {"header:X-Ostiary-Client,direct", with(forwarded("2001:DB8:0::1"), "2001:db8::1"), "2001:db8::1"},
		"header, disagrees":                {"header:X-Ostiary-Client,loadbalancer", with(forwarded("81.2.69.143, 34.1.1.1"), "81.2.69.142"), ""},
		"header, nothing to compare with":  {"header:X-Ostiary-Client,loadbalancer", with(http.Header{}, "81.2.69.142"), ""},
		"header, compared with unreadable": {"header:X-Ostiary-Client,direct", with(forwarded("junk"), "81.2.69.142"), ""},
		"white space":                      {"direct", forwarded(" 1.1.1.1 ,\t81.2.69.142\t"), "81.2.69.142"},
		"IPv6":                             {"direct", forwarded("2001:0db8:0:0::0001"), "2001:db8::1"},
		"IPv4-mapped":                      {"direct", forwarded("::ffff:81.2.69.142"), "81.2.69.142"},
		"IPv4-mapped in hexadecimal":       {"direct", forwarded("::ffff:5102:458e"), "81.2.69.142"},
		"port":                             {"direct", forwarded("81.2.69.142:443"), ""},
		"brackets":                         {"direct", forwarded("[2001:db8::1]"), ""},
		"brackets and port":                {"direct", forwarded("[2001:db8::1]:443"), ""},
		"zone":                             {"direct", forwarded("fe80::1%eth0"), ""},
		"leading zero":                     {"direct", forwarded("81.02.69.142"), ""},
		"octal":                            {"direct", forwarded("0121.2.69.142"), ""},
		"three parts":                      {"direct", forwarded("81.2.142"), ""},
		"prefix":                           {"direct", forwarded("81.2.69.142/32"), ""},
		"quoted":                           {"direct", forwarded(`"81.2.69.142"`), ""},
		"other white space":                {"direct", forwarded("\u00a081.2.69.142"), ""},
		"unknown":                          {"direct", forwarded("unknown"), ""},
		"other headers are not looked at": {"direct", http.Header{"X-Real-Ip": {"1.1.1.1"}, "Forwarded": {"for=1.1.1.1"}, "True-Client-Ip": {"1.1.1.1"},
			"Cf-Connecting-Ip": {"1.1.1.1"}, "X-Client-Ip": {"1.1.1.1"}}, "192.0.2.1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/", nil) // its peer is 192.0.2.1:1234
			if c.header != nil {
				r.Header = c.header
			}
			got, err := layout(t, c.layout).Client(r)
			if c.want == "" {
				if fault.CodeOf(err) != "address_unknown" || web.ProblemOf(err).Status != 503 {
					t.Errorf("got %s, %v", got, err)
				}
				return
			}
			if err != nil || got != netip.MustParseAddr(c.want) {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestClientPeer(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"[2001:db8::1]:5": "2001:db8::1", "[::ffff:81.2.69.142]:5": "81.2.69.142", "[fe80::1%eth0]:5": "", "@": "", "": "", "81.2.69.142": "",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		got, err := layout(t, "direct").Client(r)
		if (err == nil) != (want != "") || want != "" && got.String() != want {
			t.Errorf("peer %q: %s, %v", remote, got, err)
		}
	}
	if _, err := (web.Layout{}).Client(httptest.NewRequest("GET", "/", nil)); fault.CodeOf(err) != "address_unknown" {
		t.Errorf("the zero layout knows an address: %v", err)
	}
}

var dotted = regexp.MustCompile(`^(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})$`)

// oracle reads the trusted entry in a way of its own: from the end, byte by byte, IPv4 by a regular expression. It
// says "?" about IPv6, where only the two invariants below are checked.
func oracle(all string, fromRight int) string {
	end := len(all)
	for ; fromRight > 1; fromRight-- {
		end = strings.LastIndexByte(all[:end], ',')
		if end < 0 {
			return ""
		}
	}
	entry := strings.Trim(all[strings.LastIndexByte(all[:end], ',')+1:end], " \t")
	if strings.ContainsRune(entry, ':') {
		return "?"
	}
	parts := dotted.FindStringSubmatch(entry)
	if parts == nil || slices.ContainsFunc(parts[1:], func(p string) bool { n, _ := strconv.Atoi(p); return n > 255 }) {
		return ""
	}
	return entry
}

// FuzzClient: whatever the caller writes before what our proxies append, in however many lines, changes nothing.
func FuzzClient(f *testing.F) {
	f.Add("1.1.1.1", "81.2.69.142", "34.1.1.1", false)
	f.Add("junk, , \x00\"", "81.2.69.142", "34.1.1.1", true)
	f.Add("", "81.02.69.142", "", false)
	f.Add("::1,", "::ffff:1.2.3.4", "fe80::1%eth0", true)
	f.Add(",,,,", "256.1.1.1", " 1.1.1.1\t", false)
	f.Fuzz(func(t *testing.T, attacker, client, proxy string, lines bool) {
		if strings.Contains(client+proxy, ",") {
			return // our proxies write one entry each
		}
		header := http.Header{"X-Forwarded-For": {attacker + "," + client + "," + proxy}}
		if lines {
			header["X-Forwarded-For"] = append(strings.SplitAfter(attacker, " "), client, proxy)
		}
		bare := http.Header{"X-Forwarded-For": {client + "," + proxy}}
		for name, fromRight := range map[string]int{"direct": 1, "loadbalancer": 2} {
			l := layout(t, name)
			got, err := l.Client(&http.Request{Header: header})
			without, bareErr := l.Client(&http.Request{Header: bare})
			if got != without || (err == nil) != (bareErr == nil) {
				t.Fatalf("%s: the caller's text %q changes %s (%v) to %s (%v)", name, attacker, without, bareErr, got, err)
			}
			if err == nil && (!got.IsValid() || got.Is4In6() || got.Zone() != "") {
				t.Fatalf("%s: accepted %s", name, got)
			}
			switch want := oracle(client+","+proxy, fromRight); want {
			case "?":
			case "":
				if err == nil {
					t.Fatalf("%s: %q,%q gives %s, the oracle nothing", name, client, proxy, got)
				}
			default:
				if err != nil || got.String() != want {
					t.Fatalf("%s: %q,%q gives %s (%v), the oracle %s", name, client, proxy, got, err, want)
				}
			}
		}
	})
}
