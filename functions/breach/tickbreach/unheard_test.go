package tickbreach

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/message"
)

// TestUnheard: when all messages of a call failed for good the next step is called at once; heard again, or after somebody
// answered, nothing moves.
func TestUnheard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	emma, _ := w.Policy.PersonByID("emma")
	c, _, err := w.parts.Cases.Declare(t.Context(), emma, cases.Declaration{Client: "1", Breach: true, Summary: "x"}, w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	lost := func() (calls int) {
		t.Helper()
		fresh := w.Published(message.TopicRequested)[seen:]
		seen += len(fresh)
		for _, p := range fresh {
			var r message.Request
			if err := json.Unmarshal(p.Message.Data, &r); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(r.Key, "breach-page/") {
				continue
			}
			calls++
			for range 2 {
				w.push(message.TopicFailed, answer(r, message.StateFailed, w.Clock.Now())).Want(t, 204, "")
			}
		}
		return calls
	}
	w.Tick(t, me).Want(t, 204, "")
	if calls := lost(); calls == 0 {
		t.Fatal("nobody was called")
	}
	if got := w.all()[0].Ladder; got.Step != 1 || got.Calls != 2 || !got.Called.Equal(w.Clock.Now()) {
		t.Errorf("all failed: %+v", got)
	}
	w.do(c.ID, "simone", cases.Event{What: cases.Ack, Step: "security"}, "")
	w.pass(time.Minute, time.Minute)
	if calls, got := lost(), w.all()[0].Ladder; calls == 0 || got.Acked.IsZero() || got.Calls != 2 {
		t.Errorf("answered, then %d failed: %+v", calls, got)
	}
}
