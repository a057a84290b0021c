package functiontest

import (
	"sync"

	"ostiary.internal/shared/platform/fault"
)

// Switch stands in front of one part of the world. The zero Switch lets everything pass. It is safe for concurrent
// use.
type Switch struct {
	mu     sync.Mutex
	err    error
	after  int // calls that still pass before err
	panics string
	calls  int
	failed int
}

// Down makes every call fail as if the part did not answer.
func (s *Switch) Down() { s.Fail(fault.New(fault.Transient, "an injected failure")) }

// Fail makes every call fail with an error.
func (s *Switch) Fail(err error) { s.set(err, 0, "") }

// DownAfter lets n calls pass before the part does not answer any more.
func (s *Switch) DownAfter(n int) { s.set(fault.New(fault.Transient, "an injected failure"), n, "") }

// Panic makes every call panic with a text.
func (s *Switch) Panic(text string) { s.set(nil, 0, text) }

// Up lets calls pass again.
func (s *Switch) Up() { s.set(nil, 0, "") }

func (s *Switch) set(err error, after int, panics string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.after, s.panics = err, after, panics
}

// Calls returns how many calls came so far, failed ones included.
func (s *Switch) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Failed returns how many calls the switch has failed so far.
func (s *Switch) Failed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// pass counts a call and fails it if the switch is down.
func (s *Switch) pass() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.panics != "" {
		panic(s.panics)
	}
	if s.err != nil && s.after > 0 {
		s.after--
		return nil
	}
	if s.err != nil {
		s.failed++
	}
	return s.err
}
