// Package accesstest is what stories of the access control's functions ask of their world.
package accesstest

import (
	"fmt"
	"testing"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/access/allowlist"
)

// Target is the policy's one door, opened as a function of that name opens it.
func Target(t testing.TB, w *functiontest.World, function string) allowlist.Target {
	t.Helper()
	p, err := parts.New(w.Deps(function))
	if err != nil {
		t.Fatal(err)
	}
	targets, err := p.Targets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return targets[0]
}

// Door is what the policy's one door holds, read as a function of that name reads it.
func Door(t testing.TB, w *functiontest.World, function string) string {
	t.Helper()
	held, err := Target(t, w, function).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(held.Prefixes)
}
