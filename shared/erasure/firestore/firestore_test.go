package firestore_test

import (
	"os"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/platform/emulatortest"
)

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

func TestConformance(t *testing.T) {
	t.Parallel()
	erasetest.Run(t, erasetest.Harness{
		Bindings: []erasure.Binding{erasure.BindPath, erasure.BindField},
		Kinds:    []erasure.MatchKind{erasure.MatchDocument, erasure.MatchEquals, erasure.MatchContains, erasure.MatchMapKey, erasure.MatchTenant},
		Nested:   true, Versions: true,
		Open: func(t testing.TB, binding erasure.Binding, wire *erasetest.Wire) erasetest.World {
			return newWorld(t, binding, wire)
		},
	})
}
