package declarebreach

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/web"
)

// inDays is a day so many after the beginning.
func inDays(n int) calendar.Day { return calendar.AddDays(calendar.Date(at, time.UTC), n) }

// A case that is over: what its review came to is done by somebody and by a day, a report that was noted wrongly is corrected,
// and two keep the case.
func afterTheEnd(t *testing.T) {
	t.Parallel()
	w, path := declared(t, object{"tenants": []string{"own"}})
	post(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1", At: at, Reference: "CNIL-1"})
	for _, who := range []string{simone, dorothea} {
		post(t, w, who, path+"/decide", Answer{Subject: "breach", Answer: "no", Reason: "A test file."})
	}
	c := post(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1", At: at.Add(-time.Minute), Correction: "The receipt says another time."})
	if f := c.Filed["gdpr_33_1"]; !f.At.Equal(at.Add(-time.Minute)) || f.Reference != "CNIL-1" || len(f.Earlier) != 1 || f.Earlier[0].Wrong != "The receipt says another time." {
		t.Errorf("corrected: %+v", f)
	}
	review := Lessons{Text: "Test files are named so.", Actions: []NewAction{{"Name them", "nobody", inDays(9)}}}
	refused(t, w, simone, path+"/review", review, 400, "actions_invalid")
	review.Actions[0].Owner, review.Actions[0].By = "emma", inDays(-9)
	refused(t, w, simone, path+"/review", review, 400, "actions_invalid")
	review.Actions[0].By = inDays(9)
	if c = post(t, w, simone, path+"/review", review); len(c.Actions) != 1 || c.Actions[0].What != "Name them" || c.Actions[0].Overdue || c.Expires.IsZero() {
		t.Errorf("reviewed: %+v", c.Actions)
	}
	w.Advance(t, 11*24*time.Hour)
	w.Tick(t, "tickbreach").Want(t, 204, "")
	if do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c); !c.Actions[0].Overdue || !slices.Contains(c.Waits, "action") {
		t.Errorf("overdue: %+v, waits %v", c.Actions, c.Waits)
	}
	refused(t, w, simone, path+"/action", Done{7, ""}, 404, "action_unknown")
	refused(t, w, emma, path+"/action", Done{1, strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	if c = post(t, w, emma, path+"/action", Done{1, "Renamed."}); c.Actions[0].DoneBy != "emma" || c.Actions[0].Note != "Renamed." {
		t.Errorf("done: %+v", c.Actions)
	}
	hold := Preservation{Keep: true, Reason: "A customer sues.", Until: inDays(90)}
	refused(t, w, simone, path+"/hold", Preservation{Keep: true, Until: inDays(90)}, 400, "reason_missing")
	refused(t, w, simone, path+"/hold", Preservation{Keep: true, Reason: "x"}, 400, "times_invalid")
	refused(t, w, simone, path+"/hold", Preservation{Keep: true, Reason: strings.Repeat("x", cases.MaxText+1), Until: inDays(90)}, 400, "text_invalid")
	if c = post(t, w, simone, path+"/hold", hold); c.Hold == nil || c.Hold.Second != "" || !c.Expires.IsZero() {
		t.Errorf("held by one: %+v", c.Hold)
	}
	if c = post(t, w, dorothea, path+"/hold", Preservation{Keep: true}); c.Hold == nil || c.Hold.Second != "dorothea" || c.Hold.Reason != "A customer sues." {
		t.Errorf("held: %+v", c.Hold)
	}
	post(t, w, odile, path+"/hold", Preservation{Reason: "It was settled."})
	if c = post(t, w, simone, path+"/hold", Preservation{}); c.Hold != nil || c.Expires.IsZero() {
		t.Errorf("lifted: %+v", c.Hold)
	}
}

// twice is a world in which simone has a second entry in people.yaml.
func twice(t *testing.T) (*functiontest.World, string) {
	t.Helper()
	w := functiontest.New(t, functiontest.Twice(t, setup, simone, "root", "employee, security, owner"))
	var d Declared
	do(t, w, emma, "POST", "/breaches", found(nil), 201, "").Decode(t, &d)
	return w, "/breaches/" + d.ID
}

// twins: one human under two addresses is one of the two, wherever two decide.
func twins(t *testing.T) {
	t.Parallel()
	w, path := twice(t)
	root := email("root")
	yes := Answer{Subject: "tenants", Answer: "yes"}
	post(t, w, simone, path+"/decide", yes)
	refused(t, w, root, path+"/decide", yes, 403, "same_person")
	later := Aware{At: at.Add(-time.Minute), Reason: "Nobody was sure."}
	post(t, w, simone, path+"/aware", later)
	refused(t, w, root, path+"/aware", later, 403, "same_person")
	hold := Preservation{Keep: true, Reason: "x", Until: inDays(30)}
	post(t, w, simone, path+"/hold", hold)
	refused(t, w, root, path+"/hold", hold, 403, "same_person")
	post(t, w, dorothea, path+"/decide", yes)
	var n Notice
	do(t, w, simone, "POST", path+"/notices", initial(nil), 201, "").Decode(t, &n)
	one := path + "/notices/1"
	refused(t, w, root, one+"/approve", Agreement{n.Hash}, 403, "same_person")
	agree(t, w, simone, one+"/break", Need{n.Hash, "Nobody answers."})
	refused(t, w, root, one+"/review", nil, 403, "same_person")
	agree(t, w, dorothea, one+"/review", nil)
	// What was told is not told again by another notice.
	var again Notice
	do(t, w, simone, "POST", path+"/notices", initial(object{"tenants": []string{"banque-du-port"}}), 201, "").Decode(t, &again)
	refused(t, w, dorothea, path+"/notices/2/approve", Agreement{again.Hash}, 409, "told_twice")
	refused(t, w, dorothea, path+"/notices/2/break", Need{again.Hash, "Nobody answers."}, 409, "told_twice")
}

// proofs: that nobody can read the data counts in the score as it is said. That nobody is told waits for what shows it.
func proofs(t *testing.T) {
	t.Parallel()
	w, path := declared(t, object{"tenants": []string{"own"}})
	scored := func(evidence object) (s severity.Score) {
		in := score(object{"cb": object{"confidentiality": 0.5, "integrity": 0, "availability": 0, "malicious": true}, "dpc": object{"simple": object{"value": 1}}, "ei": object{"email": 0.75}, "unintelligible": true})
		if evidence != nil {
			in["evidence"] = evidence
		}
		do(t, w, simone, "POST", path+"/score", in, 200, "").Decode(t, &s)
		return s
	}
	if s := scored(nil); s.Presumption.Authority || !slices.Equal(s.Unproven, []string{"unintelligible"}) || s.Without == nil || !s.Without.Persons {
		t.Errorf("as it is said: %+v", s)
	}
	no := func(subject string) Answer {
		return Answer{Subject: subject, Answer: "no", Reason: "Nobody can read it."}
	}
	for _, subject := range []string{"sa", "persons"} {
		var p web.Problem
		do(t, w, simone, "POST", path+"/decide", no(subject), 409, "evidence_missing").Decode(t, &p)
		if !strings.Contains(p.Detail, "unintelligible") || !strings.Contains(p.Next, "evidence.unintelligible") {
			t.Errorf("says %q, %q", p.Detail, p.Next)
		}
	}
	refused(t, w, dorothea, path+"/decide", no("sa"), 409, "evidence_missing")
	if s := scored(object{"unintelligible": object{"reference": "D-7"}}); s.Presumption.Authority || len(s.Unproven) != 0 || s.Without != nil {
		t.Errorf("as it is shown: %+v", s)
	}
	for _, who := range []string{simone, odile} {
		post(t, w, who, path+"/decide", no("sa"))
	}
	post(t, w, simone, path+"/decide", no("persons"))
	// What shows it turns out to be none: who decided does so again, and what waits does not settle.
	scored(nil)
	refused(t, w, odile, path+"/decide", no("persons"), 409, "evidence_missing")
	var c Whole
	if do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c); !slices.Contains(c.Undecided, "sa") {
		t.Errorf("without evidence: %v", c.Undecided)
	}
	post(t, w, simone, path+"/decide", Answer{Subject: "sa", Answer: "yes"})
}

// codes: a code nobody sent is none.
func codes(t *testing.T) {
	t.Parallel()
	w, path := declared(t, nil)
	refused(t, w, omkar, path+"/ack", Ack{Code: "AAAAAAAA"}, 400, "code_invalid")
	refused(t, w, emma, path+"/ack", Ack{Code: "AAAAAAAA"}, 403, "not_allowed")
}
