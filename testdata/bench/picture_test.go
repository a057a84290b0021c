package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// drawn is what a reader of the picture is shown and told.
type drawn struct {
	Width  float64    `xml:"width,attr"`
	Height float64    `xml:"height,attr"`
	Title  string     `xml:"title"`
	Desc   string     `xml:"desc"`
	Style  string     `xml:"style"`
	Texts  []lettered `xml:"text"`
	Rows   []struct {
		Title string     `xml:"title"`
		Texts []lettered `xml:"text"`
		Bar   struct {
			Class string  `xml:"class,attr"`
			X     float64 `xml:"x,attr"`
			Width float64 `xml:"width,attr"`
		} `xml:"rect"`
	} `xml:"g"`
}

type lettered struct {
	X      float64 `xml:"x,attr"`
	Y      float64 `xml:"y,attr"`
	Size   float64 `xml:"font-size,attr"`
	Anchor string  `xml:"text-anchor,attr"`
	Says   string  `xml:",chardata"`
}

// box is the room of a text, its letters taken as wide as those of any usual type.
func (l lettered) box() (left, top, right, bottom float64) {
	room := float64(utf8.RuneCountInString(l.Says)) * l.Size * wide
	left = l.X - map[string]float64{"middle": room / 2, "end": room}[l.Anchor]
	return left, l.Y - l.Size*0.8, left + room, l.Y + l.Size*0.2
}

func read(t *testing.T, text string) drawn {
	t.Helper()
	var d drawn
	if err := xml.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return d
}

// holds fails unless a picture shows every row of its table, and nothing lies over anything or beyond the edge.
func holds(t *testing.T, text string, rows []row) {
	t.Helper()
	d := read(t, text)
	if len(d.Rows) != len(rows) {
		t.Fatalf("%d rows of %d are drawn", len(d.Rows), len(rows))
	}
	all := d.Texts
	for i, r := range rows {
		got := d.Rows[i]
		var words []string
		for _, l := range got.Texts {
			words = append(words, l.Says)
		}
		ratio := figure(r.ratio.median) + "×"
		words = slices.DeleteFunc(words, func(s string) bool { return s == ratio })
		if strings.Join(words, " ") != plain(r.measured) || len(words) != len(got.Texts)-1 {
			t.Errorf("%s: the label is %q beside %s", r.measured, words, ratio)
		}
		for _, part := range []string{plain(r.measured), r.ours, r.beside, plain(r.what), ratio[:len(ratio)-len("×")]} {
			if !strings.Contains(got.Title, part) {
				t.Errorf("%s: %q does not tell %q", r.measured, got.Title, part)
			}
		}
		if !strings.Contains(d.Desc, plain(r.measured)+", "+figure(r.ratio.median)+" times.") {
			t.Errorf("who does not see it is not told of %s", r.measured)
		}
		if faster := got.Bar.Class == "less"; faster != (r.ratio.median < 1) || got.Bar.Width <= 0 || got.Bar.X < margin-1 || got.Bar.X+got.Bar.Width > d.Width-margin+1 {
			t.Errorf("%s: the bar of %g is %+v", r.measured, r.ratio.median, got.Bar)
		}
		all = append(all, got.Texts...)
	}
	for i, one := range all {
		left, top, right, bottom := one.box()
		if left < 0 || top < 0 || right > d.Width || bottom > d.Height {
			t.Errorf("%q stands beyond the edge: %g to %g of %g", one.Says, left, right, d.Width)
		}
		for _, other := range all[:i] {
			if l, u, r, b := other.box(); left < r && l < right && top < b && u < bottom {
				t.Errorf("%q lies over %q", one.Says, other.Says)
			}
		}
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	rows := []row{
		{"access", "a `code` & <more>", "1 ms", "2 ms", "the | \"other\"", ratio{0.5, 0.25, 1.5, 5}},
		{"access", strings.Repeat("a long name of what is measured ", 4) + "here", "1 ms", "2 ms", strings.Repeat("a long name of what stands beside ", 4) + "it", ratio{4321, 0.0123, 98765, 3}},
		{"drift", "the same", "1", "1", "nothing", ratio{1, 1, 1, 1}},
	}
	text := picture("2026-03-03: two cores", rows)
	holds(t, text, rows)
	if picture("2026-03-03: two cores", rows) != text {
		t.Error("the same table is another picture")
	}
	d := read(t, text)
	if d.Title == "" || !strings.Contains(d.Style, "prefers-color-scheme:dark") || d.Width != pictureWidth {
		t.Errorf("title %q, width %g, style %s", d.Title, d.Width, d.Style)
	}
	bar := func(i int) (from, to float64) { return d.Rows[i].Bar.X, d.Rows[i].Bar.X + d.Rows[i].Bar.Width }
	_, one := bar(0) // ends at 1, and the others begin there
	if from, to := bar(1); fmt.Sprintf("%.0f", from) != fmt.Sprintf("%.0f", one) || to-from < 100 {
		t.Errorf("a bar from %g to %g, and 1 is at %g", from, to, one)
	}
}

// The picture that is kept is of the table that is kept, and no part of the product is missing from them.
func TestKeptPicture(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	_, text, _, err := between(filepath.Join(root, readme))
	if err != nil {
		t.Fatal(err)
	}
	about, rows, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if again := "\n\n" + table(about, rows) + "\n"; again != text {
		t.Errorf("the table reads otherwise when it is written again:\n%s", again)
	}
	if missing := unmeasured((&bench{}).parts(), rows); len(missing) > 0 {
		t.Errorf("no row is of %v", missing)
	}
	kept, err := os.ReadFile(filepath.Join(root, drawing))
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != picture(about, rows) {
		t.Errorf("%s is not of this table: go run ./testdata/bench -draw", drawing)
	}
	holds(t, string(kept), rows)
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words string
		want  []string
	}{{"", nil}, {"one", []string{"one"}}, {"one two three", []string{"one two", "three"}}, {"überlänge x", []string{"überlänge", "x"}}} {
		if got := wrap(c.words, 7); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q", c.words, got)
		}
	}
}
