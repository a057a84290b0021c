package erasetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	sealing "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Machine is the engine at work on one store for one person, with its own state in a file: another one made of the same
// folder goes on where it stopped. Its map has the entries named, each in the place of its name.
type Machine struct {
	engine *run.Engine
	state  store.Store
	clock  clock.Clock
}

const (
	engineMap = `
identifiers: [{id: uid}]
limits: {rate_per_second: %d, tenant_percent: 100}
strict: false
entries:
`
	engineEntry = `  - {id: %s, store: "firestore://p/main", place: %s, region: europe-west1, role: controller, tenant: {field: tenant_id}, select: {equals: uid, of: uid}, action: delete, backup_class: none}
`
)

// NewMachine makes one of the store, whose items tell tenants in FieldTenant and people in FieldUID. rate is how many items
// it takes a second. The store's driver for its own state is the caller's to import: bolt.
func NewMachine(ctx context.Context, dir string, data erasure.Store, entries []string, rate int, clk clock.Clock) (*Machine, error) {
	text := fmt.Sprintf(engineMap, rate)
	for _, e := range entries {
		text += fmt.Sprintf(engineEntry, e, e)
	}
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"company.yaml": "company: {name: X, domains: [x.example], zone: Europe/Berlin, country: DE, languages: [en], day_end: \"24:00\", environments: [{id: live, project: p, kind: live}]}",
		"people.yaml":  "people: [{id: a, email: a@x.example, name: A, roles: [owner], zone: Europe/Berlin, language: en}]", "promises/x.yaml": "promises: []",
		datamap.File: text,
	} {
		files["x/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, problems, err := policy.Load(files, "x")
	if err != nil {
		return nil, fmt.Errorf("%w, %v", err, problems)
	}
	m, problems := datamap.Read(p)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the map: %v", problems)
	}
	state, err := store.Drivers.Open(ctx, driver.URL("bolt", filepath.Join(dir, "state.db"), "tree", "erasure"), store.Options{Schema: run.Collection(), Clock: clk})
	if err != nil {
		return nil, err
	}
	data = unlisted{data}
	e, err := run.New(run.Config{
		Store: state, Keys: sealing.New(filepath.Join(dir, "key"), rand.Reader), Random: rand.Reader, Clock: clk, Map: m, Zone: time.UTC,
		Reader: func(context.Context, string) (erasure.Reader, error) { return data, nil },
		Eraser: func(context.Context, string) (erasure.Store, error) { return data, nil },
	})
	return &Machine{e, state, clk}, err
}

// unlisted lists no places: what nobody has mapped is not what a machine is made for, and an emulator goes through all it
// has to list them.
type unlisted struct{ erasure.Store }

// Places implements erasure.Reader.
func (unlisted) Places(context.Context, int) ([]string, error) { return nil, nil }

// Close closes its state, and not the store.
func (m *Machine) Close() error { return m.state.Close() }

// subject is the one request there is.
var subject = run.Job{Request: "r1", Round: 1, Tenant: "a", Scope: run.Person, IDs: []datamap.Identifier{{Kind: FieldUID, Value: "u1", Verified: true}}}

// Phases are the names of what Forget does, in order.
var Phases = []string{"plan", "erase", "search"}

// phases do it; each is called until it is done.
var phases = []func(m *Machine, ctx context.Context, until time.Time) (count int64, done bool, err error){
	func(m *Machine, ctx context.Context, until time.Time) (int64, bool, error) {
		p, done, err := m.engine.Plan(ctx, subject, until)
		return p.Summary("").Items, done, err
	},
	func(m *Machine, ctx context.Context, until time.Time) (int64, bool, error) {
		x, done, err := m.engine.Execute(ctx, subject, until)
		if err == nil && (x.Grown || len(x.Open) > 0) {
			err = fmt.Errorf("not all: %+v", x)
		}
		return x.Totals.Erased, done, err
	},
	func(m *Machine, ctx context.Context, until time.Time) (int64, bool, error) {
		o, _, done, err := m.engine.Search(ctx, subject, 1, until)
		if err == nil && len(o.Open) > 0 {
			err = fmt.Errorf("open: %+v", o.Open)
		}
		return o.Left, done, err
	},
}

// Forget erases u1 of tenant a: how many items were planned, erased, and are left. enter is told of each phase.
func (m *Machine) Forget(ctx context.Context, enter func(phase string)) (counts [3]int64, err error) {
	for i, phase := range phases {
		enter(Phases[i])
		for done := false; !done; {
			counts[i], done, err = phase(m, ctx, m.clock.Now().Add(time.Hour))
			if err != nil && !fault.Is(err, fault.Transient) || ctx.Err() != nil {
				return counts, errors.Join(err, ctx.Err())
			}
			if err != nil {
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	return counts, nil
}
