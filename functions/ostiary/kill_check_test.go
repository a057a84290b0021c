package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// check looks at everything that must be true when the process runs again and two minutes have passed.
func (w *storm) check(t *testing.T, s *server) {
	t.Helper()
	if a, err := s.local("POST", "settle", nil); err != nil || !slices.Equal(a.find("bus"), []string{"0"}) {
		t.Fatalf("something is left on its way: %s, %v", a, err)
	}
	if a, err := s.local("GET", "deadletters", nil); err != nil || !slices.Equal(a.find("dead_letters.len"), []string{"0"}) {
		t.Errorf("dead letters: %s, %v", a, err)
	}
	live := w.checkLeases(t, s)
	w.checkTarget(t, s, live)
	w.checkCodes(t)
	w.checkMail(t, s)
	w.checkEvidence(t, s)
}

// checkEvidence: every attempt that was answered is on record, and as many are on record as accepted as there were,
// give or take those whose answer was lost.
func (w *storm) checkEvidence(t *testing.T, s *server) {
	t.Helper()
	var answers []answer
	accepted, lost := 0, 0
	for _, a := range w.attempts {
		switch {
		case a.answer == nil:
			lost++
			continue
		case a.answer.status < 300:
			accepted++
		}
		if a.answer.code() != "person_limit" && !a.again { // a repeated answer is no attempt
			answers = append(answers, *a.answer)
		}
	}
	checkRecorded(t, s, answers)
	recorded := 0
	for _, r := range must[[]evidence](t)(s.records("")) {
		if r.fact("action") == "check" && slices.Contains(outcomes[""], r.fact("outcome")) {
			recorded++
		}
	}
	if recorded < accepted || recorded > accepted+lost {
		t.Errorf("%d codes are on record as accepted; %d were answered so, and %d answers were lost", recorded, accepted, lost)
	}
}

// checkLeases: what was answered with 201 is there, and lives unless somebody tried to end it. It returns how many hold
// each prefix.
func (w *storm) checkLeases(t *testing.T, s *server) map[string]int {
	t.Helper()
	found, live := map[string]lease{}, map[string]int{}
	for _, p := range w.people {
		for _, l := range must[[]lease](t)(p.leases(s)) {
			found[l.ID] = l
			if l.live() {
				live[l.Prefix]++
				if l.State != "confirmed" && l.State != "working" {
					t.Errorf("lease %s of %s is still %s", l.ID, p.email, l.State)
				}
			}
		}
	}
	for _, a := range w.attempts[w.since:] {
		if a.answer == nil || a.key == "" || a.answer.status != http.StatusCreated {
			continue
		}
		switch l, ok := found[a.answer.text("id")]; {
		case !ok:
			t.Errorf("a lease of %s was answered and is gone: %s", a.person.email, a.answer)
		case !l.live() && !w.ended[l.ID]:
			t.Errorf("a lease of %s was answered and has ended by itself: %s", a.person.email, a.answer)
		}
	}
	return live
}

// checkTarget: the allow-list, the target and its three files hold the prefixes of the live leases and the fixed site,
// and nothing else.
func (w *storm) checkTarget(t *testing.T, s *server, live map[string]int) {
	t.Helper()
	a := must[answer](t)(s.local("GET", "allowlist", nil))
	var listed struct {
		Entries []struct {
			Prefix  string
			Holders int
		}
		Fixed   []struct{ Prefix string }
		Targets []struct {
			State   string
			Entries []string
		}
	}
	if err := json.Unmarshal(a.body, &listed); err != nil {
		t.Fatal(err)
	}
	entries := map[string]int{}
	for _, e := range listed.Entries {
		entries[e.Prefix] = e.Holders
	}
	if !maps.Equal(entries, live) {
		t.Errorf("the allow-list holds %v, the leases say %v", entries, live)
	}
	want := slices.Sorted(maps.Keys(live))
	for _, f := range listed.Fixed {
		want = append(want, f.Prefix)
	}
	slices.Sort(want)
	same := func(where string, have []string) {
		slices.Sort(have)
		if !slices.Equal(have, want) {
			t.Errorf("%s holds %v, want %v", where, have, want)
		}
	}
	for _, target := range listed.Targets {
		same("the target, which is "+target.State+",", target.Entries)
	}
	for name, line := range map[string]string{"nginx.conf": `(?m)^allow (\S+);$`, "nftables.nft": `(?m)^add element .* \{ (\S+) \}$`, "allowlist.json": `"prefix": "([^"]+)"`} {
		data, err := os.ReadFile(filepath.Join(w.dir, "allowlist", "edge", name))
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, found := range regexp.MustCompile(line).FindAllSubmatch(data, -1) {
			have = append(have, string(found[1]))
		}
		same(name, have)
	}
}

// checkCodes: no code was accepted by two requests, whoever asked.
func (w *storm) checkCodes(t *testing.T) {
	t.Helper()
	accepted := map[string]int{}
	for _, a := range w.attempts {
		if a.answer != nil && a.answer.status < 300 {
			accepted[fmt.Sprint(a.person.email, " ", a.step)]++
		}
	}
	for code, times := range accepted {
		if times > 1 {
			t.Errorf("the code of %s was accepted %d times", code, times)
		}
	}
}

// checkMail: a message to staff is sent at least once. Twice only where a kill fell between the sending and the note
// of it, and at most eight are under way at once.
func (w *storm) checkMail(t *testing.T, s *server) {
	t.Helper()
	times := map[string]int{}
	for _, id := range must[answer](t)(s.local("GET", "mail", nil)).find("messages.*.id") {
		times[id]++
	}
	again := 0
	for id, n := range times {
		again += n - 1
		if n > 1+w.kills {
			t.Errorf("message %s was sent %d times", id, n)
		}
	}
	if again > 8*w.kills {
		t.Errorf("%d messages were sent again", again)
	}
	if again > 0 {
		t.Logf("%d of %d messages were sent again after %d kills", again, len(times), w.kills)
	}
}
