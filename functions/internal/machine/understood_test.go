package machine_test

import (
	"testing"

	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/shared/platform/fault"
)

func TestUnderstoodTriesAgain(t *testing.T) {
	if err := machine.Understood("doing it", nil); err != nil {
		t.Errorf("Understood(nil) = %v", err)
	}
	if err := machine.Understood("doing it", fault.New(fault.Invalid, "a date is wrong")); !fault.Is(err, fault.Transient) || err.Error() != "doing it: a date is wrong" {
		t.Errorf("an invalid error became %v", err)
	}
	if err := fault.New(fault.Denied, "no"); machine.Understood("doing it", err) != error(err) {
		t.Error("an error of another kind was changed")
	}
}
