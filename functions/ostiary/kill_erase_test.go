package main_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKilledErasing kills the process, again and again at a random instant, while somebody's 1,500 documents are searched,
// approved, erased and searched for again. What comes of it is what would have come without: everything of hers is gone,
// each item is counted once, the twin customer is as it was to the byte, and there is one receipt. OSTIARY_SOAK=1 does it
// many more times.
func TestKilledErasing(t *testing.T) {
	t.Parallel()
	kills := 3
	if soak() {
		kills = 3 * 40
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	e := &erasing{t: t, dir: filepath.Join(t.TempDir(), "data")}
	e.launch()
	const hers = 1500
	e.plant(hers)
	twin := e.export("cabinet-sud")
	e.ask()
	for n := range kills {
		go func() { _, _ = e.s.local("POST", "clock", map[string]string{"advance": "12m"}) }()
		time.Sleep(time.Duration(50+random.IntN(1500)) * time.Millisecond)
		e.s.kill()
		e.launch()
		t.Logf("kill %d: %s", n+1, e.show()["state"])
		for try := 0; n == 0 && !e.approve() && try < 5; try++ { // the others die in what follows
			must[answer](t)(e.s.local("POST", "clock", map[string]string{"advance": "12m"}))
		}
	}
	for range 12 {
		must[answer](t)(e.s.local("POST", "clock", map[string]string{"advance": "12m"}))
		if e.show()["state"] == "completed" {
			break
		}
	}
	got := e.show()
	if got["state"] != "completed" || got["erased"] != float64(hers+1) {
		t.Errorf("in the end: %v, and %s\n%s", got, e.file(), e.s.log())
	}
	if text := e.export("cabinet-nord"); strings.Contains(text, "u77") || strings.Contains(text, "seven@mail.example") {
		t.Error("something of hers is left")
	}
	if e.export("cabinet-sud") != twin {
		t.Error("the twin is not as it was")
	}
	receipts := 0
	for _, r := range must[[]evidence](t)(e.s.records("dsr")) {
		if r.fact("event") == "receipt" {
			receipts++
		}
	}
	if receipts != 1 {
		t.Errorf("%d receipts are on record", receipts)
	}
	if err := e.s.stop(); err != nil {
		t.Error(err)
	}
}

// erasing is one request and the server that works on it.
type erasing struct {
	t            *testing.T
	dir          string
	s            *server
	id           string
	number, code string
}

func (e *erasing) launch() {
	e.t.Helper()
	e.s = must[*server](e.t)(launch(options{dir: e.dir, raced: true}))
}

// plant puts her data there.
func (e *erasing) plant(sessions int) {
	e.t.Helper()
	put := func(docs []map[string]any) {
		if a := must[answer](e.t)(e.s.local("POST", "data", map[string]any{"documents": docs})); a.status != http.StatusCreated {
			e.t.Fatal(a)
		}
	}
	put([]map[string]any{{"entry": "users", "tenant": "cabinet-nord", "name": "u77", "created": "2025-01-01T00:00:00Z", "fields": map[string]any{
		"uid": "u77", "email": "seven@mail.example", "created_at": "2025-01-01T00:00:00Z",
	}}})
	for n := 0; n < sessions; n += 300 {
		var docs []map[string]any
		for i := n; i < min(n+300, sessions); i++ {
			docs = append(docs, map[string]any{"entry": "sessions", "tenant": "cabinet-nord", "name": fmt.Sprintf("u77-%04d", i), "fields": map[string]any{"uid": "u77", "started_at": "2026-03-01T00:00:00Z"}})
		}
		put(docs)
	}
}

func (e *erasing) export(tenant string) string {
	e.t.Helper()
	return string(must[answer](e.t)(e.s.local("GET", "data?tenant="+tenant, nil)).body)
}

// ask asks for her to be forgotten, and proves it by the mail that comes.
func (e *erasing) ask() {
	e.t.Helper()
	asked := must[answer](e.t)(e.s.send(call{method: "POST", path: "/requesterasure/v1/requests", body: map[string]any{
		"email": "seven@mail.example", "tenant": "cabinet-nord", "kind": "erasure", "language": "en",
	}}))
	e.id, e.number = asked.text("id"), asked.text("number")
	must[answer](e.t)(e.s.local("POST", "settle", nil))
	mails := must[answer](e.t)(e.s.local("GET", "mail", nil))
	e.code = mails.find("messages.0.codes.0")[0]
	if a := must[answer](e.t)(e.s.send(call{method: "POST", path: "/requesterasure/v1/requests/" + e.number + "/confirm", body: map[string]any{"code": e.code}})); a.status != 200 {
		e.t.Fatal(a)
	}
}

// show is the request as she sees it.
func (e *erasing) show() map[string]any {
	e.t.Helper()
	a := must[answer](e.t)(e.s.send(call{method: "GET", path: "/requesterasure/v1/requests/" + e.number, header: http.Header{"Request-Secret": {e.code}}}))
	var view map[string]any
	if err := json.Unmarshal(a.body, &view); err != nil {
		e.t.Fatal(err)
	}
	return view
}

// file is the request as the desk sees it.
func (e *erasing) file() answer {
	e.t.Helper()
	header := must[http.Header](e.t)(e.s.as(map[string]any{"email": people["dorothea"]}))
	return must[answer](e.t)(e.s.send(call{method: "GET", path: "/decideerasure/v1/requests/" + e.id, header: header}))
}

// approve approves the plan where one waits, and reports whether it did: of so many items, and so large a share, somebody has to.
func (e *erasing) approve() bool {
	e.t.Helper()
	file := e.file()
	if file.text("state") != "awaiting_approval" {
		return false
	}
	header := must[http.Header](e.t)(e.s.as(map[string]any{"email": people["dorothea"]}))
	a := must[answer](e.t)(e.s.send(call{method: "POST", path: "/decideerasure/v1/requests/" + e.id + "/approve", header: header, body: map[string]any{"plan_digest": file.text("plan_digest")}}))
	if a.status != http.StatusOK {
		e.t.Fatal(a)
	}
	return true
}
