package sign

import (
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// Overlap is how long the old and the new key of a log both sign, so that every reader has taken the new trust file
// before the old key ends.
//
// A key is changed in four steps, none of which can be undone or skipped unseen:
//  1. The new key is made. The trust file gets it, from the size of the log at that time (Add), and goes to everybody who
//     has one, the sequencer first: it signs with no key that its trust file lacks.
//  2. The sequencer's list of keys becomes "old new": both sign, and a record "begins" of the new key enters the log under
//     the old one's signature.
//  3. After Overlap the list becomes "new", and a record "ends" of the old key enters the log.
//  4. The old key is closed in the trust file at the size of its last checkpoint (Close): bundles from before verify for
//     ever, and what it signs later counts for nobody.
const Overlap = 30 * 24 * time.Hour

// Values of the fact "rel" in records of kind key.
const (
	Begins = "begins"
	Ends   = "ends"
)

// KeyRecord is the record that a key begins or ends to sign, in the name of a control. The same key and step is the
// same record.
func KeyRecord(control, rel, verifier string, at time.Time) (record.Record, error) {
	hash, err := KeyHash(verifier)
	if err != nil {
		return record.Record{}, err
	}
	if rel != Begins && rel != Ends {
		return record.Record{}, fault.New(fault.Invalid, "recording that a key %q: it %s or %s", rel, Begins, Ends)
	}
	r := record.New(record.Key, control, verifier+"#"+rel)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "key", at, at
	r.Facts = map[string]string{"rel": rel, "hash": hash, "verifier": record.Digest([]byte(verifier))}
	return r, nil
}

// Add returns the trust file with one more key of the log, which counts from a size on. The others stay as they are.
func (t Trust) Add(verifier string, from int64) (Trust, error) {
	t.Keys = append(slices.Clone(t.Keys), TrustedKey{Key: verifier, From: from})
	return t, t.check()
}

// Close returns the trust file with the end of one key: to is the size of the last checkpoint it signed. The last key
// without an end cannot be closed, nor one a second time: Conflict.
func (t Trust) Close(verifier string, to int64) (Trust, error) {
	t.Keys = slices.Clone(t.Keys)
	at := slices.IndexFunc(t.Keys, func(k TrustedKey) bool { return k.Key == verifier })
	if at < 0 {
		return Trust{}, fault.New(fault.NotFound, "ending a key: the trust file does not hold it")
	}
	open := 0
	for _, k := range t.Keys {
		if k.To == 0 {
			open++
		}
	}
	if t.Keys[at].To != 0 || open < 2 || to <= 0 {
		return Trust{}, fault.New(fault.Conflict, "ending a key: it has ended, or no other key would be left")
	}
	t.Keys[at].To = to
	return t, t.check()
}
