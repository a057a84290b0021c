// Package accesstest is what stories of the access control's functions ask of their world.
package accesstest

import (
	"fmt"
	"testing"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
)

// Door is what the policy's one door holds, read as a function of that name reads it.
func Door(t testing.TB, w *functiontest.World, function string) string {
	t.Helper()
	p, err := parts.New(w.Deps(function))
	if err != nil {
		t.Fatal(err)
	}
	targets, err := p.Targets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	held, err := targets[0].Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(held.Prefixes)
}
