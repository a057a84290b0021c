package people

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// What a person takes, as measured by others; docs/people.md names them.
const (
	tap     = 1.1        // seconds to point at something (Card, Moran and Newell 1983, operator P)
	think   = 1.35       // seconds before acting on a page that came up (the same, operator M)
	thumbs  = 60 / 181.0 // seconds a key on a phone: 36.2 words of five letters a minute (Palin and others 2019)
	fingers = 0.28       // seconds a key at a desk (Card, Moran and Newell 1983, average typist)
	reading = 60 / 238.0 // seconds a word, silently (Brysbaert 2019)
)

// Hands is how long a person's hands and her thinking take.
func (l Leg) Hands() time.Duration {
	key := thumbs
	if l.Desk {
		key = fingers
	}
	return seconds(float64(l.Taps+l.Swipes)*tap + float64(l.Keys)*key + float64(l.Pages)*think)
}

// Reading is how long it takes to read every word.
func (l Leg) Reading() time.Duration { return seconds(float64(l.Words) * reading) }

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// header are the columns of the table.
var header = []string{"who", "what", "taps", "swipes", "keys", "pages", "machine", "hands", "words", "reading"}

// Table writes legs as a table in Markdown. The machine's seconds are rounded up, so that they say the same of every run on a
// machine like this one.
func Table(legs []Leg) string {
	rows := [][]string{header}
	for _, l := range legs {
		rows = append(rows, append(l.counts(), atMost(l.Machine), whole(l.Hands()), fmt.Sprint(l.Words), whole(l.Reading())))
	}
	width := make([]int, len(header))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i < 2 {
				cell += pad
			} else {
				cell = pad + cell
			}
			b.WriteString("| " + cell + " ")
		}
		b.WriteString("|\n")
		if n == 0 {
			b.WriteString("|---|---|" + strings.Repeat("--:|", len(header)-2) + "\n")
		}
	}
	return b.String()
}

// counts are the cells that are the same on every machine.
func (l Leg) counts() []string {
	return []string{l.Who, l.What, fmt.Sprint(l.Taps), fmt.Sprint(l.Swipes), fmt.Sprint(l.Keys), fmt.Sprint(l.Pages)}
}

// atMost says in which of a few steps a time ends.
func atMost(d time.Duration) string {
	for _, step := range []int{1, 2, 5, 10, 20, 30, 60, 120} {
		if d <= time.Duration(step)*time.Second {
			return fmt.Sprintf("≤ %d s", step)
		}
	}
	return "> 2 min"
}

func whole(d time.Duration) string { return fmt.Sprintf("%.0f s", math.Ceil(d.Seconds())) }

// Page is the page of the repository that holds the table, between two marks.
const (
	Page  = "docs/people.md"
	begin = "<!-- begin days -->\n"
	end   = "<!-- end days -->"
)

// Tell writes the table into the page of the repository at root.
func Tell(root string, legs []Leg) error {
	file := filepath.Join(root, Page)
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the page of the five days: %w", err)
	}
	before, after, marked := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(after, end)
	if !marked || !ended {
		return fmt.Errorf("%s has no place for the table: put %q and %q where it goes", file, strings.TrimSpace(begin), end)
	}
	if err := os.WriteFile(file, []byte(before+begin+Table(legs)+end+after), 0o644); err != nil {
		return fmt.Errorf("writing the page of the five days: %w", err)
	}
	return nil
}
