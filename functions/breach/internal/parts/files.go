package parts

import (
	"context"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/breach/register"
	"ostiary.internal/shared/platform/store"
)

// File is a case with everything that belongs to it but addresses: what the register and the dossier are made of. Code:
// case_unknown.
func (p *Parts) File(ctx context.Context, id string) (register.File, error) {
	c, err := p.Cases.Get(ctx, id)
	if err != nil {
		return register.File{}, err
	}
	f := register.File{Case: c, Policy: p.Breach, Company: p.Policy, Now: p.Clock.Now()}
	notices, err := p.Notices.List(ctx, id)
	if err != nil {
		return f, err
	}
	for _, n := range notices {
		opened, err := p.Notices.Get(ctx, id, n.N)
		if err != nil {
			return f, err
		}
		sent := register.Sent{Notice: opened.Notice, Draft: opened.Draft, Means: opened.How}
		if sent.Deliveries, err = p.deliveries(ctx, id, n.N); err != nil {
			return f, err
		}
		f.Notices = append(f.Notices, sent)
	}
	return f, nil
}

func (p *Parts) deliveries(ctx context.Context, id string, n int) (all []notice.Delivery, err error) {
	var after *store.Cursor
	for {
		found, err := p.Notices.Outcomes(ctx, id, n, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if len(found) < page {
			return all, nil
		}
		last := found[len(found)-1]
		after = &store.Cursor{Value: last.At, ID: last.ID}
	}
}

// Rows are the cases somebody sees as the register has them, newest first; one case is read at a time. Exercises are in no
// register.
func (p *Parts) Rows(ctx context.Context, sees func(cases.Case) bool) (all []register.Row, err error) {
	err = p.Every(ctx, func(c cases.Case) error {
		if c.Exercise || !sees(c) {
			return nil
		}
		f, err := p.File(ctx, c.ID)
		if err == nil {
			all = append(all, register.RowOf(f))
		}
		return err
	})
	return all, err
}
