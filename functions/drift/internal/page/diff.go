package page

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Row is a line of what is wanted and of what there is; one of both may be missing. Same is how many lines stand for it that
// both have, and that are left out.
type Row struct {
	Want, Got Cell
	Same      int
}

// Changed reports whether the sides differ.
func (r Row) Changed() bool { return r.Want != r.Got }

// Cell is one side of a row. Other: the other side has no such line.
type Cell struct {
	Text         Long
	Other, Empty bool
}

// Long is a text without room to break, such as a name.
type Long string

// Parts is the text in pieces, between which a line may break.
func (l Long) Parts() []string { return breaks.FindAllString(string(l), -1) }

var breaks = regexp.MustCompile(`[^./:,_@-]*[./:,_@-]+|[^./:,_@-]+`)

// most is how many lines a side shows, around how many that both have stand beside what differs.
const (
	most   = 200
	around = 2
)

// Beside puts what is wanted and what there is side by side: lines that both have in one row, the others in the order they
// come. An empty text is nothing.
func Beside(want, got string) (rows []Row) {
	left, right := lines(want), lines(got)
	for i, j := 0, 0; i < len(left) || j < len(right); {
		switch {
		case i < len(left) && j < len(right) && left[i] == right[j]:
			rows = append(rows, Row{Want: Cell{Text: left[i]}, Got: Cell{Text: right[j]}})
			i, j = i+1, j+1
		case i < len(left) && j < len(right) && !slices.Contains(right[j:], left[i]) && !slices.Contains(left[i:], right[j]):
			rows = append(rows, Row{Want: Cell{Text: left[i], Other: true}, Got: Cell{Text: right[j], Other: true}})
			i, j = i+1, j+1
		case i < len(left) && (j == len(right) || !slices.Contains(right[j:], left[i])):
			rows = append(rows, Row{Want: Cell{Text: left[i], Other: true}, Got: Cell{Empty: true}})
			i++
		default:
			rows = append(rows, Row{Want: Cell{Empty: true}, Got: Cell{Text: right[j], Other: true}})
			j++
		}
	}
	return rows
}

// Fold leaves out lines that both have and that stand beside nothing that differs: what differs is what people look for.
func Fold(rows []Row) (folded []Row) {
	for i := 0; i < len(rows); {
		end := i
		for end < len(rows) && !rows[end].Changed() {
			end++
		}
		before, after := around, around
		if i == 0 {
			before = 0
		}
		if end == len(rows) {
			after = 0
		}
		if same := end - i - before - after; same > 1 && len(rows) > end-i {
			folded = append(folded, rows[i:i+before]...)
			folded = append(folded, Row{Same: same})
			i = end - after
		}
		folded = append(folded, rows[i:min(end+1, len(rows))]...)
		i = end + 1
	}
	return folded
}

func lines(text string) (all []Long) {
	if text == "" {
		return nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if len(all) == most {
			return append(all, "…")
		}
		all = append(all, Long(Plain(line)))
	}
	return all
}

// cut is the end of a value that is longer than what is kept of it: a digest of the whole.
var cut = regexp.MustCompile(`( \.\.\. |… sha256:)[0-9a-z]{16,}$`)

// Cut reports whether a value is longer than what is kept of it.
func Cut(text string) bool { return cut.MatchString(text) }

// Plain makes seen what is hidden in a text that somebody else chose: a mark that turns the direction of reading, or an end of
// line in a name, could have people read another one.
func Plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) {
			fmt.Fprintf(&b, `\u{%x}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// maxName is how many characters of a name stand in a title.
const maxName = 60

// Short is the beginning of a name.
func Short(name string) string {
	if r := []rune(name); len(r) > maxName {
		return string(r[:maxName]) + "…"
	}
	return name
}
