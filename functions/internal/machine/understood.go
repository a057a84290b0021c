package machine

import "ostiary.internal/shared/platform/fault"

// Understood keeps an error of ours from reading as if the message could never be understood: it is for what goes wrong once
// an Event has read its message. doing says, in the error, what was being done.
func Understood(doing string, err error) error {
	if fault.Is(err, fault.Invalid) {
		return fault.New(fault.Transient, "%s: %v", doing, err)
	}
	return err
}
