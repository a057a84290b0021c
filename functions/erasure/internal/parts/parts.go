// Package parts builds what the functions of the erasure control have in common from a function's dependencies: the data
// map, the requests, the engine that searches and erases, and the stores it does that in.
//
// What a function is not given it cannot use: whoever lacks the key of requests opens none, and whoever was given readers
// alone erases nothing.
package parts

import (
	"bytes"
	"context"
	"slices"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/opendsr/callback"
	"ostiary.internal/shared/erasure/pace"
	"ostiary.internal/shared/erasure/purge"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/erasure/survey"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Schema is what the erasure control keeps in its database.
var Schema = slices.Concat(store.Schema{outbox.Collection(), heartbeat.Collection()}, request.Collection(), run.Collection(), receipt.Collection(),
	store.Schema{purge.Collection(), survey.Collection(), callback.Collection(), callback.Certificates(), oauth.Collection(), recipient.Collection()})

// SecretMark is the secret that makes what recognises a person without naming her: a key of 32 bytes or more. When it is to change, the
// new key stands on a line before the ones there were: nothing recognises what was made with a key that is gone.
const SecretMark = "erasure-mark"

// Parts are a function's dependencies and the erasure control's services on them. It is safe for concurrent use.
type Parts struct {
	*wiring.Deps
	Map    *datamap.Map
	Tokens Vault // set by a function that may read the secrets of connections; nil where no entry of the map has any

	base     string // of links; "" where none was given
	letters  *letter.Set
	stores   stores
	requests *lazy.Value[*request.Service]
	engine   *lazy.Value[*run.Engine]
	ledger   *lazy.Value[*ledger.Ledger] // nil until it is opened
}

// New reads the data map and the letters. Misconfigured: the policy has none, or one with problems, since a place that is
// left out is data nobody erases.
func New(d *wiring.Deps) (*Parts, error) {
	m, problems := datamap.Read(d.Policy)
	switch {
	case len(problems) > 0:
		return nil, fault.New(fault.Misconfigured, "reading the data map: %s", problems[0])
	case m == nil:
		return nil, fault.New(fault.Misconfigured, "the policy has no %s: the erasure control is off", datamap.File)
	}
	letters, err := letter.Read(d.Policy.Read)
	if err != nil {
		return nil, err
	}
	p := &Parts{Deps: d, Map: m, letters: letters}
	if d.Manifest.Reads(wiring.EnvURL) {
		if p.base, err = d.Site(); err != nil {
			return nil, err
		}
	}
	if p.stores.local, err = localData(d); err != nil {
		return nil, err
	}
	p.requests, p.engine = lazy.New(p.newRequests), lazy.New(p.newEngine)
	return p, nil
}

// Page is the address of one of the control's functions for people, with a slash at its end.
func (p *Parts) Page(function string) string { return p.base + "/" + function + "/" }

// Requests returns the service that keeps requests. Misconfigured: the function was not given what that takes: the keys of
// requests and of messages, the address of the pages and the secret of marks. Members of staff can be put on record where it
// has the vault.
func (p *Parts) Requests(ctx context.Context) (*request.Service, error) { return p.requests.Get(ctx) }

func (p *Parts) newRequests(ctx context.Context) (*request.Service, error) {
	if p.RequestKeys == nil || p.MessageKeys == nil || p.base == "" {
		return nil, fault.New(fault.Misconfigured, "%s: the manifest does not ask for %s, %s and %s", p.Manifest.Name, wiring.EnvSealRequest, wiring.EnvSealMessage, wiring.EnvURL)
	}
	keys, err := p.marks(ctx)
	if err != nil {
		return nil, err
	}
	c := request.Config{
		Store: p.Store, Box: p.Box, Policy: p.Policy, Digest: p.PolicyDigest(), Rules: p.rules(), Keys: p.RequestKeys,
		Messages: seal.NewCache(p.MessageKeys, p.Random, p.Clock), Mark: keys[0], Former: keys[1:], Letters: p.letters, Directory: p,
		Guard: func(value string) error { return datamap.Guard(value, "") }, Shared: datamap.Shared,
		Page: p.Page("requesterasure") + "confirm", Desk: p.Page("decideerasure"), Random: p.Random,
	}
	c.Changed = func(tx store.Tx, r request.Request, now time.Time) (func() error, error) {
		return callback.Wake(tx, r.Tenant, r.External, now)
	}
	if c.Commit, err = p.commits(); err != nil {
		return nil, err
	}
	return request.New(c)
}

// rules are what the company decided, in its policy.
func (p *Parts) rules() request.Rules {
	l, c := p.Map.Limits, p.Policy.Company
	return request.Rules{
		Zone: c.Location(), Country: c.Country, AutoApprove: int64(l.AutoApproveItems), TenantPercent: l.TenantPercent,
		GraceDays: l.GraceDays, TargetDays: l.InternalDays, ReviewDays: l.ReviewDays, ForwardDays: l.ForwardDays, Strict: p.Map.Strict,
	}
}

// OnFile returns the address the directory has of a person: request.Service asks for it where somebody asks to be forgotten.
func (p *Parts) OnFile(ctx context.Context, tenant, email string) (found bool, address string, err error) {
	e, err := p.Engine(ctx)
	if err != nil {
		return false, "", err
	}
	return e.OnFile(ctx, tenant, email)
}

// AddressOf returns the address the directory has of whom another identifier names: request.Service asks for it where an
// administrator speaks for her.
func (p *Parts) AddressOf(ctx context.Context, tenant string, id request.Identifier) (found bool, address string, err error) {
	e, err := p.Engine(ctx)
	if err != nil {
		return false, "", err
	}
	return e.AddressOf(ctx, tenant, id)
}

// Engine returns what searches and, where the function's folder links drivers that erase and its manifest says so, erases.
// Misconfigured: the function has no key of requests.
func (p *Parts) Engine(ctx context.Context) (*run.Engine, error) { return p.engine.Get(ctx) }

func (p *Parts) newEngine(context.Context) (*run.Engine, error) {
	if p.RequestKeys == nil {
		return nil, fault.New(fault.Misconfigured, "%s: the manifest does not ask for %s", p.Manifest.Name, wiring.EnvSealRequest)
	}
	c := run.Config{
		Store: p.Store, Keys: p.RequestKeys, Random: p.Random, Clock: p.Clock, Map: p.Map, Zone: p.Policy.Company.Location(), Reader: p.Reader,
	}
	if slices.Contains(p.Manifest.Permissions, mayList) {
		c.Lister = p.Lister
	}
	if p.erases() {
		if p.ledger == nil {
			return nil, fault.New(fault.Misconfigured, "%s: nobody opened the ledger of who was erased", p.Manifest.Name)
		}
		c.Eraser, c.Suppress, c.Names, c.Disconnect = p.Eraser, p.suppress, p.names, p.disconnect
	}
	return run.New(c)
}

// Clerk returns who takes requests to the engine. budget is the time of one call: less than the function's time-out.
func (p *Parts) Clerk(ctx context.Context, budget time.Duration) (*run.Clerk, error) {
	requests, err := p.Requests(ctx)
	if err != nil {
		return nil, err
	}
	engine, err := p.Engine(ctx)
	if err != nil {
		return nil, err
	}
	return &run.Clerk{Requests: requests, Engine: engine, Budget: budget}, nil
}

// Book returns what keeps receipts. Whoever signs them brings the key.
func (p *Parts) Book(context.Context) (*receipt.Book, error) {
	return &receipt.Book{Store: p.Store, Box: p.Box, Policy: p.PolicyDigest(), Promises: p.Promises(receipt.Control)}, nil
}

// secret reads one secret by its name, where the function has any.
func (p *Parts) secret(ctx context.Context, name string) ([]byte, error) {
	if p.Secrets == nil {
		return nil, fault.New(fault.Misconfigured, "reading secret %q: %s has no secrets", name, p.Manifest.Name)
	}
	return p.Secrets.Get(ctx, name)
}

// Mark is the key that marks are made with.
func (p *Parts) Mark(ctx context.Context) ([]byte, error) {
	keys, err := p.marks(ctx)
	if err != nil {
		return nil, err
	}
	return keys[0], nil
}

// marks are the keys of marks, the newest in front.
func (p *Parts) marks(ctx context.Context) ([][]byte, error) {
	text, err := p.secret(ctx, SecretMark)
	if err != nil {
		return nil, err
	}
	return markKeys(text), nil
}

// markKeys reads what is kept of the keys of marks: lines, where each of them is a key; else one key of whatever bytes.
func markKeys(text []byte) [][]byte {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	for i, line := range lines {
		lines[i] = bytes.TrimSpace(line)
		if len(lines[i]) < request.LeastKey || bytes.ContainsFunc(lines[i], func(r rune) bool { return r <= ' ' || r > '~' }) {
			return [][]byte{text}
		}
	}
	if len(lines) == 1 {
		return [][]byte{text} // as it always was, whatever stands at its end
	}
	return lines
}

// Sweeper returns what erases by age; of a function that may not erase, what tells how that stands.
func (p *Parts) Sweeper() (*purge.Sweeper, error) {
	c := purge.Config{
		Store: p.Store, Box: p.Box, Keys: p.RequestKeys, Random: p.Random, Clock: p.Clock, Map: p.Map, Zone: p.Policy.Company.Location(),
		Policy: p.PolicyDigest(), Promises: p.Promises(purge.Control), Held: p.Held, Pace: pace.New(p.Store, clock.System{}, p.Map.Limits.RatePerSecond),
	}
	for _, t := range p.Policy.Tenants {
		c.Tenants = append(c.Tenants, t.ID)
	}
	c.People = p.Policy.People
	if p.erases() {
		c.Eraser = p.Eraser
	}
	if p.erases() && p.Vault != nil {
		v, err := p.ForgettingVault()
		if err != nil {
			return nil, err
		}
		c.Forget = forgetting(v)
	}
	return purge.New(c)
}
