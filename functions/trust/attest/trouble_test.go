package attest

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/trust/promise"
)

// Nothing that goes out of the control, or into its evidence, says who somebody is or what she wrote.
func TestNoPersonalData(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	tick(t, w)
	do(t, w, marc, "POST", "/v1/duties/software-clearance/ask", Ask{About: "canary-software"}, 201, "")
	do(t, w, simone, "POST", "/v1/duties/risk-register-review/done", Word{Ref: "CANARY-7"}, 200, "")
	do(t, w, odile, "POST", "/v1/duties/risk-register-review/review", nil, 200, "")
	do(t, w, odile, "POST", "/v1/duties/nda~marc/done", nil, 200, "")
	var asked Waiver
	do(t, w, simone, "POST", "/v1/waivers", NewWaiver{Promise: "F06", Reason: "incident", Until: "2026-04-30", Note: "canary note"}, 201, "").Decode(t, &asked)
	do(t, w, dorothea, "POST", "/v1/waivers/"+asked.ID+"/approve", nil, 200, "")
	w.Advance(t, 30*24*time.Hour)
	tick(t, w)
	all := w.Records(t)
	var out strings.Builder
	for _, r := range all {
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	for _, m := range w.Published("message.requested") {
		out.WriteString(m.Message.Attributes["id"])
	}
	text := strings.ToLower(out.String())
	for _, private := range []string{"canary", "marc", "simone", "odile", "dorothea", "emma", "bernard", "@"} {
		if strings.Contains(text, private) {
			t.Errorf("%q stands in what goes out", private)
		}
	}
	if len(all) < 6 {
		t.Errorf("only %d records", len(all))
	}
}

func gate(t *testing.T) {
	t.Parallel()
	get := func(path string) functiontest.Request {
		return functiontest.Request{Method: "GET", Path: "/attest" + path}
	}
	post := func(path string, body any) functiontest.Request {
		return functiontest.Request{Method: "POST", Path: "/attest" + path, Body: body}
	}
	functiontest.StaffGate(t, setup, &seen, aurel, get("/v1/duties"), get("/v1/statements"), get("/v1/waivers"), get("/"), get("/statements"),
		get("/waivers"), post("/v1/duties/x/ask", Ask{About: "x"}), post("/v1/duties/x/done", nil), post("/v1/duties/x/review", nil), post("/v1/duties/x/withdraw", nil),
		post("/v1/statements", Sign{}), post("/v1/waivers", NewWaiver{}), post("/v1/waivers/x/approve", nil), post("/v1/waivers/x/end", nil))
}

// ready is a company with a duty to be done, whose people have commitments already.
func ready(t testing.TB) (*functiontest.World, functiontest.Request) {
	t.Helper()
	w := functiontest.New(t, setup)
	tick(t, w)
	w.Call(t, call(w, simone, "POST", "/v1/duties/log-review/done", nil)).Want(t, 200, "")
	return w, call(w, simone, "POST", "/v1/duties/risk-register-review/done", `{"reference":"SEC-7"}`)
}

func hostile(t *testing.T) {
	t.Parallel()
	w, done := ready(t)
	var asked Duty
	do(t, w, emma, "POST", "/v1/duties/software-clearance/ask", Ask{About: "vim 9.1"}, 201, "").Decode(t, &asked)
	for _, r := range []functiontest.Request{done,
		call(w, odile, "POST", "/v1/duties/risk-register-review/review", `{"verdict":"approved"}`),
		call(w, odile, "POST", "/v1/statements", `{"promise":"F01","text_hash":"sha256:x","valid_until":"2027-01-01"}`),
		call(w, odile, "POST", "/v1/waivers", `{"promise":"F01","reason":"migration","until":"2026-04-01"}`),
		call(w, emma, "POST", "/v1/duties/software-clearance/ask", `{"about":"x"}`),
		call(w, emma, "POST", "/v1/duties/"+asked.ID+"/withdraw", `{"cycle":1}`),
	} {
		w.Bodies(t, &seen, r)
	}
	for _, id := range []string{"..", "__x__", "a%2Fb", "%00", strings.Repeat("x", 2000), "nda~", "~", "nda~marc~x"} {
		got := w.Call(t, call(w, simone, "POST", "/v1/duties/"+id+"/done", nil))
		if got.Status != 404 && got.Status != 301 && got.Status != 307 {
			t.Errorf("%s: %d %q", id, got.Status, got.Code)
		}
	}
	w.Panics(t, done, &w.Store, &w.Directory, &w.EvidenceKey)
}

// A part that does not answer changes nothing; at the end the word is taken.
func outages(t *testing.T) {
	t.Parallel()
	w, done := ready(t)
	w.Outages(t, &seen, done, 200, &w.Directory, &w.EvidenceKey)
	w.MessageKey.Down()
	w.Restart()
	do(t, w, odile, "POST", "/v1/duties/risk-register-review/review", nil, 503, "unavailable")
	w.MessageKey.Up()
	do(t, w, odile, "POST", "/v1/duties/risk-register-review/review", nil, 200, "")
	w.Applied.Down() // it was written, and the answer was lost
	lost := call(w, stefan, "POST", "/v1/waivers", NewWaiver{Promise: "F07", Reason: "migration", Until: "2026-04-30"})
	seen.Saw(w.Call(t, lost)).Want(t, 503, "unavailable")
	w.Applied.Up()
	before := w.State(t)
	seen.Saw(w.Call(t, lost)).Want(t, 201, "")
	w.Unchanged(t, before)
	for _, r := range []functiontest.Request{
		call(w, odile, "GET", "/v1/duties", nil), call(w, odile, "GET", "/v1/statements", nil), call(w, odile, "GET", "/v1/waivers", nil),
		call(w, odile, "POST", "/v1/waivers/"+strings.Repeat("a", 32)+"/approve", nil), call(w, odile, "POST", "/v1/waivers/"+strings.Repeat("a", 32)+"/end", nil), call(w, emma, "POST", "/v1/duties/software-clearance/ask", Ask{About: "x"}),
		call(w, emma, "POST", "/v1/duties/software-clearance/withdraw", nil),
		call(w, odile, "POST", "/v1/waivers", NewWaiver{Promise: "F06", Reason: "migration", Until: "2026-04-30"}),
		call(w, odile, "POST", "/v1/statements", signing(w)),
	} {
		w.Store.Down()
		seen.Saw(w.Call(t, r)).Want(t, 503, "unavailable")
		w.Store.Up()
	}
}

func signing(w *functiontest.World) Sign {
	p, _ := w.Policy.Promise("F01")
	return Sign{Promise: "F01", Text: promise.TextHash(p.Text), Until: "2027-03-03"}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	functiontest.Flood(t, setup, func(w *functiontest.World) functiontest.Request { return call(w, simone, "GET", "/v1/duties", nil) })
}

func FuzzDone(f *testing.F) {
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request {
		tick(f, w)
		return call(w, simone, "POST", "/v1/duties/risk-register-review/done", nil)
	}, `{"reference":"SEC-1"}`, `{"cycle":2}`, `{}`)
}

func FuzzSign(f *testing.F) {
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request { return call(w, odile, "POST", "/v1/statements", nil) },
		`{"promise":"F01","text_hash":"x","valid_until":"2027-01-01"}`, `{"promise":"F01","text_hash":"x","valid_until":"2027-01-01T00:00:00Z"}`)
}
