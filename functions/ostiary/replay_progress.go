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
	return &progress{out: w, total: total}
}

func (p *progress) read(n int64) {
	if p.out == nil {
		return
	}
	p.done += n
	now := clock.System{}.Now()
	if now.Sub(p.shown) < betweenBars {
		return
	}
	p.shown = now
	if p.unit != "" && (p.total == 0 || p.done > p.total) {
		fmt.Fprintf(p.out, "\r%d %s", p.done, p.unit)
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

// end takes the bar away.
func (p *progress) end() {
	if p.out != nil {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", 60))
	}
}
