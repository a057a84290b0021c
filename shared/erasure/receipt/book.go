package receipt

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Control is the check under whose name the evidence speaks of receipts: that of the requests they are about.
const Control = "dsr-desk"

// Usual is how long a receipt is kept unless a company says otherwise: as long as the request, without what was given with it.
const Usual = 3 * 366 * 24 * time.Hour

// least is how long a receipt is kept at least: longer than the searches go on, and longer than anybody may take to ask for it.
const least = 366 * 24 * time.Hour

// Names of the collections of the database "erasure".
const (
	receipts = "receipts" // by request and number
	chains   = "chains"   // the newest receipt of each tenant
)

// Collection declares what the control's schema holds for this package.
func Collection() []store.Collection {
	return []store.Collection{{Name: receipts, Indexes: []store.Index{{"request"}, {"waits"}}, Expires: true}, {Name: chains}}
}

// page is one receipt as it is stored.
type page struct {
	V       int       `json:"v"`
	Request string    `json:"request"`
	Number  int       `json:"number"` // of the request's receipts, from 1
	Text    string    `json:"text"`   // canonical while it waits for its signatures, then the file a person gets
	Waits   bool      `json:"waits"`
	Expires time.Time `json:"expires"`
}

// chain is where a tenant's receipts stand. Its id is the tenant's commitment.
type chain struct {
	V      int       `json:"v"`
	Seq    int64     `json:"seq"`
	Digest string    `json:"digest"`
	Issued time.Time `json:"issued"`
}

// Book keeps receipts: one chain a tenant. It promises that of one request and number there is one receipt, however often
// it is asked for and whoever dies meanwhile, that no two receipts of a tenant follow the same one, and that the digest of
// each is put on record in the transaction that makes it. Signing waits for another service and is no part of that
// transaction: what was made and not signed is found by Unsigned. An Ed25519 signature of the same bytes is the same bytes,
// so two who sign at once do no harm. It is safe for concurrent use.
type Book struct {
	Store    store.Store
	Box      *outbox.Box   // of the same database
	Policy   string        // record.Digest of the policy in force
	Promises []string      // that requests keep
	Keep     time.Duration // 0 for Usual; less than a year counts as a year
}

func pageID(request string, n int) string { return request + "." + strconv.Itoa(n) }

// Issue makes the receipt of a request with a number, from 1, puts it on record and returns it; one that was made before is
// returned as it is, whatever draft says. It goes behind the tenant's newest receipt, and amends the request's one before.
// Errors are those of Build and of the store; Invalid too for a receipt too large to be kept.
func (b *Book) Issue(ctx context.Context, n int, draft Receipt, identifiers ...string) (made Receipt, err error) {
	if n < 1 || !idForm.MatchString(draft.Request) {
		return made, fault.New(fault.Invalid, "making a receipt: request or number is none")
	}
	err = b.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		made, err = b.issue(tx, batch, n, draft, identifiers)
		return err
	})
	return made, err
}

func (b *Book) issue(tx store.Tx, batch *outbox.Batch, n int, draft Receipt, identifiers []string) (Receipt, error) {
	var before page
	if err := tx.Get(receipts, pageID(draft.Request, n), &before); err == nil {
		return before.receipt()
	} else if !fault.Is(err, fault.NotFound) {
		return Receipt{}, err
	}
	if n > 1 {
		if err := tx.Get(receipts, pageID(draft.Request, n-1), &before); err == nil {
			amended, err := before.receipt()
			if err != nil {
				return Receipt{}, err
			}
			if draft.Amends, err = amended.Digest(); err != nil {
				return Receipt{}, err
			}
		} else if !fault.Is(err, fault.NotFound) { // one that has expired by now is amended no more
			return Receipt{}, err
		}
	}
	var head chain
	if err := tx.Get(chains, draft.Tenant, &head); err != nil && !fault.Is(err, fault.NotFound) {
		return Receipt{}, err
	}
	if draft.Issued.Before(head.Issued) {
		draft.Issued = head.Issued // by a clock that goes ahead of this one
	}
	made, err := build(draft, link{head.Seq, head.Digest, draft.Tenant, head.Issued}, identifiers)
	if err != nil {
		return Receipt{}, err
	}
	canonical, err := made.Canonical()
	if err != nil {
		return Receipt{}, err
	}
	if err := b.record(batch, n, made, digest(canonical)); err != nil {
		return Receipt{}, err
	}
	keep := max(cmp.Or(b.Keep, Usual), least)
	kept := page{V: Version, Request: made.Request, Number: n, Text: string(canonical), Waits: true, Expires: made.Issued.Add(keep)}
	if err := tx.Put(chains, made.Tenant, chain{V: Version, Seq: made.Seq, Digest: digest(canonical), Issued: made.Issued}); err != nil {
		return Receipt{}, err
	}
	return made, tx.Create(receipts, pageID(made.Request, n), kept)
}

// record puts the digest on record: whoever holds a receipt finds in the log that, and when, it was made.
func (b *Book) record(batch *outbox.Batch, n int, r Receipt, name string) error {
	rec := record.New(record.DSR, Control, "receipt "+name, b.Promises...)
	rec.Config, rec.Method = b.Policy, record.Test
	rec.Source.Type, rec.Source.Observed, rec.Source.Collected = "receipt", r.Issued, r.Issued
	rec.Facts = map[string]string{"event": "receipt", "receipt": name, "number": strconv.Itoa(n), "state": string(r.State), "kind": string(r.Kind), "map": r.Map, "plan": r.Plan}
	if r.Subject != "" {
		rec.Subjects = []record.Subject{{Type: "request", C: r.Subject}}
	}
	return rec.Put(batch)
}

// receipt reads what a page holds, signed or not.
func (p page) receipt() (Receipt, error) {
	text := []byte(p.Text)
	if p.Waits {
		text = slices.Concat([]byte(`{"receipt":`), text, []byte(`,"signatures":[]}`))
	}
	r, err := Parse(text)
	if err != nil {
		return Receipt{}, fault.New(fault.Misconfigured, "reading a receipt that is kept: %w", err)
	}
	return r, nil
}

// atOnce is how many receipts are signed in one go.
const atOnce = 100

// Unsigned returns receipts that wait for their signatures, a hundred at most.
func (b *Book) Unsigned(ctx context.Context) ([]Receipt, error) {
	pages, err := store.Find[page](b.Store.Query(ctx, store.Query{Collection: receipts, Equal: []store.Field{{Name: "waits", Value: true}}, Limit: atOnce}))
	if err != nil {
		return nil, err
	}
	all := make([]Receipt, len(pages))
	for i, p := range pages {
		if all[i], err = p.receipt(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Attach keeps the file that Sign made of a receipt. One that is signed already is left as it is. Invalid: it is not the
// file of a receipt that was made.
func (b *Book) Attach(ctx context.Context, file []byte) error {
	signed, err := parse(file)
	if err != nil {
		return err
	}
	canonical, err := encode(signed.Receipt)
	if err != nil {
		return err
	}
	pages, err := b.of(ctx, signed.Receipt.Request)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(pages, func(p page) bool {
		r, err := p.receipt()
		return err == nil && r.Seq == signed.Receipt.Seq && r.Tenant == signed.Receipt.Tenant
	})
	if at < 0 {
		return fault.New(fault.Invalid, "keeping a signed receipt: none of that number was made")
	}
	id := pageID(pages[at].Request, pages[at].Number)
	return b.Store.Tx(ctx, func(tx store.Tx) error {
		var p page
		if err := tx.Get(receipts, id, &p); err != nil {
			return err
		}
		if !p.Waits {
			return nil
		}
		if len(signed.Signatures) == 0 || !bytes.Equal([]byte(p.Text), canonical) {
			return fault.New(fault.Invalid, "keeping a signed receipt: it is not the one that was made, or nobody signed it")
		}
		p.Text, p.Waits = string(file), false
		return tx.Put(receipts, id, p)
	})
}

// Sign signs what waits, by every key in turn. One that cannot be signed does not hold up the others.
func (b *Book) Sign(ctx context.Context, signers ...sign.Signer) error {
	waiting, err := b.Unsigned(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, r := range waiting {
		file, err := Sign(ctx, r, signers...)
		if err == nil {
			err = b.Attach(ctx, file)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("signing a receipt that waits: %w", err))
		}
	}
	return errors.Join(failed...)
}

// File returns the newest signed receipt of a request, as a person gets it. NotFound while there is none.
func (b *Book) File(ctx context.Context, request string) ([]byte, error) {
	pages, err := b.of(ctx, request)
	if err != nil {
		return nil, err
	}
	for _, p := range slices.Backward(pages) {
		if !p.Waits {
			return []byte(p.Text), nil
		}
	}
	return nil, fault.New(fault.NotFound, "reading a receipt: the request has none yet that is signed")
}

// Made returns the receipt of a request with a number, signed or not. NotFound where there is none.
func (b *Book) Made(ctx context.Context, request string, n int) (Receipt, error) {
	var p page
	if err := b.Store.Get(ctx, receipts, pageID(request, n), &p); err != nil {
		return Receipt{}, err
	}
	return p.receipt()
}

// of returns the pages of a request, the first first.
func (b *Book) of(ctx context.Context, request string) ([]page, error) {
	if !idForm.MatchString(request) || strings.Contains(request, ".") {
		return nil, nil
	}
	pages, err := store.Find[page](b.Store.Query(ctx, store.Query{Collection: receipts, Equal: []store.Field{{Name: "request", Value: request}}, Limit: store.MaxQueryResults}))
	slices.SortFunc(pages, func(a, b page) int { return cmp.Compare(a.Number, b.Number) })
	return pages, err
}
