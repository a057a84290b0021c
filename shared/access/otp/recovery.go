package otp

import (
	"context"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"ostiary.internal/shared/platform/fault"
)

// RecoverySet holds a person's unused recovery codes, hashed (NIST SP 800-63B-4 section 4.2). One salt serves the
// set: a check costs one slow hash however many codes are left, and codes of 80 random bits need no salt each.
type RecoverySet struct {
	ID      string    `json:"id"`
	Salt    []byte    `json:"salt"`
	Time    uint32    `json:"time"`   // argon2id passes
	Memory  uint32    `json:"memory"` // argon2id memory, KiB
	Hashes  [][]byte  `json:"hashes"`
	Used    bool      `json:"used,omitempty"` // one was used since codes were last handed out
	Created time.Time `json:"created"`
}

// argonCost is what one slow hash takes.
type argonCost struct{ time, memory uint32 }

// defaultCost is argon2id (RFC 9106) at the floor of what is advised for logins: one check takes some tens of
// milliseconds and 19 MiB, which a small function bears; the strength is in the 80 bits.
var defaultCost = argonCost{time: 2, memory: 19 * 1024}

const (
	recoverySum = 32
	codeBytes   = 10 // 80 bits
	codeLetters = 16 // of base32
)

// remaining returns the number of codes left; nil has none.
func (r *RecoverySet) remaining() int {
	if r == nil {
		return 0
	}
	return len(r.Hashes)
}

// wanting reports whether the person must be handed codes with the next authenticator: there is no set, or codes
// were used and are replaced (NIST SP 800-63B-4 section 4.2).
func (r *RecoverySet) wanting() bool { return r == nil || r.Used }

// slowHash derives the hash of a code. At most two run at a time in a process, for each takes its memory.
func (s *Service) slowHash(ctx context.Context, set *RecoverySet, code string) ([]byte, error) {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
		return argon2.IDKey([]byte(code), set.Salt, set.Time, set.Memory, 1, recoverySum), nil
	case <-ctx.Done():
		return nil, fault.New(fault.Transient, "hashing a recovery code: %w", ctx.Err())
	}
}

// codes are recovery codes made before a transaction, in clear and hashed under the salt of one set.
type codes struct {
	set    *RecoverySet // empty, to begin; nil when they belong to the set named by id
	id     string
	clear  []string
	hashes [][]byte
}

// prepare makes n codes for the set, or for a new one where set is nil. It is slow: call it before the transaction.
func (s *Service) prepare(ctx context.Context, set *RecoverySet, n int, now time.Time) (*codes, error) {
	c := &codes{}
	if set == nil {
		id, err := s.id()
		if err != nil {
			return nil, err
		}
		salt, err := s.bytes(16)
		if err != nil {
			return nil, err
		}
		set = &RecoverySet{ID: id, Salt: salt, Time: s.cost.time, Memory: s.cost.memory, Created: now}
		c.set = set
	}
	c.id = set.ID
	for range n {
		secret, err := s.bytes(codeBytes)
		if err != nil {
			return nil, err
		}
		code := base32NoPad.EncodeToString(secret)
		hash, err := s.slowHash(ctx, set, code)
		if err != nil {
			return nil, err
		}
		c.clear, c.hashes = append(c.clear, spaced(code, "-")), append(c.hashes, hash)
	}
	return c, nil
}

// handOut puts prepared codes into the account until its set is full and returns those it put in. A new set kills
// the old one. ErrStale when the codes were prepared for a set that is gone.
func (acc *Account) handOut(c *codes) ([]string, error) {
	switch {
	case c == nil:
		return nil, ErrStale
	case c.set != nil:
		fresh := *c.set
		acc.Recovery = &fresh
	case acc.Recovery == nil || acc.Recovery.ID != c.id:
		return nil, ErrStale
	}
	n := max(0, min(len(c.clear), RecoveryCodes-len(acc.Recovery.Hashes)))
	acc.Recovery.Hashes = append(slices.Clone(acc.Recovery.Hashes), c.hashes[:n]...)
	acc.Recovery.Used = false
	return c.clear[:n], nil
}

// take removes the code with this hash from the set and reports whether it was there. All hashes are compared.
func (r *RecoverySet) take(hash []byte) bool {
	at := -1
	for i, h := range r.Hashes {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(h, hash), i, at)
	}
	if at < 0 {
		return false
	}
	r.Hashes, r.Used = slices.Delete(slices.Clone(r.Hashes), at, at+1), true
	return true
}

// parseRecovery returns a typed recovery code in the form that is hashed: spaces and hyphens gone, letters large.
func parseRecovery(typed string) (string, bool) {
	if len(typed) > maxTyped {
		return "", false
	}
	code := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(typed))
	if len(code) != codeLetters || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return "", false
	}
	return code, true
}
