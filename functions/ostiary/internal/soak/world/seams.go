package world

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/secret"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
)

// scheme is that of the URLs by which functions reach what may fail: soak:WORLD?of=URL, where URL is that of the driver
// behind, and &below=NAME what is put behind it.
const scheme = "soak"

func init() {
	register(store.Drivers, func(a *around, s store.Store) store.Store { return faultyStore{s, a.faults} })
	register(bus.Drivers, func(a *around, p bus.Publisher) bus.Publisher { return publisher{p, a} })
	register(record.Inboxes, func(a *around, in record.Inbox) record.Inbox { return inbox{in, a.faults} })
	register(log.Stores, func(a *around, o log.Objects) log.Objects { return objects{o, a.faults} })
	register(seal.Drivers, func(a *around, k seal.Keys) seal.Keys { return keys{k, a.faults} })
	register(secret.Drivers, func(a *around, s secret.Store) secret.Store { return secrets{s, a.faults} })
	register(directory.Drivers, func(a *around, d directory.Directory) directory.Directory { return accounts{d, a.faults} })
	register(message.Drivers, func(a *around, c message.Channel) message.Channel { return &channel{Channel: c, faults: a.faults} })
	register(allowlist.Targets, func(a *around, t allowlist.Target) allowlist.Target { return target{t, a.faults} })
	register(erasure.Readers, func(a *around, r erasure.Reader) erasure.Reader { return reader{r, a.faults} })
	register(erasure.Stores, func(a *around, s erasure.Store) erasure.Store { return eraser{reader{s, a.faults}, s} })
	register(erasure.Listers, func(_ *around, l erasure.Lister) erasure.Lister { return l })
}

// register adds a driver that opens the one behind and wraps what it opened.
func register[O, T any](r *driver.Registry[O, T], wrap func(*around, T) T) {
	r.Register(scheme, func(ctx context.Context, u *url.URL, o O) (T, error) {
		var none T
		a, behind, err := find(u)
		if err != nil {
			return none, err
		}
		opened, err := r.Open(ctx, behind, o)
		if err != nil {
			return none, err
		}
		return wrap(a, opened), nil
	})
}

// worlds finds the world a URL names: a driver knows nothing but its URL.
var worlds = struct {
	sync.Mutex
	last int
	by   map[string]*around
}{by: map[string]*around{}}

// around is what stands around the functions of one world.
type around struct {
	id      string
	faults  *Faults
	project string  // where the emulators keep what is not in the data folder; "" for a world of files
	push    *pushes // of such a world, otherwise nil
}

func (a *around) enter() {
	worlds.Lock()
	defer worlds.Unlock()
	worlds.last++
	a.id = fmt.Sprint(worlds.last)
	worlds.by[a.id] = a
}

func (a *around) leave() {
	worlds.Lock()
	defer worlds.Unlock()
	delete(worlds.by, a.id)
}

func find(u *url.URL) (a *around, behind string, err error) {
	worlds.Lock()
	a = worlds.by[u.Opaque]
	worlds.Unlock()
	if a == nil {
		return nil, "", fault.New(fault.Misconfigured, "opening what may fail: the URL names no world that is open")
	}
	q := u.Query()
	return a, q.Get("of") + url.QueryEscape(q.Get("below")), nil
}

// leading is the URL of a driver that leads to another.
func (a *around) leading(to string) string { return scheme + ":" + a.id + "?of=" + url.QueryEscape(to) }

// single are the variables that hold the URL of one seam each.
var single = []string{
	wiring.EnvStore, wiring.EnvVault, wiring.EnvLedger, wiring.EnvWatchdog, wiring.EnvBus, wiring.EnvSecrets, wiring.EnvSeal, wiring.EnvSealMessage, wiring.EnvSealRequest,
	wiring.EnvSealBreach, wiring.EnvDirectory, wiring.EnvEvidence, "OSTIARY_LOG_INBOX", "OSTIARY_LOG_TILES", "OSTIARY_LOG_HEAD",
	"OSTIARY_MESSAGE", "OSTIARY_MESSAGE_WEBHOOK", "OSTIARY_MESSAGE_SMS", "OSTIARY_MESSAGE_CHAT",
}

// variable has a function reach its seams through what may fail, and through the emulators where they are.
func (a *around) variable(name, value string) string {
	switch {
	case value == "":
		return ""
	case slices.Contains(single, name):
		return a.leading(a.emulated(name, value))
	case name == "OSTIARY_DATA":
		return a.leading(value) + "&below="
	case name == "OSTIARY_TARGETS":
		targets := strings.Split(value, ",")
		for i, t := range targets {
			called, at, _ := strings.Cut(t, "=")
			targets[i] = called + "=" + a.leading(at)
		}
		return strings.Join(targets, ",")
	}
	return value
}

// emulated is where an emulator keeps what local mode keeps in a database file.
func (a *around) emulated(name, value string) string {
	if _, tree, kept := strings.Cut(value, "?tree="); kept && a.project != "" {
		return "firestore://" + a.project + "/" + tree
	}
	if name == wiring.EnvBus && a.project != "" {
		return "pubsub://" + a.project
	}
	return value
}

// functions marks what functions do while they answer as what may fail.
func (a *around) functions(all []wiring.Function) []wiring.Function {
	all = slices.Clone(all)
	for i, f := range all {
		all[i].Build = func(ctx context.Context, d *wiring.Deps) (served web.Function, err error) {
			if served, err = f.Build(ctx, d); err != nil {
				return served, err
			}
			served.Routes = slices.Clone(served.Routes)
			for j, route := range served.Routes {
				served.Routes[j].Handle = func(w http.ResponseWriter, r *http.Request) error {
					if _, decided := borne(r.Context()); !decided {
						r = r.WithContext(bears(r.Context()))
					}
					return route.Handle(w, r)
				}
			}
			return served, nil
		}
	}
	return all
}
