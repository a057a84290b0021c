package erasure

import (
	"context"
	"crypto/x509"
	"io"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// Options are what every driver receives.
type Options struct {
	Clock clock.Clock
	// Loopback lets a hook be on this machine and without TLS: local mode. Deployed, it is refused.
	Loopback bool
	// Roots are the authorities a hook's certificate may come from; nil for the system's.
	Roots *x509.CertPool
	// Secret reads one secret by its name, for a URL that names one (a password, a signing key); nil where there is none.
	Secret func(ctx context.Context, name string) ([]byte, error)
}

// Readers opens stores for reading, Stores for erasing: the account that plans and verifies can not write, so
// a driver registers in both under one scheme, and asks for less in the first. URLs: firestore://PROJECT/DATABASE,
// gcs://BUCKET, mongodb://…, postgres://…, https://… (a hook).
var (
	Readers = driver.NewRegistry[Options, Reader]("data to search")
	Stores  = driver.NewRegistry[Options, Store]("data to erase")
)

// Reader searches one store. It is safe for concurrent use. Errors are of package fault: Invalid (a query the store
// cannot carry out as it stands; never silently an empty answer), NotFound (the place itself does not exist),
// Exhausted (with RetryAfter where the store says), Transient, Denied, Misconfigured. No error's text holds an
// identifier or a Ref.
type Reader interface {
	// Find returns the page behind cursor ("" for the first), at most limit items (1 to MaxPage). It reads in
	// proportion to what belongs to the subject, not to what the place holds, and never from the start again. Items of
	// other tenants that match are returned with their own Tenant, for the caller to raise the alarm.
	Find(ctx context.Context, q Query, cursor string, limit int) (Page, error)

	// Values reads field of the items q finds, sorted, without doubles and without "", at most limit: the identifiers
	// derived from those known. More than limit is Exhausted, never a part.
	Values(ctx context.Context, q Query, field string, limit int) ([]string, error)

	// Group counts, for each item q finds, how many items of the place (of the same tenant) share its values of
	// fields, and returns the smallest count; 0 when q finds none.
	Group(ctx context.Context, q Query, fields []string) (int, error)

	// Places lists what there is to be mapped: root collections and collection groups, top-level prefixes of a bucket,
	// tables. Sorted. At most limit; more is Exhausted.
	Places(ctx context.Context, limit int) ([]string, error)

	// Traces tells what erasing leaves behind in the store.
	Traces(ctx context.Context) (Traces, error)

	io.Closer
}

// Store searches and erases.
type Store interface {
	Reader

	// Erase does q.Action to the items, which a Find of q returned, and answers one Result for each, in their order.
	// It checks the tenant of each item again where it acts, in the same atomic step as the erasing, and the version where
	// the store has one. An error means nothing is known of items without a result; to call it again with the same items
	// does no harm and answers OutcomeGone for those it had erased.
	Erase(ctx context.Context, q Query, items []Item) ([]Result, error)
}
