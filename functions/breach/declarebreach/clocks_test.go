package declarebreach

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/evidence/record"
)

// Awareness is moved earlier at once, and later by two.
func awareness(t *testing.T) {
	t.Parallel()
	w, path := declared(t, nil)
	refused(t, w, asha, path+"/aware", Aware{At: at.Add(-time.Hour)}, 404, "case_unknown")
	post(t, w, emma, path+"/aware", Aware{At: at.Add(-time.Hour), Reason: "I was certain then."})
	var known Whole
	if do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &known); !known.Aware.Equal(at.Add(-time.Hour)) {
		t.Errorf("whoever declared it says when she was aware: %+v", known)
	}
	later := Aware{At: at.Add(-5 * time.Minute), Reason: "The logs say so."}
	refused(t, w, emma, path+"/aware", later, 403, "not_allowed")
	refused(t, w, simone, path+"/aware", Aware{At: later.At}, 400, "reason_missing")
	refused(t, w, simone, path+"/aware", Aware{At: later.At, Reason: strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	refused(t, w, simone, path+"/aware", Aware{At: at.Add(time.Hour)}, 400, "aware_invalid")
	if c := post(t, w, simone, path+"/aware", later); c.Moving == nil || !c.Aware.Equal(at.Add(-time.Hour)) || !slices.Contains(c.Waits, "second") {
		t.Errorf("proposed: %+v", c)
	}
	post(t, w, simone, path+"/aware", later)
	if c := post(t, w, dorothea, path+"/aware", later); c.Moving != nil || !c.Aware.Equal(later.At) || c.Moves[len(c.Moves)-1].Second != "dorothea" {
		t.Errorf("moved: %+v", c)
	}
	refused(t, w, simone, path+"/times", NewTimes{Contained: at.Add(time.Hour)}, 400, "times_invalid")
	refused(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1"}, 400, "times_invalid")
}

// late: what ran out is on record, and is in order again once it is done.
func late(t *testing.T) {
	t.Parallel()
	w, path := declared(t, object{"tenants": []string{"own"}})
	w.Advance(t, 80*time.Hour)
	w.Tick(t, "tickbreach").Want(t, 204, "")
	var c Whole
	if do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c); c.Overdue != "clock" {
		t.Errorf("80 hours later: %+v", c)
	}
	refused(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1", At: at.Add(80 * time.Hour)}, 400, "late_reasons_missing")
	post(t, w, simone, path+"/file", Filing{Clock: "uk_33", At: at.Add(80 * time.Hour), Late: "Nobody could say what was in it."})
	if c = post(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1", At: at.Add(80 * time.Hour), Late: "Nobody could say what was in it."}); c.Overdue != "" || c.Filed["gdpr_33_1"].Late == "" {
		t.Errorf("filed: %+v", c)
	}
}

// refusals are what people without the role are answered.
func refusals(t *testing.T) {
	t.Parallel()
	w, path := declared(t, nil)
	for deed, body := range map[string]any{
		"tracks": Tracks{}, "times": NewTimes{Contained: at}, "score": score(nil), "decide": Answer{Subject: "sa", Answer: "yes"}, "file": Filing{Clock: "gdpr_33_1", At: at},
		"promise": Promise{Name: "x", By: at.Add(time.Hour)}, "keep": Keep{Name: "x"}, "close": nil, "reopen": Reason{"x"}, "review": Lessons{Text: "x"}, "compromised": Channels{Channels: []string{"mail"}}, "mapped": Mapping{[]string{}, "x"},
		"action": Done{1, ""}, "hold": Preservation{Keep: true, Reason: "x", Until: inDays(30)},
	} {
		refused(t, w, aurel, path+"/"+deed, body, 403, "not_allowed")
		refused(t, w, asha, path+"/"+deed, body, 404, "case_unknown")
		refused(t, w, simone, "/breaches/none/"+deed, body, 404, "case_unknown")
	}
	refused(t, w, asha, path+"/triage", Triage{Result: "likely"}, 404, "case_unknown")
	refused(t, w, asha, path+"/ack", Ack{Step: "oncall"}, 404, "case_unknown")
	refused(t, w, simone, path+"/tracks", Tracks{Tracks: []NewTrack{{ID: "bookafy"}}}, 400, "tenant_unknown")
	refused(t, w, simone, path+"/tracks", Tracks{Tracks: []NewTrack{{ID: "own", People: &Count{N: 1, How: "about"}}}}, 400, "tracks_invalid")
	refused(t, w, simone, path+"/reopen", Reason{"x"}, 409, "state_conflict")
	refused(t, w, simone, path+"/compromised", Channels{Channels: []string{"pigeon"}}, 400, "channels_invalid")
	c := post(t, w, simone, path+"/compromised", Channels{Channels: []string{"mail", "chat"}})
	if slices.Sort(c.Channels); !slices.Equal(c.Channels, []string{"chat", "mail"}) {
		t.Errorf("compromised: %v", c.Channels)
	}
	refused(t, w, simone, path+"/compromised", Channels{Channels: []string{}}, 400, "reason_missing")
	if c = post(t, w, simone, path+"/compromised", Channels{Channels: []string{}, Reason: "Every session was ended, and the keys are new."}); len(c.Channels) != 0 {
		t.Errorf("sound again: %v", c.Channels)
	}
}

// unreached: where every channel may be read by somebody else, and the policy names no other way, that is on record.
func unreached(t *testing.T) {
	t.Parallel()
	rules, _ := functiontest.New(t, setup).Policy.Read("breach.yaml")
	before, after, _ := strings.Cut(string(rules), "out_of_band:\n")
	for strings.HasPrefix(after, "  ") {
		_, after, _ = strings.Cut(after, "\n")
	}
	w := functiontest.New(t, functiontest.Setup{Functions: setup.Functions, Policy: map[string]string{"breach.yaml": before + after}})
	var d Declared
	do(t, w, emma, "POST", "/breaches", found(nil), 201, "").Decode(t, &d)
	post(t, w, simone, "/breaches/"+d.ID+"/compromised", Channels{Channels: cases.Channels()})
	findings := 0
	for _, r := range w.Records(t) {
		if r.Kind == record.Finding {
			findings++
		}
	}
	if findings != 1 {
		t.Errorf("%d findings", findings)
	}
}
