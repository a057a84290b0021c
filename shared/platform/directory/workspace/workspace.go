// Package workspace reads accounts from Google Workspace through the Admin SDK (users.get), and nothing else: it
// asks for one read-only scope, five fields and one account at a time. It does not list people and it changes
// nothing. Its URL is one of
//
//	workspace:                                   the function's own identity asks
//	workspace:?account=SA                        the service account SA asks, through IAM Credentials
//	workspace:?account=SA&impersonate=ADMIN      SA asks in the name of ADMIN (domain-wide delegation, no key file)
//
// What a person must set up, once, besides enabling admin.googleapis.com in the project: for the first two, an
// administrator of Workspace assigns a custom admin role with the one privilege "Users: Read" of the Admin API to
// the service account, and there is no domain-wide delegation. For the third, the administrator delegates the
// scope of Permissions to the client id of SA, and ADMIN holds that role. Both forms with account also need
// iamcredentials.googleapis.com, and roles/iam.serviceAccountTokenCreator on SA for the function's own identity,
// even where the two are the same.
package workspace

import (
	"context"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	admin "google.golang.org/api/admin/directory/v1"
	"google.golang.org/api/impersonate"
	"google.golang.org/api/option"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/lazy"
)

// Permissions names what each method needs: a Workspace scope, granted as the package comment says. No IAM
// permission of the project stands behind it.
var Permissions = map[string][]string{
	"Lookup": {admin.AdminDirectoryUserReadonlyScope},
}

const (
	callTimeout = 10 * time.Second
	maxCopies   = 4096 // accounts remembered; each is a few hundred bytes
)

// Settings say in whose name to ask; both are addresses, both may be empty.
type Settings struct {
	Account     string // service account that asks; "" for the function's own identity
	Impersonate string // administrator in whose name it asks; needs Account
}

func init() { directory.Drivers.Register("workspace", open) }

func open(_ context.Context, u *url.URL, o directory.Options) (directory.Directory, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.Opaque != "" || u.Host != "" || u.Path != "" {
		return nil, fault.New(fault.Misconfigured, "opening directory workspace: the URL is workspace:?account=SA&impersonate=ADMIN")
	}
	for name, values := range query {
		if name != "account" && name != "impersonate" || len(values) != 1 {
			return nil, fault.New(fault.Misconfigured, "opening directory workspace: setting %q; allowed once each: account, impersonate", name)
		}
	}
	return New(o, Settings{Account: query.Get("account"), Impersonate: query.Get("impersonate")})
}

// Directory reads accounts from Workspace and remembers them for at most directory.MaxAge. It is safe for
// concurrent use.
type Directory struct {
	clock  clock.Clock
	users  *lazy.Value[*admin.UsersService]
	flight singleflight.Group

	mu     sync.Mutex
	copies map[string]directory.Account
}

// New returns a directory; it does no I/O. client are further options of the Admin SDK's client and of the one
// that mints its tokens. A missing clock, an address that is none, and Impersonate without Account are
// Misconfigured.
func New(o directory.Options, s Settings, client ...option.ClientOption) (*Directory, error) {
	if o.Clock == nil {
		return nil, fault.New(fault.Misconfigured, "opening directory workspace: no clock")
	}
	if s.Impersonate != "" && s.Account == "" {
		return nil, fault.New(fault.Misconfigured, "opening directory workspace: impersonate needs account")
	}
	for name, address := range map[string]string{"account": s.Account, "impersonate": s.Impersonate} {
		if _, err := identity.Address(address); address != "" && err != nil {
			return nil, fault.New(fault.Misconfigured, "opening directory workspace: %s is not an e-mail address", name)
		}
	}
	d := &Directory{clock: o.Clock, copies: map[string]directory.Account{}}
	d.users = lazy.New(func(ctx context.Context) (*admin.UsersService, error) { return connect(ctx, s, client, client) })
	return d, nil
}

// connect makes the client. It outlives the request that came first, so it must not end with that one's context.
func connect(ctx context.Context, s Settings, mint, ask []option.ClientOption) (*admin.UsersService, error) {
	ctx = context.WithoutCancel(ctx)
	scope := []option.ClientOption{option.WithScopes(admin.AdminDirectoryUserReadonlyScope)}
	if s.Account != "" {
		tokens, err := impersonate.CredentialsTokenSource(ctx, impersonate.CredentialsConfig{
			TargetPrincipal: s.Account,
			Scopes:          []string{admin.AdminDirectoryUserReadonlyScope},
			Subject:         s.Impersonate,
		}, mint...)
		if err != nil {
			return nil, fault.New(fault.Misconfigured, "minting tokens for the Workspace directory: %w", err)
		}
		scope = []option.ClientOption{option.WithTokenSource(tokens)}
	}
	service, err := admin.NewService(ctx, append(scope, ask...)...)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "connecting to the Workspace directory: %w", err)
	}
	return service.Users, nil
}

// Lookup implements directory.Directory. Callers who want the same account at once share one request.
func (d *Directory) Lookup(ctx context.Context, email string, maxAge time.Duration) (directory.Account, error) {
	address, err := identity.Address(email)
	if err != nil {
		return directory.Account{}, fault.New(fault.NotFound, "looking up an account: the address is malformed")
	}
	maxAge = min(max(maxAge, 0), directory.MaxAge)
	asked := d.clock.Now()
	if account, ok := d.copy(address, asked, maxAge); ok {
		return account, nil
	}
	// Minting a token does not listen to a context: whoever waits must be able to leave by herself.
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for {
		flight := d.flight.DoChan(address, func() (any, error) {
			// The one who came first may leave; the others still want the answer.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
			defer cancel()
			return d.read(ctx, address)
		})
		select {
		case r := <-flight:
			if r.Err != nil {
				return directory.Account{}, r.Err
			}
			// A request that set out before we asked may be too old for us; the next one cannot be.
			if account := r.Val.(directory.Account); !account.Read.Before(asked.Add(-maxAge)) {
				return account, nil
			}
		case <-ctx.Done():
			return directory.Account{}, fault.New(fault.Transient, "looking up an account: %w", ctx.Err())
		}
	}
}

// Close implements directory.Directory; the client keeps nothing that needs closing.
func (d *Directory) Close() error { return nil }

// copy returns what was read before, if that is young enough. A copy from a time yet to come is none.
func (d *Directory) copy(address string, now time.Time, maxAge time.Duration) (directory.Account, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	account, ok := d.copies[address]
	age := now.Sub(account.Read)
	return account, ok && maxAge > 0 && age >= 0 && age <= maxAge
}

// read asks Workspace and remembers a good answer; after any other, what was remembered is dropped.
func (d *Directory) read(ctx context.Context, address string) (directory.Account, error) {
	sent := d.clock.Now()
	account, err := d.ask(ctx, address)
	account.Read = sent
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		// A source that is merely away leaves the copy as it is: it dies at its age.
		if !fault.Is(err, fault.Transient) {
			delete(d.copies, address)
		}
		return directory.Account{}, err
	}
	if _, known := d.copies[address]; !known && len(d.copies) >= maxCopies {
		d.makeRoom(sent)
	}
	d.copies[address] = account
	return account, nil
}

// makeRoom drops the copies nobody may use any more or, when there is none, any one.
func (d *Directory) makeRoom(now time.Time) {
	for address, account := range d.copies {
		if now.Sub(account.Read) > directory.MaxAge {
			delete(d.copies, address)
		}
	}
	for address := range d.copies {
		if len(d.copies) < maxCopies {
			return
		}
		delete(d.copies, address)
	}
}
