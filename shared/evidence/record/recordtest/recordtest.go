// Package recordtest is the suite every evidence inbox passes.
//
// It promises that inboxes behave alike on what a control sees: creation once, retries, conflicts, refusals. What
// an inbox keeps is looked at through a function the test brings, for an inbox itself cannot be read.
package recordtest

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// Kept returns what is kept under an id, by whatever means the test has; false when there is nothing.
type Kept func(t testing.TB, id string) (data string, found bool)

// Run runs the suite. open returns a fresh, empty inbox and a way to look into it.
func Run(t *testing.T, open func(t testing.TB) (record.Inbox, Kept)) {
	run(t, open, map[string]func(t *testing.T, in record.Inbox, kept Kept){"other bytes": otherBytes, "one of many wins": oneWins})
}

// RunBlind runs the suite for an inbox that may create and not read, and so cannot tell other bytes from a retry: it has
// to keep the first ones all the same.
func RunBlind(t *testing.T, open func(t testing.TB) (record.Inbox, Kept)) {
	run(t, open, map[string]func(t *testing.T, in record.Inbox, kept Kept){"other bytes": otherBytesUnseen, "one of many wins": oneWinsUnseen})
}

func run(t *testing.T, open func(t testing.TB) (record.Inbox, Kept), more map[string]func(t *testing.T, in record.Inbox, kept Kept)) {
	tests := map[string]func(t *testing.T, in record.Inbox, kept Kept){
		"creates":               creates,
		"same bytes again":      sameAgain,
		"refuses":               refuses,
		"cancelled":             cancelled,
		"bytes are kept as are": anyBytes,
	}
	maps.Copy(tests, more)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, kept := open(t)
			t.Cleanup(func() {
				if err := in.Close(); err != nil {
					t.Errorf("closing: %v", err)
				}
			})
			test(t, in, kept)
		})
	}
}

func expect(t *testing.T, kept Kept, id, want string) {
	t.Helper()
	if got, found := kept(t, id); !found || got != want {
		t.Errorf("%s: kept %q (%v), want %q", id, got, found, want)
	}
}

func creates(t *testing.T, in record.Inbox, kept Kept) {
	for i := range 20 {
		id, data := fmt.Sprintf("record-%d", i), fmt.Sprintf("data %d", i)
		if err := in.Create(t.Context(), id, []byte(data)); err != nil {
			t.Fatal(err)
		}
		expect(t, kept, id, data)
	}
}

func sameAgain(t *testing.T, in record.Inbox, kept Kept) {
	for range 3 {
		if err := in.Create(t.Context(), "a", []byte("data")); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, kept, "a", "data")
}

func otherBytes(t *testing.T, in record.Inbox, kept Kept) {
	if err := in.Create(t.Context(), "a", []byte("first")); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"other", "firs", "first ", "FIRST"} {
		if err := in.Create(t.Context(), "a", []byte(other)); !fault.Is(err, fault.Conflict) {
			t.Errorf("%q over \"first\": %v, want a conflict", other, err)
		}
	}
	expect(t, kept, "a", "first")
}

func refuses(t *testing.T, in record.Inbox, kept Kept) {
	ids := []string{"", ".", "..", "a/b", "../a", "/a", `a\b`, "A", ".hidden", "a.json", "a b", "é", "a\x00", "a\n", "-a", "_a", strings.Repeat("a", 129)}
	for _, id := range ids {
		if err := in.Create(t.Context(), id, []byte("data")); !fault.Is(err, fault.Invalid) {
			t.Errorf("id %q: %v, want Invalid", id, err)
		}
	}
	for name, data := range map[string][]byte{"nothing": nil, "too much": make([]byte, record.MaxBytes+1)} {
		if err := in.Create(t.Context(), "a", data); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
	if _, found := kept(t, "a"); found {
		t.Error("something was kept")
	}
	longest := strings.Repeat("a", 128)
	if err := in.Create(t.Context(), longest, make([]byte, record.MaxBytes)); err != nil {
		t.Errorf("the longest id and the largest object: %v", err)
	}
}

func oneWins(t *testing.T, in record.Inbox, kept Kept) {
	const writers = 8
	errs := make([]error, writers)
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() { errs[i] = in.Create(t.Context(), "a", fmt.Appendf(nil, "writer %d", i)) })
	}
	wait.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Fatalf("writers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		case !fault.Is(err, fault.Conflict):
			t.Errorf("writer %d: %v, want a conflict", i, err)
		}
	}
	expect(t, kept, "a", fmt.Sprintf("writer %d", winner))
}

func cancelled(t *testing.T, in record.Inbox, _ Kept) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := in.Create(ctx, "a", []byte("data")); !fault.Is(err, fault.Transient) {
		t.Errorf("cancelled: %v, want Transient", err)
	}
}

func anyBytes(t *testing.T, in record.Inbox, kept Kept) {
	data := "\x00\xff\r\n{\"a\":\"é\"}\n"
	if err := in.Create(t.Context(), "a", []byte(data)); err != nil {
		t.Fatal(err)
	}
	expect(t, kept, "a", data)
}

func otherBytesUnseen(t *testing.T, in record.Inbox, kept Kept) {
	for _, data := range []string{"first", "other", "firs", "first", ""} {
		if err := in.Create(t.Context(), "a", []byte(data)); err != nil && data != "" {
			t.Errorf("%q: %v", data, err)
		}
	}
	expect(t, kept, "a", "first")
}

func oneWinsUnseen(t *testing.T, in record.Inbox, kept Kept) {
	const writers = 8
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() {
			if err := in.Create(t.Context(), "a", fmt.Appendf(nil, "writer %d", i)); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	wait.Wait()
	first, _ := kept(t, "a")
	if err := in.Create(t.Context(), "a", []byte("late")); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(first, "writer ") {
		t.Errorf("kept %q", first)
	}
	expect(t, kept, "a", first)
}
