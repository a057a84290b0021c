package sealevidence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// keysPrefix begins the names of the marks in the head store that say which keys are on record: keys/HASH/begins and
// keys/HASH/ends, each holding the verifier key.
const keysPrefix = "keys/"

// maxKeys bounds how many marks are looked through: a key is changed once a year or so.
const maxKeys = 1000

// errSetBack says that the keys that sign, or are trusted, are those of an earlier time than what is on record.
var errSetBack = errors.New("keys are set back")

// keys writes down which keys begin and end to sign: a record each, once. It looks at them once in the life of an
// instance, for its list of keys never changes.
type keys struct {
	signers []sign.Signer
	trust   sign.Trust
	head    log.Objects
	inbox   record.Inbox
	clock   clock.Clock
	config  string
	code    string

	mu   sync.Mutex
	done bool
}

// announce records the keys that sign and were not on record, and those on record that sign no more. The record comes
// before the mark: after a crash between them it is handed in again, and the log knows it. With errSetBack, which is
// Misconfigured, nothing may be signed.
func (k *keys) announce(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done {
		return nil
	}
	marks, err := k.marks(ctx)
	if err != nil {
		return err
	}
	var present, verifiers []string
	for _, s := range k.signers {
		verifier, err := s.Verifier(ctx)
		if err != nil {
			return fmt.Errorf("announcing the keys of the log: %w", err)
		}
		hash, err := sign.KeyHash(verifier)
		if err != nil {
			return fmt.Errorf("announcing the keys of the log: %w", err)
		}
		present, verifiers = append(present, hash), append(verifiers, verifier)
	}
	if err := k.setBack(marks, present); err != nil {
		return err
	}
	for i, hash := range present {
		if err := k.step(ctx, marks, sign.Begins, hash, verifiers[i]); err != nil {
			return err
		}
	}
	for _, mark := range marks {
		hash, ended := strings.CutSuffix(strings.TrimPrefix(mark, keysPrefix), "/"+sign.Begins)
		if !ended || slices.Contains(present, hash) {
			continue
		}
		held, err := k.head.Get(ctx, mark)
		if err != nil {
			return fmt.Errorf("announcing the end of key %s: %w", hash, err)
		}
		if err := k.step(ctx, marks, sign.Ends, hash, string(held.Data)); err != nil {
			return err
		}
	}
	k.done = true
	return nil
}

// setBack returns errSetBack where a key signs that ended on record, or the trust file lacks one that signs or has signed:
// readers could not verify what the log holds.
func (k *keys) setBack(marks, present []string) error {
	var trusted []string
	for _, key := range k.trust.Keys {
		hash, err := sign.KeyHash(key.Key)
		if err != nil {
			return fmt.Errorf("reading the trust file: %w", err)
		}
		trusted = append(trusted, hash)
	}
	seen := slices.Clone(present)
	for _, mark := range marks {
		if hash, begun := strings.CutSuffix(strings.TrimPrefix(mark, keysPrefix), "/"+sign.Begins); begun {
			seen = append(seen, hash)
		}
	}
	for _, hash := range present {
		if slices.Contains(marks, keysPrefix+hash+"/"+sign.Ends) {
			return fault.New(fault.Misconfigured, "%w: key %s signs again, and its end is on record", errSetBack, hash)
		}
	}
	for _, hash := range seen {
		if !slices.Contains(trusted, hash) {
			return fault.New(fault.Misconfigured, "%w: the trust file does not hold key %s, which signs or has signed", errSetBack, hash)
		}
	}
	return nil
}

func (k *keys) marks(ctx context.Context) ([]string, error) {
	listed, err := k.head.List(ctx, keysPrefix, "", maxKeys)
	if err != nil {
		return nil, fmt.Errorf("listing the keys on record: %w", err)
	}
	var names []string
	for _, l := range listed {
		names = append(names, l.Name)
	}
	return names, nil
}

// step records that a key begins or ends, unless it is on record.
func (k *keys) step(ctx context.Context, marks []string, rel, hash, verifier string) error {
	mark := keysPrefix + hash + "/" + rel
	if slices.Contains(marks, mark) {
		return nil
	}
	r, err := sign.KeyRecord(log.Control, rel, verifier, k.clock.Now())
	if err != nil {
		return fmt.Errorf("recording that key %s %s: %w", hash, rel, err)
	}
	r.Config, r.Code = k.config, k.code
	data, err := r.Canonical()
	if err != nil {
		return fmt.Errorf("recording that key %s %s: %w", hash, rel, err)
	}
	// A Conflict says that it is there already, made at another time.
	if err := k.inbox.Create(ctx, r.ID(), data); err != nil && !fault.Is(err, fault.Conflict) {
		return fmt.Errorf("recording that key %s %s: %w", hash, rel, err)
	}
	if _, err := k.head.Create(ctx, mark, []byte(verifier)); err != nil && !fault.Is(err, fault.Conflict) {
		return fmt.Errorf("marking that key %s %s: %w", hash, rel, err)
	}
	return nil
}
