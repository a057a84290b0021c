package erasetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/clock"
	sealing "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/policy"
)

const digestsMap = `
identifiers:
  - {id: email, reusable: true, normalise: email}
  - {id: device, opendsr: android_id}
entries:
  - {id: people, store: %q, place: %s, region: europe-west1, role: processor, tenant: {field: %s}, select: {%s: %s, of: email, case: exact, or: {contains: %s, of: device}}, action: delete, created: %s, backup_class: none}
strict: false
`

// digests: whom an instruction names by a digest alone is found by the engine, in a field and in a list, among more people than
// one page holds; nobody else's data is touched, and no twin's.
func digests(t *testing.T, s *scene) {
	if s.URL == "" || s.binding != erasure.BindField {
		return
	}
	q := s.Query(here)
	way := map[bool]string{true: "column", false: "equals"}[strings.HasPrefix(s.URL, "postgres")]
	m := mapOf(t, fmt.Sprintf(digestsMap, s.URL, q.Place, q.Tenant.Field, way, FieldEmail, FieldMembers, FieldCreated))
	address, device := "Jo."+Mark+"@Acme.example", Mark+"-device"
	for _, tenant := range []string{here, there} {
		s.Put(t, tenant, "named", person(u1, map[string]any{FieldEmail: address}))
		s.Put(t, tenant, "listed", person(u2, map[string]any{FieldMembers: []any{"somebody", device}}))
	}
	for i := range erasure.MaxPage {
		s.Put(t, here, fmt.Sprintf("filler-%03d", i), person(fmt.Sprint(u10, "-", i)))
	}
	twin := s.Export(t, there)
	for i, h := range []run.Hashed{{Kind: "email", Format: opendsr.SHA256, Digest: sum(strings.ToLower(address))}, {Kind: "device", Format: opendsr.SHA256, Digest: sum(device)}} {
		if o, x := s.instruct(t, m, fmt.Sprint("r", i), h); o.Erased != 1 || x != "" {
			t.Errorf("by a digest of kind %s %d items went; %s", h.Kind, o.Erased, x)
		}
	}
	s.gone(t, here, "named")
	s.holds(t, here, "listed", person(u2, map[string]any{FieldMembers: []any{"somebody"}}))
	s.holds(t, here, "filler-000", person(fmt.Sprint(u10, "-", 0)))
	if after := s.Export(t, there); string(after) != string(twin) {
		t.Error("the twin is not what it was")
	}
}

func sum(text string) string {
	digest := sha256.Sum256([]byte(text))
	return hex.EncodeToString(digest[:])
}

// instruct carries out a tenant's instruction about somebody; wrong is what stood in the way.
func (s *scene) instruct(t *testing.T, m *datamap.Map, id string, who run.Hashed) (done run.Count, wrong string) {
	t.Helper()
	state, err := memory.New(store.Options{Schema: run.Collection(), Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	e, err := run.New(run.Config{
		Store: state, Keys: sealing.New(filepath.Join(t.TempDir(), "key"), rand.Reader), Random: rand.Reader, Clock: clock.System{}, Map: m, Zone: time.UTC,
		Reader: func(context.Context, string) (erasure.Reader, error) { return s.Reader(), nil },
		Eraser: func(context.Context, string) (erasure.Store, error) { return s.Store(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	until := clock.System{}.Now().Add(time.Minute)
	j := run.Job{Request: id, Round: 1, Tenant: here, Scope: run.Instructed, Hashed: []run.Hashed{who}}
	p, over, err := e.Plan(t.Context(), j, until)
	if err != nil || !over || len(p.Lost) > 0 {
		return done, fmt.Sprintf("planned %v, lost %v, %v", over, p.Lost, err)
	}
	x, over, err := e.Execute(t.Context(), j, until)
	if err != nil || !over || len(x.Open) > 0 {
		return done, fmt.Sprintf("executed %v, open %v, %v", over, x.Open, err)
	}
	o, _, over, err := e.Search(t.Context(), j, 1, until)
	if err != nil || !over || len(o.Open) > 0 || o.Left > 0 {
		return done, fmt.Sprintf("searched %v, left %d, open %v, %v", over, o.Left, o.Open, err)
	}
	return run.Count{Erased: x.Totals.Erased}, ""
}

// mapOf reads a data map as a policy has it.
func mapOf(t *testing.T, text string) *datamap.Map {
	t.Helper()
	files := fstest.MapFS{}
	for name, data := range map[string]string{
		"company.yaml": "company: {name: X, domains: [x.example], zone: Europe/Berlin, country: DE, languages: [en], day_end: \"24:00\", environments: [{id: live, project: p, kind: live}]}",
		"people.yaml":  "people: [{id: a, email: a@x.example, name: A, roles: [owner], zone: Europe/Berlin, language: en}]", "promises/x.yaml": "promises: []", datamap.File: text,
	} {
		files["x/"+name] = &fstest.MapFile{Data: []byte(data)}
	}
	p, problems, err := policy.Load(files, "x")
	if err != nil {
		t.Fatal(err, problems)
	}
	m, problems := datamap.Read(p)
	if m == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	return m
}
