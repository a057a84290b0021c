package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/evidence/witness"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/shared/trust/recompute"
)

// packBundle copies a log, the newest page it names and the register into a bundle, and checks what came out.
func packBundle(ctx context.Context, t terminal, args []string) int {
	data := t.flags.String("data", "data", "data folder")
	t.flags.String("policy", "policy", "policy folder; a bundle takes nothing from it")
	server := t.flags.String("server", "", "URL of a server with the trust page; it has the log too, where its entries are public. The data folder by default")
	tiles := t.flags.String("tiles", "", "URL of the store of tiles, such as gs://BUCKET/PREFIX")
	head := t.flags.String("head", "", "URL of the store of the head")
	trustFile := t.flags.String("trust", "", "the trust file; by default the one in the data folder")
	checkpoint := t.flags.String("checkpoint", "", "pack up to this checkpoint, such as a cosigned one; the newest by default")
	earlier := t.flags.String("earlier", "", "files of earlier checkpoints to pack, with commas between")
	proofs := t.flags.String("proof", "", "indexes of records that get a proof file, with commas between")
	asJSON := t.flags.Bool("json", false, "print the report of the check as JSON")
	out, code := t.parseOne(args)
	if code >= 0 {
		return code
	}
	if *trustFile == "" {
		*trustFile = filepath.Join(*data, "evidence", "trust.json")
	}
	c, trust, err := contents(*trustFile, *checkpoint, *earlier, *proofs)
	if err != nil {
		return t.unable(err)
	}
	from := published{url: strings.TrimSuffix(*server, "/"), do: client()}
	source, done, err := where(ctx, from, place{*data, *tiles, *head}, trust)
	if err != nil {
		return t.unable(err)
	}
	defer done()
	if err := complete(ctx, t, &c, trust, source, from, *data); err != nil {
		return t.unable(err)
	}
	if err := write(out, func(put func(string, []byte) error) error { return verify.Pack(ctx, source, trust, c, put) }); err != nil {
		return t.unable(err)
	}
	o := verify.Options{Trust: trust, Recompute: recompute.Page}
	return t.verify(ctx, out, o, func(r verify.Report, state string) int { return t.report(r, o, state, *asJSON, "en") })
}

// where is a log: in its stores, where they are named or no server is; on the server otherwise.
func where(ctx context.Context, server published, at place, trust sign.Trust) (verify.Source, func(), error) {
	if server.url != "" && at.tiles == "" && at.head == "" {
		return server, func() {}, nil
	}
	tiles, head, done, err := stores(ctx, at)
	return confirmed{verify.Stores(tiles, head), head, trust}, done, err
}

// confirmed is a log whose checkpoint bears the signatures of witnesses that were published, as on the trust page.
type confirmed struct {
	verify.Source
	head  log.Objects
	trust sign.Trust
}

func (c confirmed) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	if name == verify.CheckpointFile {
		return witness.Checkpoint(ctx, c.head, c.trust)
	}
	return c.Source.Read(ctx, name, limit)
}

// contents reads what goes into a bundle from files.
func contents(trustFile, checkpoint, earlier, proofs string) (c verify.Contents, trust sign.Trust, err error) {
	if trust, err = readTrust(trustFile); err != nil {
		return c, trust, err
	}
	if c.Trust, err = trust.Encode(); err != nil {
		return c, trust, err
	}
	if checkpoint != "" {
		if c.Checkpoint, err = os.ReadFile(checkpoint); err != nil {
			return c, trust, fmt.Errorf("--checkpoint: %w", err)
		}
	}
	for name := range strings.FieldsFuncSeq(earlier, comma) {
		signed, err := os.ReadFile(name)
		if err != nil {
			return c, trust, fmt.Errorf("--earlier: %w", err)
		}
		c.Earlier = append(c.Earlier, signed)
	}
	for text := range strings.FieldsFuncSeq(proofs, comma) {
		index, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return c, trust, fault.New(fault.Misconfigured, "--proof: %q is no index of a record", text)
		}
		c.Proofs = append(c.Proofs, index)
	}
	return c, trust, nil
}

func comma(r rune) bool { return r == ',' }

// complete adds the checkpoint, the page the log names last, and the register that page was computed for.
func complete(ctx context.Context, t terminal, c *verify.Contents, trust sign.Trust, source verify.Source, server published, data string) (err error) {
	if c.Checkpoint == nil {
		if c.Checkpoint, err = source.Read(ctx, verify.CheckpointFile, sign.MaxNote); err != nil {
			return fmt.Errorf("reading the newest checkpoint: %w", err)
		}
	}
	verified, err := trust.Verify(c.Checkpoint)
	if err != nil {
		return err
	}
	digest, err := lastPage(ctx, verify.Reader(source, c.Checkpoint, trust), verified.Size)
	if err != nil || digest == "" {
		return err
	}
	from, done, err := showingAt(server, data)
	if err != nil {
		return err
	}
	defer done()
	return t.readPage(ctx, c, from, digest)
}

// lastPage finds the digest in the newest page record, from the end of the log; "" when there is none.
func lastPage(ctx context.Context, reader interface {
	Entries(ctx context.Context, from, to int64, fn func(index int64, leaf []byte) error) error
}, size int64) (digest string, err error) {
	const step = 1024
	for to := size; to > 0 && digest == ""; to -= min(step, to) {
		err := reader.Entries(ctx, to-min(step, to), to, func(_ int64, leaf []byte) error {
			r, err := record.Parse(leaf)
			if err == nil && r.Kind == record.Page && r.Control == promise.PageControl {
				digest = r.Facts["page"]
			}
			return nil // what is no record, the check of the bundle will tell
		})
		if err != nil {
			return "", fmt.Errorf("looking for the newest page record: %w", err)
		}
	}
	return digest, nil
}

// write makes an archive or a folder, whole or not at all. What exists is not touched.
func write(out string, pack func(put func(name string, data []byte) error) error) error {
	out = filepath.Clean(out)
	if _, err := os.Lstat(out); err == nil {
		return fault.New(fault.Misconfigured, "%s exists: name a new folder or archive", out)
	}
	beside := filepath.Dir(out)
	if err := os.MkdirAll(beside, 0o755); err != nil {
		return fmt.Errorf("making the folder of %s: %w", out, err)
	}
	part, err := os.MkdirTemp(beside, ".bundle-*") // of one disk with it, and nobody else's
	if err != nil {
		return fmt.Errorf("beginning %s: %w", out, err)
	}
	defer os.RemoveAll(part)
	make := writeFolder
	if strings.HasSuffix(out, ".zip") {
		make = writeArchive
	}
	whole := filepath.Join(part, filepath.Base(out))
	if err := make(whole, pack); err != nil {
		return err
	}
	return os.Rename(whole, out)
}

func writeFolder(dir string, pack func(put func(string, []byte) error) error) error {
	return pack(func(name string, data []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o644)
	})
}

func writeArchive(path string, pack func(put func(string, []byte) error) error) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	w := zip.NewWriter(file)
	err = pack(func(name string, data []byte) error {
		var one io.Writer
		if one, err = w.Create(name); err == nil {
			_, err = one.Write(data)
		}
		return err
	})
	if err != nil {
		return err
	}
	return w.Close()
}
