package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/shared/evidence/record"
)

// delivered is what became of a notice for one recipient.
type delivered struct {
	Tenant, Progress string
	Ways             []string
}

func (b *breach) check(ctx context.Context) error {
	mail, err := b.post.fresh(ctx)
	if err != nil {
		return err
	}
	customersOnce(b.oracle, mail)
	approved := b.counts()["notices approved"]
	b.log.counts("the approval of a notice", approved, min(1, len(b.cases)-approved), func(r record.Record) bool { return r.Facts["event"] == "notice_approve" })
	for _, c := range b.cases {
		var list struct{ Deliveries []delivered }
		if c.approved {
			a, err := b.client.again(ctx, call{kind: "breaches", method: "GET", path: "/declarebreach/v1/breaches/" + c.id + "/notices/1/deliveries", as: &caller{email: simone}})
			if err != nil {
				return err
			}
			if err := a.into(&list); err != nil || !a.good() {
				return fmt.Errorf("listing deliveries: %s, %w", a, err)
			}
		}
		noticesOnce(b.oracle, c, list.Deliveries, mail)
	}
	return nil
}

// noticesOnce: nobody has a notice twice on one way, nobody has one that was not approved, and whoever the case says was
// told has it. Whom no try reached, as where days passed between two of them, the case calls lost or in doubt, and
// somebody telephones: it says nothing of the kind of anybody who has it.
func noticesOnce(o *oracle, c *incident, list []delivered, mail []message) {
	has := map[string]int{}
	for _, m := range mail {
		if strings.Contains(m.Text, c.word) {
			has[m.To]++
			o.holds(noticeOnce, slices.Contains(recipients, m.To) || !strings.Contains(m.To, "@"), "the notice of case %s went to %s", c.client, m.To)
		}
	}
	for address, times := range has {
		o.holds(noticeOnce, times == 1, "%s has the notice of case %s %d times", address, c.client, times)
	}
	tried := slices.IndexFunc(steps, func(s step) bool { return s.path == "/notices/1/approve" })
	o.holds(noticeOnce, len(has) == 0 || c.step >= tried, "of case %s a notice went to %v before it was approved", c.client, has)
	if !c.approved {
		return
	}
	o.holds(noticeOnce, len(list) == len(recipients), "case %s has %d recipients, not %d", c.client, len(list), len(recipients))
	arrived := 0
	for _, d := range list {
		o.holds(noticeOnce, d.Progress != "going", "the notice of case %s to %s is still %s though nothing fails", c.client, d.Tenant, d.Progress)
		if d.Progress == "arrived" {
			arrived++
		}
		for address := range has {
			reached := slices.ContainsFunc(d.Ways, func(way string) bool { return strings.Contains(way, address) })
			o.holds(noticeOnce, d.Progress != "lost" || !reached, "case %s says that no try reached %s, and %s has the notice", c.client, d.Tenant, address)
		}
	}
	told := 0
	for range has {
		told++
	}
	o.holds(noticeOnce, told >= arrived, "case %s says that %d recipients were told; %d have a message", c.client, arrived, told)
}

// customersOnce: no message to a customer was sent twice; those to staff may be.
func customersOnce(o *oracle, mail []message) {
	times := map[string]int{}
	for _, m := range mail {
		if slices.Contains(recipients, m.To) || strings.HasSuffix(m.To, "@mail.example") {
			times[m.ID+" to "+m.To]++
		}
	}
	for what, n := range times {
		o.holds(noticeOnce, n == 1, "the message %s was sent %d times", what, n)
	}
}
