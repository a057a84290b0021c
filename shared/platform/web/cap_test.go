package web_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/web"
)

var start = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)

// drain takes until the cap refuses and returns how many passed and how long to wait.
func drain(c *web.Cap, addr netip.Addr) (passed int, wait time.Duration) {
	for {
		wait, ok := c.Take(addr)
		if !ok {
			return passed, wait
		}
		passed++
	}
}

func TestCapPerNetwork(t *testing.T) {
	t.Parallel()
	c := web.NewCap(clock.NewManual(start), 0)
	groups := [][]string{
		{"81.2.69.142", "81.2.69.1", "::ffff:81.2.69.7"},
		{"81.2.70.142"},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9"},
		{"2001:db8:1:3::1"},
		{""}, // unknown
	}
	for _, group := range groups {
		for i, text := range group {
			addr, _ := netip.ParseAddr(text)
			want := web.LeastPerMinute
			if i > 0 {
				want = 0 // the first one of the network has taken all
			}
			if got, _ := drain(c, addr); got != want {
				t.Errorf("%q: %d passed, want %d", text, got, want)
			}
		}
	}
}

func TestCapRefills(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(start)
	c := web.NewCap(clk, 600)
	addr := netip.MustParseAddr("81.2.69.142")
	if got, wait := drain(c, addr); got != 600 || wait != 100*time.Millisecond {
		t.Fatalf("%d passed, wait %s", got, wait)
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{99 * time.Millisecond, 0}, {time.Millisecond, 1}, {30 * time.Second, 300}, {59 * time.Second, 590}, {time.Hour, 600}} {
		if err := clk.Set(clk.Now().Add(step.after)); err != nil {
			t.Fatal(err)
		}
		if got, _ := drain(c, addr); got != step.want {
			t.Errorf("after %s: %d passed, want %d", step.after, got, step.want)
		}
	}
}

func TestCapFloor(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{-5, 0, 1, 299, 300} {
		if got, _ := drain(web.NewCap(clock.NewManual(start), rate), netip.Addr{}); got != web.LeastPerMinute {
			t.Errorf("rate %d: %d passed", rate, got)
		}
	}
}

// backwards is a clock somebody sets back.
type backwards struct{ now atomic.Int64 }

func (b *backwards) Now() time.Time { return time.Unix(0, b.now.Load()).UTC() }

func TestCapClockSetBack(t *testing.T) {
	t.Parallel()
	clk := &backwards{}
	clk.now.Store(start.UnixNano())
	c := web.NewCap(clk, 0)
	drain(c, netip.Addr{})
	clk.now.Store(start.Add(-24 * time.Hour).UnixNano())
	if _, wait := drain(c, netip.Addr{}); wait > time.Minute {
		t.Errorf("wait %s after the clock was set back", wait)
	}
}

// TestCapOracle holds the cap against a plain token counter per network, at random times.
func TestCapOracle(t *testing.T) {
	t.Parallel()
	for seed := range require.Seeds(25) {
		random := rand.New(rand.NewPCG(uint64(seed), 7))
		clk := clock.NewManual(start)
		c := web.NewCap(clk, 0)
		tokens, seen := map[byte]float64{}, map[byte]time.Time{}
		for range 3000 {
			now := clk.Now()
			network := byte(random.IntN(3))
			if _, known := tokens[network]; !known {
				tokens[network], seen[network] = web.LeastPerMinute, now
			}
			tokens[network] = min(web.LeastPerMinute, tokens[network]+now.Sub(seen[network]).Seconds()*web.LeastPerMinute/60)
			seen[network] = now
			_, ok := c.Take(netip.AddrFrom4([4]byte{81, 2, network, byte(random.IntN(256))}))
			if want := tokens[network] >= 1-1e-6; ok != want {
				t.Fatalf("seed %d: passed %v with %f tokens", seed, ok, tokens[network])
			}
			if ok {
				tokens[network]--
			}
			if err := clk.Set(now.Add(time.Duration(random.IntN(100)) * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestCapManyNetworksAtOnce(t *testing.T) {
	t.Parallel()
	c := web.NewCap(clock.NewManual(start), 0)
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := range 50_000 {
				var a [4]byte
				binary.BigEndian.PutUint32(a[:], uint32(worker*50_000+i)<<8)
				if _, ok := c.Take(netip.AddrFrom4(a)); !ok {
					t.Errorf("a first request from %v is refused", a)
				}
			}
		})
	}
	wait.Wait()
	if n := c.Networks(); n > 1<<16 {
		t.Errorf("%d networks remembered", n)
	}
}

func TestSourceCap(t *testing.T) {
	t.Parallel()
	f, _ := sample(t)
	f.Cap = web.NewCap(clock.NewManual(time.Unix(1e9, 0)), 0)
	handler := f.Handler()
	read := false
	send := func(method, path, from string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, reading(func() { read = true }))
		r.Header.Set("X-Forwarded-For", from)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for i := range web.LeastPerMinute {
		if w := send("GET", "/sample/", fmt.Sprintf("81.2.69.%d", i%256)); w.Code != 200 {
			t.Fatalf("request %d: status %d", i+1, w.Code)
		}
	}
	w := send("POST", "/sample/v1/leases", "81.2.69.1")
	var p map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 429 || p["code"] != "too_many_requests" || w.Header().Get("Retry-After") != "1" {
		t.Errorf("over the cap: status %d, Retry-After %q, %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if read {
		t.Error("the body was read although the cap refuses")
	}
	if w := send("POST", "/sample/events", "81.2.69.1"); w.Code != 204 {
		t.Errorf("an uncapped route: status %d", w.Code)
	}
	if w := send("GET", "/sample/", "81.2.70.1"); w.Code != 200 {
		t.Errorf("another network: status %d", w.Code)
	}
	for i := range web.LeastPerMinute { // the unknown share one bucket, whatever they write
		if w := send("GET", "/sample/", fmt.Sprintf("junk-%d", i)); w.Code != 200 {
			t.Fatalf("unknown %d: status %d", i+1, w.Code)
		}
	}
	if w := send("GET", "/sample/", "other junk"); w.Code != 429 {
		t.Errorf("unknown over the cap: status %d", w.Code)
	}
}

// reading is a body that tells when it is read.
type reading func()

func (r reading) Read([]byte) (int, error) { r(); return 0, io.EOF }
