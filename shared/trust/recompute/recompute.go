// Package recompute says how a page follows from the records of the log: the rule the page itself was made by, for whoever
// verifies one. No deployed function links it.
package recompute

import (
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/trust/promise"
)

// Page returns the only bytes that the page of a log's state may have. Errors are those of a register or record that cannot
// be read.
func Page(b verify.Basis) ([]byte, error) {
	register, err := promise.ReadRegister(b.Register)
	if err != nil {
		return nil, err
	}
	ledger := promise.NewLedger(register)
	for index, r := range b.Leaves {
		if err := ledger.Add(index, r); err != nil {
			return nil, err
		}
	}
	return promise.Snap(ledger, b.Origin, b.Size, b.Root().String(), b.At).Canonical(), nil
}
