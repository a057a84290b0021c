package notice_test

import (
	"context"
	"testing"

	"ostiary.internal/shared/breach/notice"
)

// TestPurge: everything of one case goes, whatever fails meanwhile, and nothing of another.
func TestPurge(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := newFirm(t)
	gone, stays := f.decided(false, "nord", "sud", "ost"), f.decided(false, "nord", "sud")
	for _, id := range []string{gone.ID, stays.ID} {
		f.approve(f.write(id, "vera"), "dana")
		if _, err := f.draft(id, "vera", notice.Update, "nord"); err != nil {
			t.Fatal(err)
		}
	}
	f.tick()
	for left := 0; ; left++ {
		f.mu.Lock()
		f.left = left
		f.mu.Unlock()
		err := f.notices.Purge(ctx, gone.ID, f.clock.Now())
		f.mu.Lock()
		f.left = -1
		f.mu.Unlock()
		if err == nil {
			break
		}
		if left > 50 {
			t.Fatal(err)
		}
	}
	count := func(id string) (n int) {
		all, err := f.notices.List(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		deliveries, err := f.notices.Outcomes(ctx, id, 1, nil, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(all) + len(deliveries)
	}
	if got := count(gone.ID); got != 0 {
		t.Errorf("%d are left", got)
	}
	if got := count(stays.ID); got != 5 {
		t.Errorf("%d of another case, want 5", got)
	}
}
