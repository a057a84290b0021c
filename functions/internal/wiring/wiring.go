// Package wiring builds what a function needs from its environment. Every client is made at first use: a
// function's init does no I/O, and a passing fault does not break an instance for its life.
package wiring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/secret"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"

	_ "ostiary.internal/shared/policy/gcs" // every function works by a published policy
)

// Names of the environment variables every function may read. Values are URLs of a driver the function's
// folder imports, unless said otherwise.
const (
	EnvStore       = "OSTIARY_STORE"
	EnvBus         = "OSTIARY_BUS"
	EnvSecrets     = "OSTIARY_SECRETS"
	EnvSeal        = "OSTIARY_SEAL"
	EnvSealMessage = "OSTIARY_SEAL_MESSAGE"
	EnvSealRequest = "OSTIARY_SEAL_REQUEST" // seals what people give with a request to be forgotten
	EnvSealBreach  = "OSTIARY_SEAL_BREACH"  // seals what people write about breaches
	EnvWatchdog    = "OSTIARY_WATCHDOG"     // the store of what the watchdog remembers: a database of its own, in another region
	EnvLedger      = "OSTIARY_LEDGER"       // the store of who was erased: a database of its own, outside of all backups
	EnvVault       = "OSTIARY_VAULT"        // the store of the evidence vault, which OSTIARY_SEAL's key protects
	EnvDirectory   = "OSTIARY_DIRECTORY"
	EnvEvidence    = "OSTIARY_EVIDENCE"
	EnvPolicy      = "OSTIARY_POLICY"
	EnvIdentity    = "OSTIARY_IDENTITY"       // who signs the tokens of this function's callers
	EnvClient      = "OSTIARY_CLIENT_ADDRESS" // direct | loadbalancer | header:NAME
	EnvInvoker     = "OSTIARY_INVOKER"        // address of the account that pushes and schedules
	EnvIAM         = "OSTIARY_IAM"            // "front" where IAM has checked the token; otherwise it is verified here
	EnvSourceCap   = "OSTIARY_SOURCE_CAP"     // requests a minute from one network; 1200 when not set
	EnvProject     = "OSTIARY_PROJECT"        // for the trace links in the log
	EnvURL         = "OSTIARY_URL"            // where people reach the pages, such as https://ostiary.example
	EnvCode        = "OSTIARY_CODE"           // record.Digest of the deployed source archive; every record names it
)

// Env looks a variable up, as os.LookupEnv does.
type Env func(name string) (string, bool)

// Deps is what a function is built from. Fields a function's manifest does not ask for are nil.
type Deps struct {
	Manifest    manifest.Function
	Env         Env
	Clock       clock.Clock
	Random      io.Reader
	Log         *slog.Logger
	Code        string // record.Digest of the code that runs, which every record names; "" where nobody can tell
	Policy      *policy.Policy
	Store       store.Store
	Bus         bus.Publisher
	Inbox       record.Inbox
	Box         *outbox.Box
	Secrets     secret.Store
	Seal        seal.Keys
	Vault       store.Store // what only the evidence vault reads and writes; see OpenVault
	MessageKeys seal.Keys   // seals what messages say; only deliver may open it
	RequestKeys seal.Keys   // seals what people give with a request to be forgotten, and how far it has come
	BreachKeys  seal.Keys   // seals what people write about breaches
	Directory   directory.Directory
	Identity    identity.Verifier
	Client      web.Layout

	inboxes map[string]record.Inbox // by whose place it is: Inbox, and those of the functions it sweeps for
	kept    []io.Closer
}

// Options are what the process gives to every function it holds.
type Options struct {
	Env       Env
	Clock     clock.Clock
	Log       *slog.Logger
	Code      string            // record.Digest of the code that runs; "" to read OSTIARY_CODE
	Policy    *policy.Policy    // already loaded; nil to open OSTIARY_POLICY
	Transport http.RoundTripper // fetches the public keys of token issuers; nil for the default
	Directory directory.Options // for drivers that need more than a URL; its clock is filled in
}

// Open builds the dependencies that f's manifest asks for. A variable that is missing or unreadable is
// Misconfigured: a default never stands in for it.
func Open(ctx context.Context, f manifest.Function, schema store.Schema, o Options) (*Deps, error) {
	d := &Deps{Manifest: f, Env: o.Env, Clock: o.Clock, Random: rand.Reader, Log: o.Log, Policy: o.Policy}
	o.Directory.Clock = o.Clock
	if err := RefuseEmulators(o.Env); err != nil {
		return nil, err
	}
	var err error
	if d.Code, err = code(o); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	for _, seam := range d.seams(ctx, schema, o) {
		if !seam.wanted {
			continue
		}
		value, set := o.Env(seam.variable)
		if !set || value == "" {
			return nil, fault.New(fault.Misconfigured, "%s: %s is not set", f.Name, seam.variable)
		}
		if err := seam.open(value); err != nil {
			return nil, fmt.Errorf("%s: opening %s: %w", f.Name, seam.variable, err)
		}
	}
	// A function that only reads declares no outbox, and has none to sweep.
	if slices.ContainsFunc(schema, func(c store.Collection) bool { return c.Name == outbox.Collection().Name }) {
		d.Box = d.box(d.Store)
	}
	return d, nil
}

// seam is one variable and what it opens.
type seam struct {
	variable string
	wanted   bool
	open     func(url string) error
}

func (d *Deps) seams(ctx context.Context, schema store.Schema, o Options) []seam {
	f := d.Manifest
	return []seam{
		{EnvPolicy, o.Policy == nil, into(&d.Policy, func(u string) (*policy.Policy, error) { return openPolicy(ctx, u, o.Log) })},
		{EnvStore, len(schema) > 0, into(&d.Store, func(u string) (store.Store, error) {
			return store.Drivers.Open(ctx, u, store.Options{Schema: schema, Clock: o.Clock})
		})},
		{EnvBus, len(f.Publishes) > 0, into(&d.Bus, func(u string) (bus.Publisher, error) {
			return bus.Drivers.Open(ctx, u, bus.Options{Clock: o.Clock})
		})},
		// Who may not write to the inbox links no driver for it, whatever it reads in its control's database.
		{EnvEvidence, len(schema) > 0 && f.Evidence != nil, func(u string) error { return d.openInboxes(ctx, u) }},
		{EnvSecrets, f.ReadsSecrets(), into(&d.Secrets, func(u string) (secret.Store, error) {
			return secret.Drivers.Open(ctx, u, secret.Options{Clock: o.Clock})
		})},
		{EnvSeal, f.Reads(EnvSeal), into(&d.Seal, func(u string) (seal.Keys, error) { return seal.Drivers.Open(ctx, u, seal.Options{}) })},
		{EnvVault, f.Reads(EnvVault), into(&d.Vault, func(u string) (store.Store, error) {
			return store.Drivers.Open(ctx, u, store.Options{Schema: vault.Collection(), Clock: o.Clock})
		})},
		{EnvSealMessage, f.Reads(EnvSealMessage), into(&d.MessageKeys, func(u string) (seal.Keys, error) { return seal.Drivers.Open(ctx, u, seal.Options{}) })},
		{EnvSealRequest, f.Reads(EnvSealRequest), into(&d.RequestKeys, func(u string) (seal.Keys, error) { return seal.Drivers.Open(ctx, u, seal.Options{}) })},
		{EnvSealBreach, f.Reads(EnvSealBreach), into(&d.BreachKeys, func(u string) (seal.Keys, error) { return seal.Drivers.Open(ctx, u, seal.Options{}) })},
		{EnvDirectory, f.Reads(EnvDirectory), into(&d.Directory, func(u string) (directory.Directory, error) {
			return directory.Drivers.Open(ctx, u, o.Directory)
		})},
		{EnvIdentity, f.Callers == manifest.Staff || !d.Fronted(), into(&d.Identity, func(u string) (identity.Verifier, error) {
			return identity.Drivers.Open(ctx, u, identity.Options{Clock: o.Clock, Transport: o.Transport})
		})},
		{EnvClient, f.Callers != manifest.Machine, into(&d.Client, web.ParseLayout)},
	}
}

func into[T any](field *T, open func(string) (T, error)) func(string) error {
	return func(url string) error {
		value, err := open(url)
		if err == nil {
			*field = value
		}
		return err
	}
}

func openPolicy(ctx context.Context, url string, log *slog.Logger) (*policy.Policy, error) {
	p, err := policy.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	for _, problem := range p.Dangling {
		log.WarnContext(ctx, "the policy refers to nothing", "problem", problem.String())
	}
	return p, nil
}

// Keep closes c when the process lets the function go: what a function opened beside its dependencies.
func (d *Deps) Keep(c io.Closer) { d.kept = append(d.kept, c) }

// Close closes what was kept. A deployed instance never does.
func (d *Deps) Close() error {
	var failed []error
	for _, c := range d.kept {
		failed = append(failed, c.Close())
	}
	d.kept = nil
	return errors.Join(failed...)
}

// OpenVault returns the evidence vault, on an outbox of its own: what it erases and what tells of it are one
// transaction. Misconfigured: the function has no vault, or no key for it.
func (d *Deps) OpenVault() (*vault.Vault, error) {
	if d.Vault == nil || d.Seal == nil {
		return nil, fault.New(fault.Misconfigured, "%s: the manifest does not ask for both %s and %s", d.Manifest.Name, EnvVault, EnvSeal)
	}
	return d.vault(d.Seal)
}

// Site is where people reach the pages, without a slash at its end: of one that cannot be opened from a message nobody
// would know. Misconfigured: OSTIARY_URL is not the address of a site.
func (d *Deps) Site() (string, error) {
	value, _ := d.Env(EnvURL)
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", fault.New(fault.Misconfigured, "%s: not the address of a site, such as https://ostiary.example", EnvURL)
	}
	return u.Scheme + "://" + u.Host, nil
}

// Fronted reports whether IAM has checked the caller's token before the request came here.
func (d *Deps) Fronted() bool {
	value, _ := d.Env(EnvIAM)
	return value == "front"
}

// PolicyDigest names the policy in records.
func (d *Deps) PolicyDigest() string { return "sha256:" + d.Policy.Digest }

// Promises returns the ids of the promises that a check keeps, as the policy binds them.
func (d *Deps) Promises(check string) []string {
	var ids []string
	for _, p := range d.Policy.Promises {
		for _, k := range p.KeptBy {
			if k.Mechanism == policy.Records && slices.Contains(k.Refs, check) {
				ids = append(ids, p.ID)
				break
			}
		}
	}
	return ids
}

// sourceCap is how many requests a minute one network may make: an office of hundreds sits behind one.
const sourceCap = 1200

// Served is the function's handler with what all functions have in common.
func (d *Deps) Served(routes ...web.Route) (web.Function, error) {
	perMinute := sourceCap
	if value, set := d.Env(EnvSourceCap); set {
		var err error
		if perMinute, err = strconv.Atoi(value); err != nil || perMinute < web.LeastPerMinute {
			return web.Function{}, fault.New(fault.Misconfigured, "%s: not a number of at least %d", EnvSourceCap, web.LeastPerMinute)
		}
	}
	_, deployed := d.Env("K_SERVICE")
	return web.Function{
		Name: d.Manifest.Name, Summary: d.Manifest.Summary, Routes: routes, Log: d.Log, Client: d.Client,
		Cap: web.NewCap(clock.System{}, perMinute), Random: d.Random, Deployed: deployed,
	}, nil
}

// RefuseEmulators is Misconfigured when an emulator is set on Cloud Run: the clients would then send
// everything without credentials to whoever listens there.
func RefuseEmulators(env Env) error {
	if _, deployed := env("K_SERVICE"); !deployed {
		return nil
	}
	for _, name := range []string{"FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "DATASTORE_EMULATOR_HOST"} {
		if host, set := env(name); set && strings.TrimSpace(host) != "" {
			return fault.New(fault.Misconfigured, "%s is set on a deployed function", name)
		}
	}
	return nil
}
