package firestore

import (
	"context"

	"cloud.google.com/go/firestore"

	"ostiary.internal/shared/platform/store/internal/engine"
)

// decision is what one run of a transaction's body came to.
type decision struct {
	writes []engine.Write
	err    error
}

// update runs fn as the body of a transaction. The client runs the transaction beside us and asks for a decision as
// often as it needs one, while fn runs here: if it panics, the panic goes its way with its stack, and the
// transaction is still rolled back. Left open it would keep what it has read locked for a minute.
func update(ctx context.Context, client *firestore.Client, fn func(engine.Reader) ([]engine.Write, error)) error {
	attempts, decisions, ended := make(chan *reader), make(chan decision), make(chan error, 1)
	defer close(decisions)
	var outcome error
	go func() {
		ended <- client.RunTransaction(ctx, func(_ context.Context, tx *firestore.Transaction) error {
			r := inside(tx, client)
			attempts <- r
			d, decided := <-decisions
			if !decided {
				return stopped{}
			}
			if aborted(r.failed) {
				return r.failed // whatever fn made of it: the client runs it again
			}
			if outcome = d.err; outcome != nil {
				return stopped{}
			}
			for _, w := range d.writes {
				if err := write(client, tx, w); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	for {
		select {
		case r := <-attempts:
			writes, err := fn(r)
			decisions <- decision{writes, err}
		case err := <-ended:
			if err == (stopped{}) {
				return outcome
			}
			return classify(err)
		}
	}
}

// stopped ends a transaction whose body returned an error of its own. That error stays outside: where it happens
// to carry an Aborted of some other service, the client would take it for ours and run the body again.
type stopped struct{}

func (stopped) Error() string { return "the transaction's body returned an error" }

// write adds one write to the transaction.
func write(client *firestore.Client, tx *firestore.Transaction, w engine.Write) error {
	ref := client.Collection(w.Collection).Doc(w.ID)
	switch {
	case w.Delete:
		return tx.Delete(ref)
	case w.Create:
		return tx.Create(ref, native(w.Body))
	}
	return tx.Set(ref, native(w.Body))
}
