package firestore_test

import (
	"os"
	"testing"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/firestore/firestoretest"
	"ostiary.internal/shared/platform/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.RunSlow(t, func(t *testing.T, schema store.Schema, clk clock.Clock) store.Store {
		return firestoretest.New(t, store.Options{Schema: schema, Clock: clk})
	})
}
