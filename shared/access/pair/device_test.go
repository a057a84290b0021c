package pair_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/pair"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
)

func (r *rig) ask(person, from string) pair.Device {
	r.t.Helper()
	d, err := r.pairs.Ask(r.t.Context(), person, netip.MustParseAddr(from), r.clock.Now())
	must(r.t, err)
	return d
}

// approve registers, from the phone, the device that shows a code.
func (r *rig) approve(person, code string) (lease.Lease, error) {
	r.t.Helper()
	q := r.request(person, cafe4)
	r.pairs.Approve(&q, code)
	return r.leases.Register(r.t.Context(), q, r.clock.Now())
}

// The code on the laptop and the one-time password on the phone let the laptop in, and not the phone.
func TestApprove(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	d := r.ask("ana", home4)
	if len(d.Code) != 9 || strings.Trim(strings.ReplaceAll(d.Code, "-", ""), "23456789ABCDEFGHJKLMNPQRSTUVWXYZ") != "" || !d.Until.Equal(start.Add(5*time.Minute)) {
		t.Errorf("asked: %+v", d)
	}
	typed := " " + strings.ToLower(strings.ReplaceAll(d.Code, "-", " ")) + " "
	if seen, err := r.pairs.Look(t.Context(), "ana", typed); err != nil || seen.Address.String() != home4 {
		t.Errorf("looked at: %+v, %v", seen, err)
	}
	l, err := r.approve("ana", typed)
	must(t, err)
	if l.Prefix.String() != home4+"/32" || len(r.live("ana")) != 1 {
		t.Errorf("registered %+v", l)
	}
	registered := 0
	for _, e := range r.records {
		entry, err := record.Parse(e.Data)
		must(t, err)
		for _, subject := range entry.Subjects { // the code came from the phone, and the laptop was registered
			from := map[string]string{"source": cafe4, "prefix": home4}[subject.Type]
			if acc := r.account("ana"); entry.Facts["action"] != "import" && from != "" && subject.C != acc.Mark("source", from+"/32", start) {
				t.Errorf("%s is another: %s", subject.Type, e.Data)
			}
		}
		if entry.Facts["event"] == "registered" {
			registered++
			if entry.Facts["device"] != "another" {
				t.Errorf("the register says %s", e.Data)
			}
		}
	}
	if registered != 1 {
		t.Errorf("%d register entries", registered)
	}
	// It is used up, and the laptop may bring its other address within the minute.
	if asked, err := r.pairs.Asked(t.Context(), "ana", r.clock.Now()); err != nil || len(asked) != 0 {
		t.Errorf("%d still open, %v", len(asked), err)
	}
	if w := r.waiting("ana"); len(w) != 1 || w[0].Prefix != l.Prefix || w[0].Family != lease.IPv6 {
		t.Errorf("waiting: %+v", w)
	}
	r.pass(30 * time.Second)
	_, err = r.approve("ana", d.Code)
	wantCode(t, err, "device_unknown")
}

// A code that is refused burns no one-time password, and a wrong one-time password no code.
func TestApproveRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana", "ben")
	d := r.ask("ana", home4)
	for name, code := range map[string]string{"none": "", "another": "2222-2222", "too long": d.Code + "A", "letters that are none": "0000-IIII", "a name": "../../ana"} {
		_, err := r.approve("ana", code)
		if wantCode(t, err, "device_unknown"); r.account("ana").Throttle != r.account("ben").Throttle {
			t.Errorf("%s counted as a wrong password", name)
		}
	}
	// Another person's code does not exist for her.
	_, err := r.approve("ben", d.Code)
	wantCode(t, err, "device_unknown")
	_, err = r.pairs.Look(t.Context(), "ben", d.Code)
	wantCode(t, err, "device_unknown")
	q := r.request("ana", cafe4)
	q.Code = "000000"
	r.pairs.Approve(&q, d.Code)
	_, err = r.leases.Register(t.Context(), q, r.clock.Now())
	wantCode(t, err, "otp_wrong")
	if _, err := r.approve("ana", d.Code); err != nil {
		t.Errorf("after a wrong one-time password: %v", err)
	}
}

func TestCodeEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	d := r.ask("ana", home4)
	r.pass(5*time.Minute - time.Second)
	if again := r.ask("ana", home4); again != d {
		t.Errorf("asked again: %+v, want %+v", again, d)
	}
	r.pass(time.Second)
	_, err := r.approve("ana", d.Code)
	wantCode(t, err, "device_unknown")
	if again := r.ask("ana", home4); again.Code == d.Code {
		t.Error("the same code again")
	}
}

func TestOpenCodes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	codes := map[string]bool{}
	for n := range pair.MaxOpen {
		codes[r.ask("ana", fmt.Sprintf("81.2.69.%d", n+1)).Code] = true
	}
	if len(codes) != pair.MaxOpen {
		t.Errorf("%d codes of %d devices", len(codes), pair.MaxOpen)
	}
	before := r.stored("devices")
	_, err := r.pairs.Ask(t.Context(), "ana", netip.MustParseAddr(home4), r.clock.Now())
	wantCode(t, err, "device_limit")
	_, err = r.pairs.Ask(t.Context(), "ana", netip.MustParseAddr("10.0.0.1"), r.clock.Now())
	wantCode(t, err, "address_refused")
	if r.stored("devices") != before {
		t.Error("a refusal changed something")
	}
	r.ask("ben", home4) // others have their own
	if asked, err := r.pairs.Asked(t.Context(), "ana", r.clock.Now()); err != nil || len(asked) != pair.MaxOpen {
		t.Errorf("%d open, %v", len(asked), err)
	}
}

// Killed at any call of the store, a registration from the phone is made once when it is sent again.
func TestApproveDeaths(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		r := newRig(t)
		r.enrol("ana")
		d := r.ask("ana", home4)
		q := r.request("ana", cafe4)
		r.pairs.Approve(&q, d.Code)
		var calls atomic.Int32 // the outbox sends side by side
		r.faults = func(storetest.Point, int) error {
			if calls.Add(1) > int32(n) {
				return fault.New(fault.Transient, "died")
			}
			return nil
		}
		_, _ = r.leases.Register(t.Context(), q, r.clock.Now())
		r.faults = nil
		if l, err := r.leases.Register(t.Context(), q, r.clock.Now()); err != nil || l.Prefix.String() != home4+"/32" || len(r.live("ana")) != 1 {
			t.Fatalf("killed after %d calls: %+v, %v, %d live", n, l, err, len(r.live("ana")))
		}
		if calls.Load() <= int32(n) {
			return
		}
	}
}
