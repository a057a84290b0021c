package address

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Block is one row of a table: a range nobody may register, and what it is for.
type Block struct {
	Prefix netip.Prefix
	Name   string
}

// Table is a dated list of blocks.
type Table struct {
	Source string // where a newer copy is found
	Date   time.Time
	Blocks []Block
}

// Find returns the narrowest block that holds addr.
func (t Table) Find(addr netip.Addr) (Block, bool) {
	var found Block
	for _, b := range t.Blocks {
		if b.Prefix.Contains(addr) && (!found.Prefix.IsValid() || b.Prefix.Bits() > found.Prefix.Bits()) {
			found = b
		}
	}
	return found, found.Prefix.IsValid()
}

// Overlapping returns the first block that shares an address with p.
func (t Table) Overlapping(p netip.Prefix) (Block, bool) {
	i := slices.IndexFunc(t.Blocks, func(b Block) bool { return b.Prefix.Overlaps(p) })
	if i < 0 {
		return Block{}, false
	}
	return t.Blocks[i], true
}

// footnote is how IANA marks remarks in a cell: "192.0.0.0/24 [2]".
var footnote = regexp.MustCompile(`\s*\[\d+\]`)

// ParseTable reads a table in the form in which IANA publishes its special-purpose registries as CSV (the columns
// "Address Block" and "Name" are read, others ignored; one cell may hold several blocks), below two lines of our own:
// "# source: URL" and "# date: YYYY-MM-DD". A row it cannot read is an error: a table is taken whole or not.
func ParseTable(data []byte) (Table, error) {
	var t Table
	var err error
	if t.Source, t.Date, err = heading(data); err != nil {
		return Table{}, err
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment = '#'
	header, err := r.Read()
	if err != nil {
		return Table{}, fmt.Errorf("reading the table's column names: %w", err)
	}
	block, name := slices.Index(header, "Address Block"), slices.Index(header, "Name")
	if block < 0 || name < 0 {
		return Table{}, errors.New(`table lacks the column "Address Block" or "Name"`)
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Table{}, fmt.Errorf("reading a row of the table: %w", err)
		}
		for cell := range strings.SplitSeq(footnote.ReplaceAllString(row[block], ""), ",") {
			p, err := parseBlock(strings.TrimSpace(cell))
			if err != nil {
				return Table{}, err
			}
			t.Blocks = append(t.Blocks, Block{Prefix: p, Name: strings.Trim(row[name], `"`)})
		}
	}
	if len(t.Blocks) == 0 {
		return Table{}, errors.New("table has no rows")
	}
	return t, nil
}

// parseBlock also takes ::ffff:0:0/96, which is no prefix anybody may register.
func parseBlock(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("reading block %q of the table: %w", text, err)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("block %q of the table has host bits", text)
	}
	return p, nil
}

func heading(data []byte) (source string, date time.Time, err error) {
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "# source:"); ok {
			source = strings.TrimSpace(text)
		}
		if text, ok := strings.CutPrefix(line, "# date:"); ok {
			if date, err = time.Parse(time.DateOnly, strings.TrimSpace(text)); err != nil {
				return "", time.Time{}, fmt.Errorf("reading the table's date: %w", err)
			}
		}
	}
	if source == "" || date.IsZero() {
		return "", time.Time{}, errors.New("table lacks its source or date line")
	}
	return source, date, nil
}
