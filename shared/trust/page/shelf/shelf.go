// Package shelf keeps what the trust page showed: every page under the digest of its bytes, findable by the day it
// was shown, and the register of promises each was computed from.
//
// It promises that bytes come back as they were put or not at all: their digest is checked when they are read. Writing
// needs no reading, so a page goes into the transaction that sends the record about it. It does not know what a page
// says, and it does not decide how old a page may be before nobody should believe it any more.
package shelf

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Kept is how long a page can be asked for: a year, and the month until the year is looked back on.
const Kept = 400 * 24 * time.Hour

// MaxBytes is the largest page or register, in bytes before it is compressed.
const MaxBytes = 16 << 20

// partBytes is how much of the compressed bytes one document holds. Its JSON form is a third longer.
const partBytes = 600_000

const (
	pages   = "pages"
	parts   = "pageparts"
	version = 1
)

// Documents beside the pages.
const (
	newestID  = "newest"  // the page that was put last, whatever time it is dated: a clock that was wrong may have dated others
	checkedID = "checked" // when it was last found to hold
)

// Collections are what the shelf keeps in the control's database.
func Collections() store.Schema {
	return store.Schema{
		{Name: pages, Indexes: []store.Index{{"day", "at"}}, Expires: true},
		{Name: parts, Expires: true},
	}
}

// Page names one page.
type Page struct {
	Digest  string    // of its bytes, as the record of kind page has it: "sha256:" and 64 hexadecimal digits
	At      time.Time // when it was computed
	Checked time.Time // when it was last found to hold still; At, or later
	Size    int64     // how many records of the log it was computed from
}

// head is a page as stored.
type head struct {
	V       int       `json:"v"`
	Digest  string    `json:"digest"`
	At      int64     `json:"at,omitempty"`      // unix microseconds
	Day     string    `json:"day,omitempty"`     // of At, in UTC; not of the document "newest"
	Checked int64     `json:"checked,omitempty"` // unix microseconds; of the document "checked" alone
	Size    int64     `json:"size,omitempty"`
	Expires time.Time `json:"expires"`
}

// part is a piece of compressed bytes.
type part struct {
	V       int        `json:"v"`
	Parts   int        `json:"parts"`
	Data    []byte     `json:"data"`
	Expires *time.Time `json:"expires,omitempty"`
}

// Put keeps a page that was computed at a time from the first size records, and says that it holds then. It reads
// nothing in tx. Putting the same page again changes nothing. Invalid: it is empty or too large.
func Put(tx store.Tx, page []byte, at time.Time, size int64) (Page, error) {
	at = at.UTC().Truncate(time.Microsecond)
	p := Page{Digest: record.Digest(page), At: at, Checked: at, Size: size}
	expires := at.Add(Kept)
	if err := putParts(tx, p.Digest, page, &expires); err != nil {
		return Page{}, err
	}
	h := head{V: version, Digest: p.Digest, At: at.UnixMicro(), Day: at.Format(time.DateOnly), Size: size, Expires: expires}
	if err := tx.Put(pages, name(p.Digest), h); err != nil {
		return Page{}, fmt.Errorf("putting a page on the shelf: %w", err)
	}
	h.Day = "" // Of finds the page itself
	if err := tx.Put(pages, newestID, h); err != nil {
		return Page{}, fmt.Errorf("putting a page on the shelf: %w", err)
	}
	return p, Affirm(tx, p.Digest, at)
}

// Affirm says that a page that was put, the newest, still tells the states as they are at a time: they were computed
// again, and none was another. It reads nothing in tx.
func Affirm(tx store.Tx, digest string, at time.Time) error {
	h := head{V: version, Digest: digest, Checked: at.UnixMicro(), Expires: at.UTC().Truncate(time.Microsecond).Add(Kept)}
	if err := tx.Put(pages, checkedID, h); err != nil {
		return fmt.Errorf("affirming the page: %w", err)
	}
	return nil
}

// PutRegister keeps a register of promises, for ever: pages name it by its digest, which is returned. It reads nothing
// in tx. Errors as of Put.
func PutRegister(tx store.Tx, register []byte) (digest string, err error) {
	digest = record.Digest(register)
	return digest, putParts(tx, digest, register, nil)
}

func putParts(tx store.Tx, digest string, data []byte, expires *time.Time) error {
	if len(data) == 0 || len(data) > MaxBytes {
		return fault.New(fault.Invalid, "putting %d bytes on the shelf, which takes 1 to %d", len(data), MaxBytes)
	}
	packed := deflate(data)
	count := (len(packed) + partBytes - 1) / partBytes
	for i := range count {
		piece := part{V: version, Parts: count, Data: packed[i*partBytes : min((i+1)*partBytes, len(packed))], Expires: expires}
		if err := tx.Put(parts, partID(digest, i), piece); err != nil {
			return fmt.Errorf("putting part %d of %d on the shelf: %w", i+1, count, err)
		}
	}
	return nil
}

// Shelf reads.
type Shelf struct{ store store.Store }

// New returns the shelf in a control's database, whose schema holds Collections.
func New(s store.Store) *Shelf { return &Shelf{s} }

// Newest names the page that was put last. NotFound before the first one.
func (s *Shelf) Newest(ctx context.Context) (Page, error) {
	var last head
	if err := s.store.Get(ctx, pages, newestID, &last); err != nil {
		return Page{}, fmt.Errorf("looking for the newest page: %w", err)
	}
	newest := last.page()
	var checked head
	switch err := s.store.Get(ctx, pages, checkedID, &checked); {
	case err == nil && checked.Digest == newest.Digest && checked.Checked > newest.At.UnixMicro():
		newest.Checked = time.UnixMicro(checked.Checked).UTC()
	case err != nil && !fault.Is(err, fault.NotFound):
		return Page{}, fmt.Errorf("asking when the page was checked: %w", err)
	}
	return newest, nil
}

// Of names the pages of a day (UTC), the oldest first, at most a thousand from a place on: the time of the page they
// shall follow, zero for the first ones. Nothing shown that day, or too long ago, is no error.
func (s *Shelf) Of(ctx context.Context, day time.Time, after time.Time) ([]Page, error) {
	from := any(nil)
	if !after.IsZero() {
		from = after.UnixMicro() + 1
	}
	heads, err := store.Find[head](s.store.Query(ctx, store.Query{
		Collection: pages, Equal: []store.Field{{Name: "day", Value: day.UTC().Format(time.DateOnly)}},
		Range: &store.Range{Name: "at", From: from}, Limit: store.MaxQueryResults,
	}))
	if err != nil {
		return nil, fmt.Errorf("looking for the pages of a day: %w", err)
	}
	found := make([]Page, len(heads))
	for i, h := range heads {
		found[i] = h.page()
	}
	return found, nil
}

func (h head) page() Page {
	at := time.UnixMicro(h.At).UTC()
	return Page{Digest: h.Digest, At: at, Checked: at, Size: h.Size}
}

// Read returns the bytes of a page or a register. NotFound: there is none of that digest. Misconfigured: what is
// stored under it is something else.
func (s *Shelf) Read(ctx context.Context, digest string) ([]byte, error) {
	if !wellFormed(digest) {
		return nil, fault.New(fault.NotFound, "reading from the shelf: not a digest")
	}
	var packed []byte
	for i, count := 0, 1; i < count; i++ {
		var piece part
		if err := s.store.Get(ctx, parts, partID(digest, i), &piece); err != nil {
			if i > 0 && fault.Is(err, fault.NotFound) {
				return nil, fault.New(fault.Misconfigured, "reading %s from the shelf: part %d of %d is missing", digest, i+1, count)
			}
			return nil, fmt.Errorf("reading part %d of %s: %w", i+1, digest, err)
		}
		count = min(piece.Parts, MaxBytes/partBytes+1)
		packed = append(packed, piece.Data...)
	}
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), MaxBytes+1))
	if err != nil || record.Digest(data) != digest {
		return nil, fault.New(fault.Misconfigured, "reading %s from the shelf: the bytes there are others", digest)
	}
	return data, nil
}

// wellFormed keeps what a stranger asks for out of document ids.
func wellFormed(digest string) bool {
	hex, ok := strings.CutPrefix(digest, "sha256:")
	return ok && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

func name(digest string) string { return strings.TrimPrefix(digest, "sha256:") }

func partID(digest string, i int) string { return name(digest) + "-" + strconv.Itoa(i) }

// deflate compresses (RFC 1951): a page says much the same in every line.
func deflate(data []byte) []byte {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("shelf: compressing into memory: " + err.Error()) // there is no way to fail
	}
	return packed.Bytes()
}
