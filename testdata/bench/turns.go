package main

import (
	"fmt"
	"time"
)

// alternate calls both in turns, each for a while, so that a machine that slows down slows both. It returns how long
// one call of each took.
func (b *bench) alternate(ours, beside func() error) (x, y time.Duration, err error) {
	var a, c []time.Duration
	for range b.runs {
		for _, side := range []struct {
			call func() error
			took *[]time.Duration
		}{{ours, &a}, {beside, &c}} {
			took, err := repeat(side.call, time.Duration(b.searching)*time.Millisecond)
			if err != nil {
				return 0, 0, err
			}
			*side.took = append(*side.took, took)
		}
	}
	return median(a), median(c), nil
}

// repeat calls call for a while at least, and returns how long one call took. It looks at the clock ever less often.
func repeat(call func() error, least time.Duration) (time.Duration, error) {
	calls, from := 0, time.Now()
	for batch := 1; calls == 0 || time.Since(from) < least; batch = min(2*batch, 100) {
		for range batch {
			if err := call(); err != nil {
				return 0, err
			}
		}
		calls += batch
	}
	return time.Since(from) / time.Duration(calls), nil
}

// compare adds a row of two durations.
func (b *bench) compare(name string, ours, beside func() error, what string) error {
	x, y, err := b.alternate(ours, beside)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.add(row{name, short(x), short(y), what, float64(x) / float64(y)})
	return nil
}

// rates adds a row of how often each can be done in a second.
func (b *bench) rates(name string, ours, beside func() error, what string) error {
	x, y, err := b.alternate(ours, beside)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.add(row{name, often(x, 1), often(y, 1), what, float64(y) / float64(x)})
	return nil
}

// often writes how many things are done in a second when n took so long.
func often(took time.Duration, n int) string {
	rate := float64(n) / took.Seconds()
	switch {
	case rate >= 1e6:
		return fmt.Sprintf("%.3g million/s", rate/1e6)
	case rate >= 1000:
		return fmt.Sprintf("%.3g thousand/s", rate/1000)
	}
	return fmt.Sprintf("%.3g/s", rate)
}

// working calls once and returns the time the processors had for it, whatever else the machine does; where the system does not
// tell, the time it took.
func working(call func() error) (time.Duration, error) {
	before, from := worked(), time.Now()
	err := call()
	if took := worked() - before; took > 0 {
		return took, err
	}
	return time.Since(from), err
}
