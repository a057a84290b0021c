package firestore

import (
	"context"
	"sync"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"

	"ostiary.internal/shared/erasure"
)

// seenAll is erasure.Result.Seen of an item below which everything was looked at.
const seenAll = "*"

// descend deletes what lies below a document, and then it. Nothing is deleted where a document below tells another tenant: where
// there are more than one call deletes, all are looked at before the first goes, however many calls that takes.
func (w *work) descend(ctx context.Context, i erasure.Item, d *pb.Document) (erasure.Outcome, error) {
	if w.below == 0 {
		w.seen = i.Seen
		return erasure.OutcomeIncomplete, nil
	}
	field := ""
	if w.query.Tenant.Binding == erasure.BindField {
		field = w.query.Tenant.Field
	}
	found, err := w.store.below(ctx, i.Ref, field, w.below)
	if err == nil {
		err = erasure.Metered(ctx, len(found))
	}
	if err != nil {
		return "", err
	}
	more := len(found) == w.below
	if w.another(field, found) {
		return erasure.OutcomeForeign, nil
	}
	w.seen = seenAll
	if more && field != "" && i.Seen != seenAll {
		if i.Seen == "" {
			i.Seen = found[len(found)-1].Name
		}
		if another, err := w.look(ctx, i, field); err != nil || another {
			return erasure.OutcomeForeign, err
		}
		if w.seen != seenAll {
			return erasure.OutcomeIncomplete, nil
		}
	}
	for _, b := range found {
		w.delete(b)
	}
	w.below -= len(found)
	switch {
	case more: // there may be more
		return erasure.OutcomeIncomplete, nil
	case d != nil:
		w.delete(d)
	case len(found) == 0:
		return erasure.OutcomeGone, nil
	}
	return erasure.OutcomeErased, nil
}

// look goes on behind what was seen below an item, and notes how far it came: a later call goes on there.
func (w *work) look(ctx context.Context, i erasure.Item, field string) (another bool, err error) {
	for w.seen = i.Seen; w.looks > 0; {
		page, err := w.store.belowAfter(ctx, i.Ref, field, w.seen, erasure.MaxPage)
		if err == nil {
			err = erasure.Metered(ctx, len(page))
		}
		if err != nil || w.another(field, page) {
			return true, err
		}
		w.looks -= erasure.MaxPage
		if len(page) < erasure.MaxPage {
			w.seen = seenAll
			return false, nil
		}
		w.seen = page[len(page)-1].Name
	}
	return false, nil
}

// another reports whether a document tells another tenant.
func (w *work) another(field string, page []*pb.Document) bool {
	for _, b := range page {
		if at(b.Fields, field) != nil && tenant(w.query, b.Fields) != w.query.Tenant.ID {
			return true
		}
	}
	return false
}

// weighed is below how many items it is counted at the same time.
const weighed = 16

// weigh counts what goes with each of the tenant's items.
func (r *Reader) weigh(ctx context.Context, q erasure.Query, p place, items []erasure.Item) error {
	if !q.Descend || q.Action != erasure.ActionDelete || q.TakesOut() || whole(q, p) {
		return nil
	}
	errs := make([]error, len(items))
	var all sync.WaitGroup
	slots := make(chan struct{}, weighed)
	for n := range items {
		if i := &items[n]; i.Tenant == q.Tenant.ID {
			slots <- struct{}{}
			all.Go(func() {
				defer func() { <-slots }()
				i.Below, errs[n] = r.countBelow(ctx, i.Ref)
			})
		}
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) countBelow(ctx context.Context, document string) (int64, error) {
	client, ctx, cancel, err := r.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer cancel()
	n, err := counting(ctx, client, r.name(document), &pb.StructuredQuery{From: []*pb.StructuredQuery_CollectionSelector{{AllDescendants: true}}})
	return int64(n), err
}
