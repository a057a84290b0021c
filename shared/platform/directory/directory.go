// Package directory tells the state of a person's company account: suspended or not, 2-step verification on or
// not. Who is approved, and in which role, is the policy's people.yaml; the directory can only take away.
package directory

import (
	"context"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/store"
)

// MaxAge is the greatest age of a copy, whatever a caller asks for: a suspension is felt within five minutes.
const MaxAge = 5 * time.Minute

// Options are what every driver receives.
type Options struct {
	Clock clock.Clock

	// For policy: alone. People lists the addresses of people.yaml; Store keeps the changes, and has
	// people.Collection in its schema. The directory does not close it.
	People func(ctx context.Context) ([]string, error)
	Store  store.Store
}

// Drivers opens directories by URL: policy: (the people of the policy, with changes kept in a store),
// workspace:?account=SERVICE_ACCOUNT&impersonate=ADMIN (Google Workspace Admin SDK; both settings optional).
var Drivers = driver.NewRegistry[Options, Directory]("directory")

// Account is the state of one account. Wording matters: TwoStep says that 2-step verification is enforced on
// the account, not that it was used at a sign-in.
type Account struct {
	Email     string // lower case
	Subject   string // the directory's id for the account; "" where the directory has none
	Suspended bool
	TwoStep   bool // enrolled and enforced
	Read      time.Time
}

// Directory reads accounts. It is safe for concurrent use.
type Directory interface {
	// Lookup returns the account of an address, from a copy no older than maxAge (at most 5 minutes; 0 reads
	// afresh). Errors: NotFound (no such account, or no address at all), Transient, Denied, Misconfigured. An
	// error never means "fine": the account beside it is the zero one. No error carries the address.
	Lookup(ctx context.Context, email string, maxAge time.Duration) (Account, error)
	Close() error
}
