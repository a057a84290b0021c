package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

const crowd = 50

// together lets a crowd make one request each, all at once.
func together(t *testing.T, ask func(n int) (answer, error)) []answer {
	t.Helper()
	answers, failed := make([]answer, crowd), make([]error, crowd)
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	for n := range crowd {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			answers[n], failed[n] = ask(n)
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	for _, err := range failed {
		if err != nil {
			t.Fatal(err)
		}
	}
	return answers
}

// TestOneCodeManyRequests: of fifty requests with one right code at the same moment, one gets a lease; the code is
// spent for all others, and each attempt is on record with its outcome.
func TestOneCodeManyRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, options{raced: true})
	emma := must[*person](t)(bind(s, "emma", "81.2.69.142"))
	code := must[string](t)(emma.device.code(must[time.Time](t)(s.now())))
	answers := together(t, func(n int) (answer, error) { return emma.register(s, code, fmt.Sprintf("key-%d", n)) })
	counts := map[string]int{}
	for _, a := range answers {
		counts[or(a.code(), fmt.Sprint(a.status))]++
	}
	if counts["201"] != 1 || counts["otp_replay"]+counts["otp_waiting"] != crowd-1 || counts["otp_replay"] == 0 {
		t.Errorf("answers: %v", counts)
	}
	if found := must[[]lease](t)(emma.leases(s)); len(found) != 1 || !found[0].live() {
		t.Errorf("leases: %+v", found)
	}
	checkRecorded(t, s, answers)
	if a := must[answer](t)(s.local("GET", "allowlist", nil)); !slices.Equal(a.find("entries.*.holders"), []string{"1"}) {
		t.Errorf("allow-list: %s", a)
	}
}

// TestOneKeyManyRequests: fifty requests with one key and one body are one request; all get its answer.
func TestOneKeyManyRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, options{raced: true})
	emma := must[*person](t)(bind(s, "emma", "81.2.69.142"))
	for _, c := range []struct {
		name   string
		code   func(time.Time) (string, error)
		status int
	}{{"right", emma.device.code, http.StatusCreated}, {"wrong", emma.device.wrong, http.StatusForbidden}} {
		code := must[string](t)(c.code(must[time.Time](t)(s.now())))
		answers := together(t, func(int) (answer, error) { return emma.register(s, code, c.name) })
		for _, a := range answers {
			if a.status != c.status || string(a.body) != string(answers[0].body) {
				t.Errorf("%s: %s and %s", c.name, a, answers[0])
			}
		}
	}
	if _, err := s.local("POST", "settle", nil); err != nil {
		t.Fatal(err)
	}
	checks := 0
	for _, r := range must[[]evidence](t)(s.records("")) {
		if r.fact("action") == "check" {
			checks++
		}
	}
	if checks != 2 {
		t.Errorf("%d attempts are on record, want one for each key", checks)
	}
}

// outcomes are what the evidence says of an attempt, by the code of its answer.
var outcomes = map[string][]string{
	"": {"ok", "resync-ok"}, "otp_replay": {"replay"}, "otp_waiting": {"waiting"}, "otp_locked": {"locked"}, "otp_malformed": {"malformed"},
	"otp_wrong": {"wrong", "stale", "drift-capped", "resync-started", "unknown"}, "no_authenticator": {"unknown"},
}

// checkRecorded looks for the one record of each answered attempt, by the request's id.
func checkRecorded(t *testing.T, s *server, answers []answer) {
	t.Helper()
	if _, err := s.local("POST", "settle", nil); err != nil {
		t.Fatal(err)
	}
	byRequest := map[string][]string{}
	for _, r := range must[[]evidence](t)(s.records("")) {
		if r.fact("action") == "check" {
			byRequest[r.fact("request")] = append(byRequest[r.fact("request")], r.fact("outcome"))
		}
	}
	for _, a := range answers {
		sum := sha256.Sum256([]byte(a.header.Get("X-Request-Id")))
		found := byRequest["sha256:"+hex.EncodeToString(sum[:])]
		if len(found) != 1 || !slices.Contains(outcomes[a.code()], found[0]) {
			t.Errorf("an attempt answered with %s has the records %v", a, found)
		}
	}
}
