package main

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// meter counts requests of each kind of load. It is safe for concurrent use.
type meter struct {
	mu    sync.Mutex
	kinds map[string]*measured
}

// measured is what there is of one kind.
type measured struct {
	Answered int
	Refused  int // 4xx
	Later    int // 503 and 504
	Lost     int // without an answer
	times    []time.Duration
}

func newMeter() *meter { return &meter{kinds: map[string]*measured{}} }

func (m *meter) of(kind string) *measured {
	if m.kinds[kind] == nil {
		m.kinds[kind] = &measured{}
	}
	return m.kinds[kind]
}

func (m *meter) answered(kind string, took time.Duration, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.of(kind)
	k.Answered++
	switch {
	case status >= 500:
		k.Later++
	case status >= 400:
		k.Refused++
	}
	k.times = append(k.times, took)
}

func (m *meter) lost(kind string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(kind).Lost++
}

// names are the kinds of load, without what the driver itself asked.
func (m *meter) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m.kinds)), func(kind string) bool { return kind == "" })
}

// total is how many requests of people and programs were answered.
func (m *meter) total() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for kind, k := range m.kinds {
		if kind != "" {
			n += k.Answered
		}
	}
	return n
}

// percentile is the time that a share of the requests of a kind took at most.
func (m *meter) percentile(kind string, share float64) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	times := slices.Sorted(slices.Values(m.of(kind).times))
	if len(times) == 0 {
		return 0
	}
	return times[min(len(times)-1, int(share*float64(len(times))))]
}
