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
)

// packBundle copies a log, the newest page it names and the register into a bundle, and checks what came out.
func packBundle(ctx context.Context, t terminal, args []string) int {
	data := t.flags.String("data", "data", "data folder")
	folder := t.flags.String("policy", "policy", "policy folder, when no server holds the data folder")
	server := t.flags.String("server", "", "URL of a server whose trust page publishes the log; the data folder by default")
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
	source, from, done, err := where(ctx, *server, place{*data, *tiles, *head}, trust)
	if err != nil {
		return t.unable(err)
	}
	defer done()
	if err := complete(ctx, t, &c, trust, source, from, *data, *folder); err != nil {
		return t.unable(err)
	}
	if err := write(out, func(put func(string, []byte) error) error { return verify.Pack(ctx, source, trust, c, put) }); err != nil {
		return t.unable(err)
	}
	o := verify.Options{Trust: trust, Recompute: recompute}
	return t.verify(ctx, out, o, func(r verify.Report, state string) int { return t.report(r, o, state, *asJSON, "en") })
}

// where is a log, and the trust page it has: on a server, or in its stores.
func where(ctx context.Context, server string, at place, trust sign.Trust) (verify.Source, published, func(), error) {
	from := published{url: strings.TrimSuffix(server, "/"), do: client()}
	if server != "" {
		return from, from, func() {}, nil
	}
	tiles, head, done, err := stores(ctx, at)
	from.url = serverOf(at.data)
	return confirmed{verify.Stores(tiles, head), head, trust}, from, done, err
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
func complete(ctx context.Context, t terminal, c *verify.Contents, trust sign.Trust, source verify.Source, from published, data, folder string) (err error) {
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
	if from.url != "" {
		return readPage(ctx, c, from, digest)
	}
	return inFolder(ctx, t, data, folder, func(local published) error { return readPage(ctx, c, local, digest) })
}

func readPage(ctx context.Context, c *verify.Contents, from published, digest string) (err error) {
	if c.Page, err = from.Read(ctx, "pages/"+digest, pageLimit); err != nil {
		return fmt.Errorf("reading the page the log names: %w", err)
	}
	if c.Register, err = from.Read(ctx, verify.RegisterFile, pageLimit); err != nil {
		return fmt.Errorf("reading the register: %w", err)
	}
	return nil
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
	if _, err := os.Lstat(out); err == nil {
		return fault.New(fault.Misconfigured, "%s exists: name a new folder or archive", out)
	}
	part := out + ".part"
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("clearing %s: %w", part, err)
	}
	make := writeFolder
	if strings.HasSuffix(out, ".zip") {
		make = writeArchive
	}
	if err := make(part, pack); err != nil {
		os.RemoveAll(part)
		return err
	}
	return os.Rename(part, out)
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
