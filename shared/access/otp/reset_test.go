package otp

import (
	"context"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

func TestReset(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, done := w.phone("ada")
	w.enrol("ada", EnrolRequest{})
	w.locked("ada")
	_, err := w.RequestReset(t.Context(), "ada", "lost", w.meta("ada"), w.now())
	refused(t, err, "reset_self")
	_, err = w.RequestReset(t.Context(), "ada", "lost", w.meta(), w.now())
	refused(t, err, "reset_self")
	_, err = w.RequestReset(t.Context(), "ada", "  ", w.meta("sec"), w.now())
	refused(t, err, "reason_missing")
	_, err = w.RequestReset(t.Context(), "nobody", "lost", w.meta("sec"), w.now())
	refused(t, err, "no_authenticator")
	reset, err := w.RequestReset(t.Context(), "ada", "phone and codes burned", w.meta("sec"), w.now())
	if err != nil {
		t.Fatal(err)
	}
	for _, actor := range []string{"sec", "ada"} {
		refused(t, w.ApproveReset(t.Context(), reset.ID, w.meta(actor), w.now()), "reset_self")
	}
	refused(t, w.ApproveReset(t.Context(), reset.ID, w.meta(), w.now()), "reset_self")
	refused(t, w.ApproveReset(t.Context(), "nothing", w.meta("dpo"), w.now()), "reset_unknown")
	w.check("ada", phone.code(0), Locked) // until it is approved
	if open, err := w.OpenResets(t.Context(), w.now()); err != nil || len(open) != 1 || open[0].Reason != "phone and codes burned" {
		t.Errorf("%+v %v", open, err)
	}
	if err := w.ApproveReset(t.Context(), reset.ID, w.meta("dpo"), w.now()); err != nil {
		t.Fatal(err)
	}
	refused(t, w.ApproveReset(t.Context(), reset.ID, w.meta("dpo"), w.now()), "reset_decided")
	var stored Reset
	if err := w.Store.Get(t.Context(), Resets, reset.ID, &stored); err != nil || stored.State != ResetDone || stored.Requester != "sec" ||
		stored.Decider != "dpo" || !stored.Decided.Equal(w.now()) {
		t.Errorf("%+v %v", stored, err)
	}
	w.mu.Lock()
	for _, n := range w.notices {
		if !n.Second {
			t.Errorf("%s goes over one channel only", n.Kind)
		}
	}
	w.mu.Unlock()
	if told := w.told(); !slices.Equal(told, []NoticeKind{ResetApproved, ResetRequested}) {
		t.Errorf("told %v", told)
	}
	w.check("ada", phone.code(0), Unknown)
	w.recover("ada", done.RecoveryCodes[0], Wrong) // they died too
	acc := w.account("ada")
	if len(acc.Authenticators) != 0 || acc.Grant != nil || acc.Recovery != nil || acc.Throttle.Failures != 1 {
		t.Errorf("%+v", acc)
	}
	o, err := w.List(t.Context(), "ada", w.now())
	if err != nil || len(o.Ended) != 1 || o.Ended[0].Why != ByReset || o.NeedsToken {
		t.Errorf("%+v %v", o, err)
	}
	again := w.enrol("ada", EnrolRequest{})
	if bound := w.confirm("ada", again, ""); len(bound.RecoveryCodes) != RecoveryCodes {
		t.Errorf("%d recovery codes after a reset", len(bound.RecoveryCodes))
	}
	if got := w.outcomes(); got["reset-requested"] != 1 || got["reset-approved"] != 1 {
		t.Errorf("recorded %v", got)
	}
}

func TestResetWaitsLapsesAndIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	w.Rules.ResetWait = 24 * time.Hour
	ask := func() Reset {
		r, err := w.RequestReset(t.Context(), "ada", "lost", w.meta("sec"), w.now())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := ask()
	err := w.ApproveReset(t.Context(), first.ID, w.meta("dpo"), w.now())
	if e, ok := err.(*fault.Error); !ok || e.Code != "reset_early" || e.RetryAfter != 24*time.Hour {
		t.Errorf("%v", err)
	}
	if err := w.RefuseReset(t.Context(), first.ID, w.meta("ada"), w.now()); err != nil { // she found the phone
		t.Fatal(err)
	}
	w.pass(24 * time.Hour)
	refused(t, w.ApproveReset(t.Context(), first.ID, w.meta("dpo"), w.now()), "reset_decided")
	second := ask()
	w.pass(ResetLife)
	refused(t, w.ApproveReset(t.Context(), second.ID, w.meta("dpo"), w.now()), "reset_decided")
	if open, err := w.OpenResets(t.Context(), w.now()); err != nil || len(open) != 0 {
		t.Errorf("%+v %v", open, err)
	}
	w.check("ada", phone.code(0), OK)
	third := ask()
	w.pass(24 * time.Hour)
	if err := w.ApproveReset(t.Context(), third.ID, w.meta("dpo"), w.now()); err != nil {
		t.Error(err)
	}
}

// meanwhile is a store where something happens between a look at a collection and what follows.
type meanwhile struct {
	store.Store
	collection string
	happens    func()
}

func (m *meanwhile) Query(ctx context.Context, q store.Query) ([]store.Document, error) {
	found, err := m.Store.Query(ctx, q)
	if q.Collection == m.collection && m.happens != nil {
		happens := m.happens
		m.happens = nil
		happens()
	}
	return found, err
}

// TestObjectTooLate: a reset that was decided while the person objects stays decided, and she is told that none was refused.
func TestObjectTooLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone("ada")
	reset, err := w.RequestReset(t.Context(), "ada", "lost", w.meta("sec"), w.now())
	if err != nil {
		t.Fatal(err)
	}
	w.Store = &meanwhile{Store: w.Store, collection: Resets, happens: func() {
		if err := w.ApproveReset(t.Context(), reset.ID, w.meta("dpo"), w.now()); err != nil {
			t.Error(err)
		}
	}}
	if refused, err := w.Object(t.Context(), "ada", w.meta(), w.now()); refused != 0 || err != nil {
		t.Errorf("%d refused, %v", refused, err)
	}
	var stored Reset
	if err := w.Store.Get(t.Context(), Resets, reset.ID, &stored); err != nil || stored.State != ResetDone || stored.Decider != "dpo" {
		t.Errorf("%+v %v", stored, err)
	}
}
