// Package local is Ostiary on one machine: every function in one process, on embedded drivers, with the same code
// that verifies tokens, decodes pushes and runs transactions in production. What stands under /_local/ is for
// trying things out and is compiled into the ostiary command alone.
//
// What was erased from the data folder is in none of its files once Close has returned; while the process runs, and after it
// was killed, free pages of the database may hold it still. Mail is kept apart, in clear, and never erased: it stands for
// mailboxes elsewhere.
package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access"
	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity/issuer"
	"ostiary.internal/shared/platform/message/mailbox"
	secrets "ostiary.internal/shared/platform/secret/file"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// Options say how the process runs.
type Options struct {
	Dir       string // data folder, made when missing
	Policy    string // policy folder
	Manual    bool   // the clock stands still
	Now       time.Time
	URL       string // where people reach this process; "" when nobody does
	Functions []wiring.Function
	Code      string // record.Digest of the program that runs, which records name; "" where nobody can tell
	Log       *slog.Logger
	Env       wiring.Env // for what a person may set: OSTIARY_CLIENT_ADDRESS and the like
	Around    Around
}

// function is one running function.
type function struct {
	manifest manifest.Function
	deps     *wiring.Deps
	served   web.Function
	handler  http.Handler
}

// World is everything that runs. Close it.
type World struct {
	dir       string
	clock     clock.Clock
	manual    *manualClock // nil under the system clock
	log       *slog.Logger
	policy    *policy.Policy
	functions map[string]*function
	order     []string
	jobs      []*job
	bus       Bus
	issuer    *issuer.Issuer
	mailbox   *mailbox.Mailbox
	directory *people.Directory
	secrets   *secrets.Store
	state     store.Store // of this package: changes of the directory
	evidence  evidence
	receipts  signed
	data      data
	sessions  sessions
	passes    passes
	limit     time.Duration // how long Settled waits
	committed func() error  // waits until the database is on the disk

	options Options
	life    life
	touched atomic.Bool  // something came from outside
	gate    sync.RWMutex // held for writing while everything is opened anew
	mux     http.Handler

	moving  sync.Mutex // one Advance at a time
	closers []io.Closer
	stop    context.CancelFunc
	running sync.WaitGroup
}

// Open builds the world and starts delivering. A data folder another process holds is a Conflict within a second.
func Open(ctx context.Context, o Options) (*World, error) {
	w := &World{dir: o.Dir, log: o.Log, sessions: sessions{byID: map[string]session{}}, limit: settleLimit, options: o}
	if err := w.open(ctx, o); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.goOn()
	return w, nil
}

func (w *World) open(ctx context.Context, o Options) error {
	w.functions, w.order, w.jobs, w.passes = map[string]*function{}, nil, nil, passes{held: map[string]pass{}}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	// The clock is kept in the folder too, but the lock on the database comes first: nothing is touched that another
	// process holds.
	database := filepath.Join(o.Dir, "ostiary.db")
	file, release, err := bolt.File(database)
	if err != nil {
		return fmt.Errorf("opening the data folder %s: %w", o.Dir, err)
	}
	// It ends last: by then nobody uses the file, and what was erased from it leaves the disk too.
	w.closers = append(w.closers, closer(func() error { return errors.Join(bolt.Wipe(file), release()) }))
	w.committed = func() error { return bolt.Settle(file) }
	if err := errors.Join(w.begun(file), w.life.read(o.Dir)); err != nil {
		return err
	}
	if o.Manual {
		if w.manual, err = openClock(o.Dir, o.Now); err != nil {
			return err
		}
		w.clock = w.manual
	} else if w.clock, err = w.openMachineClock(func() error { return errors.Join(bolt.Clear(file), w.clearMail()) }); err != nil {
		return err
	}
	if w.bus, err = o.Around.bus(database, w.clock); err != nil {
		return err
	}
	w.closers = append(w.closers, w.bus)
	if err := w.loadPolicy(ctx, o.Policy); err != nil {
		return err
	}
	if err := w.openSeams(ctx, database); err != nil {
		return err
	}
	if err := w.openData(database); err != nil {
		return err
	}
	if err := w.openAssets(); err != nil {
		return err
	}
	if err := w.openFunctions(ctx, o, database); err != nil {
		return err
	}
	w.mux = w.routes()
	return w.start()
}

func (w *World) loadPolicy(ctx context.Context, folder string) error {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return fmt.Errorf("finding the policy folder: %w", err)
	}
	if w.policy, err = policy.Open(ctx, driver.URL("dir", absolute)); err != nil {
		return err
	}
	for _, p := range w.policy.Dangling {
		w.log.WarnContext(ctx, "the policy refers to nothing", "problem", p.String())
	}
	return nil
}

func (w *World) openSeams(ctx context.Context, database string) error {
	var err error
	if w.mailbox, err = mailbox.Open(w.mailFile()); err != nil {
		return err
	}
	w.closers = append(w.closers, w.mailbox)
	if w.state, err = store.Drivers.Open(ctx, driver.URL("bolt", database, "tree", "local"), store.Options{Schema: store.Schema{people.Collection()}, Clock: w.clock}); err != nil {
		return err
	}
	w.closers = append(w.closers, w.state)
	if w.directory, err = people.New(w.directoryOptions()); err != nil {
		return err
	}
	if err := w.openEvidence(ctx); err != nil {
		return err
	}
	w.issuer = issuer.New(filepath.Join(w.dir, "keys", "issuer"), w.policy.Company.Issuer.URL, w.clock)
	w.secrets = secrets.New(filepath.Join(w.dir, "secrets"), filepath.Join(w.dir, "keys", "secrets"), nil)
	return w.firstSecrets(ctx)
}

// mailFile has what was sent. It stands for the mailboxes of other people, from which nobody can take a letter back: it is
// no part of what is searched, erased or wiped.
func (w *World) mailFile() string { return filepath.Join(w.dir, "mail.db") }

func (w *World) clearMail() error {
	file, release, err := bolt.File(w.mailFile())
	if err != nil {
		return err
	}
	return errors.Join(bolt.Clear(file), release())
}

func (w *World) directoryOptions() directory.Options {
	return directory.Options{Clock: w.clock, Store: w.state, People: func(context.Context) ([]string, error) {
		var addresses []string
		for _, p := range w.policy.People {
			addresses = append(addresses, p.Email)
		}
		return addresses, nil
	}}
}

// firstSecrets makes the secrets a first start needs: random, and never shown.
func (w *World) firstSecrets(ctx context.Context) error {
	names := []string{"form-key", "erasure-mark", ledgerKey}
	for _, g := range w.policy.Gateways {
		names = append(names, g.KeyRef)
	}
	for _, name := range names {
		if _, err := w.secrets.Get(ctx, name); err == nil {
			continue
		}
		value := rand.Text() + rand.Text()
		if name == ledgerKey {
			value = "1 " + value // its version stands before it
		}
		if _, err := w.secrets.Put(ctx, name, []byte(value)); err != nil {
			return fmt.Errorf("making the secret %s: %w", name, err)
		}
	}
	if err := w.certify(ctx); err != nil {
		return err
	}
	return w.canary(ctx)
}

const ledgerKey = "ledger-key"

func (w *World) openFunctions(ctx context.Context, o Options, database string) error {
	var manifests []manifest.Function
	for _, f := range o.Functions {
		m, err := manifest.Parse(f.Manifest)
		if err != nil {
			return err
		}
		if m.Control == accessControl && w.accessOff() != nil {
			w.log.WarnContext(ctx, "the policy has no "+access.File+": the function is off", "function", m.Name)
			continue
		}
		if m.Control == erasureControl && w.erasureOff() != nil {
			w.log.WarnContext(ctx, "the policy has no "+datamap.File+": the function is off", "function", m.Name)
			continue
		}
		if m.Control == breachControl && m.Callers == manifest.Staff && w.breachOff() {
			w.log.WarnContext(ctx, "the policy has no "+breach.File+": the function is off", "function", m.Name)
			continue
		}
		opened, err := w.openFunction(ctx, f, m, o, database)
		if err != nil {
			return fmt.Errorf("starting %s: %w", m.Name, err)
		}
		w.functions[m.Name] = opened
		w.order = append(w.order, m.Name)
		manifests = append(manifests, m)
		for _, t := range m.Triggers {
			if t.Kind != manifest.Topic {
				continue
			}
			if err := w.bus.Subscribe(m.Name, t.Topic, t.Filter); err != nil {
				return err
			}
		}
	}
	var err error
	w.jobs, err = newJobs(manifests, w.clock.Now())
	return err
}

const accessControl = "access"

// breachControl delivers the messages of all controls too: without its file, only the desk is off.
const breachControl = "breach"

func (w *World) breachOff() bool {
	_, on := w.policy.Read(breach.File)
	return !on
}

// accessOff refuses what needs the access control when the policy switches it off.
func (w *World) accessOff() error {
	if _, on := w.policy.Read(access.File); on {
		return nil
	}
	return fault.Refuse(fault.NotFound, "access_off", "The policy has no "+access.File+", so the access control is off.",
		"Put one into the policy folder and start again.")
}

func (w *World) openFunction(ctx context.Context, f wiring.Function, m manifest.Function, o Options, database string) (*function, error) {
	deps, err := wiring.Open(ctx, m, f.Schema, wiring.Options{
		Env: w.environment(m, o.Env, database), Clock: w.clock, Log: w.logger(m.Name), Code: o.Code, Policy: w.policy,
		Transport: w.issuer.Transport(), Directory: w.directoryOptions(),
	})
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, deps.Store, deps.Vault, deps.Bus, deps)
	served, err := f.Build(ctx, deps)
	if err != nil {
		return nil, err
	}
	served.ErrorPage = w.orSignIn(served.ErrorPage)
	return &function{manifest: m, deps: deps, served: served, handler: served.Handler()}, nil
}

// start sends on what a process that died here left behind, delivers, and under the system clock runs schedules.
func (w *World) start() error {
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.running.Go(func() {
		if err := w.bus.Deliver(ctx, local.Target{Handler: w.handler, Authorization: w.authorization, Log: w.log}); err != nil {
			w.log.ErrorContext(ctx, "delivering messages ended", "error", err)
		}
	})
	if w.manual == nil {
		w.running.Go(func() { w.runSchedules(ctx) })
	}
	return w.begin(ctx)
}

// takeOver relays every outbox entry, whoever was at work on it: the data folder is ours, so nobody is any more.
func (w *World) takeOver(ctx context.Context) error {
	for control := range w.boxes() {
		if err := w.boxes()[control].TakeOver(ctx); err != nil {
			return fmt.Errorf("sending on what was left of %s: %w", control, err)
		}
	}
	return nil
}

// closer makes an io.Closer of a function.
type closer func() error

// Close calls the function.
func (c closer) Close() error { return c() }

func (w *World) handler(name string) http.Handler {
	if f, ok := w.functions[name]; ok {
		return f.handler
	}
	return nil
}

// Close ends deliveries and schedules and lets the files go.
func (w *World) Close() error {
	w.life.end()
	return w.shut()
}

func (w *World) shut() error {
	if w.stop != nil {
		w.stop()
	}
	w.running.Wait()
	var failed []error
	for i := len(w.closers) - 1; i >= 0; i-- {
		if w.closers[i] != nil {
			failed = append(failed, w.closers[i].Close())
		}
	}
	w.closers = nil
	return errors.Join(failed...)
}
