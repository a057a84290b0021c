package request

import "context"

// ask asks on the public page.
func (w *world) ask(address string) Receipt {
	w.T.Helper()
	r, err := w.Ask(context.Background(), Ask{Tenant: "acme", Email: address, Source: "net-1", Language: "fr"}, w.now())
	w.must(err)
	return r
}

// proved is a request of a known person, who has confirmed it.
func (w *world) proved(address string) Receipt {
	w.T.Helper()
	ctx := context.Background()
	w.known("acme", address)
	r := w.ask(address)
	w.must(w.Identify(ctx, r.ID, w.now()))
	w.confirmed(r)
	return r
}

// settle has two people say that there is another owner.
func (w *world) settle(id string) error {
	for _, who := range []string{"sam", "dora"} {
		if _, err := w.Settle(context.Background(), id, w.person(who), w.now()); err != nil {
			return err
		}
	}
	return nil
}

// confirmed confirms a request with the code that went out.
func (w *world) confirmed(r Receipt) {
	w.T.Helper()
	_, err := w.Confirm(context.Background(), r.Number, w.code(r.ID), w.now())
	w.must(err)
}

// renewed has another letter with a link sent.
func (w *world) renewed(r Receipt) {
	w.T.Helper()
	w.must(w.Renew(context.Background(), r.Number, r.Secret, w.now()))
	w.must(w.Identify(context.Background(), r.ID, w.now()))
}

// plan is one that needs nobody.
func plan() Plan { return Plan{Digest: "sha256:aa", Map: "bb", Items: 7, Own: true, Share: 1} }

// erased brings a request to the end of its first search.
func (w *world) erased(id string, o Outcome) Request {
	w.T.Helper()
	ctx := context.Background()
	r := w.read(id)
	_, err := w.Started(ctx, id, r.Round, r.Plan.Digest, w.now())
	w.must(err)
	_, err = w.Executed(ctx, id, r.Round, Totals{Erased: 7}, w.now())
	w.must(err)
	r, err = w.Verified(ctx, id, r.Round, 1, o, w.now())
	w.must(err)
	return r
}

func (w *world) planned(id string, p Plan) Request {
	w.T.Helper()
	r, err := w.Planned(context.Background(), id, w.read(id).Round, p, w.now())
	w.must(err)
	return r
}

// owed does what the engine owes a request beside searching and erasing: receipts are made, what is kept is forgotten.
func (w *world) owed(id string) {
	w.T.Helper()
	ctx := context.Background()
	for {
		work, err := w.Work(ctx, id, w.now())
		w.must(err)
		switch {
		case work.Owed > 0:
			w.must(w.Receipted(ctx, id, work.Owed, w.now()))
		case work.Forget:
			w.must(w.Forgotten(ctx, id, w.now()))
		default:
			return
		}
	}
}
