package request

import "context"

// ask asks on the public page.
func (w *world) ask(address string) Receipt {
	w.t.Helper()
	r, err := w.Ask(context.Background(), Ask{Tenant: "acme", Email: address, Source: "net-1", Language: "fr"}, w.now())
	w.must(err)
	return r
}

// proved is a request of a known person, who has confirmed it.
func (w *world) proved(address string) Receipt {
	w.t.Helper()
	ctx := context.Background()
	w.known("acme", address)
	r := w.ask(address)
	w.must(w.Identify(ctx, r.ID, w.now()))
	_, err := w.Confirm(ctx, r.Number, w.code(r.ID), w.now())
	w.must(err)
	return r
}

// plan is one that needs nobody.
func plan() Plan { return Plan{Digest: "sha256:aa", Map: "bb", Items: 7, Own: true, Share: 1} }

// erased brings a request to the end of its first search.
func (w *world) erased(id string, o Outcome) Request {
	w.t.Helper()
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
	w.t.Helper()
	r, err := w.Planned(context.Background(), id, w.read(id).Round, p, w.now())
	w.must(err)
	return r
}
