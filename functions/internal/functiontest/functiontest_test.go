package functiontest

import (
	"testing"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
)

func TestInbox(t *testing.T) {
	t.Parallel()
	recordtest.Run(t, func(t testing.TB) (record.Inbox, recordtest.Kept) {
		w := &World{records: map[string]string{}}
		return inbox{opening{w, manifest.Function{}}}, func(_ testing.TB, id string) (string, bool) {
			data, found := w.records[id]
			return data, found
		}
	})
}
