package record

import (
	"bytes"

	"ostiary.internal/shared/platform/fault"
)

// IsDigest reports whether text is the Digest of something.
func IsDigest(text string) bool { return digestForm.MatchString(text) }

// Stamp returns a record, given in its canonical form, as one that names the code that made it, a Digest; "" is nobody's
// knowledge, and changes nothing. One that names its code already is left alone. Invalid: it is no record, or too large then.
func Stamp(record []byte, code string) ([]byte, error) {
	const first = `{"code":"` // no member stands before it (RFC 8785, section 3.2.3)
	switch {
	case code == "" || bytes.HasPrefix(record, []byte(first)):
		return record, nil
	case !bytes.HasPrefix(record, []byte(`{"`)) || !IsDigest(code):
		return nil, fault.New(fault.Invalid, "naming the code in a record: one of the two is not of the allowed form")
	}
	stamped := append(append([]byte(first+code), `",`...), record[1:]...)
	if len(stamped) > MaxBytes {
		return nil, fault.New(fault.Invalid, "naming the code in a record: it has %d bytes then, allowed are %d", len(stamped), MaxBytes)
	}
	return stamped, nil
}
