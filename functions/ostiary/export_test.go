package main

import (
	"context"
	"io"
	"time"
)

// ReplayOn erases again from the data folder of a server, as ostiary erase replay --execute does, with a terminal that w
// stands for.
func ReplayOn(ctx context.Context, w io.Writer, data, policy string, taken time.Time) (exit int, err error) {
	b := backups{policy: policy, data: data, key: ledgerKey, taken: taken, execute: true, restored: map[string]string{}}
	b.local()
	report, err := b.replay(ctx, &progress{out: w})
	if err != nil {
		return exitUnclear, err
	}
	return report.exit(), nil
}
