// Command networks makes networks.txt, the list of package network, from lists of which network (autonomous system) announces
// which addresses: CSV of first address, last address, number, name, such as the npm package @ip-location-db/asn has.
//
//	go run ./testdata/networks 2026-06-17 asn-ipv4.csv asn-ipv6.csv >shared/access/network/networks.txt
package main

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/access/network"
)

// known are the networks people meet: those that carry mobile telephones alone, and the large hosts of servers. What also
// carries homes is left out, since nobody can tell them apart.
var known = map[int]network.Network{
	51207: {Kind: network.Mobile, Name: "Free Mobile"}, 12576: {Kind: network.Mobile, Name: "EE"}, 25135: {Kind: network.Mobile, Name: "Vodafone UK"},
	35228: {Kind: network.Mobile, Name: "O2 UK"}, 60339: {Kind: network.Mobile, Name: "Three UK"}, 206067: {Kind: network.Mobile, Name: "Three UK"},
	45609: {Kind: network.Mobile, Name: "Airtel"}, 55836: {Kind: network.Mobile, Name: "Jio"}, 38266: {Kind: network.Mobile, Name: "Vodafone Idea"},
	55410: {Kind: network.Mobile, Name: "Vodafone Idea"}, 12430: {Kind: network.Mobile, Name: "Vodafone España"}, 29447: {Kind: network.Mobile, Name: "Iliad Italia"},
	31615: {Kind: network.Mobile, Name: "Odido"}, 8374: {Kind: network.Mobile, Name: "Plus"}, 39603: {Kind: network.Mobile, Name: "Play"},
	12912: {Kind: network.Mobile, Name: "T-Mobile Polska"}, 25255: {Kind: network.Mobile, Name: "Drei"}, 44034: {Kind: network.Mobile, Name: "Tre"},
	13280: {Kind: network.Mobile, Name: "Three Ireland"}, 21928: {Kind: network.Mobile, Name: "T-Mobile US"}, 22394: {Kind: network.Mobile, Name: "Verizon Wireless"},
	6167: {Kind: network.Mobile, Name: "Verizon Wireless"}, 20057: {Kind: network.Mobile, Name: "AT&T Mobility"},

	36183: {Kind: network.Relay, Name: "iCloud Private Relay"},

	16509: {Kind: network.Hosting, Name: "Amazon Web Services"}, 14618: {Kind: network.Hosting, Name: "Amazon Web Services"}, 396982: {Kind: network.Hosting, Name: "Google Cloud"},
	8075: {Kind: network.Hosting, Name: "Microsoft Azure"}, 14061: {Kind: network.Hosting, Name: "DigitalOcean"}, 16276: {Kind: network.Hosting, Name: "OVHcloud"},
	24940: {Kind: network.Hosting, Name: "Hetzner"}, 63949: {Kind: network.Hosting, Name: "Linode"}, 20473: {Kind: network.Hosting, Name: "Vultr"},
	51167: {Kind: network.Hosting, Name: "Contabo"}, 9009: {Kind: network.Hosting, Name: "M247"}, 60068: {Kind: network.Hosting, Name: "Datacamp"},
	212238: {Kind: network.Hosting, Name: "Datacamp"}, 60781: {Kind: network.Hosting, Name: "LeaseWeb"}, 31898: {Kind: network.Hosting, Name: "Oracle Cloud"},
	45102: {Kind: network.Hosting, Name: "Alibaba Cloud"}, 132203: {Kind: network.Hosting, Name: "Tencent Cloud"}, 12876: {Kind: network.Hosting, Name: "Scaleway"},
}

// relays are ranges that carry relays within networks that carry other things.
var relays = map[string]string{
	"104.28.0.0/16": "iCloud Private Relay or Cloudflare WARP", "2606:54c0::/32": "iCloud Private Relay or Cloudflare WARP", "2a09:bac0::/29": "iCloud Private Relay or Cloudflare WARP",
	"140.248.0.0/16": "iCloud Private Relay", "2a04:4e41::/32": "iCloud Private Relay", "2a02:26f7::/32": "iCloud Private Relay",
}

type run struct{ first, last netip.Addr }

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: networks YYYY-MM-DD FILE ...")
		os.Exit(64)
	}
	if err := write(os.Stdout, os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "networks:", err)
		os.Exit(1)
	}
}

func write(to io.Writer, date string, files []string) error {
	runs := map[network.Network][]run{}
	for _, file := range files {
		if err := read(file, runs); err != nil {
			return fmt.Errorf("reading %s: %w", file, err)
		}
	}
	var relayed []netip.Prefix
	for text, name := range relays {
		p := netip.MustParsePrefix(text)
		relayed = append(relayed, p)
		of := network.Network{Kind: network.Relay, Name: name}
		runs[of] = append(runs[of], run{p.Addr(), network.Last(p)})
	}
	out := bufio.NewWriter(to)
	fmt.Fprintf(out, "# Which addresses carriers of mobile telephones, relays and hosts of servers announce. Made by testdata/networks.\n"+
		"# source: routeviews.org (CC BY 4.0), nro.net (CC BY 4.0), DB-IP.com (CC BY 4.0), merged by ip-location-db, here narrowed and merged further; the relays also from what their makers say\n# date: %s\n", date)
	names := make([]network.Network, 0, len(runs))
	for of := range runs {
		names = append(names, of)
	}
	slices.SortFunc(names, func(a, b network.Network) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Name, b.Name))
	})
	for _, of := range names {
		fmt.Fprintf(out, "%s %s\n", of.Kind, of.Name)
		for _, p := range prefixes(merged(runs[of])) {
			inside := slices.ContainsFunc(relayed, func(r netip.Prefix) bool { return r.Overlaps(p) })
			if inside && !slices.Contains(relayed, p) {
				continue // the relay's own line says it
			}
			if of.Kind == network.Hosting && (p.Addr().Is4() && p.Bits() > 21 || p.Addr().Is6() && p.Bits() > 40) {
				continue // thousands of crumbs that say little more
			}
			fmt.Fprintf(out, " %s\n", p)
		}
	}
	return out.Flush()
}

func read(file string, runs map[network.Network][]run) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	rows := csv.NewReader(bufio.NewReader(f))
	rows.ReuseRecord = true
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(row[2])
		of, wanted := known[number]
		if err != nil || !wanted {
			continue
		}
		first, err1 := netip.ParseAddr(row[0])
		last, err2 := netip.ParseAddr(row[1])
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		runs[of] = append(runs[of], run{first, last})
	}
}

// merged joins runs that touch.
func merged(runs []run) []run {
	slices.SortFunc(runs, func(a, b run) int { return a.first.Compare(b.first) })
	var all []run
	for _, r := range runs {
		if n := len(all); n > 0 && all[n-1].first.Is4() == r.first.Is4() && !all[n-1].last.Next().Less(r.first) {
			if all[n-1].last.Less(r.last) {
				all[n-1].last = r.last
			}
			continue
		}
		all = append(all, r)
	}
	return all
}

// prefixes are the largest prefixes that make up runs.
func prefixes(runs []run) (all []netip.Prefix) {
	for _, r := range runs {
		for first := r.first; first.IsValid() && !r.last.Less(first); {
			p := netip.PrefixFrom(first, first.BitLen())
			for p.Bits() > 0 {
				wider := netip.PrefixFrom(first, p.Bits()-1)
				if wider.Masked().Addr() != first || r.last.Less(network.Last(wider)) {
					break
				}
				p = wider
			}
			all = append(all, p)
			first = network.Last(p).Next()
		}
	}
	return all
}
