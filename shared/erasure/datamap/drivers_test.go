package datamap_test

import (
	"context"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	_ "ostiary.internal/shared/erasure/firestore"
	_ "ostiary.internal/shared/erasure/gcs"
	_ "ostiary.internal/shared/erasure/hook"
	_ "ostiary.internal/shared/erasure/mongodb"
	_ "ostiary.internal/shared/erasure/postgres"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/policy"
)

// TestSeedsNameStoresThatOpen: what the map calls a store is one to the driver that has to open it.
func TestSeedsNameStoresThatOpen(t *testing.T) {
	options := erasure.Options{
		Clock:  clock.NewManual(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)),
		Secret: func(context.Context, string) ([]byte, error) { return []byte("a password"), nil },
	}
	every(t, func(t *testing.T, p *policy.Policy, m *datamap.Map) {
		steps, err := m.Close(p.Company.Name[:1] + "-tenant")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			reader, err := erasure.Readers.Open(t.Context(), s.Reader, options)
			if err != nil {
				t.Errorf("%s: %v", s.Entry.ID, err)
				continue
			}
			store, err := erasure.Stores.Open(t.Context(), s.Store, options)
			if err != nil {
				t.Errorf("%s: %v", s.Entry.ID, err)
				continue
			}
			_, _ = reader.Close(), store.Close()
		}
	})
}
