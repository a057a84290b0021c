// Package network says what kind of network an address is of, where dated lists know it: a mobile carrier, which gives many
// people one address and one person many; a relay, by which other programs on the same phone do not go; a host of servers,
// where VPNs end.
//
// It promises that what it says stands in one list, whose date whoever puts it on record can name. It does not know most networks, and says nothing of
// them: a list is never proof that an address is somebody's home.
package network

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is the kind of a network.
type Kind string

// The kinds.
const (
	Mobile  Kind = "mobile"
	Relay   Kind = "relay"
	Hosting Kind = "hosting"
)

// Network is what is known of the network of an address. The zero Network is an unknown one.
type Network struct {
	Kind Kind
	Name string // of whoever runs it, as people know it
}

// block is a run of addresses of one network.
type block struct {
	first, last netip.Addr
	network     Network
}

// Table is a dated list.
type Table struct {
	Date   time.Time
	blocks []block // sorted, apart from each other
}

// Of returns what the list knows of an address; false when that is nothing.
func (t *Table) Of(addr netip.Addr) (Network, bool) {
	addr = addr.Unmap()
	i, found := slices.BinarySearchFunc(t.blocks, addr, func(b block, a netip.Addr) int {
		switch {
		case b.last.Less(a):
			return -1
		case a.Less(b.first):
			return 1
		}
		return 0
	})
	if !found {
		return Network{}, false
	}
	return t.blocks[i].network, true
}

// Parse reads a list: lines of "# date: YYYY-MM-DD" and other comments, then blocks of lines, each headed by "KIND NAME" and
// followed by prefixes, one a line, indented by a space. Prefixes that overlap are an error: two networks would claim an address.
func Parse(data []byte) (*Table, error) {
	t := &Table{}
	var of Network
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if date, ok := strings.CutPrefix(line, "# date: "); ok {
			var err error
			if t.Date, err = time.Parse(time.DateOnly, date); err != nil {
				return nil, fmt.Errorf("line %d: not a date", n)
			}
			continue
		}
		switch text, indented := strings.CutPrefix(line, " "); {
		case line == "", strings.HasPrefix(line, "#"):
		case indented:
			p, err := netip.ParsePrefix(text)
			if err != nil || p != p.Masked() || of.Kind == "" {
				return nil, fmt.Errorf("line %d: not a prefix of a network", n)
			}
			t.blocks = append(t.blocks, block{p.Addr(), Last(p), of})
		default:
			kind, name, named := strings.Cut(line, " ")
			if of = (Network{Kind(kind), name}); !named || !slices.Contains([]Kind{Mobile, Relay, Hosting}, of.Kind) {
				return nil, fmt.Errorf("line %d: not a network", n)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(t.blocks, func(a, b block) int { return a.first.Compare(b.first) })
	for i := 1; i < len(t.blocks); i++ {
		if !t.blocks[i-1].last.Less(t.blocks[i].first) {
			return nil, fmt.Errorf("%s is claimed twice", t.blocks[i].first)
		}
	}
	if t.Date.IsZero() || len(t.blocks) == 0 {
		return nil, fmt.Errorf("the list is empty, or has no date")
	}
	return t, nil
}

// Last is the last address of a prefix.
func Last(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}

//go:embed networks.txt
var shipped []byte

var (
	once   sync.Once
	listed *Table
)

// Shipped is the list that comes with the program; testdata/networks makes it anew. It panics on a broken file: it is part of the
// build, and a test reads it first.
func Shipped() *Table {
	once.Do(func() {
		t, err := Parse(shipped)
		if err != nil {
			panic("networks.txt: " + err.Error())
		}
		listed = t
	})
	return listed
}
