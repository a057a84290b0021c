package datamap_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/policy"
)

// FuzzRead: no file makes Read panic or tell a problem without a place; what is read without a problem compiles to
// queries that every store takes, and twice to the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(strings.Replace(good, "or: {equals: email, of: email}", "or: &a {equals: email, of: email, or: *a}", 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2*len(good) {
			return // more of the same, and slow to mend
		}
		folder := fstest.MapFS{"acme/company.yaml": {Data: []byte(company)}, "acme/datamap.yaml": {Data: data}}
		p, _, err := policy.Load(folder, "acme")
		if err != nil {
			t.Fatal(err)
		}
		m, problems := datamap.Read(p)
		again, _ := datamap.Read(p)
		if m.Digest() != again.Digest() {
			t.Error("the same file has two digests")
		}
		for _, problem := range problems {
			if problem.Line < 1 || problem.Key == "" || problem.What == "" {
				t.Errorf("a problem without a place: %#v", problem)
			}
		}
		steps, err := m.Compile("north", known("email", "ada@north.example", "uid", "u1", "customer_id", "c1", "person", "ada"))
		if len(problems) > 0 && (err == nil || steps != nil) {
			t.Errorf("a map with problems compiled: %v", problems)
		}
		more, err := m.Close("north")
		for _, s := range append(steps, more...) {
			if wrong := s.Query.Check(); wrong != nil || err != nil {
				t.Errorf("no store takes %+v: %v, %v", s.Query, wrong, err)
			}
		}
		m.Table()
		m.Unmapped(map[string][]string{"firestore://acme-live/main": {"users", "**/users"}})
		datamap.Check(p, m)
	})
}
