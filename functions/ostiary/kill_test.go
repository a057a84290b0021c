package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestKilled registers, ends, checks and moves the clock from all sides at once, kills the process at a random
// instant of it, starts it again on the same folder and looks whether what was answered holds: day after day, on
// one folder. OSTIARY_SOAK=1 does it many more times.
func TestKilled(t *testing.T) {
	t.Parallel()
	kills := 3
	if soak() {
		kills = 3 * 40
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := &storm{random: rand.New(rand.NewPCG(seed, 0)), dir: filepath.Join(t.TempDir(), "data"), ended: map[string]bool{}}
	s, err := launch(options{dir: w.dir, raced: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range []string{"emma", "marc", "asha", "erik"} {
		w.people = append(w.people, must[*person](t)(bind(s, id, fmt.Sprintf("81.2.70.%d", i+1))))
	}
	for n := range kills {
		w.round(s, time.Duration(30+w.random.IntN(400))*time.Millisecond)
		if s, err = launch(options{dir: w.dir, raced: true}); err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
		w.retry(t, s)
		if _, err := s.local("POST", "clock", map[string]string{"advance": "2m"}); err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
		w.kills++
		w.check(t, s)
		if t.Failed() {
			t.Logf("kill %d; the log of the process after it:\n%s", n+1, s.log())
			break
		}
		w.tomorrow(t, s)
	}
	t.Logf("%d attempts, %d answered", len(w.attempts), w.answered())
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// attempt is one use of a code.
type attempt struct {
	person *person
	step   int64 // of the code
	code   string
	key    string // "" for a check by a service
	answer *answer
	again  bool // answered after the kill: perhaps with the outcome of before
}

// storm is what was sent, and what came back.
type storm struct {
	dir    string
	people []*person
	kills  int

	mu       sync.Mutex
	random   *rand.Rand
	keys     int
	attempts []*attempt
	ended    map[string]bool // leases somebody tried to end, today
	since    int             // attempts[since:] are today's
}

func (w *storm) chance(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(n) == 0
}

func (w *storm) begin(a *attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys++
	if a.key != "" {
		a.key = fmt.Sprintf("%s-%d", a.key, w.keys)
	}
	w.attempts = append(w.attempts, a)
}

func (w *storm) answered() (n int) {
	for _, a := range w.attempts {
		if a.answer != nil {
			n++
		}
	}
	return n
}

// round lets everybody work for a while, and kills the process amid it.
func (w *storm) round(s *server, length time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	work := func(do func() error) {
		workers.Go(func() {
			for ctx.Err() == nil {
				if err := do(); err != nil {
					return // the process is gone
				}
			}
		})
	}
	for _, p := range w.people {
		for range 2 { // each sits at two devices and is fast: codes meet codes
			work(func() error { return w.registers(s, p) })
		}
	}
	work(func() error { return w.checks(s, w.people[0]) })
	work(func() error { return w.done(s, w.people[1]) })
	work(func() error { _, err := s.local("POST", "settle", nil); return err })
	work(func() error {
		_, err := s.local("POST", "clock", map[string]string{"advance": "30s"})
		return err
	})
	time.Sleep(length)
	s.kill()
	cancel()
	workers.Wait()
}

// show reads a person's device.
func (w *storm) show(s *server, p *person) (step int64, code string, err error) {
	now, err := s.now()
	if err != nil {
		return 0, "", err
	}
	code, err = p.device.code(now)
	return now.Unix() / 30, code, err
}

func (w *storm) registers(s *server, p *person) error {
	step, code, err := w.show(s, p)
	if err != nil {
		return err
	}
	a := &attempt{person: p, step: step, code: code, key: "storm"}
	w.begin(a)
	got, err := p.register(s, code, a.key)
	if err == nil {
		a.answer = &got
	}
	return err
}

// checks lets a service ask about the code a person may be using at the same moment.
func (w *storm) checks(s *server, p *person) error {
	step, code, err := w.show(s, p)
	if err != nil {
		return err
	}
	header, err := s.as(map[string]any{"service": "bastion"})
	if err != nil {
		return err
	}
	a := &attempt{person: p, step: step, code: code}
	w.begin(a)
	got, err := s.send(call{method: "POST", path: "/checkotp/v1/check", header: header, body: map[string]string{"email": p.email, "code": code}})
	if err == nil {
		a.answer = &got
	}
	return err
}

// done ends a lease now and then.
func (w *storm) done(s *server, p *person) error {
	if !w.chance(4) {
		_, err := p.leases(s)
		return err
	}
	found, err := p.leases(s)
	for _, l := range found {
		if !l.live() {
			continue
		}
		w.mu.Lock()
		w.ended[l.ID] = true
		w.mu.Unlock()
		if _, err := s.ask(p.email, call{method: "DELETE", path: "/registerip/v1/leases/" + l.ID}); err != nil {
			return err
		}
	}
	return err
}

// retry asks again for everything that was never answered, with the same key, as a phone would.
func (w *storm) retry(t *testing.T, s *server) {
	t.Helper()
	for _, a := range w.attempts[w.since:] {
		if a.answer != nil || a.key == "" {
			continue
		}
		got, err := a.person.register(s, a.code, a.key)
		if err != nil {
			t.Fatal(err)
		}
		if got.status == http.StatusCreated { // a refusal may be of the first try or of this one
			a.answer, a.again = &got, true
		}
	}
}

// tomorrow begins a new day for everybody, with no failures behind them.
func (w *storm) tomorrow(t *testing.T, s *server) {
	t.Helper()
	now, err := s.now()
	if err == nil {
		_, err = s.local("POST", "clock", map[string]any{"now": now.Add(24 * time.Hour).Truncate(24 * time.Hour).Add(8 * time.Hour)})
	}
	if err == nil {
		_, err = s.local("POST", "clock", map[string]string{"advance": "1m"})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since, w.ended = len(w.attempts), map[string]bool{}
}
