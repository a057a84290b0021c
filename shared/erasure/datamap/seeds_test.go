package datamap_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/purge"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/erasure/survey"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

// seed returns the map of a sample policy.
func seed(t testing.TB, folder string) (*policy.Policy, *datamap.Map) {
	t.Helper()
	p, problems, err := policy.Load(policies.FS, folder)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	m, problems := datamap.Read(p)
	for _, problem := range append(problems, datamap.Check(p, m)...) {
		t.Error(problem)
	}
	return p, m
}

// every runs a test on each sample.
func every(t *testing.T, run func(t *testing.T, p *policy.Policy, m *datamap.Map)) {
	t.Parallel()
	folders, err := fs.ReadDir(policies.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			t.Parallel()
			p, m := seed(t, folder.Name())
			if m == nil {
				t.Fatal("there is no map")
			}
			run(t, p, m)
		})
	}
}

// TestSeedsAreInOrder: every sample has a map without a problem, of whose queries every store takes each.
func TestSeedsAreInOrder(t *testing.T) {
	every(t, func(t *testing.T, p *policy.Policy, m *datamap.Map) {
		ids := known("email", "ada@north.example", "uid", "u-1", "customer_id", "c-1", "client_id", "k-1", "plate", "1-ABC-234", "person", "ada")
		for _, tenant := range append(p.Tenants, policy.Tenant{ID: "unlisted"}) {
			steps, err := m.Compile(tenant.ID, ids)
			instructed, err2 := m.Instruct(tenant.ID, ids)
			closed, err3 := m.Close(tenant.ID)
			if err := errors.Join(err, err2, err3); err != nil || len(steps) == 0 || len(closed) == 0 || len(m.Unasked(datamap.Controller, ids)) > 0 {
				t.Fatalf("%d steps for a person, %d for an account, not asked %v: %v", len(steps), len(closed), m.Unasked(datamap.Controller, ids), err)
			}
			for _, s := range slices.Concat(steps, instructed, closed) {
				if err := s.Query.Check(); err != nil {
					t.Errorf("no store takes the query of %s: %v", s.Entry.ID, err)
				}
				if tenant.Region != "" && s.Entry.Tenant.Global == "" && s.Region != tenant.Region {
					t.Errorf("%s looks for the data of %s in %s", s.Entry.ID, tenant.ID, s.Region)
				}
			}
		}
		if m.Directory() == nil {
			t.Error("nothing tells who exists")
		}
	})
}

// TestSeedsSearchEverythingOfAnInstruction: by whatever one identifier a controller may name somebody, his records lead to
// all others by which she is searched.
func TestSeedsSearchEverythingOfAnInstruction(t *testing.T) {
	every(t, func(t *testing.T, _ *policy.Policy, m *datamap.Map) {
		for _, kind := range m.Instructable() {
			ids, err := m.Resolve("unlisted", known(kind.ID, "k-1"), func(l datamap.Lookup) ([]string, error) {
				return []string{"told-" + l.Kind}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if left := m.Unasked(datamap.Processor, ids); len(left) > 0 {
				t.Errorf("named by %s, she is not searched in %v", kind.ID, left)
			}
		}
	})
}

// TestSeedsSayWhatEndsByItself: nobody is told that something of ours is gone after some days where nothing ends it.
func TestSeedsSayWhatEndsByItself(t *testing.T) {
	every(t, func(t *testing.T, p *policy.Policy, m *datamap.Map) {
		stays := 0
		for _, c := range slices.Concat(request.Collection(), run.Collection(), []store.Collection{purge.Collection(), survey.Collection()}) {
			place := "firestore://" + p.Company.Environments[0].Project + "/erasure/" + c.Name
			for _, o := range m.Outside {
				if o.Place == place && !c.Expires {
					if stays++; o.Days != 0 {
						t.Errorf("%s is said to be gone after %d days, and nothing ends it", c.Name, o.Days)
					}
				}
			}
		}
		if stays != 5 {
			t.Errorf("of what stays, the map names %d", stays)
		}
	})
}

// TestEverySeedKnowsOurOwn: what Ostiary keeps of people stands in each map, so that strict mode is met.
func TestEverySeedKnowsOurOwn(t *testing.T) {
	data, err := os.ReadFile("../../../functions/indexes.json")
	if err != nil {
		t.Fatal(err)
	}
	var databases map[string][]struct {
		Collection string `json:"collection"`
	}
	if err := json.Unmarshal(data, &databases); err != nil || len(databases) < 5 {
		t.Fatal(err, len(databases))
	}
	for _, c := range slices.Concat(request.Collection(), run.Collection(), []store.Collection{outbox.Collection(), heartbeat.Collection()}) {
		databases["erasure"] = append(databases["erasure"], struct {
			Collection string `json:"collection"`
		}{c.Name})
	}
	every(t, func(t *testing.T, p *policy.Policy, m *datamap.Map) {
		found := map[string][]string{}
		for database, collections := range databases {
			for _, c := range collections {
				key := "firestore://" + p.Company.Environments[0].Project + "/" + database
				found[key] = append(found[key], c.Collection)
			}
		}
		if unknown := m.Unmapped(found); len(unknown) > 0 {
			t.Errorf("unmapped are %v", unknown)
		}
	})
}
