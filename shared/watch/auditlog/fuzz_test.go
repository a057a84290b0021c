package auditlog_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"ostiary.internal/shared/watch/auditlog"
)

// FuzzDecode holds that nothing panics, that what is taken is JSON, that its parts are, and that it reads the same
// alone, in an array, and as a stream.
func FuzzDecode(f *testing.F) {
	for _, entry := range compacted(f) {
		f.Add(entry)
	}
	for _, data := range envelopes([]byte(line("a"))) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := auditlog.Decode(data, shop)
		for range auditlog.Lines(bytes.NewReader(data), shop) {
		}
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Fatal("took what is no JSON")
		}
		folder := auditlog.NewFolder()
		for _, e := range entries {
			e.IAMDelta()
			e.Parameters()
			if e.Part() {
				ready := append(folder.Fold(e, e.Time), folder.Fold(e, e.Time)...)
				if ready = append(ready, folder.Overdue(e.Time)...); len(ready) > 1 {
					t.Fatalf("%d entries of one part", len(ready))
				}
			}
			for _, raw := range []json.RawMessage{e.Request, e.Response, e.Metadata, e.ServiceData, e.Payload} {
				if raw != nil && !json.Valid(raw) {
					t.Fatal("a sub-tree is no JSON")
				}
			}
			if e.ID == "" || e.Kind == "" || e.Outcome.Result == "" || e.Actor.Key == "" {
				t.Fatalf("no normal form: %+v", e)
			}
		}
		again, err := auditlog.Decode(append(append([]byte("["), data...), ']'), shop)
		if err == nil && len(again) != len(entries) {
			t.Fatal("an array of it reads otherwise")
		}
	})
}
