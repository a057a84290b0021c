package page

import (
	"slices"
	"strconv"
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
					*into = append(*into, string(c.Text))
				}
				if c.Other || c.Empty {
					return mark + string(c.Text)
				}
				return string(c.Text)
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

// TestFold: what differs stays with two lines around it, and every line left out is counted.
func TestFold(t *testing.T) {
	t.Parallel()
	numbers := func(from, to int) (all []string) {
		for i := from; i < to; i++ {
			all = append(all, strconv.Itoa(i))
		}
		return all
	}
	joined := func(parts ...[]string) string { return strings.Join(slices.Concat(parts...), "\n") }
	for _, c := range []struct{ want, got, rows string }{
		{joined(numbers(0, 9)), joined(numbers(0, 9)), "0 1 2 3 4 5 6 7 8"},
		{joined(numbers(0, 9)), joined(numbers(0, 8)), "[6] 6 7 !"},
		{joined(numbers(1, 9)), joined(numbers(0, 9)), "! 1 2 [6]"},
		{joined(numbers(0, 4)), joined(numbers(0, 4), []string{"x"}), "[2] 2 3 !"},
		{joined(numbers(0, 3)), joined(numbers(0, 3), []string{"x"}), "0 1 2 !"},
		{joined([]string{"a"}, numbers(0, 5), []string{"b"}), joined([]string{"x"}, numbers(0, 5), []string{"y"}), "! 0 1 2 3 4 !"},
		{joined([]string{"a"}, numbers(0, 6), []string{"b"}), joined([]string{"x"}, numbers(0, 6), []string{"y"}), "! 0 1 [2] 4 5 !"},
		{"a\nb", "x\ny", "! !"}, {"", "", ""},
	} {
		var rows []string
		for _, r := range Fold(Beside(c.want, c.got)) {
			switch {
			case r.Same > 0:
				rows = append(rows, "["+strconv.Itoa(r.Same)+"]")
			case r.Changed():
				rows = append(rows, "!")
			default:
				rows = append(rows, string(r.Want.Text))
			}
		}
		if got := strings.Join(rows, " "); got != c.rows {
			t.Errorf("%q beside %q: %s, wanted %s", c.want, c.got, got, c.rows)
		}
	}
}

// TestPlain: nothing is hidden in a text, nothing else is changed, and the pieces of a long one are all of it.
func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\u202eb": `a\u{202e}b`, "a\u200bb\ufeff": `a\u{200b}b\u{feff}`, "a\rb\x00\u2028": `a\u{d}b\u{0}\u{2028}`, "ä é 名 <b>\n+": "ä é 名 <b>\n+", "": "",
	} {
		if got := Plain(text); got != want {
			t.Errorf("%q is shown as %q", text, got)
		}
		if got := strings.Join(Long(want).Parts(), ""); got != want {
			t.Errorf("the pieces of %q are %q", want, got)
		}
	}
	if r := Beside("a\u202e", "a")[0]; !r.Changed() || r.Want.Text != `a\u{202e}` {
		t.Errorf("what is hidden makes no difference: %+v", r)
	}
	if Short(strings.Repeat("ü", 61)) != strings.Repeat("ü", 60)+"…" || Short("short") != "short" {
		t.Error("a name is too long for a title")
	}
	for text, want := range map[string]bool{"abc ... 0a1b2c3d4e5f60718293": true, "abc… sha256:0a1b2c3d4e5f60718293": true, "sha256:0a1b2c3d4e5f60718293": false, "wait ...": false} {
		if Cut(text) != want {
			t.Errorf("%q is cut: %t", text, !want)
		}
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
