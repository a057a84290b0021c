package run_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
)

// model is one drawn life of a request: what there is, what comes late, what fails. It knows whose each item is.
type model struct {
	*world
	r       *rand.Rand
	held    bool      // the files are
	folders int       // of hers
	down    string    // a place that cannot be reached
	until   time.Time // as long
	blind   time.Time // until then nobody may look up in profiles
	mu      sync.Mutex
}

func newModel(t *testing.T, seed uint64, most int) *model {
	m := &model{world: newWorld(t), r: rand.New(rand.NewPCG(seed, 7))}
	m.fill(1 + m.r.IntN(most))
	m.folders = m.r.IntN(4)
	for i := range m.folders {
		m.folder(i)
	}
	if m.r.IntN(2) == 0 {
		m.people.put("profiles", "1", "uid", "u1", "customer", "c9")
	}
	m.people.put("orders", "hers", "customer", "c9") // found when there is a profile, be it late
	m.people.put("orders", "his", "customer", "c8")
	m.held = m.r.IntN(3) == 0
	if m.r.IntN(3) == 0 {
		m.blind = start.Add(time.Duration(m.r.IntN(48)) * time.Hour)
	}
	return m
}

func (m *model) folder(i int) {
	name := fmt.Sprint("f", i)
	m.people.put("folders", name, "uid", "u1")
	m.people.put("folders", name+"/files/a", "uid", "u1")
	m.people.put("folders", name+"/thumbs/a")
}

// job is the round's.
func (m *model) job(round int, executed time.Time) run.Job {
	j := job(round)
	j.Executed, j.Ran = executed, executed
	if m.held {
		j.Holds = []run.Hold{{Entry: "files", Until: forever, Ground: request.LegalClaims}}
	}
	return j
}

// fails is what both databases ask before each call.
func (m *model) fails(call string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != "" && strings.HasSuffix(call, " "+m.down) && m.clock.Now().Before(m.until) {
		return fault.New(fault.Transient, "down")
	}
	if call == "values profiles" && m.clock.Now().Before(m.blind) {
		return fault.New([]fault.Kind{fault.Denied, fault.Transient, fault.Exhausted}[m.r.IntN(3)], "no")
	}
	if strings.HasPrefix(call, "erased") && m.r.IntN(30) != 0 || m.r.IntN(15) != 0 {
		return nil
	}
	return fault.New(fault.Transient, "a death")
}

// later is what happens when the first run is over.
func (m *model) later() {
	now := m.pass(time.Hour)
	if m.r.IntN(2) == 0 {
		m.people.put("users", "new", "uid", "u77", "email", "jo@acme.example", "created", now)
		m.people.put("notes", "new", "email", "jo@acme.example", "created", now)
		m.people.put("sessions", "new", "uid", "u77")
		m.people.put("profiles", "new", "uid", "u77", "customer", "c77")
		m.people.put("orders", "new", "customer", "c77")
	}
	if m.r.IntN(2) == 0 {
		m.people.put("profiles", "late", "uid", "u1", "customer", "c9")
	}
	if m.r.IntN(3) == 0 {
		m.blind = m.clock.Now().Add(time.Duration(m.r.IntN(48)) * time.Hour)
	}
	if m.r.IntN(2) == 0 {
		m.people.put("notes", "late", "email", "jo@acme.example", "created", "2026-02-02T00:00:00Z")
	}
	for i := range m.r.IntN(4) {
		m.people.put("folders", fmt.Sprint("f", i, "/thumbs/late"), "tenant", "") // of one that is there, that is gone or that never was
	}
	for i := range m.r.IntN(500) {
		m.people.put("sessions", fmt.Sprint("late", i), "uid", "u1")
	}
	if places := []string{"", "sessions", "orders", "profiles", "users", "folders"}; m.r.IntN(2) == 0 {
		m.down, m.until = places[m.r.IntN(len(places))], m.clock.Now().Add(2*time.Hour)
	}
}

// left are the items that have to go, by who knows whose they are.
func (m *model) left(customer bool) (refs []string) {
	for ref, doc := range m.people.docs {
		place := placeOf(ref)
		switch {
		case doc["tenant"] == "twin", m.held && (place == "folders" || place == "**/files" || strings.Contains(ref, "/thumbs/a")):
		case place == "invoices" && doc["created"] > "2016":
		case doc["uid"] == "u1", doc["email"] == "jo@acme.example" && doc["created"] < "2026-03-02", customer && doc["customer"] == "c9":
			refs = append(refs, ref)
		}
	}
	return refs
}

// orphans counts what lies below folders of hers that are gone.
func (m *model) orphans() (n int) {
	for i := range m.folders {
		if name := fmt.Sprint("folders/f", i); m.people.docs[name] == nil && m.people.below(name) {
			n++
		}
	}
	return n
}

// strangers are the items of everybody else.
func (m *model) strangers() map[string]string {
	all := map[string]string{}
	for ref, doc := range m.people.docs {
		if doc["tenant"] == "twin" || doc["uid"] == "u10" || doc["uid"] == "u77" || doc["customer"] == "c8" || doc["customer"] == "c77" || strings.HasSuffix(ref, "/new") {
			all[ref] = fmt.Sprint(doc)
		}
	}
	return all
}

// Deaths at any call of either store, and everything that happens around a request: every item is erased and counted once,
// none of anybody else's is touched, and nothing is said to be done while something is left.
func TestDeaths(t *testing.T) {
	t.Parallel()
	seeds, most := 25, 400
	if os.Getenv("OSTIARY_SOAK") != "" {
		seeds, most = 1_000, 1_500
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { live(t, newModel(t, uint64(seed), most)) })
		})
	}
}

func live(t *testing.T, m *model) {
	var dies sync.Mutex
	m.config.Store = storetest.Faulty(m.store, func(storetest.Point, int) error { dies.Lock(); defer dies.Unlock(); return m.fails("") })
	m.people.fail = m.fails
	customer := m.people.docs["profiles/1"] != nil
	j := m.job(1, time.Time{})
	m.plan(j)
	for m.r.IntN(3) == 0 { // somebody has another look, in the middle of it
		if _, _, err := m.engine().Execute(t.Context(), j, forever); err != nil && !fault.Is(err, fault.Transient) {
			t.Fatal(err)
		}
		m.pass(time.Hour)
		j.Round++
		m.plan(j)
	}
	x := m.execute(j)
	executed := m.clock.Now()
	m.later()
	others := m.strangers()
	customer = customer || m.people.docs["profiles/late"] != nil
	done := false
	for round := j.Round + 1; round < 40 && !done; round++ {
		o := m.search(m.job(round, executed), 1)
		if done = o.Left == 0 && len(o.Open) == 0; done {
			break
		}
		for x = m.execute(m.job(round, executed)); x.Grown; x = m.execute(m.job(round, executed)) {
			round++
			m.plan(m.job(round, executed)) // a person has looked
		}
		m.pass(3 * time.Hour)
	}
	if left := m.left(customer); !done || len(left) > 0 || m.orphans() > 0 {
		t.Fatalf("it says %v while there is %v, and %d below nothing", done, left, m.orphans())
	}
	if now := m.strangers(); !maps.Equal(now, others) {
		t.Error("somebody else's was touched")
	}
	if x.Totals.Erased != m.people.erased || x.Totals.Anonymised != 1 {
		t.Errorf("counted %+v, erased %d", x.Totals, m.people.erased)
	}
}
