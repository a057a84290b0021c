package smtp

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
)

// life is what a process needs that delivers one request and dies.
type life struct {
	Address, Store, Keys string
	Request              message.Request
}

const lives = "OSTIARY_TEST_LIFE"

// TestLife is the life of a process that the next test starts and kills. By itself it does nothing.
func TestLife(t *testing.T) {
	given, born := os.LookupEnv(lives)
	if !born {
		return
	}
	var l life
	if err := json.Unmarshal([]byte(given), &l); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, channel(t, l.Address, Plain, nil, func(c *Config) { c.Timeout = time.Minute }))
	d.keys, d.store = local.New(l.Keys, nil), opened(t, l.Store, d)
	if err := d.courier().Deliver(t.Context(), l.Request); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
}

func opened(t *testing.T, path string, d *desk) store.Store {
	s, err := bolt.Open(path, "breach", store.Options{Schema: schema, Clock: d.clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestKilled: a process is killed, without a chance to tidy up, when the server has got so far in the conversation; another
// takes over its database, and the bus brings the request again. A customer gets one letter at most, and whoever asked hears
// of it; staff get theirs.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind  message.Kind
		at    string
		state message.State
		data  int
		taken int
	}{
		{message.Customer, "greeting", message.StateUnknown, 0, 0},
		{message.Customer, "RCPT", message.StateUnknown, 0, 0},
		{message.Customer, "DATA", message.StateUnknown, 1, 0},
		{message.Customer, ".", message.StateUnknown, 1, 1},
		{message.Staff, "RCPT", message.StateAccepted, 1, 1},
		{message.Staff, ".", message.StateAccepted, 2, 2},
	} {
		t.Run(string(test.kind)+" "+test.at, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			d := newDesk(t, nil)
			d.keys = local.New(filepath.Join(dir, "keys"), nil)
			r := d.request("ana", test.kind, time.Time{})
			var once sync.Once
			started, dead := make(chan *exec.Cmd, 1), make(chan struct{})
			s, taken := converseAt(t, func(verb string) {
				if verb == test.at {
					once.Do(func() {
						child := <-started
						_ = child.Process.Kill()
						_ = child.Wait()
						close(dead)
					})
				}
			}, turn{})
			given, err := json.Marshal(life{s.address, filepath.Join(dir, "ostiary.db"), filepath.Join(dir, "keys"), r})
			if err != nil {
				t.Fatal(err)
			}
			child := exec.Command(os.Args[0], "-test.run=^TestLife$")
			child.Env = append(os.Environ(), lives+"="+string(given), "GOTMPDIR="+dir) // what it cannot tidy up goes with this test
			if _, err := child.StdinPipe(); err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			started <- child
			select {
			case <-dead:
			case <-time.After(30 * time.Second):
				_ = child.Process.Kill()
				t.Fatal("the process never came so far")
			}
			d.store, d.channel = opened(t, filepath.Join(dir, "ostiary.db"), d), channel(t, s.address, Plain, nil, nil)
			t.Cleanup(func() { _ = d.store.Close() })
			d.deliver(r)
			d.pass(60)
			d.deliver(r)
			if got := d.one(); got.State != test.state || s.count("DATA") != test.data || taken() != test.taken || len(d.answers) != 1 || d.answers[0].State != test.state {
				t.Errorf("%s (%s), %d times DATA, %d letters taken, answered %+v", got.State, got.Why, s.count("DATA"), taken(), d.answers)
			}
		})
	}
}
