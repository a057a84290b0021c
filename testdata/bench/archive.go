package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/testdata/policies"
)

const (
	origin   = "sharedcontacts.example/ostiary/evidence"
	promises = 300
	controls = 70
	quarter  = 15 * time.Minute
)

// archive is a log of many records about many promises, with the page computed from them: a bundle in a folder.
type archive struct {
	dir    string // of the bundle
	policy string // folder of the policy in force
	trust  sign.Trust
	file   string // the trust file
	size   int64  // leaves
	ledger *promise.Ledger
	page   promise.Snapshot
}

// open returns the archive, which is made once.
func (b *bench) open(ctx context.Context) (*archive, error) {
	if b.log != nil {
		return b.log, nil
	}
	a := &archive{dir: filepath.Join(b.dir, "bundle"), file: filepath.Join(b.dir, "trust.json")}
	register, err := a.writePolicy(filepath.Join(b.dir, "long"))
	if err != nil {
		return nil, err
	}
	signer, err := file.New(filepath.Join(b.dir, "log-key"), origin)
	if err != nil {
		return nil, err
	}
	if a.trust, err = trusting(ctx, signer); err != nil {
		return nil, err
	}
	a.ledger = promise.NewLedger(register)
	w := writer{clock: clock.NewManual(time.Now().Add(-time.Duration(b.records/(controls+7)+2) * quarter))}
	w.inbox, w.tiles, w.head = memory.New(w.clock), memory.New(w.clock), memory.New(w.clock)
	w.sequencer, err = log.New(log.Config{Inbox: w.inbox, Tiles: w.tiles, Head: w.head, Origin: origin, Signers: []sign.Signer{signer}, Writers: recordtest.Writers(), Clock: w.clock})
	if err != nil {
		return nil, err
	}
	w.reader = log.NewReader(w.tiles, log.Head(w.head), a.trust)
	if err := a.fill(ctx, &w, int64(b.records)); err != nil {
		return nil, fmt.Errorf("making a log: %w", err)
	}
	if err := a.pack(ctx, &w, register); err != nil {
		return nil, fmt.Errorf("packing a log: %w", err)
	}
	b.log = a
	return a, nil
}

func trusting(ctx context.Context, signer sign.Signer) (sign.Trust, error) {
	key, err := signer.Verifier(ctx)
	return sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: []sign.TrustedKey{{Key: key}}}, err
}

// writePolicy writes a policy of many promises, those of the sample company replaced, and returns its register.
func (a *archive) writePolicy(dir string) (promise.Register, error) {
	if err := os.CopyFS(dir, policies.FS); err != nil {
		return promise.Register{}, err
	}
	a.policy = filepath.Join(dir, "sharedcontacts")
	var text strings.Builder
	text.WriteString("promises:\n")
	for n := range promises {
		fmt.Fprintf(&text, "  - {id: Z%d, text: {en: %q}, source: {file: own.txt, section: All}, check: check-%d, severity: high, max_age: P2D, kept_by: [{records: control-%d}]}\n",
			n, fmt.Sprintf("This is the sentence of promise %d of a long policy, as it was published.", n), n%controls, n%controls)
	}
	// Duties would write to people while the function that follows the log is measured.
	for _, name := range []string{"promises", "duties.yaml"} {
		if err := os.RemoveAll(filepath.Join(a.policy, name)); err != nil {
			return promise.Register{}, err
		}
	}
	if err := os.Mkdir(filepath.Join(a.policy, "promises"), 0o700); err != nil {
		return promise.Register{}, err
	}
	if err := os.WriteFile(filepath.Join(a.policy, "promises", "long.yaml"), []byte(text.String()), 0o600); err != nil {
		return promise.Register{}, err
	}
	p, problems, err := policy.Load(os.DirFS(dir), "sharedcontacts")
	if err != nil {
		return promise.Register{}, err
	}
	for _, problem := range problems {
		if !problem.Dangling {
			return promise.Register{}, fmt.Errorf("the policy: %s", problem)
		}
	}
	return promise.NewRegister(p, nil), nil
}

// writer is who writes the log.
type writer struct {
	clock              *clock.Manual
	inbox, tiles, head log.Objects
	sequencer          *log.Sequencer
	reader             *log.Reader
}

// fill makes a log of so many leaves. The last but one is the record of the page that all before it lead to.
func (a *archive) fill(ctx context.Context, w *writer, leaves int64) error {
	life := story{at: w.clock.Now().UTC()}
	for a.size < leaves-2 {
		var batch []record.Record
		for int64(len(batch)) < min(1000, leaves-3-a.size) { // each batch ends with a record of the log's own
			batch = append(batch, life.next())
		}
		if err := a.add(ctx, w, batch); err != nil {
			return err
		}
	}
	head, err := w.reader.Checkpoint(ctx)
	if err != nil {
		return err
	}
	a.page = promise.Snap(a.ledger, origin, a.size, tlog.Hash(head.Root).String(), w.clock.Now())
	r := record.New(record.Page, promise.PageControl, "the last page")
	r.Source.Observed, r.Source.Collected = a.page.At, a.page.At
	r.Facts = map[string]string{"page": record.Digest(a.page.Canonical()), "size": fmt.Sprint(a.size)}
	return a.add(ctx, w, []record.Record{r})
}

// add takes records into the log, and what the log has become into the ledger.
func (a *archive) add(ctx context.Context, w *writer, batch []record.Record) error {
	for _, r := range batch {
		data, err := r.Canonical()
		if err != nil {
			return err
		}
		if _, err := w.inbox.Create(ctx, recordtest.Place+r.ID(), data); err != nil {
			return err
		}
	}
	if last := batch[len(batch)-1].Source.Collected; last.After(w.clock.Now()) {
		if err := w.clock.Set(last); err != nil {
			return err
		}
	}
	report, err := w.sequencer.Run(ctx)
	if err != nil {
		return err
	}
	if report.Added != len(batch) {
		return fmt.Errorf("%d of %d records entered the log", report.Added, len(batch))
	}
	err = w.reader.Entries(ctx, a.size, report.Size, func(index int64, leaf []byte) error {
		r, err := record.Parse(leaf)
		if err != nil {
			return err
		}
		return a.ledger.Add(index, r)
	})
	a.size = report.Size
	return err
}

// pack puts the log into the folder of the bundle.
func (a *archive) pack(ctx context.Context, w *writer, register promise.Register) error {
	signed, err := log.Head(w.head)(ctx)
	if err != nil {
		return err
	}
	trust, err := a.trust.Encode()
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.file, trust, 0o600); err != nil {
		return err
	}
	contents := verify.Contents{Checkpoint: signed, Register: register.Canonical(), Page: a.page.Canonical(), Trust: trust}
	return verify.Pack(ctx, verify.Stores(w.tiles, w.head), a.trust, contents, func(name string, data []byte) error {
		path := filepath.Join(a.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o600)
	})
}
