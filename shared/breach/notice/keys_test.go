package notice_test

import (
	"context"
	"slices"
	"testing"

	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/store"
)

// TestKeysApart: each recipient's words and address have a key of their own; without hers nobody reads what one was told, and
// everybody else's stay.
func TestKeysApart(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	f.reply = func(m message.Message) message.Outcome {
		if m.Channel == notice.Webhook {
			return message.Unknown
		}
		return message.Accepted
	}
	c := f.decided(false, "ost", "nord", "sud")
	f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	all, err := f.notices.Deliveries(ctx, c.ID, 1, nil, 10)
	if err != nil || len(all) != 4 {
		t.Fatal(len(all), err)
	}
	for i, d := range all {
		if string(d.To.Wrapped) != string(d.Body.Wrapped) || slices.ContainsFunc(all[:i], func(o notice.Delivery) bool { return string(o.To.Wrapped) == string(d.To.Wrapped) }) {
			t.Errorf("recipient %d shares a key", i)
		}
	}
	if err := f.raw.Tx(ctx, func(tx store.Tx) error {
		var d notice.Delivery
		if err := tx.Get(notice.Deliveries, all[0].ID, &d); err != nil {
			return err
		}
		d.To.Wrapped, d.Body.Wrapped = nil, nil
		return tx.Put(notice.Deliveries, d.ID, d)
	}); err != nil {
		t.Fatal(err)
	}
	now, err := f.notices.Deliveries(ctx, c.ID, 1, nil, 10)
	if err != nil || now[0].Addresses[0] != "" || len(now[0].Addresses) != len(now[0].Ways) || now[3].Addresses[0] != "sicherheit@sued.example" {
		t.Errorf("%+v, %v", now, err)
	}
	kept, err := f.notices.Kept(ctx, c.ID, 1, 0, 10)
	if err != nil || len(kept) != 4 || kept[0].Text != "" || kept[0].Tenant != "ost" || kept[3].Text == "" || kept[3].To != "sicherheit@sued.example" {
		t.Errorf("%+v, %v", kept, err)
	}
	// Nothing more can be sent to her: somebody calls.
	if err := f.says(c.ID, 0, notice.Found{}); err != nil {
		t.Fatal(err)
	}
	f.tick()
	if now, err = f.notices.Deliveries(ctx, c.ID, 1, nil, 10); err != nil || now[0].Progress != notice.Lost {
		t.Errorf("%+v, %v", now[0], err)
	}
}
