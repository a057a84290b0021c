package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// row is one line of the table. ratio is how often ours fits into, or takes, what stands beside it.
type row struct {
	measured, ours, beside, what string
	ratio                        float64
}

// The table stands between these lines of the README.
const (
	begin = "<!-- bench:begin -->"
	end   = "<!-- bench:end -->"
)

// table is the Markdown of all rows.
func table(about string, rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n| measured | Ostiary | beside it | which is | ratio |\n| --- | --- | --- | --- | --- |\n", about)
	for _, r := range rows {
		cells := []string{r.measured, r.ours, r.beside, r.what, fmt.Sprintf("%.3g", r.ratio)}
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(c, "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	return b.String()
}

// replace puts the table between the markers of a file.
func replace(file, text string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	from, to := bytes.Index(data, []byte(begin)), bytes.Index(data, []byte(end))
	if from < 0 || to < from {
		return fmt.Errorf("writing the table: %s has no %s before %s", file, begin, end)
	}
	whole := slices.Concat(data[:from], []byte(begin+"\n\n"+text+"\n"), data[to:])
	if err := os.WriteFile(file, whole, 0o644); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// quantile returns the value below which a share of the values lies; they are sorted in place.
func quantile(values []time.Duration, share float64) time.Duration {
	slices.Sort(values)
	return values[min(int(share*float64(len(values))), len(values)-1)]
}

func median(values []time.Duration) time.Duration { return quantile(values, 0.5) }

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
