package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/evidence/witness"
	"ostiary.internal/shared/platform/clock"
)

// witnessed is what came of a checkpoint, as --json prints it.
type witnessed struct {
	Verdict witness.Verdict `json:"verdict"`
	Size    int64           `json:"size"`
	Last    int64           `json:"last"`
	Key     string          `json:"witness_key"` // for the trust file of whoever relies on this witness
	Kept    string          `json:"kept,omitempty"`
	Note    string          `json:"checkpoint,omitempty"`
}

// cosign confirms a log's checkpoint where it extends the last one this machine has confirmed.
func cosign(ctx context.Context, t terminal, args []string) int {
	trustFile := t.flags.String("trust", "", "the trust file of the log; with --publish by default the one in the data folder")
	name := t.flags.String("name", "", "your name as a witness, such as auditor.example/w1")
	state := t.flags.String("state", "witness", "your own folder: the key, the last checkpoint, what was refused")
	out := t.flags.String("out", "", "file for the cosigned checkpoint; the terminal by default")
	publish := t.flags.Bool("publish", false, "as the keeper of the log: take a checkpoint that a witness cosigned, and show it on the trust page")
	data := t.flags.String("data", "data", "with --publish: data folder")
	tiles := t.flags.String("tiles", "", "with --publish: URL of the store of tiles, such as gs://BUCKET/PREFIX")
	head := t.flags.String("head", "", "with --publish: URL of the store of the head")
	asJSON := t.flags.Bool("json", false, "print what came of it as JSON")
	from, code := t.parseOne(args)
	switch {
	case code >= 0:
		return code
	case *publish && (*name != "" || *out != ""):
		return t.usage("--publish goes with neither --name nor --out: the witness has signed already")
	case *publish:
		return t.publish(ctx, from, place{*data, *tiles, *head}, *trustFile, *asJSON)
	case *trustFile == "":
		return t.usage("--trust: name the trust file of the log")
	case *name == "":
		return t.usage("--name: name yourself, such as auditor.example/w1")
	}
	trust, err := readTrust(*trustFile)
	if err != nil {
		return t.unable(err)
	}
	signer, err := file.New(filepath.Join(*state, "key"), *name)
	if err != nil {
		return t.unable(err)
	}
	defer signer.Close()
	var src verify.Source = published{url: strings.TrimSuffix(from, "/"), do: client()}
	if !isURL(from) {
		opened, done, err := openBundle(from)
		if err != nil {
			return t.unable(err)
		}
		defer done()
		src = opened
	}
	c := witness.Config{Memory: folder.New(filepath.Join(*state, "memory")), Trust: trust, Signer: signer}
	d, err := look(ctx, c, src)
	if err != nil {
		return t.unable(err)
	}
	if d.Kept != "" {
		d.Kept = filepath.Join(*state, "memory", filepath.FromSlash(d.Kept))
	}
	return t.witnessed(ctx, d, signer, *out, *asJSON)
}

// look reads the checkpoint of a bundle or a server, and proves from the tiles there what the witness asks.
func look(ctx context.Context, c witness.Config, src verify.Source) (witness.Decision, error) {
	presented, err := src.Read(ctx, verify.CheckpointFile, sign.MaxNote)
	if err != nil {
		return witness.Decision{}, err
	}
	prove := func(ctx context.Context, from int64) (tlog.TreeProof, error) {
		head, err := c.Trust.Verify(presented)
		if err != nil {
			return nil, err
		}
		return verify.Reader(src, presented, c.Trust).Consistency(ctx, from, head.Size)
	}
	return witness.Cosign(ctx, c, presented, prove, clock.System{}.Now())
}

// witnessed hands out what came of a checkpoint.
func (t terminal) witnessed(ctx context.Context, d witness.Decision, signer sign.Signer, out string, asJSON bool) int {
	verifier, err := signer.Verifier(ctx)
	if err == nil {
		verifier, err = sign.WitnessKey(verifier)
	}
	if err == nil && d.Cosigned != nil && out != "" {
		err = os.WriteFile(out, d.Cosigned, 0o644)
	}
	if err != nil {
		return t.unable(err)
	}
	switch {
	case asJSON:
		text, err := json.Marshal(witnessed{d.Verdict, d.Size, d.Last, verifier, d.Kept, string(d.Cosigned)})
		if err != nil {
			return t.unable(err)
		}
		fmt.Fprintf(t.out, "%s\n", text)
	case d.Verdict == witness.Rollback:
		fmt.Fprintf(t.out, "REFUSED: the log had %d records when it was last confirmed, and is shown with %d. Both checkpoints are kept in %s.\n", d.Last, d.Size, d.Kept)
	case d.Verdict == witness.Fork:
		fmt.Fprintf(t.out, "REFUSED: this log is not the one that was confirmed at %d records: what was there has changed. Both signed checkpoints are kept in %s: together they prove it.\n", d.Last, d.Kept)
	case out == "":
		fmt.Fprintf(t.out, "%s", d.Cosigned)
	}
	if d.Verdict.Refused() {
		return exitRefused
	}
	if !asJSON {
		fmt.Fprintf(t.err, "confirmed %d records (%s)\nwitness key, for trust files: %s\n", d.Size, d.Verdict, verifier)
	}
	return exitGood
}
