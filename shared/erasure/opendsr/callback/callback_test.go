package callback_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/opendsr/callback"
	"ostiary.internal/shared/erasure/opendsr/callback/wire"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
)

const (
	id    = "a7551968-d5d6-44b2-9831-815ac9017798"
	good  = "https://controller.example/dsr?token=7"
	other = "https://other.example/"
)

var start = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)

// world is a desk and a controller that listens on every host.
type world struct {
	*callback.Desk
	mu     sync.Mutex
	state  opendsr.State
	ended  bool
	gone   bool
	hosts  []string
	answer func(w http.ResponseWriter, r *http.Request) // what the controller does; 202 for nil
	heard  []string                                     // host and status
	log    bytes.Buffer
	now    time.Time
	last   string // what the request said of itself when it changed last

	records []record.Record
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: start, hosts: []string{"controller.example", "other.example", "localhost"}}
	w.state = opendsr.State{Controller: "acme", ID: id, Status: opendsr.Pending, Expected: start.AddDate(0, 1, 0), APIVersion: "2.0"}
	docs, err := memory.New(store.Options{Schema: store.Schema{callback.Collection(), outbox.Collection()}, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := opendsr.NewSigner(bundle(t), "processor.example")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { w.listen(t, signer, out, r) }))
	t.Cleanup(server.Close)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}
	w.Desk = &callback.Desk{
		Box: outbox.New(docs, clock.System{}, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: w.keep}), Policy: record.Digest([]byte("policy")), Promises: []string{"P1"},
		Store: docs, Post: wire.New(transport), Random: rand.Reader, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Signer: func(context.Context) (*opendsr.Signer, error) { return signer, nil },
		Hosts:  func(string) []string { return w.hosts },
		Requests: func(_ context.Context, tenant, of string) (opendsr.State, bool, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.gone || tenant != "acme" || of != id {
				return opendsr.State{}, false, fault.New(fault.NotFound, "no such request")
			}
			return w.state, w.ended, nil
		},
	}
	return w
}

// listen believes what is signed, and is for the URL it came to.
func (w *world) listen(t *testing.T, signer *opendsr.Signer, out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var s opendsr.State
	if err := json.Unmarshal(body, &s); err != nil || s.CallbackURL != "https://"+r.Host+r.URL.String() || s.ID != id || r.Method != http.MethodPost {
		t.Errorf("told %s at %s: %v", body, r.URL, err)
	}
	block, _ := pem.Decode(signer.Chain)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || r.Header.Get("X-OpenDSR-Processor-Domain") != "processor.example" || !opendsr.Verify(c.PublicKey, body, r.Header.Get("X-OpenDSR-Signature")) {
		t.Errorf("not signed: %v", r.Header)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, r.Host+" "+string(s.Status))
	if w.answer != nil {
		w.answer(out, r)
		return
	}
	out.WriteHeader(http.StatusAccepted)
}

// sweep lets time go by, sweeps and returns what was heard.
func (w *world) sweep(t *testing.T, after time.Duration) []string {
	t.Helper()
	w.now = w.now.Add(after)
	w.heard = nil
	w.wake(t)
	if _, err := w.Sweep(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	return w.heard
}

// wake is what a change of the request does.
func (w *world) wake(t *testing.T) {
	t.Helper()
	if news := string(w.state.Status) + w.state.Expected.String(); w.gone || news != w.last {
		w.last = news
		if err := w.Store.Tx(t.Context(), func(tx store.Tx) error {
			write, err := callback.Wake(tx, "acme", id, w.now)
			if err != nil {
				return err
			}
			return write()
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// keep is the evidence inbox.
func (w *world) keep(_ context.Context, e outbox.Entry) error {
	r, err := record.Parse(e.Data)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = append(w.records, r)
	return err
}

func (w *world) register(t *testing.T, urls ...string) {
	t.Helper()
	if err := w.Register(t.Context(), "acme", opendsr.V2, w.state, urls, w.now); err != nil {
		t.Fatal(err)
	}
}

func (w *world) hears(t *testing.T, what string, after time.Duration, want ...string) {
	t.Helper()
	if got := w.sweep(t, after); !slices.Equal(got, want) {
		t.Errorf("%s: heard %q, want %q", what, got, want)
	}
}

// kept is how many subscriptions there are.
func (w *world) kept(t *testing.T) int {
	t.Helper()
	docs, err := w.Store.Query(t.Context(), store.Query{Collection: "callbacks", Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return len(docs)
}

func TestTells(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, good, other)
	w.register(t, good) // the same request again
	w.hears(t, "nothing new", 2*time.Minute)
	w.state.Status = opendsr.InProgress
	w.hears(t, "begun", 2*time.Minute, "controller.example in_progress", "other.example in_progress")
	w.hears(t, "nothing new", 2*time.Minute)
	w.state.Expected = w.state.Expected.AddDate(0, 2, 0)
	w.hears(t, "takes longer", 2*time.Minute, "controller.example in_progress", "other.example in_progress")
	w.state.Status, w.ended = opendsr.Completed, true
	w.hears(t, "done", 2*time.Minute, "controller.example completed", "other.example completed")
	if w.kept(t) != 0 {
		t.Error("what has ended is looked at again")
	}
	w.register(t)
	if w.kept(t) != 0 {
		t.Error("nobody is to be told, and it is noted")
	}
	w.register(t, good)
	w.gone = true
	w.hears(t, "the request is gone", 2*time.Minute)
	if w.kept(t) != 0 {
		t.Error("a request that is gone is looked at again")
	}
}

// TestOvertaken: of two changes while nobody listens only the last is said.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, good)
	w.state.Status = opendsr.InProgress
	w.answer = func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(503) }
	w.hears(t, "begun", 2*time.Minute, "controller.example in_progress")
	w.state.Status, w.answer = opendsr.Cancelled, nil
	w.hears(t, "taken back", 2*time.Minute, "controller.example cancelled")
	w.hears(t, "nothing new", 30*time.Minute)
}

// TestHostileTargets: nothing is sent to a host that is not agreed any more, to this machine, or where a redirect leads.
func TestHostileTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, good, other)
	w.hosts = []string{"other.example"}
	w.state.Status = opendsr.InProgress
	w.answer = func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Location", "https://169.254.169.254/latest/meta-data")
		out.WriteHeader(http.StatusTemporaryRedirect)
	}
	w.hears(t, "a host that left the list, and one that redirects", 2*time.Minute, "other.example in_progress")
	w.hears(t, "again", 2*time.Minute, "other.example in_progress")

	w = newWorld(t)
	w.Post = wire.New(nil)
	w.register(t, "https://localhost/dsr")
	w.state.Status = opendsr.InProgress
	w.hears(t, "this machine", 2*time.Minute)
	if !strings.Contains(w.log.String(), "why=denied") {
		t.Errorf("the log says %s", w.log.String())
	}
}

// TestAtOnce: of several sweeps one tells, and what cannot be told now is told later.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, good)
	w.state.Status = opendsr.InProgress
	w.now = w.now.Add(2 * time.Minute)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := w.Sweep(t.Context(), w.now); err != nil && !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if !slices.Equal(w.heard, []string{"controller.example in_progress"}) {
		t.Errorf("heard %q", w.heard)
	}
	requests := w.Requests
	w.Requests = func(context.Context, string, string) (opendsr.State, bool, error) {
		return opendsr.State{}, false, errors.New("down")
	}
	w.state.Status = opendsr.Cancelled
	w.now = w.now.Add(3 * time.Minute)
	w.wake(t)
	if n, err := w.Sweep(t.Context(), w.now); n != 0 || err == nil {
		t.Errorf("told %d, %v", n, err)
	}
	w.Requests = requests
	w.hears(t, "later", 3*time.Minute, "controller.example cancelled")
}

func bundle(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "processor.example"}, DNSNames: []string{"processor.example"}, NotBefore: start.AddDate(-1, 0, 0), NotAfter: start.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)
}
