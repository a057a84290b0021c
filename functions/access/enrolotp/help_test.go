package enrolotp

import (
	"maps"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
)

// TestHelp: security sees how far a clock is off, sets it to zero with a reason, and the person is told.
func TestHelp(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	now := w.Clock.Now()
	w.Call(t, call(w, emma, "POST", "authenticators/"+phone.ID+"/resync", map[string]any{"codes": []string{phone.Code(now.Add(2 * time.Minute)), phone.Code(now.Add(150 * time.Second))}})).Want(t, 200, "")
	w.Call(t, call(w, emma, "POST", "authenticators/"+phone.ID+"/resync", map[string]any{"codes": []string{"000001", "000002"}})).Want(t, 403, "otp_wrong")
	told := len(w.Published("message.requested"))
	var seen Looked
	look := call(w, simone, "POST", "lookups", map[string]string{"email": emma})
	w.Call(t, look).Want(t, 200, "").Decode(t, &seen)
	if a := seen.Authenticators[0]; a.Drift != 5 || a.LastDay != "2026-03-03" || a.Failures != 1 || seen.Failures != 1 || seen.Locked {
		t.Errorf("%+v", seen)
	}
	w.Call(t, call(w, simone, "POST", "corrections", map[string]string{"email": emma, "authenticator": phone.ID, "reason": "new phone clock"})).Want(t, 204, "")
	w.Call(t, look).Want(t, 200, "").Decode(t, &seen)
	if a := seen.Authenticators[0]; a.Drift != 0 || a.Note != "new phone clock" {
		t.Errorf("%+v", a)
	}
	if n := len(w.Published("message.requested")) - told; n != 1 {
		t.Errorf("%d notices", n)
	}
	for range 60 {
		w.Call(t, call(w, emma, "POST", "authenticators/"+phone.ID+"/resync", map[string]any{"codes": []string{"000001", "000002"}}))
		w.Advance(t, time.Hour)
	}
	look.Token = w.Staff(simone)
	w.Call(t, look).Want(t, 200, "").Decode(t, &seen)
	if !seen.Locked || seen.Failures != 50 {
		t.Errorf("%+v", seen)
	}
}

// TestRenewal: by the date she must have replaced it; after it, the old one registers nothing and still vouches.
func TestRenewal(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	var done Rollover
	w.Call(t, call(w, simone, "POST", "rollovers", map[string]any{"email": emma, "by": functiontest.Start.Add(24 * time.Hour), "reason": "old model"})).Want(t, 200, "").Decode(t, &done)
	if done.State != "done" || done.Changed != 1 || len(w.Published("message.requested")) != 1 {
		t.Errorf("%+v", done)
	}
	page := functiontest.Request{Method: "GET", Path: "/enrolotp/", Token: w.Staff(emma)}
	if body := string(w.Call(t, page).Want(t, 200, "").Body); !strings.Contains(body, `href="#add"`) || !strings.Contains(body, `value="`+phone.ID+`" selected`) {
		t.Errorf("before the date:\n%s", body)
	}
	w.Advance(t, 24*time.Hour)
	page.Token = w.Staff(emma)
	if body := string(w.Call(t, page).Want(t, 200, "").Body); !strings.Contains(body, "Its code still proves you") {
		t.Errorf("after the date:\n%s", body)
	}
	next := begin(t, w, emma, map[string]string{"name": "new", "replaces": phone.ID})
	confirm(t, w, emma, next, phone.Code(w.Clock.Now()))
	if found := authenticators(t, w, emma); len(found) != 1 || found[0].ID != next.ID {
		t.Errorf("%+v", found)
	}
	if ended := w.Published("authenticator.ended"); len(ended) != 0 {
		t.Errorf("a renewal ended addresses: %v", ended)
	}
}

// TestLeak: everybody, at once, because secrets may be known: today's addresses end too, and a list of what is under way
// is empty afterwards.
func TestLeak(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	for _, email := range []string{emma, asha, stefan} {
		w.Phone(t, email)
	}
	var done Rollover
	w.Call(t, call(w, simone, "POST", "rollovers", map[string]any{"everyone": true, "leaked": true, "reason": "the seed file was on a share"})).Want(t, 200, "").Decode(t, &done)
	if done.State != "done" || done.Changed != 3 || len(w.Published("authenticator.ended")) != 3 {
		t.Errorf("%+v, %d ended", done, len(w.Published("authenticator.ended")))
	}
	w.Call(t, call(w, simone, "POST", "rollovers/"+done.ID+"/step", nil)).Want(t, 200, "").Decode(t, &done)
	var open map[string][]Rollover
	w.Call(t, call(w, simone, "GET", "rollovers", nil)).Want(t, 200, "").Decode(t, &open)
	if done.Changed != 0 || len(open["rollovers"]) != 0 {
		t.Errorf("%+v %+v", done, open)
	}
}

// TestAskedAgain: whoever asks for the same rollover again, by its id, takes nothing people got since; without it the same words on
// the same day are another one, for another theft.
func TestAskedAgain(t *testing.T) {
	t.Parallel()
	const id = "abcdefghijklmnop"
	for name, body := range map[string]map[string]any{"everyone": {"everyone": true, "leaked": true, "reason": "the seed file was on a share"}, "one": {"email": emma, "leaked": true, "reason": "a phone was sold"}} {
		w := functiontest.New(t, setup)
		var started time.Time
		for n, row := range []struct {
			id      string
			changed int
		}{{id, 1}, {id, 0}, {"", 1}, {"", 1}} {
			if w.Advance(t, time.Minute); row.changed > 0 || n == 1 {
				w.Phone(t, emma)
			}
			w.Advance(t, time.Minute)
			var done Rollover
			if body["id"] = row.id; row.id == "" {
				delete(body, "id")
			}
			w.Call(t, call(w, simone, "POST", "rollovers", body)).Want(t, 200, "").Decode(t, &done)
			if done.Changed != row.changed || done.State != "done" || row.id != "" && done.ID != id || len(done.ID) != 16 {
				t.Errorf("%s, call %d: %+v", name, n, done)
			}
			if n == 0 {
				started = done.Started
			}
			if same := done.Started.Equal(started); same != (row.id == id) && name == "everyone" || started.IsZero() == (name == "everyone") {
				t.Errorf("%s, call %d: started %s, the first %s", name, n, done.Started, started)
			}
		}
		body["id"], body["leaked"] = id, false
		if name == "everyone" {
			w.Call(t, call(w, simone, "POST", "rollovers", body)).Want(t, 409, "rollover_differs")
		}
		w.Call(t, call(w, simone, "POST", "rollovers", map[string]any{"email": emma, "by": w.Clock.Now().Add(-time.Hour), "reason": "x"})).Want(t, 400, "date_invalid")
	}
}

func TestHelpOutages(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	w.Outages(t, &seen, call(w, simone, "POST", "lookups", map[string]string{"email": emma}), 200, &w.Directory)
	w.Outages(t, &seen, call(w, simone, "POST", "corrections", map[string]string{"email": emma, "authenticator": phone.ID, "reason": "x"}), 204, &w.Directory)
	w.Outages(t, &seen, call(w, simone, "POST", "rollovers", map[string]any{"email": emma, "reason": "x"}), 200, &w.Directory)
	w.Outages(t, &seen, call(w, simone, "GET", "rollovers", nil), 200, &w.Directory)
}

// TestEveryoneInTheEnd: wherever the store fails, going on reaches everybody, and each is told once.
func TestEveryoneInTheEnd(t *testing.T) {
	t.Parallel()
	for n := range 12 {
		w := functiontest.New(t, setup)
		for _, email := range []string{emma, asha, stefan} {
			w.Phone(t, email)
		}
		w.Store.DownAfter(n)
		var done Rollover
		first := w.Call(t, call(w, simone, "POST", "rollovers", map[string]any{"everyone": true, "reason": "old model"}))
		w.Store.Up()
		if first.Status == 503 { // not even begun
			continue
		}
		first.Want(t, 200, "").Decode(t, &done)
		for range 3 {
			w.Call(t, call(w, simone, "POST", "rollovers/"+done.ID+"/step", nil)).Want(t, 200, "").Decode(t, &done)
		}
		w.Advance(t, time.Minute)
		if _, err := w.Deps("enrolotp").Box.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if told := len(w.Published("message.requested")); done.State != "done" || told != 3 {
			t.Errorf("failing at %d: %+v, %d told", n, done, told)
		}
	}
}

func refusedHelp(t *testing.T, w *functiontest.World, seen *functiontest.Coverage) {
	const nobody = "nobody@sharedcontacts.example"
	phone := w.Phone(t, asha)
	look := func(as, email string) functiontest.Request {
		return call(w, as, "POST", "lookups", map[string]string{"email": email})
	}
	zero := func(as, email, id, reason string) functiontest.Request {
		return call(w, as, "POST", "corrections", map[string]string{"email": email, "authenticator": id, "reason": reason})
	}
	roll := func(as string, body map[string]any) functiontest.Request {
		return call(w, as, "POST", "rollovers", body)
	}
	step := func(as, id string) functiontest.Request { return call(w, as, "POST", "rollovers/"+id+"/step", nil) }
	refuse(t, w, seen,
		attempt{look(dorothea, asha), 403, "role_missing"}, attempt{zero(dorothea, asha, phone.ID, "x"), 403, "role_missing"},
		attempt{roll(dorothea, map[string]any{"email": asha, "reason": "x"}), 403, "role_missing"}, attempt{step(dorothea, "x"), 403, "role_missing"},
		attempt{call(w, dorothea, "GET", "rollovers", nil), 403, "role_missing"},
		attempt{look(simone, nobody), 404, "person_unknown"}, attempt{zero(simone, nobody, phone.ID, "x"), 404, "person_unknown"},
		attempt{roll(simone, map[string]any{"email": nobody, "reason": "x"}), 404, "person_unknown"},
		attempt{zero(simone, simone, phone.ID, "x"), 403, "own_matter"}, attempt{zero(simone, asha, "nothing", "x"), 404, "authenticator_unknown"},
		attempt{zero(simone, asha, phone.ID, " "), 400, "reason_missing"},
		attempt{roll(simone, map[string]any{"email": asha, "reason": " "}), 400, "reason_missing"},
		attempt{roll(simone, map[string]any{"email": asha, "everyone": true, "reason": "x"}), 400, "whose_missing"},
		attempt{roll(simone, map[string]any{"reason": "x"}), 400, "whose_missing"},
		attempt{roll(simone, map[string]any{"everyone": true, "by": functiontest.Start.AddDate(2, 0, 0), "reason": "x"}), 400, "date_invalid"},
		attempt{roll(simone, map[string]any{"id": "x", "email": asha, "reason": "x"}), 400, "body_invalid"},
		attempt{step(simone, "nothing"), 404, "rollover_unknown"}, attempt{step(simone, "__x__"), 404, "rollover_unknown"}, attempt{step(simone, strings.Repeat("x", 2000)), 404, "rollover_unknown"},
	)
}

// rolloverDiffers is the one refusal that needs a rollover before it.
func rolloverDiffers(t *testing.T, seen *functiontest.Coverage) {
	t.Helper()
	w := functiontest.New(t, setup)
	w.Phone(t, emma)
	for _, who := range []map[string]any{{"everyone": true}, {"email": emma}} {
		body := map[string]any{"id": "abcdefghijklmnop", "reason": "x"}
		maps.Copy(body, who)
		w.Call(t, call(w, simone, "POST", "rollovers", body)).Want(t, 200, "")
		body["leaked"] = true
		seen.Saw(w.Call(t, call(w, simone, "POST", "rollovers", body))).Want(t, 409, "rollover_differs")
	}
}

func FuzzLookup(f *testing.F) { fuzz(f, "lookups", `{"email":"`+emma+`"}`) }

func FuzzCorrection(f *testing.F) {
	fuzz(f, "corrections", `{"email":"`+emma+`","authenticator":"x","reason":"y"}`)
}

func FuzzRollover(f *testing.F) {
	fuzz(f, "rollovers", `{"email":"`+emma+`","by":"2026-04-01T00:00:00Z","leaked":true,"reason":"x"}`, `{"everyone":true,"reason":"x"}`)
}
