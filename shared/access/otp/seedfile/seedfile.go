// Package seedfile reads the files that makers of hardware tokens deliver secrets in: PSKC (RFC 6030), in clear or
// encrypted under a pre-shared key or a password, and CSV.
//
// It promises to look at the whole file and to name every line that cannot be taken; to verify the code that
// authenticates an encrypted value before it decrypts it; to hold no more than MaxKeys keys of at most MaxBytes of
// file; and that neither an error nor a problem quotes a secret. It refuses document types, and so entities.
//
// It does not verify a PSKC file's digital signature, open keys encrypted for a certificate, or store anything.
package seedfile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
)

// Limits of one file.
const (
	MaxBytes = 32 << 20
	MaxKeys  = 10_000
)

// Unlock opens the encrypted values of a PSKC file: the pre-shared key itself, or the password it is derived from.
// The zero value opens nothing, which a file in clear needs no more.
type Unlock struct {
	Key      []byte // 16, 24 or 32 bytes, as the file's cipher wants
	Password []byte
}

// Key is one key of a file with the line it begins on, counted from 1.
type Key struct {
	Line int
	otp.Seed
}

// Problem is a line of a file that cannot be taken, with the reason in plain words.
type Problem struct {
	Line   int    `json:"line"`
	Serial string `json:"serial,omitempty"` // where it could be read
	Why    string `json:"why"`
}

// Read returns the keys of a file, which the caller wipes, and every line that cannot be taken: only a file without
// problems is to be imported. An error, of kind Invalid with a code for whoever gave the file, is about the file as a
// whole: seedfile_invalid, seedfile_too_large, seedfile_locked (the key or password is missing, or opens nothing).
func Read(r io.Reader, unlock Unlock) ([]Key, []Problem, error) {
	in := &capped{r: r, left: MaxBytes + 1}
	text := bufio.NewReader(in)
	f := &file{in: in, unlock: unlock, serials: map[string]int{}, secrets: map[[sha256.Size]byte]int{}}
	if mark, err := text.Peek(3); err == nil && bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = text.Discard(3)
	}
	read := f.readCSV
	if first, err := text.Peek(1); err == nil && first[0] == '<' {
		read = f.readPSKC
	}
	err := read(text)
	if err == nil && len(f.keys)+len(f.problems) == 0 {
		err = invalid("There is no key in the file.")
	}
	if err != nil {
		f.wipe()
		return nil, nil, err
	}
	return f.keys, f.problems, nil
}

// file is what was read of a file so far.
type file struct {
	in       *capped
	unlock   Unlock
	keys     []Key
	problems []Problem
	serials  map[string]int // lines, by serial number
	secrets  map[[sha256.Size]byte]int
}

// add takes a key, or notes why not.
func (f *file) add(k Key) error {
	if len(f.keys)+len(f.problems) >= MaxKeys {
		return tooLarge(fmt.Sprintf("The file holds more than %d keys.", MaxKeys))
	}
	why := k.Problem()
	serial, _ := otp.Serial(k.Serial)
	sum := sha256.Sum256(k.Secret)
	if at, twice := f.serials[serial]; why == "" && twice {
		why = fmt.Sprintf("line %d has the same serial number", at)
	}
	if at, twice := f.secrets[sum]; why == "" && twice {
		why = fmt.Sprintf("line %d has the same secret", at)
	}
	if why != "" {
		k.Wipe()
		return f.refuse(k.Line, k.Serial, why)
	}
	k.Serial, f.serials[serial], f.secrets[sum] = serial, k.Line, k.Line
	f.keys = append(f.keys, k)
	return nil
}

// maxShown is the longest serial number that a problem names: the shortest secret is longer, whichever way it is written.
const maxShown = 20

// refuse notes a line that cannot be taken. What stands in place of a serial number may be a secret that slipped.
func (f *file) refuse(line int, serial, why string) error {
	if len(f.keys)+len(f.problems) >= MaxKeys {
		return tooLarge(fmt.Sprintf("The file holds more than %d keys.", MaxKeys))
	}
	serial, ok := otp.Serial(serial)
	if !ok || len(serial) > maxShown {
		serial = ""
	}
	f.problems = append(f.problems, Problem{line, serial, why})
	return nil
}

func (f *file) wipe() {
	for _, k := range f.keys {
		k.Wipe()
	}
}

// capped ends a file that is too large with an error instead of cutting it.
type capped struct {
	r    io.Reader
	left int64
	err  error // of r, when reading failed
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, tooLarge(fmt.Sprintf("The file is larger than %d MiB.", MaxBytes>>20))
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = fault.New(fault.Transient, "reading a seed file: %w", err)
		err = c.err
	}
	return n, err
}

func invalid(format string, args ...any) error {
	return fault.Refuse(fault.Invalid, "seedfile_invalid", fmt.Sprintf(format, args...), "Ask the maker of the tokens for the file as PSKC (RFC 6030) or CSV.")
}

func tooLarge(detail string) error {
	return fault.Refuse(fault.Invalid, "seedfile_too_large", detail, "Import it in parts.")
}

func locked(detail, next string) error {
	return fault.Refuse(fault.Invalid, "seedfile_locked", detail, next)
}
