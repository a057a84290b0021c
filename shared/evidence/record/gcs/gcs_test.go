package gcs

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/gcstest"
)

const name = "evidence-inbox"

func inbox(t testing.TB, s *gcstest.Server, prefix string, permissions ...string) Inbox {
	t.Helper()
	in, err := New(name, prefix, time.Second, s.Connect(permissions...))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// creator is all that an inbox has.
func creator() []string {
	var all []string
	for _, p := range Permissions["Inbox.Create"] {
		all = append(all, p+" "+name)
	}
	return all
}

// TestSuite: with the one permission to create, whichever error the service names first.
func TestSuite(t *testing.T) {
	t.Parallel()
	for variant, prefix := range map[string]string{"bucket": "", "prefix": "inbox/"} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			recordtest.RunBlind(t, func(t testing.TB) (record.Inbox, recordtest.Kept) {
				s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
				s.RightsFirst = prefix != ""
				return inbox(t, s, prefix, creator()...), func(_ testing.TB, id string) (string, bool) { return s.Data(name, prefix+id) }
			})
		})
	}
}

// TestNothingButCreating: whoever took a control over can neither read, list, change, replace nor delete evidence.
func TestNothingButCreating(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
	if err := inbox(t, s, "", creator()...).Create(t.Context(), "a", []byte("data")); err != nil {
		t.Fatal(err)
	}
	object := s.Client(t, creator()...).Bucket(name).Object("a")
	_, reading := object.NewReader(t.Context())
	_, looking := object.Attrs(t.Context())
	w := object.NewWriter(t.Context())
	w.ChunkSize = 0
	_, _ = w.Write([]byte("other"))
	for doing, err := range map[string]error{"reading": reading, "looking": looking, "replacing": w.Close(), "deleting": object.Delete(t.Context())} {
		if err == nil {
			t.Errorf("%s was allowed", doing)
		}
	}
	if data, _ := s.Data(name, "a"); data != "data" {
		t.Errorf("kept %q", data)
	}
}

// TestFailures: nothing that went wrong reads as kept, and a retry after a lost answer does.
func TestFailures(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
	in, lost := inbox(t, s, "", creator()...), true
	s.After = func(gcstest.Call) int {
		if lost {
			lost = false
			return http.StatusServiceUnavailable
		}
		return 0
	}
	if err := in.Create(t.Context(), "a", []byte("data")); !fault.Is(err, fault.Transient) {
		t.Errorf("a lost answer: %v", err)
	}
	if err := in.Create(t.Context(), "a", []byte("data")); err != nil {
		t.Errorf("the retry: %v", err)
	}
	if err := inbox(t, s, "").Create(t.Context(), "b", []byte("data")); !fault.Is(err, fault.Denied) {
		t.Errorf("without the permission: %v", err)
	}
	if err := inbox(t, gcstest.New(t, nil), "", gcstest.Everything).Create(t.Context(), "b", []byte("data")); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("without the bucket: %v", err)
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	if _, err := record.Inboxes.Open(t.Context(), "gs://evidence-inbox", record.Options{}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("without a writer: %v", err)
	}
	for raw, ok := range map[string]bool{"gs://evidence-inbox": true, "gs://evidence-inbox/a": true, "gs:evidence-inbox": false, "gs://": false, "gs://evidence-inbox?a=b": false} {
		in, err := record.Inboxes.Open(t.Context(), raw, record.Options{Writer: "control"})
		if ok != (err == nil) || !ok && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
		if ok {
			if prefix := in.(Inbox).bucket.Prefix(); !strings.HasSuffix("/"+prefix, "/control/") {
				t.Errorf("%s: records lie below %q", raw, prefix)
			}
			if err := in.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
