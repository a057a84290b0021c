package functiontest

import (
	"context"
	"testing"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

func TestInbox(t *testing.T) {
	t.Parallel()
	recordtest.Run(t, func(t testing.TB) (record.Inbox, recordtest.Kept) {
		w := &World{records: map[string]string{}, places: map[string]string{}}
		return inbox{opening{w, manifest.Function{}}, ""}, func(_ testing.TB, id string) (string, bool) {
			data, found := w.records[id]
			return data, found
		}
	})
}

// TestRights: a function whose manifest lists nothing may use nothing, and says which line it lacks.
func TestRights(t *testing.T) {
	t.Parallel()
	w := &World{Clock: clock.NewManual(Start), stores: map[string]store.Store{}, schemas: map[string]store.Schema{}}
	bare := opening{w, manifest.Function{Name: "bare", Control: "access"}}
	database, err := bare.store("access", store.Options{Schema: store.Schema{{Name: "things"}}, Clock: w.Clock})
	if err != nil {
		t.Fatal(err)
	}
	for name, use := range map[string]func(ctx context.Context) error{
		"reading":    func(ctx context.Context) error { return database.Get(ctx, "things", "x", new(any)) },
		"writing":    func(ctx context.Context) error { return database.Tx(ctx, func(store.Tx) error { return nil }) },
		"publishing": func(ctx context.Context) error { return publisher{bare}.Publish(ctx, "thing.changed", bus.Message{}) },
		"sealing":    func(ctx context.Context) error { _, _, err := keys{bare, "otp"}.Wrap(ctx, nil, nil); return err },
		"opening":    func(ctx context.Context) error { _, err := keys{bare, "otp"}.Unwrap(ctx, nil, nil); return err },
		"a secret":   func(ctx context.Context) error { _, err := vault{bare}.Get(ctx, "form-key"); return err },
	} {
		if err := use(t.Context()); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v, want denied", name, err)
		}
	}
}
