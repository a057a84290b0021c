package main

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
)

// TestOracleSees: whatever is planted against an invariant is found, and what is in order is not.
func TestOracleSees(t *testing.T) {
	t.Parallel()
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			right, wrong := &oracle{quiet: true}, &oracle{quiet: true}
			c.right(right)
			c.wrong(wrong)
			if right.checks[c.invariant] == 0 || right.violations() > 0 {
				t.Errorf("of what is in order: %d checks, %v", right.checks[c.invariant], right.broken)
			}
			if len(wrong.broken[c.invariant]) == 0 {
				t.Errorf("what is out of order was not seen; seen are %v", wrong.broken)
			}
		})
	}
}

// planted is one thing that is in order, and the same out of order.
type planted struct {
	invariant    invariant
	right, wrong func(o *oracle)
}

func cases() map[string]planted {
	all := map[string]planted{}
	maps.Copy(all, accessCases())
	maps.Copy(all, watchCases())
	maps.Copy(all, otherCases())
	return all
}

// TestEnded: a lease may end by its person, with the other address of its device, or by two newer devices, and by nothing
// else.
func TestEnded(t *testing.T) {
	t.Parallel()
	ottokar, somebody := &person{tried: map[string]bool{"mine": true, "six": true}}, &person{}
	newer := func(who *person, leases ...string) (all []*attempt) {
		for _, l := range leases {
			all = append(all, &attempt{who: who, lease: l, status: 201})
		}
		return all
	}
	for name, c := range map[string]struct {
		lease *attempt
		later []*attempt
		want  bool
	}{
		"by her":                       {&attempt{who: ottokar, lease: "mine"}, nil, true},
		"by itself":                    {&attempt{who: ottokar, lease: "other"}, nil, false},
		"with the other address":       {&attempt{who: ottokar, lease: "four", paired: true, pair: "six"}, nil, true},
		"perhaps with it":              {&attempt{who: ottokar, lease: "four", paired: true}, nil, true},
		"the other address is there":   {&attempt{who: ottokar, lease: "four", paired: true, pair: "5"}, nil, false},
		"one newer device":             {&attempt{who: ottokar, lease: "old"}, newer(ottokar, "new", "old"), false},
		"two newer devices":            {&attempt{who: ottokar, lease: "old"}, newer(ottokar, "new", "newest"), true},
		"two newer of somebody else's": {&attempt{who: ottokar, lease: "old"}, newer(somebody, "new", "newest"), false},
	} {
		if got := ended(c.lease, c.later); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func accessCases() map[string]planted {
	ottokar := &person{member: member{id: "ottokar"}}
	taken := func(step int64) *attempt { return &attempt{who: ottokar, step: step, status: 201, request: "r"} }
	spent := &attempt{who: ottokar, step: 1, status: 403, code: "otp_replay", request: "s"}
	check := func(request, outcome string) record.Record {
		sum := sha256.Sum256([]byte(request))
		return record.Record{Kind: record.Access, Facts: map[string]string{"action": "check", "request": "sha256:" + hex.EncodeToString(sum[:]), "outcome": outcome}}
	}
	codes := func(attempts ...*attempt) func(*oracle) { return func(o *oracle) { codesOnce(o, attempts) } }
	recorded := func(records ...record.Record) func(*oracle) {
		return func(o *oracle) { onRecord(o, []*attempt{taken(1), spent}, records) }
	}
	live := map[string]int{"81.2.72.1/32": 1}
	at := func(prefixes ...string) func(*oracle) {
		return func(o *oracle) { sameDoors(o, live, []door{{"the door", prefixes}}) }
	}
	return map[string]planted{
		"a code accepted twice":              {codeOnce, codes(taken(1), taken(2), spent), codes(taken(1), taken(1))},
		"a wrong code accepted":              {codeOnce, codes(taken(1)), codes(taken(-1))},
		"an attempt that is not on record":   {logWhole, recorded(check("r", "ok"), check("s", "replay")), recorded(check("r", "ok"))},
		"an attempt on record twice":         {logWhole, recorded(check("r", "ok"), check("s", "replay")), recorded(check("r", "ok"), check("s", "replay"), check("s", "replay"))},
		"an attempt on record as another":    {logWhole, recorded(check("r", "ok"), check("s", "replay")), recorded(check("r", "wrong"), check("s", "replay"))},
		"a code on record that nobody used":  {logWhole, recorded(check("r", "ok"), check("s", "replay")), recorded(check("r", "ok"), check("s", "replay"), check("x", "ok"))},
		"an address without a lease":         {addressByLease, at("81.2.72.1/32"), at("81.2.72.1/32", "81.2.72.2/32")},
		"a lease without its address":        {addressByLease, at("81.2.72.1/32"), at()},
		"a door that lets in another prefix": {addressByLease, at("81.2.72.1/32"), at("81.2.72.0/24")},
	}
}

func watchCases() map[string]planted {
	at := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	ids := map[string]string{"ottokar": "ottokar@company.example"}
	one := &plan{who: member{id: "ottokar"}, rule: ticketRule, tenant: "customer.example", hits: []time.Time{at, at.Add(time.Second)}, sent: true, judged: true, exact: true}
	late := *one
	late.exact = false
	e := func(id string, first time.Time) episode {
		return episode{ID: id, Kind: "violation", State: "asked", Rule: ticketRule, Person: "ottokar", First: first, Alarmed: first, Question: 1}
	}
	planned := func(p *plan, all ...episode) func(*oracle) {
		return func(o *oracle) { episodesOnce(o, []*plan{p}, all, ids) }
	}
	mail := func(ids1 ...string) func(*oracle) {
		return func(o *oracle) {
			var all []message
			for _, id := range ids1 {
				all = append(all, message{ID: id, Subject: "Ostiary: Please explain what was seen", Links: []string{"http://127.0.0.1/justify/1"}})
			}
			toldOnce(o, []episode{e("1", at)}, ids, all)
		}
	}
	recorded := func(times int) func(*oracle) {
		return func(o *oracle) {
			var all []record.Record
			for range times {
				all = append(all, record.Record{Facts: map[string]string{"rule": ticketRule}, Source: record.Source{Observed: at}})
			}
			recordedOnce(o, []episode{e("1", at)}, ids, all)
		}
	}
	other := e("9", at.Add(time.Hour))
	return map[string]planted{
		"an episode that is lost":       {alarmOnce, planned(one, e("1", at)), planned(one)},
		"an episode that is doubled":    {alarmOnce, planned(one, e("1", at)), planned(one, e("1", at), e("2", at.Add(time.Second)))},
		"a late episode that is lost":   {alarmOnce, planned(&late, e("1", at), e("2", at.Add(time.Second))), planned(&late)},
		"an episode nobody planned":     {alarmOnce, planned(one, e("1", at)), planned(one, e("1", at), other)},
		"a second alarm message":        {alarmOnce, mail("1", "1"), mail("1", "2")},
		"an alarm nobody was told of":   {alarmOnce, mail("1"), mail()},
		"an alarm that is not recorded": {alarmOnce, recorded(1), recorded(0)},
		"an alarm recorded twice":       {alarmOnce, recorded(1), recorded(2)},
	}
}

func otherCases() map[string]planted {
	found := func(open bool, states ...string) func(*oracle) {
		return func(o *oracle) {
			var all []drifted
			for _, s := range states {
				all = append(all, drifted{ID: s, State: s, What: assertion, Asset: "//storage.googleapis.com/" + bucket(0)})
			}
			sameFindings(o, []bool{open}, all)
		}
	}
	told := func(progress string, to ...string) func(*oracle) {
		return func(o *oracle) {
			c := &incident{client: "1", word: "Nr0001zk", approved: true, step: len(steps)}
			var list []delivered
			for range recipients {
				list = append(list, delivered{Progress: progress, Ways: []string{"mail " + recipients[0]}})
			}
			var mail []message
			for _, address := range to {
				mail = append(mail, message{To: address, Text: "An export lay open: Nr0001zk."})
			}
			noticesOnce(o, c, list, mail)
		}
	}
	sent := func(ids ...string) func(*oracle) {
		return func(o *oracle) {
			var mail []message
			for _, id := range ids {
				mail = append(mail, message{ID: id, To: "canary0001zk@mail.example"})
			}
			customersOnce(o, mail)
		}
	}
	her := &subject{uid: "uq0001zk", email: "canary0001zk@mail.example", twin: true, docs: 1, planted: true, state: "completed", confirmed: true}
	kept := document{Tenant: south, Name: her.uid}
	left := func(docs ...document) func(*oracle) {
		return func(o *oracle) { gone(o, []*subject{her}, docs, her.born) }
	}
	answered := func(status int, kind, body string) func(*oracle) {
		return func(o *oracle) {
			o.answer(call{method: "GET", path: "/"}, http.Header{"Content-Type": {kind}}, answer{status: status, body: []byte(body)})
		}
	}
	const whole = `{"type":"about:blank","title":"Conflict","status":409,"detail":"It is there.","next":"Take another.","code":"there"}`
	counted := func(records int) func(*oracle) {
		return func(o *oracle) {
			j := newJournal("", nil, o)
			j.records = make([]record.Record, records)
			j.counts("a statement", 2, 1, func(record.Record) bool { return true })
		}
	}
	return map[string]planted{
		"a record that was removed":               {logWhole, counted(2), counted(1)},
		"a record of what nobody did":             {logWhole, counted(3), counted(4)},
		"a message to a customer, twice":          {noticeOnce, sent("1", "2"), sent("1", "1")},
		"a finding that is missing":               {alarmOnce, found(true, "open"), found(true)},
		"a finding of what is in order":           {alarmOnce, found(false), found(false, "open")},
		"two findings of one thing":               {alarmOnce, found(true, "open"), found(true, "open", "accepted")},
		"a customer told twice":                   {noticeOnce, told("arrived", recipients...), told("arrived", append(recipients, recipients[0])...)},
		"a customer said to be told":              {noticeOnce, told("arrived", recipients...), told("arrived", recipients[:2]...)},
		"a notice that goes nowhere":              {noticeOnce, told("doubtful", recipients[:1]...), told("going", recipients...)},
		"a notice that came, called lost":         {noticeOnce, told("lost"), told("lost", recipients[0])},
		"a notice to a stranger":                  {noticeOnce, told("arrived", recipients...), told("arrived", append(recipients, "stranger@mail.example")...)},
		"an erased person in a store":             {erasedGone, left(kept), left(kept, document{Tenant: north, Name: her.uid})},
		"an erased person's address":              {erasedGone, left(kept), left(kept, document{Tenant: north, Fields: map[string]any{"cc": "Canary0001ZK@mail.example"}})},
		"a twin who is gone":                      {erasedGone, left(kept), left()},
		"an error of the program":                 {answersWhole, answered(409, "application/problem+json", whole), answered(500, "application/problem+json", whole)},
		"a refusal that does not say what's next": {answersWhole, answered(409, "application/problem+json", whole), answered(409, "application/problem+json", `{"status":409,"code":"there"}`)},
		"a refusal that is no problem":            {answersWhole, answered(403, "text/html; charset=utf-8", ""), answered(403, "text/plain", "no")},
		"a name in a log":                         {nothingPersonal, logged("ready\n"), logged("told ottokar01.zwickelbauer\n")},
		"a crash in a log":                        {answersWhole, logged("ready\n"), logged("http: panic serving 127.0.0.1\n")},
	}
}

// logged looks at the log of one life of a process.
func logged(text string) func(*oracle) {
	return func(o *oracle) {
		dir, err := os.MkdirTemp("", "soak")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		r := &run{oracle: o, child: newChild(dir, nil)}
		r.child.lives = 1
		if err := os.WriteFile(r.child.logFile(1), []byte(text), 0o600); err != nil {
			panic(err)
		}
		if err := r.left(); err != nil {
			panic(err)
		}
	}
}

// TestReturns: of those who plan at once, one alone returns to a customer of hers, until that is long ago as well.
func TestReturns(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	who := member{id: "emma"}
	w := &watch{returned: map[string]time.Time{}, plans: []*plan{{who: who, tenant: "acme.example", hits: []time.Time{now.Add(-longAgo - time.Hour)}, judged: true, exact: true}}}
	returns := func(now time.Time) (n int) {
		r := rand.New(rand.NewPCG(1, 2))
		for range 100 {
			if w.earlier(who, now, r) != "" {
				n++
			}
		}
		return n
	}
	if n := returns(now); n != 1 {
		t.Errorf("%d returned at once", n)
	}
	if n := returns(now.Add(longAgo + time.Minute)); n != 1 {
		t.Errorf("%d returned later", n)
	}
}
