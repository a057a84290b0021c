package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/access/otp/seedfile"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

const (
	// enrolArgs is what follows "ostiary enrol".
	enrolArgs = `EMAIL [--json]
       ostiary enrol import FILE [--key-file FILE | --password-file FILE] [--check]
       ostiary enrol assign SERIAL EMAIL
       ostiary enrol rollover EMAIL|--everyone [--until RFC3339] [--leaked] [--id ID] --reason TEXT
       ostiary enrol rewrap
       each with [--server URL | --data DIR] [--policy DIR] [--by EMAIL]`
	enrolExits = `
import puts the hardware tokens of a maker's file in stock: PSKC (RFC 6030), in clear or encrypted, or CSV. All of a file
or none. CSV names its columns in the first line: serial, secret, and what applies of algorithm (SHA1, SHA256, SHA512),
digits (6, 7, 8), period (30) and counter; a secret is hexadecimal or base32. A line has a period for a token with a
clock, or a counter. The key file holds the pre-shared key in hexadecimal. --check reads the file and stores nothing.
assign gives one of them to a person, who types two codes of it on her page.
rollover has authenticators replaced by a date to come, or at once; --leaked where somebody may know their secrets.
A command that was cut off is repeated as it was: it goes on, and takes nothing that people set up meanwhile. One of another
date or --reason, or a day after it was done, is a new one.
rewrap has every secret wrapped by the present version of the key, after a new one was made: until then older versions must
not be destroyed. It says how many secrets moved. Repeated, it goes on; nothing moves twice.

exit codes: 0 done; 1 refused, or not to be reached; 64 usage, or a file that cannot be taken, with every bad line`
)

// enrolWords are the words after "ostiary enrol" that are no address.
var enrolWords = []string{"import", "assign", "rollover", "rewrap"}

// enrolMore carries out what is more than a link.
func enrolMore(ctx context.Context, t terminal, args []string) int {
	t.explain(enrolExits)
	c := &connection{}
	c.flags(t)
	switch args[0] {
	case "import":
		return importSeeds(ctx, t, c, args[1:])
	case "assign":
		return assignToken(ctx, t, c, args[1:])
	case "rewrap":
		return rewrap(ctx, t, c, args[1:])
	}
	return forceRollover(ctx, t, c, args[1:])
}

func importSeeds(ctx context.Context, t terminal, c *connection, args []string) int {
	keyFile := t.flags.String("key-file", "", "file with the pre-shared key of an encrypted file, in hexadecimal")
	passwordFile := t.flags.String("password-file", "", "file with the password of an encrypted file")
	check := t.flags.Bool("check", false, "read the file and say what is wrong with it; store nothing")
	file, code := t.parseOne(args)
	if code >= 0 {
		return code
	}
	unlock, err := unlocking(*keyFile, *passwordFile)
	if err != nil {
		return t.usage("%v", err)
	}
	defer seal.Wipe(unlock.Key)
	defer seal.Wipe(unlock.Password)
	id, keys, problems, err := readSeeds(file, unlock)
	defer func() {
		for _, k := range keys {
			k.Wipe()
		}
	}()
	switch {
	case fault.Is(err, fault.Invalid):
		t.fail(err)
		return exitUsage
	case err != nil:
		return t.fail(err)
	case len(problems) > 0:
		return badLines(t, c.asJSON, problems)
	case *check && c.asJSON:
		if err := printJSON(t.out, map[string]any{"tokens": len(keys), "problems": []seedfile.Problem{}}); err != nil {
			return t.fail(err)
		}
		return exitGood
	case *check:
		fmt.Fprintf(t.out, "%d tokens, and nothing is wrong with them.\n", len(keys))
		return exitGood
	}
	return c.run(ctx, t, func() error {
		problems, err := c.sendSeeds(ctx, id, keys)
		if len(problems) > 0 {
			badLines(t, c.asJSON, problems)
			return fault.Refuse(fault.Invalid, "seedfile_invalid", "Nothing of the file was imported.", "Correct these lines, or take them out, and import it again.")
		}
		known := fault.CodeOf(err) == "seedfile_known" // the answer to an earlier import of it may have been lost
		if err != nil && !known {
			return err
		}
		if c.asJSON {
			return printJSON(t.out, map[string]any{"tokens": len(keys), "known": known})
		}
		if known {
			fmt.Fprintf(t.out, "This file was imported already: its %d tokens are in stock, or with people. Give them out with: ostiary enrol assign SERIAL EMAIL\n", len(keys))
			return nil
		}
		fmt.Fprintf(t.out, "%d tokens are in stock. Give them out with: ostiary enrol assign SERIAL EMAIL\n", len(keys))
		return nil
	})
}

// badLines prints every line that cannot be taken.
func badLines(t terminal, asJSON bool, problems []seedfile.Problem) int {
	slices.SortStableFunc(problems, func(a, b seedfile.Problem) int { return cmp.Compare(a.Line, b.Line) })
	if asJSON {
		if err := printJSON(t.out, map[string]any{"problems": problems}); err != nil {
			return t.fail(err)
		}
		return exitUsage
	}
	for _, p := range problems {
		fmt.Fprintf(t.err, "line %d: %s: %s\n", p.Line, cmp.Or(p.Serial, "(no serial number)"), p.Why)
	}
	fmt.Fprintf(t.err, "Nothing was imported: %d lines cannot be taken.\n", len(problems))
	return exitUsage
}

// unlocking reads the key or the password of an encrypted file. Neither is ever an argument: others see those.
func unlocking(keyFile, passwordFile string) (u seedfile.Unlock, err error) {
	if keyFile != "" && passwordFile != "" {
		return u, errors.New("--key-file or --password-file, not both")
	}
	if passwordFile != "" {
		text, err := os.ReadFile(passwordFile)
		u.Password = bytes.TrimRight(text, "\r\n")
		return u, err
	}
	if keyFile == "" {
		return u, nil
	}
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return u, err
	}
	defer seal.Wipe(text)
	if u.Key, err = hex.DecodeString(strings.Join(strings.Fields(string(text)), "")); err != nil || len(u.Key) == 0 {
		return u, errors.New("--key-file: the file holds no key in hexadecimal") // the decoder's error quotes the key
	}
	return u, nil
}

// readSeeds reads a file and names it: the same file has the same name, so that an import goes on where it was cut off.
func readSeeds(name string, unlock seedfile.Unlock) (id string, keys []seedfile.Key, problems []seedfile.Problem, err error) {
	file, err := os.Open(name)
	if err != nil {
		return "", nil, nil, err
	}
	defer file.Close()
	sum := sha256.New()
	sum.Write([]byte("ostiary seed file\x00"))
	keys, problems, err = seedfile.Read(io.TeeReader(file, sum), unlock)
	if err == nil {
		_, err = io.Copy(sum, file)
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum.Sum(nil)[:20])), keys, problems, err
}

// seedKey is one key as the server takes it.
type seedKey struct {
	Serial    string    `json:"serial"`
	Kind      string    `json:"kind"`
	Secret    string    `json:"secret"`
	Algorithm string    `json:"algorithm"`
	Digits    int       `json:"digits"`
	Counter   uint64    `json:"counter,omitempty"`
	Until     time.Time `json:"until,omitzero"`
}

// sendSeeds sends the keys of a file, all of them even where some cannot be taken, so that every bad line is named.
func (c *connection) sendSeeds(ctx context.Context, id string, keys []seedfile.Key) ([]seedfile.Problem, error) {
	if _, err := c.fetch(ctx, http.MethodPost, "/enrolotp/v1/seedfiles", map[string]any{"id": id, "keys": len(keys)}); err != nil {
		return nil, err
	}
	path := "/enrolotp/v1/seedfiles/" + id
	var bad []seedfile.Problem
	for part := range slices.Chunk(keys, otp.SeedsPerCall) {
		body := make([]seedKey, len(part))
		for i, k := range part {
			body[i] = seedKey{k.Serial, string(k.Kind), base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(k.Secret), string(k.Algorithm), k.Digits, k.Counter, k.Until}
		}
		var added struct {
			Problems []struct {
				At  int
				Why string
			}
		}
		if err := c.ask(ctx, http.MethodPost, path+"/keys", map[string]any{"keys": body}, &added); err != nil {
			return nil, err
		}
		for _, p := range added.Problems {
			if p.At < 0 || p.At >= len(part) {
				return nil, errors.New("the server names a key it was not sent")
			}
			bad = append(bad, seedfile.Problem{Line: part[p.At].Line, Serial: part[p.At].Serial, Why: p.Why})
		}
	}
	if len(bad) > 0 {
		_, err := c.fetch(ctx, http.MethodDelete, path, map[string]any{})
		return bad, err
	}
	_, err := c.fetch(ctx, http.MethodPost, path+"/finish", map[string]any{})
	return nil, err
}
