package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/shared/trust/recompute"
)

// journal is the evidence log as the oracle reads it, from its files, with the code that auditors verify it by.
type journal struct {
	dir    string // data folder
	get    func(ctx context.Context, path string) (answer, error)
	oracle *oracle

	since   []byte // the checkpoint it was read up to
	records []record.Record
	ids     map[string]bool
}

func newJournal(dir string, c *client, o *oracle) *journal {
	get := func(ctx context.Context, path string) (answer, error) {
		return c.again(ctx, call{method: "GET", path: path})
	}
	return &journal{dir: dir, get: get, oracle: o, ids: map[string]bool{}}
}

func (j *journal) tiles() *folder.Objects {
	return folder.New(filepath.Join(j.dir, "evidence", "tiles"))
}
func (j *journal) head() *folder.Objects { return folder.New(filepath.Join(j.dir, "evidence", "head")) }

// bundle is the log as it lies there, with the newest page that it names.
type bundle struct {
	verify.Source
	page, register []byte
}

func (b bundle) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	switch name {
	case verify.PageFile:
		if b.page != nil {
			return b.page, nil
		}
	case verify.RegisterFile:
		if b.register != nil {
			return b.register, nil
		}
	}
	return b.Source.Read(ctx, name, limit)
}

// read takes in what the log has grown by, and verifies the whole of it: signature, tree, order, and that it goes on
// from where it was.
func (j *journal) read(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(j.dir, "evidence", "trust.json"))
	if err != nil {
		return fmt.Errorf("reading the trust file: %w", err)
	}
	trust, err := sign.ReadTrust(text)
	if err != nil {
		return err
	}
	source := verify.Stores(j.tiles(), j.head())
	checkpoint, err := source.Read(ctx, verify.CheckpointFile, sign.MaxNote)
	if err != nil {
		j.oracle.holds(logWhole, false, "the log has no checkpoint: %v", err)
		return nil
	}
	verified, err := trust.Verify(checkpoint)
	if err != nil {
		j.oracle.holds(logWhole, false, "the newest checkpoint: %v", err)
		return nil
	}
	err = verify.Reader(source, checkpoint, trust).Entries(ctx, int64(len(j.records)), verified.Size, j.take)
	j.oracle.holds(logWhole, err == nil, "reading the log from record %d on: %v", len(j.records), err)
	if err != nil {
		return nil
	}
	return j.verify(ctx, source, trust, checkpoint)
}

// take keeps one more record.
func (j *journal) take(index int64, leaf []byte) error {
	r, err := record.Parse(leaf)
	if err != nil {
		return fmt.Errorf("record %d: %w", index, err)
	}
	id := r.ID()
	// A gap and a key may be told of again, after a log was set back.
	j.oracle.holds(logWhole, !j.ids[id] || r.Kind == record.Gap || r.Kind == record.Key, "record %d, a %s of %s with %v, stands there twice", index, r.Kind, r.Control, r.Facts)
	j.ids[id] = true
	j.oracle.private("a record", leaf)
	j.records = append(j.records, r)
	return nil
}

// verify checks the log as somebody does to whom it is handed, with the page it names.
func (j *journal) verify(ctx context.Context, source verify.Source, trust sign.Trust, checkpoint []byte) error {
	b := bundle{Source: source}
	if err := j.show(ctx, &b); err != nil {
		return err
	}
	report, err := verify.Verify(ctx, b, verify.Options{Trust: trust, Recompute: recompute.Page, Since: j.since})
	if err != nil {
		return fmt.Errorf("verifying the log: %w", err)
	}
	wrong, differs := []string{}, false
	for _, f := range report.Failures {
		wrong = append(wrong, f.Text("en"))
	}
	differs = report.Outcome == verify.PageDiffers
	j.oracle.holds(logWhole, report.Exit == 0 || differs, "verifying the log ends with %s: %v", report.Outcome, wrong)
	if b.page != nil {
		j.oracle.holds(statesFollow, !differs && report.Page != nil && report.Page.Computed, "the page the log names is not what follows from it: %v", wrong)
	}
	j.since = checkpoint
	return nil
}

// show gets the page that the log names last, and what it was computed for.
func (j *journal) show(ctx context.Context, b *bundle) error {
	digest := ""
	for i := len(j.records) - 1; i >= 0 && digest == ""; i-- {
		if r := j.records[i]; r.Kind == record.Page && r.Control == promise.PageControl {
			digest = r.Facts["page"]
		}
	}
	if digest == "" {
		return nil
	}
	page, err := j.get(ctx, "/trustpage/v1/pages/"+digest)
	if err != nil {
		return err
	}
	j.oracle.holds(statesFollow, page.good(), "the page %s, which the log names, cannot be read: %s", digest, page)
	if !page.good() {
		return nil
	}
	var shown promise.Snapshot
	if err := page.into(&shown); err != nil {
		return err
	}
	register, err := j.get(ctx, "/trustpage/v1/registers/"+shown.Register)
	if err != nil {
		return err
	}
	b.page, b.register = page.body, register.body
	return j.newest(ctx)
}

// newest: what the trust page shows now is a page that the log names.
func (j *journal) newest(ctx context.Context) error {
	a, err := j.get(ctx, "/trustpage/v1/promises.json")
	if err != nil {
		return err
	}
	if !a.good() {
		j.oracle.holds(statesFollow, false, "the trust page shows no states: %s", a)
		return nil
	}
	sum := sha256.Sum256(a.body)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	named := j.find(func(r record.Record) bool { return r.Kind == record.Page && r.Facts["page"] == digest })
	if len(named) == 0 {
		waiting, err := j.waiting()
		if err != nil {
			return err
		}
		for _, data := range waiting {
			if r, err := record.Parse(data); err == nil && r.Facts["page"] == digest {
				named = append(named, r)
			}
		}
	}
	j.oracle.holds(statesFollow, len(named) == 1, "the page that is shown is named by %d records", len(named))
	return nil
}

// find returns the records that a function picks, in the order of the log.
func (j *journal) find(pick func(record.Record) bool) (found []record.Record) {
	for _, r := range j.records {
		if pick(r) {
			found = append(found, r)
		}
	}
	return found
}

// counts: of what was answered as done there are as many records, and of what was not answered none or one each.
func (j *journal) counts(what string, answered, unknown int, pick func(record.Record) bool) {
	n := len(j.find(pick))
	j.oracle.holds(logWhole, n >= answered && n <= answered+unknown, "%d times %s was answered as done, of %d more it is not known, and there are %d records", answered, what, unknown, n)
}

// waiting are the records in the inbox, by the name of their file.
func (j *journal) waiting() (map[string][]byte, error) {
	found := map[string][]byte{}
	err := filepath.WalkDir(filepath.Join(j.dir, "evidence", "inbox"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".") { // what a kill left half written is nobody's record
			return err
		}
		if data, err := os.ReadFile(path); err == nil { // it may have gone into the log meanwhile
			found[path] = data
		}
		return nil
	})
	return found, err
}
