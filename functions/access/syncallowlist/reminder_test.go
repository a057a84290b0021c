package syncallowlist

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	mail "ostiary.internal/shared/platform/message"
)

// reminded are the people for whom a reminder was published, with its text.
func reminded(t *testing.T, w *functiontest.World) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, p := range w.Published(mail.TopicRequested) {
		var r mail.Request
		if err := json.Unmarshal(p.Message.Data, &r); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(r.Key, "access-reminder/") {
			continue
		}
		c, err := r.Open(t.Context(), w.Key("message"))
		if err != nil || found[r.Person] != "" {
			t.Errorf("%s: %v, or twice", r.Person, err)
		}
		found[r.Person] = c.Text
	}
	return found
}

// TestReminders: at her hour, once, whoever registered in the last days and not today; with the link of everybody.
func TestReminders(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	put(t, w, "emma-monday", "emma", home) // as of the world's first day, a Tuesday
	put(t, w, "marc-monday", "marc", mobile)
	w.Advance(t, 22*time.Hour) // Wednesday, 07:55 in Paris
	put(t, w, "marc-today", "marc", mobile)
	w.Tick(t, name).Want(t, 204, "")
	if got := reminded(t, w); len(got) != 0 {
		t.Errorf("before the hour: %v", got)
	}
	w.Advance(t, 45*time.Minute)
	w.Bus.Down() // what could not be sent is sent later, not written again
	w.Tick(t, name)
	w.Bus.Up()
	for range 3 {
		w.Advance(t, time.Minute)
		w.Tick(t, name).Want(t, 204, "")
	}
	got := reminded(t, w)
	if len(got) != 1 || !strings.Contains(got["emma"], "https://ostiary.test/registerip/\n") {
		t.Errorf("reminded %v", got)
	}
	for id := range w.Records(t) {
		if r := w.Records(t)[id]; strings.Contains(r.Facts["event"], "remind") {
			t.Error("a reminder is no evidence of anything")
		}
	}
}

// TestNoReminders: without an hour in the policy nobody is reminded, and no site is needed.
func TestNoReminders(t *testing.T) {
	t.Parallel()
	s := setup
	s.Policy = map[string]string{"access.yaml": "targets: [{name: edge}]"}
	s.Env = map[string]string{"OSTIARY_URL": ""}
	w := functiontest.New(t, s)
	put(t, w, "emma", "emma", home)
	w.Advance(t, 23*time.Hour) // 08:55 in Paris
	w.Tick(t, name).Want(t, 204, "")
	if got := reminded(t, w); len(got) != 0 {
		t.Errorf("reminded %v", got)
	}
}
