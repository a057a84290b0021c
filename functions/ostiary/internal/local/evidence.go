package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"

	"ostiary.internal/shared/evidence/log"
	logs "ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal/privatefile"
)

// originSuffix follows the company's domain in the name of the log.
const originSuffix = "/ostiary/evidence"

// receiptsSuffix follows it in the name of the key of receipts.
const receiptsSuffix = "/ostiary/receipts"

// signed is a key that signs, and the trust file that verifies it.
type signed struct {
	keys, origin string // the file of the key, its name
	trust        []byte // the trust file's text
}

// evidence is where this machine keeps its evidence.
type evidence struct {
	signed
	dir    string // the folder of everything
	inbox  log.Objects
	reader *log.Reader
}

func (e evidence) inboxDir() string { return filepath.Join(e.dir, "inbox") }
func (e evidence) tilesDir() string { return filepath.Join(e.dir, "tiles") }
func (e evidence) headDir() string  { return filepath.Join(e.dir, "head") }

// signingKey is the URL of the key.
func (s signed) signingKey() string { return driver.URL("file", s.keys, "name", s.origin) }

// openEvidence opens the keys that sign checkpoints and receipts, and the log.
func (w *World) openEvidence(ctx context.Context) error {
	e := evidence{dir: filepath.Join(w.dir, "evidence")}
	var trust sign.Trust
	var err error
	if e.signed, trust, err = openSigned(ctx, filepath.Join(w.dir, "keys", "checkpoints"), w.policy.Company.Domains[0]+originSuffix, filepath.Join(e.dir, "trust.json")); err != nil {
		return err
	}
	if w.receipts, _, err = openSigned(ctx, filepath.Join(w.dir, "keys", "receipts"), w.policy.Company.Domains[0]+receiptsSuffix, filepath.Join(w.dir, "receipts", "trust.json")); err != nil {
		return err
	}
	e.inbox = logs.New(e.inboxDir())
	e.reader = log.NewReader(logs.New(e.tilesDir()), log.Head(logs.New(e.headDir())), trust)
	w.evidence = e
	return nil
}

// openSigned makes a signing key and its trust file where there are none. A trust file that is there is left alone: a key
// it does not hold is Misconfigured.
func openSigned(ctx context.Context, keys, name, trusted string) (s signed, trust sign.Trust, err error) {
	s = signed{keys: keys, origin: name}
	signer, err := file.New(keys, name)
	if err != nil {
		return s, trust, err
	}
	verifier, err := signer.Verifier(ctx)
	if err != nil {
		return s, trust, err
	}
	if s.trust, err = os.ReadFile(trusted); errors.Is(err, fs.ErrNotExist) {
		if s.trust, err = (sign.Trust{V: sign.TrustVersion, Origin: name, Keys: []sign.TrustedKey{{Key: verifier}}}).Encode(); err == nil {
			err = privatefile.Create(trusted, s.trust)
		}
	}
	if err != nil {
		return s, trust, fmt.Errorf("keeping the trust file: %w", err)
	}
	if trust, err = sign.ReadTrust(s.trust); err != nil {
		return s, trust, fmt.Errorf("reading %s: %w", trusted, err)
	}
	if !holds(trust, verifier) {
		return s, trust, fault.New(fault.Misconfigured, "reading %s: it does not hold the key that signs here", trusted)
	}
	return s, trust, nil
}

func holds(t sign.Trust, verifier string) bool {
	for _, k := range t.Keys {
		if k.Key == verifier {
			return true
		}
	}
	return false
}

// all returns every record: those in the log, verified, in its order, then those that wait in the inbox, by id.
func (e evidence) all(ctx context.Context) ([]json.RawMessage, error) {
	// What leaves the inbox meanwhile is in the log, which is read after it.
	listed, err := e.inbox.List(ctx, "", "", math.MaxInt)
	if err != nil {
		return nil, err
	}
	waiting := map[string]json.RawMessage{}
	for _, l := range listed {
		o, err := e.inbox.Get(ctx, l.Name)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		if err == nil {
			waiting[path.Base(l.Name)] = o.Data
		}
	}
	var found []json.RawMessage
	newest, err := e.reader.Checkpoint(ctx)
	if err == nil {
		err = e.reader.Entries(ctx, 0, newest.Size, func(_ int64, leaf []byte) error {
			found = append(found, leaf)
			return nil
		})
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	if len(waiting) == 0 {
		return found, nil
	}
	seen := map[string]bool{}
	for _, leaf := range found {
		var named struct{ ID string }
		if err := json.Unmarshal(leaf, &named); err != nil {
			return nil, fmt.Errorf("reading the id of a record in the log: %w", err)
		}
		seen[named.ID] = true
	}
	for _, id := range slices.Sorted(maps.Keys(waiting)) {
		if !seen[id] {
			found = append(found, waiting[id])
		}
	}
	return found, nil
}
