package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// spending is what one run of a program came to.
type spending struct {
	Took time.Duration `json:"took"`
	Work time.Duration `json:"work"` // of the processors, for it and by the system for it
	Peak int64         `json:"peak"` // memory held at most, in bytes; 0 where the system does not tell
}

func (s spending) String() string {
	if s.Peak == 0 {
		return short(s.Took)
	}
	return fmt.Sprintf("%s, %.0f MB", short(s.Took), float64(s.Peak)/1e6)
}

// verifying compares `ostiary evidence verify`, which also reads every record and computes the page again, with a program
// that reads the same bundle and hashes its leaves.
func (b *bench) verifying(ctx context.Context) error {
	a, err := b.open(ctx)
	if err != nil {
		return err
	}
	ostiary, err := b.build(ctx, "ostiary", "./functions/ostiary")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var ours, beside []spending
	for range b.readings {
		x, err := spent(ctx, ostiary, "evidence", "verify", a.dir, "--trust", a.file)
		if err != nil {
			return err
		}
		y, err := spent(ctx, self, "-hash", a.dir)
		if err != nil {
			return err
		}
		ours, beside = append(ours, x), append(beside, y)
	}
	b.add(row{measured: fmt.Sprintf("verify %d records, and the page", a.size), ours: midst(ours).String(), beside: midst(beside).String(),
		what: "reading and hashing the same leaves", ratio: through(each(ours, spending.took), each(beside, spending.took))})
	return nil
}

// spent runs a program to its end by way of a small one: the most memory that a program held counts from the one that
// started it, and this one holds a log.
func spent(ctx context.Context, program string, args ...string) (spending, error) {
	self, err := os.Executable()
	if err != nil {
		return spending{}, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-spend", program}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return spending{}, fmt.Errorf("running %s: %w", program, err)
	}
	var s spending
	return s, json.Unmarshal(out, &s)
}

// tellSpending is the small program.
func tellSpending(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("no program is named")
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	from := time.Now()
	out, err := cmd.CombinedOutput()
	s := spending{Took: time.Since(from)}
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	s.Peak, s.Work = peak(cmd.ProcessState), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	return json.NewEncoder(os.Stdout).Encode(s)
}

// midst takes the median of each figure.
func midst(all []spending) spending {
	return spending{median(each(all, spending.took)), median(each(all, spending.work)), median(each(all, spending.peak))}
}

func (s spending) took() time.Duration { return s.Took }
func (s spending) work() time.Duration { return s.Work }
func (s spending) peak() int64         { return s.Peak }

// each is one figure of every run.
func each[T any](all []spending, of func(spending) T) (figures []T) {
	for _, s := range all {
		figures = append(figures, of(s))
	}
	return figures
}
