package caller

import (
	"fmt"
	"slices"

	"ostiary.internal/shared/platform/fault"
)

// Refused turns an internal error into the answer that nothing was done; refusals meant for the caller stay. An
// error of ours that has a kind but no text for the caller must not read as if the caller had made it.
func Refused(err error) error {
	switch {
	case err == nil || fault.CodeOf(err) != "":
		return err
	case slices.Contains([]fault.Kind{fault.Transient, fault.Misconfigured, fault.Conflict, fault.Denied, fault.Exhausted}, fault.KindOf(err)):
		return Unavailable(err)
	}
	return fmt.Errorf("%v", err)
}
