package intake

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/desk"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/notice"
)

var now = time.Date(2026, 3, 3, 8, 56, 0, 0, time.UTC)

// company is a policy in which each mechanism that takes evidence keeps a promise.
var company = fstest.MapFS{
	"x/company.yaml": {Data: []byte(`company: {name: X, domains: [x.example, sharedcontacts.example], zone: Europe/Paris, country: FR, languages: [en], day_end: "24:00", environments: [{id: live, project: x-live, kind: live}]}`)},
	"x/people.yaml":  {Data: []byte(`people: [{id: emma, email: emma.dubois@sharedcontacts.example, name: Emma Dubois, roles: [employee, security], zone: Europe/Paris, language: fr}]`)},
	"x/services.yaml": {Data: []byte(`sources:
  - {id: ci, email: ci@services.x.example, types: [build.tested, build.scanned, release.deployed], promises: [T1, R1, D1, I1]}
  - {id: backup, email: backup@services.x.example, types: [backup.completed], promises: [B1, B2]}
  - {id: people, email: people@services.x.example, types: [training.completed, person.nda], promises: [D1, D2]}
`)},
	"x/duties.yaml": {Data: []byte(`duties:
  - {id: phishing, what: Pass the course., owner_role: security, every: P1Y, evidence: [training.completed], promises: [D1]}
`)},
	"x/promises/all.yaml": {Data: []byte(`promises:
  - {id: T1, text: {en: Tested.}, source: {file: x, section: y}, check: ci-evidence, severity: high, kept_by: [{records: ci-evidence}], max_age: P7D}
  - {id: R1, text: {en: Released.}, source: {file: x, section: y}, check: release-train, severity: high, params: {order: [dev, staging, live]}, kept_by: [{records: release-train}]}
  - {id: B1, text: {en: Backed up.}, source: {file: x, section: y}, check: backup-freshness, severity: high, params: {age: "<=PT24H"}, kept_by: [{records: backup-freshness}]}
  - {id: B2, text: {en: Far away.}, source: {file: x, section: y}, check: replica-regions, severity: high, params: {regions: ">=2"}, kept_by: [{records: [replica-regions, backup-freshness]}]}
  - {id: D1, text: {en: Trained.}, source: {file: x, section: y}, check: people-register, severity: high, kept_by: [{duty: phishing}]}
  - {id: D2, text: {en: Stated.}, source: {file: x, section: y}, check: attestation-desk, severity: high, kept_by: [{statement: security}]}
  - {id: I1, text: {en: Isolated.}, source: {file: x, section: y}, check: tenant-isolation, severity: high, kept_by: [{records: tenant-isolation}]}
  - {id: Z1, text: {en: Other.}, source: {file: x, section: y}, check: ci-evidence, severity: high, kept_by: [{records: ci-evidence}]}
`)},
}

// rig is a Service on its own stores, with the real vault and the real duties.
type rig struct {
	*Service
	clock  *clock.Manual
	trust  store.Store // never failing
	sealed *vault.Vault

	mu      sync.Mutex
	records []record.Record
}

func newRig(t testing.TB, fail storetest.Fault) *rig {
	t.Helper()
	return newRigOf(t, company, fail)
}

// read loads a policy that is in order, and its duties.
func read(t testing.TB, folder fs.FS) (*policy.Policy, duty.Rules) {
	t.Helper()
	p, problems, err := policy.Load(folder, "x")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	rules, problems := duty.ReadRules(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p, rules
}

func newRigOf(t testing.TB, folder fs.FS, fail storetest.Fault) *rig {
	t.Helper()
	p, rules := read(t, folder)
	return newRigBy(t, p, rules, fail)
}

func newRigBy(t testing.TB, p *policy.Policy, rules duty.Rules, fail storetest.Fault) *rig {
	t.Helper()
	var err error
	r := &rig{clock: clock.NewManual(now)}
	trustSchema := slices.Concat(store.Schema{outbox.Collection()}, duty.Collection(), Collection())
	open := func(schema store.Schema) (raw, used store.Store) {
		if raw, err = memory.New(store.Options{Schema: schema, Clock: r.clock}); err != nil {
			t.Fatal(err)
		}
		if used = raw; fail != nil {
			used = storetest.Faulty(raw, fail)
		}
		return raw, storetest.Twice(used)
	}
	box := func(s store.Store) *outbox.Box {
		return outbox.New(s, r.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: r.keep, outbox.Message: func(context.Context, outbox.Entry) error { return nil }})
	}
	raw, trust := open(trustSchema)
	_, vaultStore := open(vault.Collection())
	r.trust = raw
	if r.sealed, err = vault.New(vault.Config{Store: vaultStore, Box: box(vaultStore), Keys: local.New(filepath.Join(t.TempDir(), "keys"), nil), Random: rand.Reader, Horizon: vault.LongestBackup}); err != nil {
		t.Fatal(err)
	}
	tasks, err := duty.New(desk.Desk{Store: trust, Box: box(trust), Policy: p, Notify: func(*outbox.Batch, notice.Notice) error { return nil },
		Commit: func(ctx context.Context, person string, now time.Time) (record.Subject, error) {
			return r.sealed.Commit(ctx, vault.Subject{Type: "person", ID: person}, now)
		}}, rules)
	if err != nil {
		t.Fatal(err)
	}
	r.Service, err = New(Config{Store: trust, Box: box(trust), Policy: p, Digest: record.Digest([]byte("policy")), Rules: rules, Duties: tasks, Vault: r.sealed, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) keep(_ context.Context, e outbox.Entry) error {
	got, err := record.Parse(e.Data)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.ContainsFunc(r.records, func(k record.Record) bool { return k.ID() == got.ID() }) {
		r.records = append(r.records, got)
	}
	return nil
}

// of returns the records of one control, in the order they came.
func (r *rig) of(control string) []record.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.records), func(e record.Record) bool { return e.Control != control })
}

// source is a sender of the policy.
func (r *rig) source(id string) policy.Source {
	i := slices.IndexFunc(r.Policy.Sources, func(s policy.Source) bool { return s.ID == id })
	return r.Policy.Sources[i]
}

func message(id, kind string, at time.Time, data []byte) event.Event {
	return event.Event{ID: id, Source: "//x.example/" + kind, Type: kind, Time: at, Data: data}
}

// send sends an event that is to be taken.
func (r *rig) send(t testing.TB, source string, e event.Event) Receipt {
	t.Helper()
	got, err := r.Receive(t.Context(), r.source(source), e, r.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// dump is everything the control's database holds, as text.
func (r *rig) dump(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	for _, c := range slices.Concat(store.Schema{outbox.Collection()}, duty.Collection(), Collection()) {
		docs, err := r.trust.Query(context.Background(), store.Query{Collection: c.Name, Limit: store.MaxQueryResults})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			var fields map[string]any
			if err := d.Decode(&fields); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&all, "%s %s %s\n", c.Name, d.ID, text)
		}
	}
	return all.String()
}
