// Package fence keeps a program of the company's own from writing data of somebody who was erased since the data was made.
//
// It is for whoever writes later than data comes in: queue workers, importers, caches that are flushed, devices that were
// offline. Such a program asks right before it writes, and writes only what Check returned nil for:
//
//	kept, err := store.Drivers.Open(ctx, "firestore://PROJECT/ledger", store.Options{Schema: store.Schema{ledger.Collection()}, Clock: clock.System{}})
//	keys, err := ledger.ReadKeys(text) // of the secret ledger-key
//	book, err := ledger.New(kept, ledger.LeastKeep, keys...)
//	gate := fence.New(book, clock.System{})
//	...
//	err = gate.Check(ctx, event.Made, event.Tenant, datamap.Controller, fence.ID{Kind: "uid", Value: event.UID})
//	switch {
//	case fence.Erased(err):
//		return nil // drop the event, it is not an error
//	case err != nil:
//		return err // not known: write nothing, ask again later
//	}
//
// The program needs to read the ledger's database and its keys, and nothing more: roles/datastore.viewer on the one,
// secretAccessor on the other. Whoever has the keys can tell whether an id he knows was erased.
//
// It promises that no answer means no: a ledger that cannot be asked, an id or a time that is missing, an address instead
// of an id, a time that is still to come. Data of a new account, made after the erasing, passes. It does not promise that
// nobody is erased between the asking and the writing: what is written then is erased by the searches that follow an
// erasure, a month long. Entries last as long as the ledger keeps them; data that waited longer passes.
package fence

import (
	"context"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// Ahead is how far the clock of whoever made the data may be before this one's.
const Ahead = 5 * time.Minute

const erased = "subject_erased"

// ID is somebody by one of her internal ids.
type ID struct {
	Kind  string // of identifier in the data map
	Value string // as the product has it; never an address
}

// Fence asks the ledger. It is safe for concurrent use.
type Fence struct {
	ledger *ledger.Ledger
	clock  clock.Clock
}

// New returns the fence of a ledger.
func New(l *ledger.Ledger, c clock.Clock) *Fence { return &Fence{l, c} }

// Check returns nil when data of somebody that was made at a time may be written: neither she, by any of her ids, nor the
// tenant as a whole was erased since from data of that role: the company's own, or what the tenant answers for. made is when the data came to be, such as the time of the event or of the upload; never
// the time of the writing. All ids the writer knows are to be given: she was erased by those that the data map led to.
// Errors: Denied where she was erased (Erased tells), Invalid (no role, no id, no time or one to come, an address), Misconfigured (an
// entry was altered), those of the store. After any error nothing may be written.
func (f *Fence) Check(ctx context.Context, made time.Time, tenant string, role datamap.Role, ids ...ID) error {
	switch {
	case len(ids) == 0:
		return fault.New(fault.Invalid, "asking the fence: whose data it is is not known")
	case made.After(f.clock.Now().Add(Ahead)):
		return fault.New(fault.Invalid, "asking the fence: the data says that it was made at a time to come")
	}
	subjects := []ledger.Subject{{Tenant: tenant, Kind: ledger.Whole, ID: tenant}}
	for _, id := range ids {
		subjects = append(subjects, ledger.Subject{Tenant: tenant, Role: role, Kind: id.Kind, ID: id.Value})
	}
	for _, s := range subjects {
		switch gone, err := f.ledger.Match(ctx, s, made); {
		case err != nil:
			return err
		case gone:
			return fault.Refuse(fault.Denied, erased, "The person, or the whole account, was erased after this data was made.", "Drop the data; write it nowhere.")
		}
	}
	return nil
}

// Erased reports whether an error of Check says that she was erased, for good: the data is dropped, not tried again.
func Erased(err error) bool { return fault.CodeOf(err) == erased }
