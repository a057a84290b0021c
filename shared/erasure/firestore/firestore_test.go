package firestore_test

import (
	"fmt"
	"os"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/platform/emulatortest"
)

func TestMain(m *testing.M) {
	if is, err := asChild(); is {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(emulatortest.Main(m))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	erasetest.Run(t, erasetest.Harness{
		Bindings: []erasure.Binding{erasure.BindPath, erasure.BindField},
		Kinds:    []erasure.MatchKind{erasure.MatchDocument, erasure.MatchEquals, erasure.MatchContains, erasure.MatchMapKey, erasure.MatchTenant},
		URL:      "firestore://p/main",
		Nested:   true, Versions: true,
		Open: func(t testing.TB, binding erasure.Binding, wire *erasetest.Wire) erasetest.World {
			return newWorld(t, binding, wire)
		},
	})
}
