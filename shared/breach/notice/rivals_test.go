package notice_test

import (
	"context"
	"testing"
	"time"

	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/message"
)

// between is another process of the firm whose next change is held up, once, between what it read and what it writes, while
// rival runs.
func (f *firm) between(rival func()) *notice.Service {
	f.t.Helper()
	config, done := f.config, false
	config.Commit = func(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error) {
		if !done {
			done = true
			rival()
		}
		return f.config.Commit(ctx, s, now)
	}
	s, err := notice.New(config)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// TestRivals: what somebody else did meanwhile counts.
func TestRivals(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("a version while it is approved", func(t *testing.T) {
		t.Parallel()
		f := newFirm(t)
		c := f.decided(false, "nord")
		n := f.write(c.ID, "vera")
		other := draft(notice.Initial)
		other.Texts["fr"]["nature"] = "Autre chose."
		s := f.between(func() {
			if _, err := f.notices.Write(ctx, f.person("otto"), c.ID, 1, other, nil, f.clock.Now()); err != nil {
				t.Error(err)
			}
		})
		if _, err := s.Approve(ctx, f.person("dana"), c.ID, 1, n.Hash, f.clock.Now()); code(err) != "hash_mismatch" {
			t.Error(err)
		}
		f.tick()
		if stored, _ := f.notices.Get(ctx, c.ID, 1); stored.State != notice.Drafted || stored.Version != 2 || len(f.sent) != 0 {
			t.Errorf("%+v, %d sent", stored.Notice, len(f.sent))
		}
	})
	t.Run("two first versions", func(t *testing.T) {
		t.Parallel()
		f := newFirm(t)
		c := f.decided(false, "nord")
		s := f.between(func() { f.write(c.ID, "otto") })
		n, err := s.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Initial), nil, f.clock.Now())
		if all, _ := f.notices.List(ctx, c.ID); err != nil || n.N != 2 || len(all) != 2 || all[0].Author != "otto" || all[1].Author != "vera" {
			t.Errorf("%+v, %d, %v", n, len(all), err)
		}
	})
	t.Run("a notice of the same while it is approved", func(t *testing.T) {
		t.Parallel()
		f := newFirm(t)
		c := f.decided(false, "nord")
		n := f.write(c.ID, "vera")
		s := f.between(func() {
			other, err := f.draft(c.ID, "otto", notice.Initial, "nord")
			if err != nil {
				t.Error(err)
			}
			f.approve(other, "vera")
		})
		if _, err := s.Approve(ctx, f.person("dana"), c.ID, 1, n.Hash, f.clock.Now()); code(err) != "told_twice" {
			t.Error(err)
		}
		if f.tick(); len(f.sent) != 3 { // one contact by two ways
			t.Errorf("%d sent:\n%s", len(f.sent), f.taken(c.Number))
		}
	})
	t.Run("an expired one that is written for others while it is approved", func(t *testing.T) {
		t.Parallel()
		f := newFirm(t)
		c := f.decided(false, "nord", "ost")
		if _, err := f.draft(c.ID, "otto", notice.Initial, "ost"); err != nil {
			t.Fatal(err)
		}
		f.pass(25 * time.Hour)
		n, err := f.draft(c.ID, "vera", notice.Initial, "nord")
		if err != nil {
			t.Fatal(err)
		}
		s := f.between(func() {
			other, err := f.notices.Write(ctx, f.person("otto"), c.ID, 1, draft(notice.Initial), []string{"nord", "ost"}, f.clock.Now())
			if err != nil {
				t.Error(err)
			}
			f.approve(other, "vera")
		})
		if _, err := s.Approve(ctx, f.person("dana"), c.ID, n.N, n.Hash, f.clock.Now()); code(err) != "told_twice" {
			t.Error(err)
		}
	})
	doubt := func(t *testing.T) (*firm, notice.Notice, notice.Delivery) {
		f := newFirm(t)
		f.reply = func(m message.Message) message.Outcome { return message.Unknown }
		c := f.decided(false, "ost")
		n := f.approve(f.write(c.ID, "vera"), "dana")
		if err := f.settle(); err != nil {
			t.Fatal(err)
		}
		all, err := f.notices.Deliveries(ctx, c.ID, 1, nil, 10)
		if err != nil || all[0].Progress != notice.Doubtful {
			t.Fatal(all, err)
		}
		return f, n, all[0]
	}
	t.Run("an answer while another is given", func(t *testing.T) {
		t.Parallel()
		f, n, d := doubt(t)
		s := f.between(func() {
			if _, err := f.notices.Settle(ctx, f.person("dana"), n.Case, 1, d.ID, notice.Found{Arrived: true}, f.clock.Now()); err != nil {
				t.Error(err)
			}
		})
		if _, err := s.Settle(ctx, f.person("otto"), n.Case, 1, d.ID, notice.Found{Arrived: false}, f.clock.Now()); code(err) != "state_conflict" {
			t.Error(err)
		}
		if f.tick(); len(f.sent) != 1 || f.progress(n) != "ost webhook arrived" {
			t.Errorf("%d sent, %s", len(f.sent), f.progress(n))
		}
	})
	t.Run("an answer while it is counted", func(t *testing.T) {
		t.Parallel()
		f, n, d := doubt(t)
		s := f.between(func() {
			if _, err := f.notices.Settle(ctx, f.person("dana"), n.Case, 1, d.ID, notice.Found{Arrived: true}, f.clock.Now()); err != nil {
				t.Error(err)
			}
		})
		if err := s.Tick(ctx, f.clock.Now()); err != nil {
			t.Fatal(err)
		}
		f.tick()
		if stored, _ := f.notices.Get(ctx, n.Case, 1); stored.Accepted != 1 || stored.Unknown != 0 || f.progress(n) != "ost webhook arrived" {
			t.Errorf("%+v, %s", stored.Notice, f.progress(n))
		}
	})
}
