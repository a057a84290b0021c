package scan

import (
	"os"
	"path/filepath"
	"testing"

	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/store/firestore/firestoretest"
	"ostiary.internal/shared/platform/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

// TestStores: what holds in memory holds on a file and on Firestore.
func TestStores(t *testing.T) {
	t.Parallel()
	for database, open := range map[string]func(testing.TB, store.Options) store.Store{
		"bolt": func(t testing.TB, o store.Options) store.Store {
			s, err := bolt.Open(filepath.Join(t.TempDir(), "ostiary.db"), "drift", o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return storetest.Twice(s)
		},
		"firestore": func(t testing.TB, o store.Options) store.Store { return firestoretest.New(t, o) },
	} {
		for name, story := range map[string]func(*testing.T, *world){
			"a night": aNight, "two processes": twoProcesses, "suddenly nothing": suddenlyNothing, "much": much, "a change": changed, "a list that is behind": behind, "a neighbour": neighbour,
		} {
			t.Run(database+"/"+name, func(t *testing.T) {
				t.Parallel()
				story(t, newWorldOn(t, open, "", ""))
			})
		}
	}
}
