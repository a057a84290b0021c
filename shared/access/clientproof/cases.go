package clientproof

import (
	"net/netip"
	"strings"
)

// Case is one request of a proof.
type Case struct {
	Name    string      `json:"name"`
	Headers [][2]string `json:"headers"` // in their order; a name may be there twice
}

// Plain is the name of the request without any forged header.
const Plain = "plain"

// Documentation addresses (RFC 5737, RFC 3849), which the forged requests say they are from: no sender has one.
const v4, v6 = "198.51.100.7", "2001:db8::7"

// Routable addresses, for firewalls refuse those of documentation: of the root name server K, which sends no requests of its own
// (IANA root hints, k.root-servers.net).
const routable4, routable6 = "193.0.14.129", "2001:7fd::1"

var forgeries = []netip.Addr{netip.MustParseAddr(v4), netip.MustParseAddr(v6), netip.MustParseAddr(routable4), netip.MustParseAddr(routable6)}

// Cases returns the requests a proof consists of. layout is what the service declares; balancer is an address of our own
// load balancer, or the zero one.
func Cases(layout string, balancer netip.Addr) []Case {
	own := v4
	if balancer.IsValid() {
		own = balancer.String()
	}
	all := []Case{
		{Plain, nil},
		{"one", [][2]string{{"X-Forwarded-For", v4}}},
		{"two", [][2]string{{"X-Forwarded-For", v4 + ", " + v4}}},
		{"lines", [][2]string{{"X-Forwarded-For", v4}, {"X-Forwarded-For", v6}, {"X-Forwarded-For", v4}}},
		{"six", [][2]string{{"X-Forwarded-For", v6}}},
		{"port", [][2]string{{"X-Forwarded-For", v4 + ":443, [" + v6 + "]:443"}}},
		{"junk", [][2]string{{"X-Forwarded-For", "unknown, , _hidden, 0x7f000001"}}},
		{"own", [][2]string{{"X-Forwarded-For", v4 + ", " + own}}},
		{"routable", [][2]string{{"X-Forwarded-For", routable4}}},
		{"routable-two", [][2]string{{"X-Forwarded-For", routable4 + ", " + routable4}}},
		{"routable-six", [][2]string{{"X-Forwarded-For", routable6}}},
		{"many", [][2]string{{"X-Forwarded-For", strings.TrimSuffix(strings.Repeat(v4+", ", 60), ", ")}}},
		{"forwarded", [][2]string{{"Forwarded", "for=" + v4 + `;proto=https, for="[` + v6 + `]"`}}}, // RFC 7239
		{"real-ip", [][2]string{{"X-Real-Ip", v4}}},
		{"true-client-ip", [][2]string{{"True-Client-Ip", v4}}},
		{"cf-connecting-ip", [][2]string{{"Cf-Connecting-Ip", v4}}},
		{"client-ip", [][2]string{{"Client-Ip", v4}, {"X-Client-Ip", v4}, {"X-Cluster-Client-Ip", v4}}},
	}
	if header := private(layout); header != "" {
		all = append(all, Case{"private", [][2]string{{header, v4}}}, Case{"private-twice", [][2]string{{header, v4}, {header, v6}}},
			Case{"private-routable", [][2]string{{header, routable4}}}, Case{"private-both", [][2]string{{header, v4}, {"X-Forwarded-For", v4 + ", " + own}}})
	}
	var together [][2]string
	for _, c := range all {
		together = append(together, c.Headers...)
	}
	return append(all, Case{"all", together})
}

// reads are the headers that a service of a layout looks at: web.ParseLayout says which.
func reads(layout string) []string {
	header := private(layout)
	_, also, _ := strings.Cut(layout, ",")
	switch {
	case header == "":
		return []string{"X-Forwarded-For"}
	case also == "":
		return []string{header}
	}
	return []string{header, "X-Forwarded-For"}
}

// names reports whether a case says, in a header, that it is from an address that can be read as one.
func (c Case) names(header string) bool {
	for _, h := range c.Headers {
		for entry := range strings.SplitSeq(h[1], ",") {
			if _, err := netip.ParseAddr(strings.TrimSpace(entry)); err == nil && strings.EqualFold(h[0], header) {
				return true
			}
		}
	}
	return false
}

// private is the header our own proxy sets by a layout, or "".
func private(layout string) string {
	header, ok := strings.CutPrefix(layout, "header:")
	header, _, _ = strings.Cut(header, ",")
	if !ok {
		return ""
	}
	return header
}
