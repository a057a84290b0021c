package declarebreach

import (
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
)

// Each month a message goes out on every channel, and somebody who is called says that she read it.
func drills(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	tick(t, w)
	w.Advance(t, 30*24*time.Hour)
	tick(t, w)
	var all Drilled
	if do(t, w, aurel, "GET", "/drills", nil, 200, "").Decode(t, &all); len(all.Drills) != 1 || all.Drills[0].Kind != "channels" || len(all.Drills[0].Tries) == 0 {
		t.Fatalf("drills: %+v", all)
	}
	path := "/drills/" + all.Drills[0].ID + "/confirm"
	refused(t, w, emma, path, Seen{"mail"}, 403, "not_allowed")
	refused(t, w, omkar, path, Seen{"pigeon"}, 404, "channel_unknown")
	refused(t, w, omkar, "/drills/none/confirm", Seen{"mail"}, 404, "drill_unknown")
	for range 2 {
		var d Drill
		for _, try := range all.Drills[0].Tries {
			do(t, w, omkar, "POST", path, Seen{try.Channel}, 200, "").Decode(t, &d)
		}
		if d.Tries[0].Reached != "confirmed" || d.State != "passed" {
			t.Errorf("confirmed: %+v", d)
		}
	}
	do(t, w, emma, "GET", "/drills", nil, 403, "role_missing")
}
