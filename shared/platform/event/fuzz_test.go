package event_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
)

// FuzzDecode feeds header lines and a body: whatever they are, the answer is an event that was asked for or Invalid,
// and the same answer twice.
func FuzzDecode(f *testing.F) {
	for _, folder := range []string{"events/pubsub", "events/http", "hostile/events"} {
		files, err := os.ReadDir(testdata + folder)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(filepath.Join(testdata+folder, file.Name()))
			if err != nil {
				f.Fatal(err)
			}
			if filepath.Ext(file.Name()) == ".md" {
				continue
			}
			head, body, _ := strings.Cut(string(content), "\n\n")
			if filepath.Ext(file.Name()) != ".http" {
				head, body = "Content-Type: application/json", string(content)
			}
			f.Add(head, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, head string, body []byte) {
		head = strings.TrimRight(head, "\r\n") + "\n\n"
		if build(t, head, body) == nil {
			return
		}
		e, err := event.Decode(build(t, head, body), accepts)
		again, errAgain := event.Decode(build(t, head, body), accepts)
		if !reflect.DeepEqual(e, again) || (err == nil) != (errAgain == nil) || (err != nil && err.Error() != errAgain.Error()) {
			t.Errorf("decoded as %+v (%v), then as %+v (%v)", e, err, again, errAgain)
		}
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%v, want Invalid", err)
			}
			return
		}
		listed := slices.Contains(accepts.Eventarc, e.Type)
		if e.Topic != "" {
			listed = slices.Contains(accepts.Topics, e.Topic) && e.Type == event.MessagePublished
		}
		if !listed || e.ID == "" || e.Source == "" || e.Attributes == nil {
			t.Errorf("accepted %+v", e)
		}
		if e.Data != nil && !json.Valid(e.Data) {
			t.Errorf("data is not JSON: %q", e.Data)
		}
	})
}
