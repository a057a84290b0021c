package opendsr

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/erasure/internal/scene"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/opendsr/callback/wire"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
)

// TestCustomersAreApart: a customer sees, changes and conflicts with nothing of another's, though both chose the same id.
func TestCustomersAreApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Call(t, w.as(nord, "POST", v2, asked)).Want(t, 201, "")
	before := w.State(t)
	for _, method := range []string{"GET", "DELETE"} {
		for _, at := range []string{v2, v1} {
			if a := w.Call(t, w.as(sud, method, at+"/"+id, nil)).Want(t, 404, "request_unknown"); reasons(t, a) != "NotFound" {
				t.Errorf("%s of another's: %s", method, a.Body)
			}
		}
	}
	w.Unchanged(t, before)
	var created opendsr.Created
	w.signed(t, opendsr.V2, w.Call(t, w.as(sud, "POST", v2, strings.Replace(asked, "lea.martin", "leo.martin", 1))).Want(t, 201, ""), &created)
	if created.Controller != "cabinet-sud" {
		t.Errorf("taken as %s's", created.Controller)
	}
	w.Call(t, w.as(sud, "DELETE", v2+"/"+id, nil)).Want(t, 202, "")
	var state opendsr.State
	w.signed(t, opendsr.V2, w.Call(t, w.as(nord, "GET", v2+"/"+id, nil)).Want(t, 200, ""), &state)
	if state.Status != opendsr.Pending {
		t.Errorf("another's taking back changed it: %s", state.Status)
	}
	s := scene.New(t, w.World, "cabinet-nord")
	r, err := s.Requests.Instructed(t.Context(), "cabinet-nord", id)
	if err != nil {
		t.Fatal(err)
	}
	work, err := s.Requests.Work(t.Context(), r.ID, w.Clock.Now())
	if err != nil || work.Tenant != "cabinet-nord" || work.Requester != request.Controller || !slices.Equal(work.Identifiers, []request.Identifier{{Kind: "email", Value: "lea.martin@mail.example", Verified: true}}) {
		t.Errorf("the engine is asked for %+v, %v", work, err)
	}
}

// TestAtOnce: the same instruction many times at once is one, and answered alike; another body under its id never gets in.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var answers sync.Map
	var wait sync.WaitGroup
	for i := range 12 {
		wait.Go(func() {
			body := asked
			if i%4 == 3 {
				body = strings.Replace(asked, "lea.martin", "leo.martin", 1)
			}
			a := w.Call(t, w.as(nord, "POST", v2, body))
			answers.Store(body+" "+strconv.Itoa(a.Status)+" "+a.Code, string(a.Body))
		})
	}
	wait.Wait()
	taken, bodies := 0, map[string]bool{}
	for key, body := range answers.Range {
		if strings.Contains(key.(string), " 201 ") {
			taken++
			bodies[body.(string)] = true
		}
	}
	if taken != 1 || len(bodies) != 1 || len(w.Published("erasure.plan")) != 1 {
		t.Errorf("%d bodies were taken, %d kinds of answers, %d messages", taken, len(bodies), len(w.Published("erasure.plan")))
	}
}

// TestDuplicate: an instruction about somebody whom an earlier one is about stands for itself, and is taken back for itself.
func TestDuplicate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Call(t, w.as(nord, "POST", v2, asked)).Want(t, 201, "")
	begun(t, scene.New(t, w.World, "cabinet-nord"))
	second := "b7551968-d5d6-44b2-9831-815ac9017798"
	w.Call(t, w.as(nord, "POST", v2, strings.Replace(asked, id, second, 1))).Want(t, 201, "")
	var state opendsr.State
	w.signed(t, opendsr.V2, w.Call(t, w.as(nord, "GET", v2+"/"+second, nil)).Want(t, 200, ""), &state)
	if state.ID != second || state.Status == opendsr.Cancelled {
		t.Errorf("the second stands as %+v", state)
	}
	third := "c7551968-d5d6-44b2-9831-815ac9017798"
	w.Call(t, w.as(nord, "POST", v2, strings.Replace(asked, id, third, 1))).Want(t, 201, "")
	w.Call(t, w.as(nord, "DELETE", v2+"/"+third, nil)).Want(t, 202, "")
	for one, cancelled := range map[string]bool{id: false, second: false, third: true} {
		w.signed(t, opendsr.V2, w.Call(t, w.as(nord, "GET", v2+"/"+one, nil)).Want(t, 200, ""), &state)
		if (state.Status == opendsr.Cancelled) != cancelled {
			t.Errorf("%s stands as %+v", one, state)
		}
	}
}

// TestCallbacks: a customer's program hears, signed, that erasing has begun; nobody is called on this machine.
func TestCallbacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := strings.Replace(asked, `{`, `{"status_callback_urls":["https://dsr.cabinetnord.example/told"],`, 1)
	// What the answer cannot say any more the repetition makes good.
	for n := 0; ; n++ {
		w.Store.DownAfter(n)
		a := w.Call(t, w.as(nord, "POST", v2, body))
		w.Store.Up()
		if a.Status == http.StatusCreated {
			break
		}
		a.Want(t, 503, "unavailable")
	}
	w.Call(t, w.as(nord, "POST", v2, body)).Want(t, 201, "")
	begun(t, scene.New(t, w.World, "cabinet-nord"))

	var heard []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		told, _ := io.ReadAll(r.Body)
		if !opendsr.Verify(w.leaf.PublicKey, told, r.Header.Get("X-OpenDSR-Signature")) || !strings.Contains(string(told), `"status_callback_url":"https://dsr.cabinetnord.example/told"`) {
			t.Errorf("told %s with %v", told, r.Header)
		}
		heard = append(heard, r.Host)
		out.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	p, err := parts.New(w.Deps("opendsr"))
	if err != nil {
		t.Fatal(err)
	}
	desk, err := p.Callbacks(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.Post(t.Context(), server.URL, nil, nil); !fault.Is(err, fault.Denied) || len(heard) > 0 {
		t.Errorf("this machine is called: %v", err)
	}
	desk.Post = wire.New(&http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	})
	told, err := desk.Sweep(t.Context(), w.Clock.Now().Add(2*time.Minute))
	if err != nil || told != 1 || !slices.Equal(heard, []string{"dsr.cabinetnord.example"}) {
		t.Errorf("told %d, heard %q: %v", told, heard, err)
	}
}

func FuzzInstruction(f *testing.F) {
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request {
		erasuretest.Certify(f, w)
		return (&world{World: w}).as(nord, "POST", v2, nil)
	}, asked, strings.Replace(asked, "raw", "md5", 1))
}
