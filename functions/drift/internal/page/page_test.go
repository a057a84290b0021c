package page

import (
	"slices"
	"strings"
	"testing"
)

// TestBeside: a line both have stands in one row, what only one has beside nothing, and nothing is left out.
func TestBeside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ want, got, rows string }{
		{"", "", ""},
		{"30", "7", "-30|+7"},
		{"", "0.0.0.0/0", "-|+0.0.0.0/0"},
		{"a\nb\nc", "a\nc", "a|a,-b|+,c|c"},
		{"a\nc", "a\nb\nc", "a|a,-|+b,c|c"},
		{"a\nb", "b\na", "-|+b,a|a,-b|+"},
		{"a\nb\nc", "x\ny\nz", "-a|+x,-b|+y,-c|+z"},
		{"a\na", "a", "a|a,-a|+"},
	} {
		var rows []string
		left, right := []string{}, []string{}
		for _, r := range Beside(c.want, c.got) {
			cell := func(mark string, c Cell, into *[]string) string {
				if !c.Empty {
					*into = append(*into, c.Text)
				}
				if c.Other || c.Empty {
					return mark + c.Text
				}
				return c.Text
			}
			rows = append(rows, cell("-", r.Want, &left)+"|"+cell("+", r.Got, &right))
		}
		if got := strings.Join(rows, ","); got != c.rows {
			t.Errorf("%q beside %q: %s, wanted %s", c.want, c.got, got, c.rows)
		}
		if c.want != "" && strings.Join(left, "\n") != c.want || c.got != "" && strings.Join(right, "\n") != c.got {
			t.Errorf("%q beside %q: something is left out: %q, %q", c.want, c.got, left, right)
		}
	}
	if n := len(Beside(strings.Repeat("x\n", 5000), "y")); n > 2*most+2 {
		t.Errorf("%d rows", n)
	}
}

// TestBars: the longest is whole, the shortest still seen, and what is not there is not drawn.
func TestBars(t *testing.T) {
	t.Parallel()
	bars := Bars([]string{"critical", "high", "medium"}, map[string]int{"critical": 1, "medium": 400})
	want := []Bar{{"severity.critical", 1, 2, true}, {"severity.medium", 400, 100, false}}
	if !slices.Equal(bars, want) {
		t.Errorf("%+v", bars)
	}
	if Bars([]string{"high"}, nil) != nil {
		t.Error("a bar of nothing")
	}
}

// TestPages: every template is there, and says everything in every language.
func TestPages(t *testing.T) {
	t.Parallel()
	if New("acceptdrift") == nil {
		t.Fatal("no pages")
	}
}
