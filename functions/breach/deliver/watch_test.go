package deliver

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/breach/tickbreach"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
)

// TestSilence: when whoever looks after the clocks of breaches falls silent, those who decide and those on call are told by the
// function that sends, once in an hour, until it speaks again. Who did not listen itself says nothing.
func TestSilence(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Setup{Functions: []wiring.Function{tickbreach.Function, Function}})
	told := func() (n int) {
		for _, m := range w.Mail(t) {
			if strings.Contains(m.Subject, "clocks of breaches") || strings.Contains(m.Subject, "délais des violations") || strings.Contains(m.Subject, "Fristen von Verletzungen") {
				n++
			}
		}
		return n
	}
	minutes := func(n int, functions ...string) {
		t.Helper()
		for range n {
			w.Advance(t, time.Minute)
			for _, f := range functions {
				w.Tick(t, f).Want(t, 204, "")
			}
		}
	}
	minutes(40, name, "tickbreach")
	if told() != 0 {
		t.Fatalf("it runs, and %d are told that it does not", told())
	}
	minutes(14, name)
	if told() != 0 {
		t.Fatal("its last word still counts, and people are told")
	}
	minutes(20, name)
	const everybody = 5 // odile, simone, stefan, dorothea and omkar
	first := told()
	if first < everybody {
		t.Fatalf("%d were told of the silence", first)
	}
	minutes(20, name)
	if told() != first {
		t.Errorf("told again within the hour: %d, then %d", first, told())
	}
	minutes(60, name)
	if told() != 2*first {
		t.Errorf("an hour later %d were told in all, want %d", told(), 2*first)
	}
	minutes(2, name, "tickbreach")
	minutes(18, name, "tickbreach")
	if told() != 2*first {
		t.Error("it runs again, and people are told that it does not")
	}
	w.Advance(t, 24*time.Hour)
	minutes(3, name) // nobody ran for a day: that is no silence this function heard
	if told() != 2*first {
		t.Error("people are told by who did not listen")
	}
}
