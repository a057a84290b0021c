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
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal/privatefile"
)

// originSuffix follows the company's domain in the name of the log.
const originSuffix = "/ostiary/evidence"

// evidence is where this machine keeps its evidence, and the trust file that verifies it.
type evidence struct {
	dir, keys string // the folder of everything, the file of the signing key
	origin    string
	trust     []byte // the trust file's text
	inbox     log.Objects
	reader    *log.Reader
}

func (e evidence) inboxDir() string { return filepath.Join(e.dir, "inbox") }
func (e evidence) tilesDir() string { return filepath.Join(e.dir, "tiles") }
func (e evidence) headDir() string  { return filepath.Join(e.dir, "head") }

// signingKey is the URL of the key.
func (e evidence) signingKey() string { return "file:" + e.keys + "?name=" + e.origin }

// openEvidence makes the signing key and the trust file where there are none. A trust file that is there is left alone:
// a key it does not hold is Misconfigured.
func (w *World) openEvidence(ctx context.Context) error {
	e := evidence{dir: filepath.Join(w.dir, "evidence"), keys: filepath.Join(w.dir, "keys", "checkpoints"), origin: w.policy.Company.Domains[0] + originSuffix}
	signer, err := file.New(e.keys, e.origin)
	if err != nil {
		return err
	}
	verifier, err := signer.Verifier(ctx)
	if err != nil {
		return err
	}
	trusted := filepath.Join(e.dir, "trust.json")
	if e.trust, err = os.ReadFile(trusted); errors.Is(err, fs.ErrNotExist) {
		if e.trust, err = (sign.Trust{V: sign.TrustVersion, Origin: e.origin, Keys: []sign.TrustedKey{{Key: verifier}}}).Encode(); err == nil {
			err = privatefile.Create(trusted, e.trust)
		}
	}
	if err != nil {
		return fmt.Errorf("keeping the trust file: %w", err)
	}
	trust, err := sign.ReadTrust(e.trust)
	if err != nil {
		return fmt.Errorf("reading %s: %w", trusted, err)
	}
	if !holds(trust, verifier) {
		return fault.New(fault.Misconfigured, "reading %s: it does not hold the key that signs here", trusted)
	}
	e.inbox = logs.New(e.inboxDir())
	e.reader = log.NewReader(logs.New(e.tilesDir()), log.Head(logs.New(e.headDir())), trust)
	w.evidence = e
	return nil
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
