package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"ostiary.internal/shared/platform/clock"
)

// progress is a bar on standard error, for as long as it is a terminal; otherwise it says nothing.
type progress struct {
	out         io.Writer // nil where nobody looks
	done, total int64     // bytes, or of unit; total 0 when it is not known
	unit        string    // "" for bytes
	label       string    // what is being done; with a unit only
	every       time.Duration
	shown       time.Time
}

// betweenBars is how long a bar stands still.
const betweenBars = 200 * time.Millisecond

func progressOn(w io.Writer, total int64) *progress {
	f, ok := w.(*os.File)
	if !ok {
		return &progress{}
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return &progress{}
	}
	return &progress{out: w, total: total, every: betweenBars}
}

func (p *progress) read(n int64) {
	if p.out == nil {
		return
	}
	p.done += n
	now := clock.System{}.Now()
	if now.Sub(p.shown) < p.every {
		return
	}
	p.shown = now
	if p.unit != "" {
		p.count()
		return
	}
	if p.total == 0 || p.done > p.total {
		fmt.Fprintf(p.out, "\r%d MB", p.done>>20)
		return
	}
	const width = 40
	filled := int(p.done * width / p.total)
	fmt.Fprintf(p.out, "\r[%s%s] %3d%%", strings.Repeat("=", filled), strings.Repeat(" ", width-filled), p.done*100/p.total)
}

// begin counts something else from here on.
func (p *progress) begin(label, unit string, total int64) {
	p.end()
	p.label, p.unit, p.done, p.total, p.shown = label, unit, 0, total, time.Time{}
	p.read(0)
}

func (p *progress) count() {
	line := p.label
	if line != "" {
		line += ": "
	}
	if p.total == 0 || p.done > p.total {
		fmt.Fprintf(p.out, "\r%s%d %s", line, p.done, p.unit)
		return
	}
	fmt.Fprintf(p.out, "\r%s%d of %d %s, %d%%", line, p.done, p.total, p.unit, p.done*100/p.total)
}

// end takes the bar away.
func (p *progress) end() {
	if p.out != nil {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", 78))
	}
}
