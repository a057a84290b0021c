package main

import (
	"fmt"
	"time"
)

// alternate calls both in turns, each for a while, so that a machine that slows down slows both. It returns how long
// one call of each took, in every run.
func (b *bench) alternate(ours, beside func() error) (x, y []time.Duration, err error) {
	for range b.runs {
		for _, side := range []struct {
			call func() error
			took *[]time.Duration
		}{{ours, &x}, {beside, &y}} {
			took, err := repeat(side.call, time.Duration(b.searching)*time.Millisecond)
			if err != nil {
				return nil, nil, err
			}
			*side.took = append(*side.took, took)
		}
	}
	return x, y, nil
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

// times adds a row of two durations that were measured in turns.
func (b *bench) times(name string, ours, beside []time.Duration, what string) {
	b.add(row{measured: name, ours: short(median(ours)), beside: short(median(beside)), what: what, ratio: through(ours, beside)})
}

// compare adds a row of two durations.
func (b *bench) compare(name string, ours, beside func() error, what string) error {
	x, y, err := b.alternate(ours, beside)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.times(name, x, y, what)
	return nil
}

// rates adds a row of how often each can be done in a second.
func (b *bench) rates(name string, ours, beside func() error, what string) error {
	x, y, err := b.alternate(ours, beside)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.paces(name, 1, x, y, what)
	return nil
}

// paces adds a row of how many things a second are done, when n of them took so long.
func (b *bench) paces(name string, n int, ours, beside []time.Duration, what string) {
	b.add(row{measured: name, ours: often(median(ours), n), beside: often(median(beside), n), what: what, ratio: through(ours, beside)})
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
