// Package table writes tables as CSV (RFC 4180): every field quoted, lines ended by CR LF, UTF-8 with the mark at its beginning by
// which spreadsheets tell it (Unicode Standard, section 23.8): without it Excel on Windows takes the text for another one.
//
// It promises that no field begins, where a spreadsheet may divide it as well, with what it would take for a formula: there
// an apostrophe stands before it. It knows no columns.
package table

import (
	"io"
	"regexp"
	"strings"
	"unicode"
)

// bom says that what follows is UTF-8.
const bom = "\uFEFF"

// Begin writes the first line of a table, which names its columns. Errors are those of w.
func Begin(w io.Writer, columns []string) error {
	if _, err := io.WriteString(w, bom); err != nil {
		return err
	}
	return Line(w, columns)
}

// Line writes one line of a table. Errors are those of w.
func Line(w io.Writer, cells []string) error {
	quoted := make([]string, len(cells))
	for i, cell := range cells {
		quoted[i] = `"` + strings.ReplaceAll(harmless(cell), `"`, `""`) + `"`
	}
	_, err := io.WriteString(w, strings.Join(quoted, ",")+"\r\n")
	return err
}

// formula finds where a cell begins, or would for a program that divides lines by semicolons or tabs and does not know
// quotes, with a sign that begins a formula; the wide forms are taken for them in some languages.
var formula = regexp.MustCompile(`(^|[;,\t\n])(["\s]*)([=+\-@＝＋－＠])`)

// harmless takes away what nobody sees, and puts an apostrophe before what would be a formula. A return that is no end of a
// line, or a tab, at the beginning goes with the white space around a cell.
func harmless(cell string) string {
	cell = strings.ReplaceAll(strings.ToValidUTF8(cell, "\uFFFD"), "\r\n", "\n")
	cell = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case unicode.IsControl(r) && r != '\n' && r != '\t', unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, cell)
	return formula.ReplaceAllString(strings.TrimSpace(cell), "${1}${2}'${3}")
}
