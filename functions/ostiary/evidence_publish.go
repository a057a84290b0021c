package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ostiary.internal/shared/evidence/witness"
)

// publish shows what a witness confirmed beside the log: the file is the checkpoint the witness has cosigned and sent.
func (t terminal) publish(ctx context.Context, name string, at place, trustFile string, asJSON bool) int {
	trust, err := readTrust(cmp.Or(trustFile, filepath.Join(at.data, "evidence", "trust.json")))
	if err != nil {
		return t.unable(err)
	}
	cosigned, err := os.ReadFile(name)
	if err != nil {
		return t.unable(fmt.Errorf("reading the cosigned checkpoint: %w", err))
	}
	tiles, head, done, err := stores(ctx, at)
	if err != nil {
		return t.unable(err)
	}
	defer done()
	confirmed, err := witness.Publish(ctx, tiles, head, trust, cosigned)
	if err != nil {
		return t.unable(err)
	}
	if asJSON {
		text, err := json.Marshal(confirmed)
		if err != nil {
			return t.unable(err)
		}
		fmt.Fprintf(t.out, "%s\n", text)
		return exitGood
	}
	for _, c := range confirmed {
		fmt.Fprintf(t.out, "published: %s confirmed %d records at %s\n", c.Name, c.Size, c.At.Format(time.RFC3339))
	}
	return exitGood
}
