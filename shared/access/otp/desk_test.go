package otp

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Somebody else zeroes the drift, says why, and the person reads it in the same words.
func TestZeroDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	w.pass(5 * time.Minute)
	w.check("ada", phone.code(1), OK)
	zero := func(id, reason, actor string) error {
		return w.ZeroDrift(t.Context(), "ada", id, reason, w.meta(actor), w.now())
	}
	for _, actor := range []string{"", "ada"} {
		refused(t, zero(phone.id, "x", actor), "own_matter")
	}
	refused(t, zero(phone.id, "  ", "help"), "reason_missing")
	refused(t, zero(phone.id, strings.Repeat("x", maxReason+1), "help"), "reason_missing")
	refused(t, zero("nothing", "x", "help"), "authenticator_unknown")
	refused(t, w.ZeroDrift(t.Context(), "nobody", phone.id, "x", w.meta("help"), w.now()), "authenticator_unknown")
	if a := w.account("ada").Authenticators[0]; a.Drift != 1 {
		t.Fatalf("%+v", a)
	}
	before := w.account("ada").Authenticators[0].Floor
	for range 2 {
		if err := zero(phone.id, " the phone was repaired ", "help"); err != nil {
			t.Fatal(err)
		}
	}
	if a := w.account("ada").Authenticators[0]; a.Drift != 0 || a.Offset != 0 || a.Floor != before || a.Note != "the phone was repaired" {
		t.Errorf("%+v", a)
	}
	w.mu.Lock()
	if len(w.notices) != 1 || w.notices[0].Data["reason"] != "the phone was repaired" || w.notices[0].Data["name"] != "phone" {
		t.Errorf("told %+v", w.notices)
	}
	w.mu.Unlock()
	if told, got := w.told(), w.outcomes(); !slices.Equal(told, []NoticeKind{DriftWasZeroed}) || got["drift-zeroed"] != 1 {
		t.Errorf("told %v, recorded %v", told, got)
	}
}
