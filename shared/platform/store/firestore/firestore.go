// Package firestore keeps a store in a Firestore database: production's driver.
//
// Documents are native, so that the console shows them; "expires" is a native timestamp, so that a time-to-live
// policy deletes what has expired (Firestore does so within about a day; readers never wait for it). Each index of
// the schema needs a composite index in both directions where it has more than one field; the driver cannot check
// that they are there: without one a query is Misconfigured.
//
// Every call ends within a minute. The emulator is used where FIRESTORE_EMULATOR_HOST is set, and refused on Cloud
// Run.
package firestore

import (
	"context"
	"net/url"
	"os"
	"strings"
	"time"

	"cloud.google.com/go/firestore"
	"google.golang.org/api/option"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/internal/engine"
)

func init() { store.Drivers.Register("firestore", openURL) }

// patience bounds one call or transaction: the client retries an unavailable database until the context ends, and
// some callers' contexts never do.
const patience = time.Minute

const emulatorVariable = "FIRESTORE_EMULATOR_HOST"

// New returns the store in a project's database, such as "(default)". It connects at first use. The client options
// are for tests; production needs none. A faulty schema, a missing name and an emulator on Cloud Run are
// Misconfigured.
func New(project, database string, o store.Options, client ...option.ClientOption) (store.Store, error) {
	if err := check(project, database, os.Getenv); err != nil {
		return nil, err
	}
	b := &backend{lazy.New(func(ctx context.Context) (*firestore.Client, error) {
		// The client outlives the request that happened to need it first.
		c, err := firestore.NewClientWithDatabase(context.WithoutCancel(ctx), project, database, client...)
		if err != nil {
			return nil, fault.New(fault.Misconfigured, "connecting to Firestore database %q: %w", database, err)
		}
		return c, nil
	})}
	s, err := engine.New(b, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openURL opens firestore://PROJECT/DATABASE.
func openURL(_ context.Context, u *url.URL, o store.Options) (store.Store, error) {
	database := strings.TrimPrefix(u.Path, "/")
	if u.Host == "" || database == "" || strings.Contains(database, "/") || u.RawQuery != "" || u.User != nil {
		return nil, fault.New(fault.Misconfigured, "store: a Firestore URL is firestore://PROJECT/DATABASE")
	}
	return New(u.Host, database, o)
}

func check(project, database string, getenv func(string) string) error {
	if project == "" || database == "" {
		return fault.New(fault.Misconfigured, "opening a Firestore store: project or database has no name")
	}
	if getenv("K_SERVICE") != "" && getenv(emulatorVariable) != "" {
		return fault.New(fault.Misconfigured, "opening a Firestore store: %s is set on Cloud Run", emulatorVariable)
	}
	return nil
}

// backend is one database.
type backend struct {
	client *lazy.Value[*firestore.Client]
}

func (b *backend) Read(ctx context.Context, fn func(engine.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := b.client.Get(ctx)
	if err != nil {
		return err
	}
	return fn(outside(ctx, client))
}

func (b *backend) Update(ctx context.Context, fn func(engine.Reader) ([]engine.Write, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := b.client.Get(ctx)
	if err != nil {
		return err
	}
	return update(ctx, client, fn)
}

func (b *backend) Close() error { return lazy.Close(b.client) }
