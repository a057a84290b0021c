package receipt_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/erasure/receipt"
)

// TestOthers: what third parties have still to say keeps a receipt from being the last, and what they said since makes it
// differ.
func TestOthers(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for outcome, waits := range map[receipt.GrantOutcome]bool{
		receipt.GrantPending: true, receipt.GrantManual: true, receipt.GrantRevoked: false, receipt.GrantGone: false, receipt.GrantShared: false, receipt.GrantFailed: false,
	} {
		if receipt.Waiting([]receipt.Grant{{Provider: "a", Outcome: receipt.GrantRevoked}, {Provider: "b", Outcome: outcome}}, nil) != waits {
			t.Errorf("a connection that is %s", outcome)
		}
	}
	for outcome, waits := range map[receipt.Told]bool{
		receipt.Pending: true, receipt.Asked: true, receipt.Acknowledged: false, receipt.Impossible: false, receipt.Disproportionate: false,
	} {
		if receipt.Waiting(nil, []receipt.Recipient{{Recipient: "a", Outcome: outcome}}) != waits {
			t.Errorf("a recipient who is %s", outcome)
		}
	}
	grants := []receipt.Grant{{Provider: "a", Outcome: receipt.GrantRevoked, Items: 1}}
	told := []receipt.Recipient{{Recipient: "m", Outcome: receipt.Acknowledged, At: at}}
	r := receipt.Receipt{Grants: grants, Recipients: told}
	later := []receipt.Recipient{{Recipient: "m", Outcome: receipt.Acknowledged, At: at.Add(time.Millisecond)}}
	if !r.Says(grants, told) || !r.Says(grants, later) {
		t.Error("a receipt does not say what it says")
	}
	later[0].At = at.Add(time.Second)
	if r.Says(nil, told) || r.Says(grants, later) || r.Says([]receipt.Grant{{Provider: "a", Outcome: receipt.GrantRevoked, Items: 2}}, told) {
		t.Error("a receipt says what it does not say")
	}
}
