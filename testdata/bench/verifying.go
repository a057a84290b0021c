package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
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
	x, y := midst(ours), midst(beside)
	b.add(row{fmt.Sprintf("verify %d records, and the page", a.size), x.String(), y.String(), "reading and hashing the same leaves", float64(x.Took) / float64(y.Took)})
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
	var took, work []time.Duration
	var peaks []int64
	for _, s := range all {
		took, work, peaks = append(took, s.Took), append(work, s.Work), append(peaks, s.Peak)
	}
	slices.Sort(peaks)
	return spending{median(took), median(work), peaks[len(peaks)/2]}
}
