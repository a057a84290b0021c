package declarebreach

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/breach/tickbreach"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/platform/message"
)

const me = "declarebreach"

var setup = functiontest.Setup{Functions: []wiring.Function{Function, tickbreach.Function}}

func email(who string) string { return who + "@sharedcontacts.example" }

var (
	odile, simone, stefan = email("odile.martin"), email("simone.bernard"), email("stefan.weber")
	dorothea, omkar, emma = email("dorothea.klein"), email("omkar.rao"), email("emma.dubois")
	asha, aurel           = email("asha.iyer"), email("aurel.roth")
)

// seen collects which problems the API answered, over all parts of TestAPI.
var seen functiontest.Coverage

// Every problem the table lists is answered by something people do, and none that it does not list.
func TestAPI(t *testing.T) {
	t.Parallel()
	t.Run("parts", func(t *testing.T) {
		for name, part := range map[string]func(*testing.T){
			"declared": declaredOnce, "suspicion": suspicion, "life": life, "awareness": awareness, "refusals": refusals, "readers": readers, "listed": listed,
			"unmapped": unmapped, "gate": gate, "hostile": hostile, "outages": outages, "together": together, "late": late, "unreached": unreached, "approved": approved, "narrow": narrow, "details": detailed, "not applicable": notApplicable, "taken back": takenBack, "unfinished": unfinished, "alone": alone, "lost": lost, "lost on the page": lostOnPage, "persons": persons, "unwritten": unwritten, "shut": shut, "files": files, "drills": drills, "after": afterTheEnd, "own": ownMatter, "twins": twins, "proofs": proofs, "codes": codes, "at once": approvedAtOnce, "swept": swept,
		} {
			t.Run(name, part)
		}
	})
	seen.Complete(t, me, functiontest.New(t, setup).Routes(me))
}

func call(w *functiontest.World, who, method, path string, body any) functiontest.Request {
	return functiontest.Request{Method: method, Path: "/" + me + "/v1" + path, Token: w.Staff(who), Body: body}
}

// do calls the API as a person and wants an answer.
func do(t *testing.T, w *functiontest.World, who, method, path string, body any, status int, code string) functiontest.Answer {
	t.Helper()
	return seen.Saw(w.Call(t, call(w, who, method, path, body))).Want(t, status, code)
}

// post changes a case, and returns it as it is then.
func post(t *testing.T, w *functiontest.World, who, path string, body any) (c Whole) {
	t.Helper()
	do(t, w, who, "POST", path, body, 200, "").Decode(t, &c)
	return c
}

// refused wants a refusal.
func refused(t *testing.T, w *functiontest.World, who, path string, body any, status int, code string) {
	t.Helper()
	do(t, w, who, "POST", path, body, status, code)
}

type object = map[string]any

var at = functiontest.Start

func text(t time.Time) string { return t.Format(time.RFC3339) }

// found is what emma declares when she finds it.
func found(with object) object {
	d := object{
		"client_id": "emma-1", "kind": "breach", "occurred_from": text(at.Add(-26 * time.Hour)), "detected_at": text(at.Add(-10 * time.Minute)),
		"summary": "An export of contacts lay open on the web.", "tenants": []string{"banque-du-port", "klinik-am-see", "own"},
	}
	for name, value := range with {
		d[name] = value
	}
	return d
}

// declared is a world with a case, and its path.
func declared(t *testing.T, with object) (*functiontest.World, string) {
	t.Helper()
	w := functiontest.New(t, setup)
	var d Declared
	do(t, w, emma, "POST", "/breaches", found(with), 201, "").Decode(t, &d)
	return w, "/breaches/" + d.ID
}

// A declaration that is sent again is the same case, alike to the byte; another under its id is none.
func declaredOnce(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	first := do(t, w, emma, "POST", "/breaches", found(nil), 201, "")
	var d Declared
	first.Decode(t, &d)
	contract := slices.IndexFunc(d.Clocks, func(c clock.Clock) bool { return c.ID == "contract:banque-du-port" })
	if d.State != "open" || len(d.Number) != 8 || contract < 0 || !d.Clocks[contract].Target.Equal(at.Add(-10*time.Minute+24*time.Hour)) || !strings.HasSuffix(d.Page, d.ID) {
		t.Errorf("declared %+v", d)
	}
	if again := do(t, w, emma, "POST", "/breaches", found(nil), 201, ""); string(again.Body) != string(first.Body) {
		t.Errorf("sent again: %s, first %s", again.Body, first.Body)
	}
	refused(t, w, emma, "/breaches", found(object{"summary": "Something else."}), 409, "id_conflict")
	refused(t, w, emma, "/breaches", found(object{"kind": "rumour"}), 400, "kind_invalid")
	refused(t, w, emma, "/breaches", found(object{"summary": "  "}), 400, "body_invalid")
	refused(t, w, emma, "/breaches", found(object{"client_id": "e2", "tenants": []string{"nobody-gmbh"}}), 400, "tenant_unknown")
	refused(t, w, emma, "/breaches", found(object{"client_id": "e2", "detected_at": text(at.Add(time.Hour))}), 400, "times_invalid")
	refused(t, w, emma, "/breaches", found(object{"client_id": "e2", "summary": strings.Repeat("x", cases.MaxText+1)}), 400, "text_invalid")
	// Whatever is not known is left out.
	var least Declared
	do(t, w, asha, "POST", "/breaches", object{"client_id": "asha-1", "kind": "breach", "summary": "Lost a laptop."}, 201, "").Decode(t, &least)
	var exercise Declared
	do(t, w, asha, "POST", "/breaches", object{"client_id": "asha-2", "kind": "breach", "summary": "Lost a laptop.", "exercise": true}, 201, "").Decode(t, &exercise)
	if least.State != "open" || least.Exercise || !exercise.Exercise || !strings.HasPrefix(exercise.Number, "ex") {
		t.Errorf("declared %+v and %+v", least, exercise)
	}
	if called := len(w.Published(message.TopicRequested)); called == 0 {
		t.Error("nobody was called")
	}
}

// A suspicion has no clock of a law until somebody promotes it; that it is none is decided by two.
func suspicion(t *testing.T) {
	t.Parallel()
	w, path := declared(t, object{"kind": "suspicion"})
	var c Whole
	do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c)
	if c.State != "suspected" || len(c.Clocks) != 0 || !slices.Equal(c.Waits, []string{"ack", "triage"}) {
		t.Errorf("suspected: %+v", c)
	}
	refused(t, w, emma, path+"/triage", Triage{Result: "confirmed"}, 403, "not_allowed")
	refused(t, w, simone, path+"/triage", Triage{Result: "maybe"}, 400, "result_invalid")
	refused(t, w, simone, path+"/triage", Triage{Result: "likely", Reason: strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	refused(t, w, simone, path+"/triage", Triage{Result: "likely", At: at.Add(time.Hour)}, 400, "aware_invalid")
	refused(t, w, simone, path+"/aware", Aware{At: at}, 409, "state_conflict")
	refused(t, w, simone, path+"/close", nil, 409, "state_conflict")
	refused(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1", At: at}, 409, "state_conflict")
	refused(t, w, simone, path+"/promise", Promise{Name: "update", By: at.Add(time.Hour)}, 409, "state_conflict")
	refused(t, w, simone, path+"/keep", Keep{Name: "update"}, 409, "state_conflict")
	refused(t, w, simone, path+"/decide", Answer{Subject: "sa", Answer: "yes"}, 409, "state_conflict")
	refused(t, w, simone, path+"/triage", Triage{Result: "not_enough"}, 400, "next_missing")
	refused(t, w, simone, path+"/triage", Triage{Result: "likely", Owner: "asha"}, 400, "owner_invalid")
	refused(t, w, simone, path+"/triage", Triage{Result: "likely", Owner: "nobody"}, 400, "owner_invalid")
	if c = post(t, w, simone, path+"/triage", Triage{Result: "not_enough", Reason: "Logs are missing.", Next: "Fetch the bucket's log.", Owner: "stefan"}); c.Triage == nil || c.Triage.Owner != "stefan" || c.Triage.Next != "Fetch the bucket's log." || c.State != "suspected" {
		t.Errorf("not enough: %+v", c.Triage)
	}
	for range 2 {
		if c = post(t, w, simone, path+"/triage", Triage{Result: "confirmed", Reason: "The log of the bucket shows downloads."}); c.State != "open" || c.Times.Aware.IsZero() || len(c.Clocks) == 0 {
			t.Errorf("promoted: %+v", c)
		}
	}
	if len(c.Moves) != 1 || c.Moves[0].Reason != "The log of the bucket shows downloads." {
		t.Errorf("awareness: %+v", c.Moves)
	}

	w, path = declared(t, object{"kind": "suspicion"})
	refused(t, w, simone, path+"/reopen", Reason{"It was one."}, 409, "state_conflict")
	refused(t, w, simone, path+"/review", Lessons{Text: "Nothing."}, 409, "state_conflict")
	post(t, w, simone, path+"/decide", Answer{Subject: "breach", Answer: "no", Reason: "It held invented data."})
	if c = post(t, w, odile, path+"/decide", Answer{Subject: "breach", Answer: "no", Reason: "It held invented data."}); c.State != "closed" || c.Ending != "not_a_breach" {
		t.Errorf("no breach: %+v", c)
	}
	for deed, body := range map[string]any{
		"triage": Triage{Result: "likely"}, "tracks": Tracks{}, "times": NewTimes{Contained: at}, "score": score(nil), "ack": Ack{Step: "oncall"}, "compromised": Channels{Channels: []string{"mail"}}, "mapped": Mapping{[]string{}, "x"},
	} {
		refused(t, w, stefan, path+"/"+deed, body, 409, "state_conflict")
	}
	if c = post(t, w, simone, path+"/reopen", Reason{"The data was real."}); c.State != "suspected" {
		t.Errorf("opened again: %+v", c)
	}
}

func score(with object) object {
	in := object{
		"dpc": object{"simple": object{"value": 2, "reason": "tells who works with whom"}}, "ei": object{"full_name": 0.75, "email": 1},
		"cb": object{"confidentiality": 0.5, "integrity": 0, "availability": 0, "malicious": false}, "people": 4200, "unintelligible": false, "key_compromised": false,
	}
	for name, value := range with {
		in[name] = value
	}
	return in
}

// A breach from the call in the night to the review.
func life(t *testing.T) {
	t.Parallel()
	w, path := declared(t, nil)
	refused(t, w, emma, path+"/ack", Ack{Step: "oncall"}, 403, "not_allowed")
	refused(t, w, omkar, path+"/ack", Ack{Step: "nobody"}, 400, "step_invalid")
	for _, step := range []string{"", "oncall"} {
		if c := post(t, w, omkar, path+"/ack", Ack{Step: step}); c.Ladder.AckBy != "omkar" || !*c.Acked {
			t.Errorf("acknowledged: %+v", c.Ladder)
		}
	}
	post(t, w, simone, path+"/times", NewTimes{Contained: at.Add(-time.Minute)})
	post(t, w, simone, path+"/tracks", Tracks{Tracks: []NewTrack{{ID: "own", People: &Count{N: 4200, How: "estimate"}}, {ID: "northwind"}}})
	refused(t, w, simone, path+"/score", score(object{"people": -1}), 400, "input_invalid")
	refused(t, w, simone, path+"/score", score(object{"ei": object{"email": 0.3}}), 400, "body_invalid")
	var s struct {
		SE    float64
		Level string
		Flips []any
	}
	do(t, w, simone, "POST", path+"/score", score(nil), 200, "").Decode(t, &s)
	if s.SE != 2.5 || s.Level != "medium" || len(s.Flips) == 0 {
		t.Errorf("scored %+v", s)
	}
	// Whoever decides alone decides nothing.
	refused(t, w, simone, path+"/decide", Answer{Subject: "sa", Answer: "perhaps"}, 400, "answer_invalid")
	refused(t, w, simone, path+"/decide", Answer{Subject: "bookafy", Answer: "yes"}, 400, "subject_invalid")
	refused(t, w, simone, path+"/decide", Answer{Subject: "persons", Answer: "no"}, 400, "reason_missing")
	refused(t, w, simone, path+"/decide", Answer{Subject: "persons", Answer: "no", Reason: strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	post(t, w, simone, path+"/decide", Answer{Subject: "sa", Answer: "no", Reason: "Few people."})
	refused(t, w, odile, path+"/decide", Answer{Subject: "sa", Answer: "no", Reason: "Few people."}, 400, "dpo_needed")
	for range 2 {
		post(t, w, simone, path+"/decide", Answer{Subject: "sa", Answer: "yes"})
	}
	c := post(t, w, dorothea, path+"/decide", Answer{Subject: "sa", Answer: "yes"})
	if !slices.Contains(c.Waits, "file") || slices.Contains(c.Undecided, "sa") {
		t.Errorf("decided: %+v", c)
	}
	for _, who := range []string{simone, dorothea} {
		post(t, w, who, path+"/decide", Answer{Subject: "persons", Answer: "no", Reason: "The risk is not high."})
		post(t, w, who, path+"/decide", Answer{Subject: "klinik-am-see", Answer: "no", Reason: "None of its data was in it."})
	}
	for _, who := range []string{simone, dorothea} {
		c = post(t, w, who, path+"/decide", Answer{Subject: "tenants", Answer: "no", Reason: "None of its data was in it."})
	}
	if len(c.Undecided) != 0 {
		t.Errorf("not decided: %v", c.Undecided)
	}
	refused(t, w, simone, path+"/close", nil, 409, "case_unsettled")
	refused(t, w, simone, path+"/file", Filing{Clock: "contract:banque-du-port", At: at}, 400, "clock_invalid")
	refused(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1", At: at.Add(time.Hour)}, 400, "times_invalid")
	refused(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1", At: at, Reference: strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	for range 2 {
		c = post(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1", At: at, Reference: "CNIL-2026-77"})
	}
	refused(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1", At: at.Add(time.Minute)}, 409, "filed_before")
	if c.Filed["gdpr_33_1"].Reference != "CNIL-2026-77" {
		t.Errorf("filed %+v", c.Filed)
	}
	promising(t, w, path)
	refused(t, w, simone, path+"/close", nil, 409, "case_unsettled") // two more laws may want a report
	for _, clock := range []string{"uk_33", "cnil_followup"} {
		for _, who := range []string{simone, dorothea} {
			c = post(t, w, who, path+"/decide", Answer{Subject: clock, Answer: "no", Reason: "Nobody there is concerned; the report was complete."})
		}
	}
	if len(c.Waits) != 0 && !slices.Equal(c.Waits, []string{"ack"}) {
		t.Errorf("waits for %v", c.Waits)
	}
	c = post(t, w, simone, path+"/close", nil)
	if post(t, w, simone, path+"/close", nil); c.State != "closed" || c.Ending != "handled" || c.Review.IsZero() {
		t.Errorf("closed: %+v", c)
	}
	refused(t, w, simone, path+"/review", Lessons{Text: " "}, 400, "reason_missing")
	refused(t, w, simone, path+"/review", Lessons{Text: strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	refused(t, w, simone, path+"/reopen", Reason{" "}, 400, "reason_missing")
	refused(t, w, simone, path+"/reopen", Reason{strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	for range 2 {
		if c = post(t, w, simone, path+"/review", Lessons{Text: "The export has an owner now."}); c.Lessons != "The export has an owner now." {
			t.Errorf("reviewed: %+v", c)
		}
	}
}

func promising(t *testing.T, w *functiontest.World, path string) {
	t.Helper()
	by := at.Add(48 * time.Hour)
	refused(t, w, simone, path+"/promise", Promise{By: by}, 400, "name_invalid")
	refused(t, w, simone, path+"/promise", Promise{Name: "update", By: at.Add(-time.Hour)}, 400, "times_invalid")
	post(t, w, simone, path+"/promise", Promise{Name: "update", By: by})
	refused(t, w, simone, path+"/promise", Promise{Name: "update", By: by.Add(time.Hour)}, 400, "reason_missing")
	refused(t, w, simone, path+"/promise", Promise{Name: "update", By: by.Add(time.Hour), Reason: strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	refused(t, w, simone, path+"/keep", Keep{Name: "other"}, 400, "name_invalid")
	refused(t, w, simone, path+"/close", nil, 409, "case_unsettled")
	for range 2 {
		if c := post(t, w, simone, path+"/keep", Keep{Name: "update"}); c.Promises["update"].Kept.IsZero() {
			t.Errorf("kept: %+v", c.Promises)
		}
	}
}

// readers: who decides, is called or audits reads every case; whoever declared one reads that it is there, and her own words;
// nobody else reads any.
func readers(t *testing.T) {
	t.Parallel()
	w, path := declared(t, nil)
	for _, who := range []string{odile, simone, stefan, dorothea, omkar, aurel} {
		var c Whole
		do(t, w, who, "GET", path, nil, 200, "").Decode(t, &c)
		if c.Summary != "An export of contacts lay open on the web." || c.By != "emma" {
			t.Errorf("%s reads %+v", who, c)
		}
	}
	do(t, w, asha, "GET", path, nil, 404, "case_unknown")
	do(t, w, asha, "GET", "/breaches/none", nil, 404, "case_unknown")
	do(t, w, asha, "POST", "/breaches", found(object{"client_id": "asha-1"}), 201, "")
	for who, count := range map[string]int{emma: 1, asha: 1, simone: 2} { // each her own
		var l Listing
		if do(t, w, who, "GET", "/breaches", nil, 200, "").Decode(t, &l); len(l.Breaches) != count {
			t.Errorf("%s sees %d cases", who, len(l.Breaches))
		}
	}
	var c Whole
	do(t, w, omkar, "GET", path, nil, 200, "").Decode(t, &c)
	var same Whole
	do(t, w, omkar, "GET", "/breaches/"+c.Number, nil, 200, "").Decode(t, &same)
	if same.ID != c.ID {
		t.Errorf("by its number: %+v", same)
	}
	do(t, w, omkar, "GET", "/breaches/aaaaaaaa", nil, 404, "case_unknown")
}

func listed(t *testing.T) {
	t.Parallel()
	w, _ := declared(t, nil)
	for i := range 100 {
		w.Advance(t, time.Minute)
		do(t, w, emma, "POST", "/breaches", found(object{"client_id": fmt.Sprint("more ", i), "kind": "suspicion"}), 201, "")
	}
	var first, second, open Listing
	do(t, w, aurel, "GET", "/breaches", nil, 200, "").Decode(t, &first)
	do(t, w, aurel, "GET", "/breaches?after="+first.Next, nil, 200, "").Decode(t, &second)
	do(t, w, aurel, "GET", "/breaches?state=open&after="+first.Next, nil, 200, "").Decode(t, &open)
	if len(first.Breaches) != 100 || len(second.Breaches) != 1 || second.Next != "" || len(open.Breaches) != 1 || second.Breaches[0].Nearest == nil || second.Breaches[0].Tenants == nil || *second.Breaches[0].Tenants != 2 {
		t.Errorf("%d, then %d: %+v", len(first.Breaches), len(second.Breaches), second)
	}
	var hers Listing
	do(t, w, asha, "GET", "/breaches", nil, 200, "").Decode(t, &hers)
	if len(hers.Breaches) != 0 || hers.Next != "" {
		t.Errorf("of cases she does not see: %+v", hers)
	}
	for _, query := range []string{"state=none", "after=x", "after=1", "after=." + strings.Repeat("a", 80)} {
		do(t, w, aurel, "GET", "/breaches?"+query, nil, 400, "query_invalid")
	}
}

// What belongs to no known tenant is counted, and keeps the case open.
func unmapped(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	var d Declared
	do(t, w, emma, "POST", "/breaches", object{
		"client_id": "1", "kind": "breach", "summary": "x", "affected": []string{"anne@BanqueDuPort.example", "northwind-uk.example", "lost.example", "b@lost.example", "lost.example", " "},
	}, 201, "").Decode(t, &d)
	path := "/breaches/" + d.ID
	var c Whole
	do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c)
	if !slices.Equal(d.Unmapped, []string{"lost.example", "b@lost.example"}) || *c.Unmapped != 2 || *c.Tenants != 2 || !slices.Contains(c.Waits, "unmapped") {
		t.Errorf("declared %+v: %+v", d, c)
	}
	if c = post(t, w, simone, path+"/tracks", Tracks{Tracks: []NewTrack{{ID: "Cabinet sud "}}}); *c.Unmapped != 2 || *c.Listed.Tenants != 3 {
		t.Errorf("what nobody mentions is kept: %+v", c)
	}
	if c = post(t, w, simone, path+"/tracks", Tracks{Affected: []string{"klinikamsee.example", "lost.example", "far.example"}}); *c.Unmapped != 3 || !slices.Equal(c.NotMapped, []string{"lost.example", "b@lost.example", "far.example"}) {
		t.Errorf("one more: %+v", c)
	}
	refused(t, w, simone, path+"/mapped", Mapping{[]string{"other.example"}, "x"}, 400, "names_invalid")
	refused(t, w, simone, path+"/mapped", Mapping{[]string{"far.example"}, " "}, 400, "reason_missing")
	refused(t, w, simone, path+"/mapped", Mapping{[]string{"far.example"}, strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	refused(t, w, simone, path+"/tracks", Tracks{Affected: []string{strings.Repeat("x", 321)}}, 400, "names_invalid")
	refused(t, w, simone, "/breaches", found(object{"client_id": "long", "affected": []string{strings.Repeat("x", 321)}}), 400, "names_invalid")
	for range 2 {
		if c = post(t, w, simone, path+"/mapped", Mapping{[]string{"lost.example", "b@lost.example", "far.example"}, "A customer who left in 2024."}); *c.Unmapped != 0 || len(c.NotMapped) != 0 {
			t.Errorf("all are found: %+v", c)
		}
	}
}
