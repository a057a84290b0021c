package main_test

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

// serve starts a server that the test's end stops.
func serve(t *testing.T, o options) *server {
	t.Helper()
	if o.dir == "" {
		o.dir = filepath.Join(t.TempDir(), "data")
	}
	s, err := launch(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// person is somebody with an authenticator who sits at an address.
type person struct {
	email  string
	device *device
	from   string
}

// bind gives a person a time-based authenticator, as security imports it.
func bind(s *server, id, from string) (*person, error) {
	secret := make([]byte, 20)
	_, _ = rand.Read(secret) // never fails (package crypto/rand)
	p := &person{email: people[id], from: from}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	a, err := s.ask(people["simone"], call{method: "POST", path: "/enrolotp/v1/imports", body: map[string]any{"email": p.email, "kind": "totp", "secret": text}})
	if err != nil || a.status != http.StatusCreated {
		return nil, fmt.Errorf("importing: %s, %w", a, err)
	}
	p.device, err = scan("otpauth://totp/test?secret=" + text)
	return p, err
}

// ask makes a call as a signed-in person.
func (s *server) ask(email string, c call) (answer, error) {
	header, err := s.as(map[string]any{"email": email})
	if err != nil {
		return answer{}, err
	}
	for name, values := range c.header {
		header[name] = values
	}
	c.header = header
	return s.send(c)
}

// register asks for a lease.
func (p *person) register(s *server, code, key string) (answer, error) {
	return s.ask(p.email, call{method: "POST", path: "/registerip/v1/leases", body: map[string]string{"code": code},
		header: http.Header{"X-Ostiary-Client": {p.from}, "Idempotency-Key": {key}}})
}

// lease is one as the interface shows it.
type lease struct {
	ID     string    `json:"id"`
	Prefix string    `json:"prefix"`
	Ends   time.Time `json:"ends"`
	State  string    `json:"state"`
}

func (l lease) live() bool { return l.State != "ended" && l.State != "failed" }

func (p *person) leases(s *server) ([]lease, error) {
	a, err := s.ask(p.email, call{method: "GET", path: "/registerip/v1/leases"})
	if err != nil || a.status != http.StatusOK {
		return nil, fmt.Errorf("listing leases: %s, %w", a, err)
	}
	var listed struct{ Leases []lease }
	return listed.Leases, json.Unmarshal(a.body, &listed)
}

// jump sets the clock forward by a duration.
func (s *server) jump(by time.Duration) error {
	now, err := s.now()
	if err != nil {
		return err
	}
	_, err = s.local("POST", "clock", map[string]any{"now": now.Add(by)})
	return err
}

// must ends the test on an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
