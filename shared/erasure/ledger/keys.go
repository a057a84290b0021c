package ledger

import (
	"bytes"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// Whole is the kind of identifier of a subject that is a tenant as a whole: its ID is the tenant's.
const Whole = "tenant"

// ReadKeys reads the keys of a ledger as they are kept in one secret: a line for each, with its version, a space and at least
// LeastKey bytes without one; the first is the one new entries are made with. A key is dropped once InUse says that its version
// no longer counts. Misconfigured for anything else; no error holds a key.
func ReadKeys(text []byte) ([]Key, error) {
	var keys []Key
	for line := range strings.Lines(string(bytes.TrimSpace(text))) {
		version, secret, found := strings.Cut(strings.TrimSpace(line), " ")
		if !found || strings.Contains(secret, " ") {
			return nil, fault.New(fault.Misconfigured, "reading the keys of the ledger: line %d is not a version, a space and a key", len(keys)+1)
		}
		keys = append(keys, Key{Version: version, Secret: []byte(secret)})
	}
	return keys, nil
}
