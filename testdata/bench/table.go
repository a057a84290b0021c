package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is one line of the table: what was measured, of which control, on both sides.
type row struct {
	group, measured, ours, beside, what string
	ratio                               ratio
}

// ratio is how long ours takes through how long the other takes, below 1 where ours is faster: median through median, and
// the least and the most of the runs, each through the one beside it. The first is never outside of the two others.
type ratio struct {
	median, least, most float64
	runs                int
}

// through relates runs that were made in turns, as many of each.
func through[T ~int64 | ~float64](ours, beside []T) ratio {
	r := ratio{median: float64(median(ours)) / float64(median(beside)), least: math.Inf(1), runs: len(ours)}
	for i := range ours {
		one := float64(ours[i]) / float64(beside[i])
		r.least, r.most = min(r.least, one), max(r.most, one)
	}
	return r
}

// The table stands between these lines of the README.
const (
	begin = "<!-- bench:begin -->"
	end   = "<!-- bench:end -->"
)

// table is the Markdown of all rows.
func table(about string, rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n%s", about, head)
	for _, r := range rows {
		cells := []string{r.group, r.measured, r.ours, r.beside, r.what, figure(r.ratio.median), figure(r.ratio.least) + " to " + figure(r.ratio.most), strconv.Itoa(r.ratio.runs)}
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(c, "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	return b.String()
}

const head = "| of | measured | Ostiary | beside it | which is | ratio | of the runs | runs |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"

// parse reads what table wrote.
func parse(text string) (about string, rows []row, err error) {
	about, body, found := strings.Cut(strings.TrimSpace(text), ".\n\n"+head)
	if !found {
		return "", nil, errors.New("reading the table: the line that names the machine and the head of the table are not there; run make bench")
	}
	for line := range strings.Lines(body) {
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00"), " | ")
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(strings.Trim(c, "| "), "\x00", "|")
		}
		if len(cells) != 8 {
			return "", nil, fmt.Errorf("reading the table: %d cells instead of 8 in %q; run make bench", len(cells), line)
		}
		r := row{group: cells[0], measured: cells[1], ours: cells[2], beside: cells[3], what: cells[4]}
		_, err := fmt.Sscanf(strings.Join(cells[5:], " "), "%g %g to %g %d", &r.ratio.median, &r.ratio.least, &r.ratio.most, &r.ratio.runs)
		if err != nil || !(r.ratio.least > 0 && r.ratio.least <= r.ratio.median && r.ratio.median <= r.ratio.most) {
			return "", nil, fmt.Errorf("reading the table: the ratio of %q is not between the least and the most of its runs; run make bench (%v)", r.measured, err)
		}
		rows = append(rows, r)
	}
	return about, rows, nil
}

// between cuts a README at the markers: what stands before the table, the table, and what stands behind.
func between(file string) (before, text, after string, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", "", "", fmt.Errorf("reading the table: %w", err)
	}
	before, rest, begun := strings.Cut(string(data), begin)
	text, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		return "", "", "", fmt.Errorf("reading the table: %s has no %s before %s; write both lines where the table belongs", file, begin, end)
	}
	return before, text, after, nil
}

// replace puts the table between the markers of a file.
func replace(file, text string) error {
	before, _, after, err := between(file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(before+begin+"\n\n"+text+"\n"+end+after), 0o644); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// quantile returns the value below which a share of the values lies.
func quantile[T cmp.Ordered](values []T, share float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func median[T cmp.Ordered](values []T) T { return quantile(values, 0.5) }

// figure writes a number with three figures, and those before the point that there are.
func figure(x float64) string {
	if x >= 999.5 { // the other way would write an exponent
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

// short writes a duration with three figures.
func short(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= unit.size {
			return fmt.Sprintf("%.3g %s", float64(d)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d ns", d.Nanoseconds())
}
