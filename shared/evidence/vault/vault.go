// Package vault keeps what evidence must not show and must be able to forget: the salts behind the commitments of
// people and things, and the sealed payloads beside records.
//
// It promises that a record's commitment to a subject is equal within a calendar month (UTC) and says nothing across
// months; that a payload opens only for the subject and the record it was put for; that erasing a subject makes both
// worthless at once, because its data key is gone, and that every erasure is told in the evidence log: pending while
// backups may hold the wrapped key, final after the longest of them (GDPR article 17). A legal hold puts an erasure
// off, never away.
//
// It does not hide that a subject exists from whoever may read its database, nor how long a payload is, and it cannot
// reach what was opened before. It lives in a database of its own: a function without right to it sees commitments only.
package vault

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"regexp"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Control is the name under which the vault records what it erases and holds.
const Control = "vault"

// Limits, floors and the usual values.
const (
	MaxPayload    = 256 << 10            // bytes of one payload
	Retention     = 180 * 24 * time.Hour // how long a payload is kept when Config does not say
	LeastHorizon  = 7 * 24 * time.Hour   // Firestore's window of point-in-time recovery
	LongestBackup = 98 * 24 * time.Hour  // the longest a scheduled Firestore backup is kept: 14 weeks
	MaxHold       = 3 * 366 * 24 * time.Hour
)

// Names of the collections.
const (
	subjects = "subjects" // wrapped data keys and holds, by subject
	salts    = "salts"    // one per subject and month, sealed by the subject's key
	payloads = "payloads" // sealed by the subject's key
	erasures = "erasures"
)

// Collection declares what the vault keeps in its database, its outbox included.
func Collection() []store.Collection {
	return []store.Collection{
		outbox.Collection(),
		{Name: subjects, Expires: true},
		{Name: salts, Indexes: []store.Index{{"generation"}}},
		{Name: payloads, Indexes: []store.Index{{"generation"}}, Expires: true},
		{Name: erasures, Indexes: []store.Index{{"due"}}, Expires: true},
	}
}

// Subject is somebody or something evidence is about. A person of the policy is {"person", her id in people.yaml},
// so that every control commits to the same subject; nobody's free text is a subject.
type Subject struct {
	Type string // a word of small letters, digits and hyphens, at most 32; it is shown in records
	ID   string // 1 to 512 bytes; never shown
}

// Config is what a vault works with. All fields but Retention, Promises and Policy are needed.
type Config struct {
	Store     store.Store   // whose schema holds Collection
	Box       *outbox.Box   // on Store, with a sink for records
	Keys      seal.Keys     // wraps the subjects' data keys
	Random    io.Reader     // of keys, salts and names
	Horizon   time.Duration // how long a deleted document survives in backups; at least LeastHorizon
	Retention time.Duration // how long payloads are kept; zero: Retention
	Promises  []string      // those the check "vault" keeps
	Policy    string        // digest of the policy in force, for records
}

// Vault is safe for concurrent use. Errors of its methods: Invalid (a subject, id or payload outside the limits),
// NotFound, Conflict (the same id with other bytes), Transient; those of Store and Keys. None names a subject.
type Vault struct{ Config }

// New returns a vault. It is Misconfigured when a part is missing or the horizon is below its floor.
func New(c Config) (*Vault, error) {
	switch {
	case c.Store == nil || c.Box == nil || c.Keys == nil || c.Random == nil:
		return nil, fault.New(fault.Misconfigured, "making a vault: a part of it is missing")
	case c.Horizon < LeastHorizon:
		return nil, fault.New(fault.Misconfigured, "making a vault: backups reach back %s, at least %s", c.Horizon, LeastHorizon)
	case c.Retention < 0:
		return nil, fault.New(fault.Misconfigured, "making a vault: payloads are kept %s", c.Retention)
	}
	if c.Retention == 0 {
		c.Retention = Retention
	}
	return &Vault{c}, nil
}

var (
	typeForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	leafForm = regexp.MustCompile(`^[a-z2-7]{32}$`)
)

const maxSubjectID = 512

// key returns the name of the subject's documents. It hides the id from a glance, and from nobody who can guess it.
func (s Subject) key() (string, error) {
	if !typeForm.MatchString(s.Type) || len(s.ID) == 0 || len(s.ID) > maxSubjectID {
		return "", fault.New(fault.Invalid, "naming a subject: its type or id is not of the allowed form")
	}
	sum := sha256.Sum256(framed("ostiary vault subject", s.Type, s.ID))
	return hex.EncodeToString(sum[:]), nil
}

// framed joins parts behind their lengths, so that no two lists of parts look alike.
func framed(parts ...string) []byte {
	var out []byte
	for _, part := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}

// begun starts a record of the vault's own; event is random or derived from something random, for an event made of a
// subject could be guessed.
func (v *Vault) begun(event string, now time.Time) record.Record {
	r := record.New(record.Erasure, Control, event, v.Promises...)
	r.Config = v.Policy
	r.Source.Type = "request"
	r.Source.Observed, r.Source.Collected = now, now
	return r
}
