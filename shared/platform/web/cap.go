package web

import (
	"net/netip"
	"sync"
	"time"

	"ostiary.internal/shared/platform/clock"
)

// LeastPerMinute is the floor of a source cap: offices and mobile carriers put many people behind one network.
const LeastPerMinute = 300

// capSources bounds the memory: at most twice as many networks are remembered, some 100 bytes each.
const capSources = 1 << 15

// Cap is a token bucket per network, an IPv4 /24 or an IPv6 /64: it holds a minute's worth and refills evenly. It
// is a second layer, per process: several instances allow several times as much. More than 32,768 networks within
// a minute push out the memory of the quietest. It is safe for concurrent use.
type Cap struct {
	clk      clock.Clock
	window   time.Duration // a full bucket, in time
	interval time.Duration // one request, in time

	mu              sync.Mutex
	current, before map[netip.Prefix]time.Time // when the bucket will be full again
	turned          time.Time                  // when current was begun
}

// NewCap allows perMinute requests a minute from each network, never fewer than LeastPerMinute. clk must be a
// running clock: under one that stands still no bucket refills.
func NewCap(clk clock.Clock, perMinute int) *Cap {
	return &Cap{
		clk: clk, window: time.Minute, interval: time.Minute / time.Duration(max(perMinute, LeastPerMinute)),
		current: map[netip.Prefix]time.Time{}, turned: clk.Now(),
	}
}

// Take counts one request from addr; the zero address stands for all unknown ones together. When the bucket is
// empty nothing is counted, and wait says when the next request will pass.
func (c *Cap) Take(addr netip.Addr) (wait time.Duration, ok bool) {
	network := networkOf(addr)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clk.Now()
	if now.Sub(c.turned) >= c.window || len(c.current) >= capSources {
		// A bucket untouched for a window is full, so forgetting it changes nothing.
		c.before, c.current, c.turned = c.current, map[netip.Prefix]time.Time{}, now
	}
	full, known := c.current[network]
	if !known {
		full = c.before[network]
	}
	if latest := now.Add(c.window); full.After(latest) {
		full = latest // the clock was set back
	}
	if full.Before(now) {
		full = now
	}
	full = full.Add(c.interval)
	if wait := full.Sub(now) - c.window; wait > 0 {
		return wait, false
	}
	c.current[network] = full
	return 0, true
}

// networkOf returns the network that shares a bucket; the zero prefix for the unknown.
func networkOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap()
	bits := 64
	if addr.Is4() {
		bits = 24
	}
	network, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}
