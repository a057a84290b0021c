package main_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/emulatortest"
	sealing "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/secret/file"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/policy"
)

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const replayMap = `
identifiers: [{id: email, reusable: true, normalise: email}, {id: uid}]
entries:
  - {id: sessions, store: "firestore://{project}/main", place: "tenants/{tenant}/sessions", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: uid, of: uid}, action: delete, access: true, backup_class: files}
  - {id: grants, store: "firestore://{project}/main", place: "tenants/{tenant}/grants", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: uid, of: uid}, action: delete, access: true,
     grants: {provider: zoom, token: token}, backup_class: files}
  - {id: notes, store: "firestore://{project}/main", place: "tenants/{tenant}/notes", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: email, of: email, case: lower}, action: delete, created: made, backup_class: files}
  - {id: users, store: "firestore://{project}/main", place: "tenants/{tenant}/users", region: europe-west1, role: controller, tenant: {path: true}, select: {document: "{uid}", or: {equals: email, of: email, case: lower}}, action: delete, DEEP created: made,
     directory: true, address: email, derives: [{identifier: uid, from: uid}], backup_class: files}
backups: [{class: files, days: 90}]
providers: [{id: zoom, name: Zoom, by: rfc7009, endpoint: "https://zoom.example/revoke"}]
strict: false
`

// company writes a policy folder with the map, and reads it as the command does.
func company(t *testing.T, project, deep string, more ...string) (folder string, m *datamap.Map) {
	t.Helper()
	folder = t.TempDir()
	for name, text := range map[string]string{
		"company.yaml":    "company: {name: X, domains: [x.example], zone: Europe/Berlin, country: DE, languages: [en], day_end: \"24:00\", environments: [{id: live, project: " + project + ", kind: live}]}",
		"people.yaml":     "people: [{id: a, email: a@x.example, name: A, roles: [owner], zone: Europe/Berlin, language: en}]",
		"promises/x.yaml": "promises: [{id: X01, text: {en: \"Data of whoever asks is erased.\"}, source: {file: policy, section: Data}, check: dsr-desk, severity: high, kept_by: [{records: dsr-desk}]}]",
		"tenants.yaml": "tenants: [{id: acme, name: Acme, country: DE, language: en, domains: [acme.example], contract_hours: 24, contacts: [], region: europe-west1}, " +
			"{id: twin, name: Twin, country: DE, language: en, domains: [twin.example], contract_hours: 24, contacts: [], region: europe-west1}]",
		"datamap.yaml": strings.Replace(strings.Replace(replayMap, "DEEP", deep, 1), "entries:\n", "entries:\n"+strings.Join(more, ""), 1),
	} {
		fatal(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700))
		fatal(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	p, problems, err := policy.Load(os.DirFS(filepath.Dir(folder)), filepath.Base(folder))
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	m, problems = datamap.Read(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return folder, m
}

// restoring is a company whose backup is restored.
type restoring struct {
	t      *testing.T
	data   shelves
	folder string
	m      *datamap.Map
	dir    string // of the ledger
}

func (r *restoring) ledgerURL() string {
	return driver.URL("bolt", filepath.Join(r.dir, "ledger.db"), "tree", "ledger")
}

// remember makes the ledger's key, and opens the ledger until fn is done.
func (r *restoring) remember(fn func(*ledger.Ledger)) {
	r.t.Helper()
	keys := []byte("1 " + strings.Repeat("k", ledger.LeastKey))
	secrets := file.New(filepath.Join(r.dir, "secrets"), filepath.Join(r.dir, "keys", "secrets"), rand.Reader)
	_, err := secrets.Put(r.t.Context(), "ledger-key", keys)
	fatal(r.t, err)
	fatal(r.t, secrets.Close())
	s, err := store.Drivers.Open(r.t.Context(), driver.URL("bolt", filepath.Join(r.dir, "ostiary.db"), "tree", "ledger"), store.Options{Schema: store.Schema{ledger.Collection()}, Clock: clock.System{}})
	fatal(r.t, err)
	read, err := ledger.ReadKeys(keys)
	fatal(r.t, err)
	l, err := ledger.New(s, 90*24*time.Hour, read...)
	fatal(r.t, err)
	fn(l)
	fatal(r.t, s.Close())
}

// forget erases jo of a tenant through the engine, as a request does.
func (r *restoring) forget(tenant string, executed time.Time) {
	t := r.t
	t.Helper()
	state, err := memory.New(store.Options{Schema: run.Collection(), Clock: clock.System{}})
	fatal(t, err)
	r.remember(func(l *ledger.Ledger) {
		e, err := run.New(run.Config{
			Store: state, Keys: sealing.New(filepath.Join(t.TempDir(), "key"), rand.Reader), Random: rand.Reader, Clock: clock.System{}, Map: r.m, Zone: time.UTC,
			Reader:     func(context.Context, string) (erasure.Reader, error) { return r.data, nil },
			Eraser:     func(context.Context, string) (erasure.Store, error) { return r.data, nil },
			Disconnect: func(context.Context, string, string, datamap.Step, []string) error { return nil },
			Suppress: func(ctx context.Context, tenant string, role datamap.Role, ids []datamap.Identifier, _ time.Time) error {
				for _, id := range ids {
					fatal(t, l.Add(ctx, ledger.Subject{Tenant: tenant, Role: role, Kind: id.Kind, ID: id.Value}, executed))
				}
				return nil
			},
		})
		fatal(t, err)
		j := run.Job{Request: "r1", Round: 1, Tenant: tenant, Scope: run.Person, IDs: []datamap.Identifier{{Kind: "email", Value: "jo@acme.example", Verified: true}}}
		for _, call := range []func(until time.Time) (bool, error){
			func(until time.Time) (bool, error) { _, done, err := e.Plan(t.Context(), j, until); return done, err },
			func(until time.Time) (bool, error) {
				_, done, err := e.Execute(t.Context(), j, until)
				return done, err
			},
		} {
			if done, err := call(clock.System{}.Now().Add(time.Hour)); err != nil || !done {
				t.Fatal(done, err)
			}
		}
	})
}

// replayAnswer is what the command prints.
type replayAnswer struct {
	Items    ledger.Summary `json:"items"`
	Unlooked int            `json:"unlooked"`
	Mode     string         `json:"mode"`
	People   []struct {
		Tenant, Role, Kind, ID string
		Doubtful               bool
		Entries                []string
		Done                   *struct {
			Erased      int64
			Connections int64
			Open        []struct{ Entry, Why string }
		}
	} `json:"people"`
}

// replay runs the command; more are further flags. What it says in words is among errs.
func (r *restoring) replay(taken time.Time, more ...string) (exit int, a replayAnswer, errs string) {
	r.t.Helper()
	environment, flags := r.data.lead()
	args := slices.Concat([]string{"erase", "replay", "--json", "--policy", r.folder, "--taken", taken.Format(time.RFC3339Nano)}, flags, more)
	cmd := exec.CommandContext(r.t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), environment...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if d, isFile := r.data.(*drawers); isFile { // one process has a file at a time
		fatal(r.t, d.Close())
		defer func() {
			var err error
			d.Store, err = local.Open(d.file, tree)
			fatal(r.t, err)
		}()
	}
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "{") {
		said.WriteString(out.String())
	} else if err := json.Unmarshal(out.Bytes(), &a); err != nil {
		r.t.Fatalf("%v: %s", err, &out)
	}
	return cmd.ProcessState.ExitCode(), a, said.String()
}

// TestRestored: a person is erased, and comes back with a backup that was made before; the replay erases her again. A new
// account with her address stands, and so does everybody else.
func TestRestored(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) (s shelves, dir, project, deep string){
		"on a laptop": func(t *testing.T) (s shelves, dir, project, deep string) {
			d := openDrawers(t)
			return d, filepath.Dir(d.file), "demo-company", ""
		},
		"on Firestore": func(t *testing.T) (s shelves, dir, project, deep string) {
			project = emulatortest.Project(t)
			d := openDatabase(t, project)
			return d, d.dir, project, "descend: true, below: [devices],"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, dir, project, deep := open(t)
			r := &restoring{t: t, data: data, dir: dir}
			r.folder, r.m = company(t, project, deep)
			now := clock.System{}.Now().UTC()
			for _, tenant := range []string{"acme", "twin"} {
				in := "tenants/" + tenant
				old := now.Add(-1000 * time.Hour).Format(time.RFC3339)
				data.put(t, in+"/users/u1", map[string]any{"uid": "u1", "email": "jo@acme.example", "made": old})
				data.put(t, in+"/users/u10", map[string]any{"uid": "u10", "email": "al@acme.example", "made": old})
				for _, uid := range []string{"u1", "u10"} {
					data.put(t, in+"/sessions/s-"+uid, map[string]any{"uid": uid})
					data.put(t, in+"/grants/g-"+uid, map[string]any{"uid": uid, "token": "t-" + uid})
					if deep != "" {
						data.put(t, in+"/users/"+uid+"/devices/d1", map[string]any{"model": "x"})
					}
				}
				data.put(t, in+"/notes/n1", map[string]any{"email": "jo@acme.example", "made": old})
			}
			taken, before := clock.System{}.Now(), data.all(t)
			r.forget("acme", clock.System{}.Now())
			later := clock.System{}.Now().Add(time.Minute).UTC().Format(time.RFC3339Nano)
			data.put(t, "tenants/acme/users/u2", map[string]any{"uid": "u2", "email": "jo@acme.example", "made": later})
			data.put(t, "tenants/acme/notes/n2", map[string]any{"email": "jo@acme.example", "made": later})
			data.put(t, "tenants/acme/sessions/s-u2", map[string]any{"uid": "u2"})
			want := data.all(t)
			for path, fields := range before {
				data.put(t, path, fields)
			}
			restored := data.all(t)
			exit, found, errs := r.replay(taken)
			if exit != 1 || len(found.People) != 1 || found.People[0].ID != "u1" || found.People[0].Tenant != "acme" || found.Mode != "dry-run" || found.People[0].Done != nil || errs != "" {
				t.Fatalf("looking: exit %d, %+v, %s", exit, found, errs)
			}
			if got := data.all(t); !same(got, restored) {
				t.Error("looking changed something")
			}
			exit, found, errs = r.replay(taken, "--execute")
			if exit != 0 || len(found.People) != 1 || found.People[0].Done == nil || found.People[0].Done.Erased == 0 || found.People[0].Done.Connections != 1 || len(found.People[0].Done.Open) > 0 {
				t.Errorf("erasing again: exit %d, %+v, %s", exit, found, errs)
			}
			if got := data.all(t); !same(got, want) {
				t.Errorf("left are %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
			if exit, found, _ = r.replay(taken, "--execute"); exit != 0 || len(found.People) != 0 {
				t.Errorf("once more: exit %d, %+v", exit, found)
			}
		})
	}
}

func same(a, b map[string]map[string]any) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// TestRestoredElsewhere: a backup restored beside the running database is looked at and erased there, and nowhere else.
func TestRestoredElsewhere(t *testing.T) {
	t.Parallel()
	data := openDrawers(t)
	r := &restoring{t: t, data: data, dir: filepath.Dir(data.file)}
	r.folder, r.m = company(t, "demo-company", "")
	taken := clock.System{}.Now()
	r.remember(func(l *ledger.Ledger) {
		fatal(t, l.Add(t.Context(), ledger.Subject{Tenant: "acme", Role: datamap.Controller, Kind: "uid", ID: "u1"}, taken.Add(time.Hour)))
	})
	elsewhere := filepath.Join(t.TempDir(), "restored.db")
	there := func(fn func(s *drawers)) {
		s, err := local.Open(elsewhere, "r")
		fatal(t, err)
		fn(&drawers{s, elsewhere})
		fatal(t, s.Close())
	}
	jo := map[string]any{"uid": "u1", "email": "jo@acme.example", "made": "2026-01-01T00:00:00Z"}
	data.put(t, "tenants/acme/users/u1", jo) // of the running database: it is not asked about
	there(func(s *drawers) { s.put(t, "tenants/acme/users/u1", jo) })
	to := tree + "=" + driver.URL("bolt", elsewhere, "tree", "r")
	if exit, found, errs := r.replay(taken, "--execute", "--restored", to); exit != 0 || len(found.People) != 1 || len(data.all(t)) != 1 {
		t.Errorf("exit %d, %+v, %s", exit, found, errs)
	}
	there(func(s *drawers) {
		if left := s.all(t); len(left) != 0 {
			t.Errorf("left are %v", left)
		}
	})
	if exit, _, errs := r.replay(taken, "--execute", "--restored", "firestore://demo-company/mian=bolt:x?tree=r"); exit != 2 || !strings.Contains(errs, "mian") || len(data.all(t)) != 1 {
		t.Errorf("misspelt: exit %d, %s", exit, errs)
	}
}
