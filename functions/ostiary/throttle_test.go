package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWaitsGrowUntilTheStop fails a person's code fifty times: the first three cost nothing, then the waits double from
// half a minute to an hour, and the fiftieth ends checking for good. No time lifts that; two people of security do.
func TestWaitsGrowUntilTheStop(t *testing.T) {
	t.Parallel()
	s := serve(t, options{})
	emma := must[*person](t)(bind(s, "emma", "81.2.69.142"))
	try := func(code string) answer {
		t.Helper()
		return must[answer](t)(emma.register(s, code, fmt.Sprintf("key-%d", time.Now().UnixNano())))
	}
	right := func() string {
		return must[string](t)(emma.device.code(must[time.Time](t)(s.now())))
	}
	for n := 1; n <= 50; n++ {
		a := try(must[string](t)(emma.device.wrong(must[time.Time](t)(s.now()))))
		if a.status != http.StatusForbidden || a.code() != "otp_wrong" {
			t.Fatalf("failure %d: %s", n, a)
		}
		if n <= 3 || n == 50 {
			continue
		}
		wait := min(30*time.Second<<min(n-4, 10), time.Hour)
		a = try(right())
		if a.status != http.StatusTooManyRequests || a.code() != "otp_waiting" || a.header.Get("Retry-After") != fmt.Sprint(wait.Seconds()) {
			t.Fatalf("after failure %d, want a wait of %s: %s %v", n, wait, a, a.header)
		}
		if err := s.jump(wait); err != nil {
			t.Fatal(err)
		}
	}
	for _, later := range []time.Duration{0, time.Hour, 48 * time.Hour} {
		if err := s.jump(later); err != nil {
			t.Fatal(err)
		}
		if a := try(right()); a.status != http.StatusLocked || a.code() != "otp_locked" {
			t.Fatalf("after the stop: %s", a)
		}
	}
	header := must[http.Header](t)(s.as(map[string]any{"service": "bastion"}))
	a := must[answer](t)(s.send(call{method: "POST", path: "/checkotp/v1/check", header: header, body: map[string]string{"email": emma.email, "code": right()}}))
	if a.status != http.StatusLocked || a.text("outcome") != "locked" {
		t.Errorf("a service is told %s", a)
	}
	if _, err := s.local("POST", "settle", nil); err != nil {
		t.Fatal(err)
	}
	var told []string // she, and her manager, for whoever guesses may read her mail
	a = must[answer](t)(s.local("GET", "mail", nil))
	for n, subject := range a.find("messages.*.subject") {
		if strings.Contains(subject, "bloqués") {
			told = append(told, a.find("messages.*.to")[n])
		}
	}
	if slices.Sort(told); !slices.Equal(told, []string{people["emma"], people["marc"]}) {
		t.Errorf("of the stop were told %v", told)
	}

	a = must[answer](t)(s.ask(people["simone"], call{method: "POST", path: "/enrolotp/v1/resets", body: map[string]string{"email": emma.email, "reason": "locked out"}}))
	if a.status != http.StatusCreated {
		t.Fatalf("asking for a reset: %s", a)
	}
	if a = must[answer](t)(s.ask(people["stefan"], call{method: "POST", path: "/enrolotp/v1/resets/" + a.text("id") + "/approve"})); a.status != http.StatusOK {
		t.Fatalf("approving it: %s", a)
	}
	if a := try(right()); a.code() != "no_authenticator" {
		t.Fatalf("after the reset: %s", a)
	}
	emma = must[*person](t)(bind(s, "emma", "81.2.69.142"))
	if a := try(right()); a.status != http.StatusCreated {
		t.Fatalf("with a new authenticator: %s", a)
	}
}
