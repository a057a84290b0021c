package local

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ostiary.internal/functions/breach/deliver"
	"ostiary.internal/functions/internal/wiring"
	erasing "ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/platform/message"
)

// TestEndedWithoutATrace: what was deleted while a world ran is in no file when it has ended but where mail is kept, which
// stands for mailboxes elsewhere and is there when the world begins again.
func TestEndedWithoutATrace(t *testing.T) {
	t.Parallel()
	const gone = "canary.seven@mail.example"
	dir := filepath.Join(t.TempDir(), "data")
	begin := func() *World {
		t.Helper()
		w, err := Open(t.Context(), Options{
			Dir: dir, Policy: "../../../../testdata/policies/sharedcontacts", Manual: true, Now: begin, Log: slog.New(slog.DiscardHandler),
			Functions: []wiring.Function{deliver.Function}, Env: func(string) (string, bool) { return "", false },
		})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	held := func() (files []string) {
		t.Helper()
		if err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if bytes.Contains(data, []byte(gone)) {
				files = append(files, filepath.Base(path))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return files
	}

	w := begin()
	if _, err := w.mailbox.Send(t.Context(), message.Message{ID: "a", Channel: "mail", To: gone, Subject: "s", Text: "t", At: w.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	tree, err := erasing.Open(w.data.file, "kept")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{tree.Put("here", "x", map[string]any{"email": gone}, time.Time{}), tree.Drop("here"), tree.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := held(); len(got) != 2 {
		t.Errorf("while it runs, %q hold it: the test shows little", got)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := held(); len(got) != 1 || got[0] != "mail.db" {
		t.Errorf("when it has ended, %q hold it", got)
	}

	w = begin()
	if sent, err := w.mailbox.List(); err != nil || len(sent) != 1 {
		t.Errorf("%d letters, %v", len(sent), err)
	}
	if err := w.clearMail(); err != nil {
		t.Fatal(err)
	}
	if sent, err := w.mailbox.List(); err != nil || len(sent) != 0 {
		t.Errorf("%d letters after all were cleared, %v", len(sent), err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
