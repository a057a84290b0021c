// Package scene plays what stands behind the pages of the erasure control in a test: the account that searches, with a
// directory of the test's own, and the mailbox of whoever asked. It decides nothing that package request does not. It is
// for tests; no function links it.
package scene

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
)

// Scene is the engine's side of a World. It is not for concurrent use.
type Scene struct {
	*functiontest.World
	Requests *request.Service
	Mails    []message.Content // that the engine's side had sent, the newest last
	Deaf     bool              // no customer's data can be asked whom it has

	mu    sync.Mutex        // of Mails: several leave at once
	known map[string]string // addresses on file, by tenant and address
}

// New returns the engine's side of a world. The addresses are on file in the given tenant.
func New(t testing.TB, w *functiontest.World, tenant string, addresses ...string) *Scene {
	t.Helper()
	s := &Scene{World: w, known: map[string]string{}}
	for _, address := range addresses {
		s.known[tenant+" "+strings.ToLower(address)] = address
	}
	letters, err := letter.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := w.Policy.Company
	drop := func(context.Context, outbox.Entry) error { return nil }
	s.Requests, err = request.New(request.Config{
		Store: w.Raw("erasure"), Policy: w.Policy, Digest: "sha256:" + w.Policy.Digest, Letters: letters, Directory: s, Keys: w.Key("request"),
		Box:      outbox.New(w.Raw("erasure"), w.Clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: drop, outbox.Message: s.keep}),
		Messages: seal.NewCache(w.Key("message"), rand.Reader, w.Clock), Mark: bytes.Repeat([]byte("0123456789abcdef"), 4),
		Rules: request.Rules{Zone: c.Location(), Country: c.Country, AutoApprove: 100, Strict: true}, Shared: datamap.Shared,
		Page: "https://ostiary.test/requesterasure/confirm", Desk: "https://ostiary.test/decideerasure/",
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// OnFile says which address the directory has.
func (s *Scene) OnFile(_ context.Context, tenant, email string) (found bool, address string, err error) {
	address, found = s.known[tenant+" "+strings.ToLower(email)]
	return found, address, nil
}

// AddressOf says that nobody is known by anything else.
func (s *Scene) AddressOf(context.Context, string, request.Identifier) (found bool, address string, err error) {
	return false, "", nil
}

// HeldFor says that no customer's data has anybody, or that it cannot be asked.
func (s *Scene) HeldFor(context.Context, string, string) (found bool, address string, err error) {
	if s.Deaf {
		return false, "", fault.New(fault.Denied, "asking a customer's data: no")
	}
	return false, "", nil
}

// keep opens the letters that are sent, and lets everything else go.
func (s *Scene) keep(ctx context.Context, e outbox.Entry) error {
	if e.Target != message.TopicRequested {
		return nil
	}
	var m message.Request
	if err := json.Unmarshal(e.Data, &m); err != nil {
		return err
	}
	c, err := m.Open(ctx, s.Key("message"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.Mails = append(s.Mails, c)
	}
	return err
}

var proofOf = regexp.MustCompile(`/requesterasure/confirm#([a-z2-9-]+)\.([a-z2-9]+)`)

// Identified lets the engine look up who asked, and returns number and code of the letter that went out; "" for none.
func (s *Scene) Identified(t testing.TB, id string) (number, code string) {
	t.Helper()
	before := len(s.Mails)
	if err := s.Requests.Identify(t.Context(), id, s.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	for _, m := range s.Mails[before:] {
		if found := proofOf.FindStringSubmatch(m.Text); found != nil {
			s.Private(found[2])
			return found[1], found[2]
		}
	}
	return "", ""
}

// Planned lets the engine find something.
func (s *Scene) Planned(t testing.TB, id string, p request.Plan) request.Request {
	t.Helper()
	return s.step(t, id, func(w request.Work) (request.Request, error) {
		return s.Requests.Planned(t.Context(), id, w.Round, p, s.Clock.Now())
	})
}

// Started lets the engine begin with the plan that was approved.
func (s *Scene) Started(t testing.TB, id string) request.Request {
	t.Helper()
	return s.step(t, id, func(w request.Work) (request.Request, error) {
		return s.Requests.Started(t.Context(), id, w.Round, w.Plan, s.Clock.Now())
	})
}

// Overdue lets time pass until every request is late.
func (s *Scene) Overdue(t testing.TB) {
	t.Helper()
	for range 2 { // the proof of an identity moves the deadline
		s.Advance(t, 40*24*time.Hour)
		if err := s.Requests.Tick(t.Context(), s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
}

// Mended fails the test unless a function put on record that something is in order again.
func (s *Scene) Mended(t testing.TB, function string) {
	t.Helper()
	for id, r := range s.Records(t) {
		if r.Kind == record.Remediation && s.Writer(id) == function {
			return
		}
	}
	t.Error("nothing was put on record as mended")
}

// Executed lets the engine finish.
func (s *Scene) Executed(t testing.TB, id string, totals request.Totals) request.Request {
	t.Helper()
	return s.step(t, id, func(w request.Work) (request.Request, error) {
		return s.Requests.Executed(t.Context(), id, w.Round, totals, s.Clock.Now())
	})
}

// Verified lets the engine search again.
func (s *Scene) Verified(t testing.TB, id string, o request.Outcome) request.Request {
	t.Helper()
	return s.step(t, id, func(w request.Work) (request.Request, error) {
		return s.Requests.Verified(t.Context(), id, w.Round, w.Search, o, s.Clock.Now())
	})
}

func (s *Scene) step(t testing.TB, id string, do func(request.Work) (request.Request, error)) request.Request {
	t.Helper()
	w, err := s.Requests.Work(t.Context(), id, s.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := do(w)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
