package shelf_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/trust/page/shelf"
)

var start = time.Date(2026, 3, 3, 8, 55, 0, 123_456_789, time.UTC)

func open(t *testing.T) (store.Store, *clock.Manual) {
	t.Helper()
	clk := clock.NewManual(start)
	s, err := memory.New(store.Options{Schema: shelf.Collections(), Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	return storetest.Twice(s), clk
}

func put(t *testing.T, s store.Store, page []byte, at time.Time, size int64) (put shelf.Page) {
	t.Helper()
	err := s.Tx(t.Context(), func(tx store.Tx) (err error) {
		put, err = shelf.Put(tx, page, at, size)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return put
}

// noise cannot be compressed.
func noise(seed byte, n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

func TestPages(t *testing.T) {
	t.Parallel()
	s, clk := open(t)
	on := shelf.New(s)
	if _, err := on.Newest(t.Context()); !fault.Is(err, fault.NotFound) {
		t.Fatalf("on an empty shelf: %v", err)
	}
	var all [][]byte
	for i, size := range []int{1, 600_000, 1_900_000} {
		page := noise(byte(i), size)
		all = append(all, page)
		made := put(t, s, page, start.Add(time.Duration(i)*time.Minute), int64(i+1))
		if newest, err := on.Newest(t.Context()); err != nil || newest != made || newest.Digest != record.Digest(page) {
			t.Errorf("newest is %+v (%v), put was %+v", newest, err, made)
		}
	}
	for _, page := range all {
		if got, err := on.Read(t.Context(), record.Digest(page)); err != nil || !bytes.Equal(got, page) {
			t.Errorf("%d bytes came back as %d: %v", len(page), len(got), err)
		}
	}
	of, err := on.Of(t.Context(), start, time.Time{})
	if err != nil || len(of) != 3 || of[0].Digest != record.Digest(all[0]) || of[2].Size != 3 {
		t.Errorf("that day: %+v, %v", of, err)
	}
	if of, err = on.Of(t.Context(), start, of[1].At); err != nil || len(of) != 1 || of[0].Size != 3 {
		t.Errorf("behind the second: %+v, %v", of, err)
	}
	if of, err = on.Of(t.Context(), start.AddDate(0, 0, 1), time.Time{}); err != nil || len(of) != 0 {
		t.Errorf("the day after: %+v, %v", of, err)
	}
	if err := clk.Set(start.Add(shelf.Kept + time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := on.Read(t.Context(), record.Digest(all[0])); !fault.Is(err, fault.NotFound) {
		t.Errorf("after its time: %v", err)
	}
	if _, err := on.Newest(t.Context()); !fault.Is(err, fault.NotFound) {
		t.Errorf("after its time the newest: %v", err)
	}
}

// A page that was dated ahead by a wrong clock gives way to the next one.
func TestDatedAhead(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ahead := put(t, s, []byte("ahead"), start.AddDate(0, 1, 0), 1)
	right := put(t, s, []byte("right"), start, 2)
	if newest, err := shelf.New(s).Newest(t.Context()); err != nil || newest != right {
		t.Errorf("newest is %+v (%v), wanted %+v", newest, err, right)
	}
	for day, want := range map[time.Time]shelf.Page{ahead.At: ahead, right.At: right} {
		if of, err := shelf.New(s).Of(t.Context(), day, time.Time{}); err != nil || len(of) != 1 || of[0] != want {
			t.Errorf("of %s: %+v, %v", day, of, err)
		}
	}
}

// A page that was checked again is not younger, and what was said of another page does not count for it.
func TestAffirm(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	first := put(t, s, []byte("first"), start, 1)
	affirm := func(digest string, at time.Time) {
		t.Helper()
		if err := s.Tx(t.Context(), func(tx store.Tx) error { return shelf.Affirm(tx, digest, at) }); err != nil {
			t.Fatal(err)
		}
	}
	later := start.Add(7 * time.Minute)
	affirm(first.Digest, later)
	newest, err := shelf.New(s).Newest(t.Context())
	if err != nil || !newest.At.Equal(first.At) || !newest.Checked.Equal(later.Truncate(time.Microsecond)) {
		t.Errorf("checked at %s: %+v, %v", later, newest, err)
	}
	second := put(t, s, []byte("second"), later, 2)
	affirm(first.Digest, later.Add(time.Hour))
	if newest, err = shelf.New(s).Newest(t.Context()); err != nil || newest != second {
		t.Errorf("the check of an old page counts: %+v, %v", newest, err)
	}
}

// Registers stay, however old.
func TestRegister(t *testing.T) {
	t.Parallel()
	s, clk := open(t)
	var digest string
	if err := s.Tx(t.Context(), func(tx store.Tx) (err error) { digest, err = shelf.PutRegister(tx, []byte("register")); return err }); err != nil {
		t.Fatal(err)
	}
	if err := clk.Set(start.Add(10 * shelf.Kept)); err != nil {
		t.Fatal(err)
	}
	if got, err := shelf.New(s).Read(t.Context(), digest); err != nil || string(got) != "register" {
		t.Errorf("%q, %v", got, err)
	}
}

// What is on the shelf is given back whole and unchanged, or not at all.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	on := shelf.New(s)
	page := noise(9, 1_300_000)
	made := put(t, s, page, start, 1)
	id := strings.TrimPrefix(made.Digest, "sha256:")
	for _, digest := range []string{"", "sha256:", id, "sha256:../" + id[3:], strings.ToUpper(made.Digest), "sha256:" + strings.Repeat("0", 64)} {
		if _, err := on.Read(t.Context(), digest); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", digest, err)
		}
	}
	for what, change := range map[string]func(tx store.Tx) error{
		"a part is gone": func(tx store.Tx) error { return tx.Delete("pageparts", id+"-1") },
		"a part is another's": func(tx store.Tx) error {
			return tx.Put("pageparts", id+"-1", map[string]any{"v": 1, "parts": 3, "data": []byte("something else")})
		},
		"fewer parts": func(tx store.Tx) error {
			return tx.Put("pageparts", id+"-0", map[string]any{"v": 1, "parts": 1, "data": []byte{}})
		},
	} {
		put(t, s, page, start, 1)
		if err := s.Tx(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if _, err := on.Read(t.Context(), made.Digest); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, size := range []int{0, shelf.MaxBytes + 1} {
		err := s.Tx(t.Context(), func(tx store.Tx) error { _, err := shelf.Put(tx, make([]byte, size), start, 1); return err })
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}
