// Package directorytest is the conformance suite of directories: what a driver must answer about accounts that
// change behind its back, and about a source that is away. It does not test rights at the source.
package directorytest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/fault"
)

// Start is where a bench's clock must stand at first.
var Start = time.Date(2026, 3, 3, 8, 30, 0, 0, time.UTC)

// The accounts every bench begins with: not suspended, 2-step verification on.
const (
	Jane = "jane.doe@labelsync.example"
	Joe  = "joe@labelsync.example"
)

// State is what the source holds about an account.
type State struct{ Suspended, NoTwoStep, Absent bool }

// Bench is one directory and the levers behind it.
type Bench struct {
	Directory directory.Directory
	Clock     *clock.Manual
	Set       func(t *testing.T, email string, s State) // changes the account at the source
	Break     func(broken bool)                         // the source stops answering
}

// Run runs the suite; open returns a fresh bench.
func Run(t *testing.T, open func(t *testing.T) *Bench) {
	for name, test := range map[string]func(t *testing.T, b *Bench){
		"a good account": good,
		"states":         states,
		"nobody":         nobody,
		"read afresh":    afresh,
		"age of a copy":  ages,
		"source away":    away,
		"caller gone":    gone,
		"many at once":   many,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			test(t, b)
			if err := b.Directory.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func (b *Bench) found(t *testing.T, email string, maxAge time.Duration) directory.Account {
	t.Helper()
	a, err := b.Directory.Lookup(t.Context(), email, maxAge)
	if err != nil {
		t.Fatalf("Lookup: %v", err)
	}
	if now := b.Clock.Now(); a.Read.After(now) || now.Sub(a.Read) > min(maxAge, directory.MaxAge) || a.Read.Location() != time.UTC {
		t.Errorf("Lookup: read at %s, asked at %s for a copy no older than %s", a.Read, now, maxAge)
	}
	return a
}

func (b *Bench) fails(t *testing.T, email string, maxAge time.Duration, want fault.Kind) {
	t.Helper()
	a, err := b.Directory.Lookup(t.Context(), email, maxAge)
	if !fault.Is(err, want) {
		t.Errorf("Lookup: %v (kind %q), want %s", err, fault.KindOf(err), want)
	}
	if a != (directory.Account{}) {
		t.Errorf("Lookup: an account beside an error: %+v", a)
	}
	if local, _, _ := strings.Cut(email, "@"); err != nil && local != "" && strings.Contains(err.Error(), local) {
		t.Errorf("Lookup: the error carries the address: %v", err)
	}
}

func (b *Bench) advance(t *testing.T, d time.Duration) {
	t.Helper()
	if err := b.Clock.Set(b.Clock.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
}

func good(t *testing.T, b *Bench) {
	for _, email := range []string{Jane, Joe, "Jane.Doe@LabelSync.EXAMPLE"} {
		a := b.found(t, email, 0)
		if a.Email != strings.ToLower(email) || a.Suspended || !a.TwoStep {
			t.Errorf("Lookup(%s) = %+v", email, a)
		}
	}
}

func states(t *testing.T, b *Bench) {
	for _, s := range []State{
		{Suspended: true}, {NoTwoStep: true}, {Suspended: true, NoTwoStep: true}, {}, {NoTwoStep: true}, {},
	} {
		b.Set(t, Jane, s)
		if a := b.found(t, Jane, 0); a.Suspended != s.Suspended || a.TwoStep == s.NoTwoStep {
			t.Errorf("state %+v: Lookup = %+v", s, a)
		}
		if a := b.found(t, Joe, 0); a.Suspended || !a.TwoStep {
			t.Errorf("a change of one account reached another: %+v", a)
		}
	}
	b.Set(t, Jane, State{Absent: true})
	b.fails(t, Jane, 0, fault.NotFound)
	b.Set(t, Jane, State{})
	b.found(t, Jane, 0)
}

func nobody(t *testing.T, b *Bench) {
	for _, email := range []string{
		"nobody@labelsync.example", "jane.doe@evil.example", "jane.doe@labelsync.example.evil.example", "jane.doe", "",
		"jane.doe@labelsync.example ", "jane.doe@labelsync.example,joe@labelsync.example", "jane.doe@labelsyn\u0441.example",
		"../users/jane.doe@labelsync.example", "jane.doe@labelsync.example?projection=full", "*@labelsync.example",
	} {
		b.fails(t, email, 0, fault.NotFound)
		b.fails(t, email, directory.MaxAge, fault.NotFound)
	}
}

func afresh(t *testing.T, b *Bench) {
	b.found(t, Jane, directory.MaxAge)
	b.Set(t, Jane, State{Suspended: true})
	if a := b.found(t, Jane, 0); !a.Suspended {
		t.Errorf("a fresh read missed the suspension")
	}
	if a := b.found(t, Jane, directory.MaxAge); !a.Suspended {
		t.Errorf("an older copy came back after a newer read")
	}
	b.Set(t, Jane, State{Absent: true})
	b.fails(t, Jane, 0, fault.NotFound)
	b.fails(t, Jane, directory.MaxAge, fault.NotFound) // what is known to be gone is not served from a copy
}

// ages: a change is felt when the copy is as old as the caller allows, and after five minutes at the latest.
func ages(t *testing.T, b *Bench) {
	for _, row := range []struct{ asked, felt time.Duration }{
		{0, 0}, {time.Minute, time.Minute}, {directory.MaxAge, directory.MaxAge}, {24 * time.Hour, directory.MaxAge},
	} {
		b.Set(t, Jane, State{})
		b.found(t, Jane, 0)
		b.Set(t, Jane, State{Suspended: true})
		b.advance(t, row.felt+time.Microsecond)
		if a := b.found(t, Jane, row.asked); !a.Suspended {
			t.Errorf("asked for a copy of %s: the suspension was not felt after %s", row.asked, row.felt)
		}
	}
}

func away(t *testing.T, b *Bench) {
	b.Break(true)
	b.fails(t, Jane, 0, fault.Transient)
	b.fails(t, Jane, directory.MaxAge, fault.Transient)
	b.Break(false)
	b.found(t, Jane, directory.MaxAge) // the error was not remembered
	b.Break(true)
	b.fails(t, Jane, 0, fault.Transient)
	b.advance(t, directory.MaxAge+time.Microsecond)
	b.fails(t, Jane, directory.MaxAge, fault.Transient) // the copy was not stretched
}

func gone(t *testing.T, b *Bench) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a, err := b.Directory.Lookup(ctx, Jane, 0); err != nil && (!fault.Is(err, fault.Transient) || a != (directory.Account{})) {
		t.Errorf("Lookup by one who left: %+v, %v; want transient", a, err)
	}
	b.found(t, Jane, 0)
}

func many(t *testing.T, b *Bench) {
	var all sync.WaitGroup
	for n := range 64 {
		email, maxAge := Jane, time.Duration(n%2)*time.Minute
		if n%3 == 0 {
			email = Joe
		}
		all.Go(func() {
			if a, err := b.Directory.Lookup(t.Context(), email, maxAge); err != nil || a.Email != email || !a.TwoStep {
				t.Errorf("Lookup = %+v, %v", a, err)
			}
		})
	}
	all.Wait()
}
