package outbox

import (
	"context"

	"ostiary.internal/shared/platform/store"
)

// TakeOver ends every lease and every wait, and sweeps: what a killed process left goes out at once. Only a process
// that knows that no other is at work may call it, such as one that has just opened the file alone: what a living
// process is relaying would leave twice.
func (b *Box) TakeOver(ctx context.Context) error {
	now := b.clock.Now().UnixMicro()
	for freed := true; freed; {
		if err := b.store.Tx(ctx, func(tx store.Tx) error {
			page, err := b.page(tx, store.Range{Name: "due", From: now + 1}, func(e *Entry) {
				e.Due = now
				e.Fence++
			})
			freed = len(page) > 0
			return err
		}); err != nil {
			return err
		}
	}
	_, err := b.Sweep(ctx)
	return err
}
