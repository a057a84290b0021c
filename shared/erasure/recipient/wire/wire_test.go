package wire_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/hook"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/erasure/recipient/wire"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

var (
	now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	key = []byte("a secret of thirty-two bytes, or so")
)

const id = "00112233-4455-4677-8899-aabbccddeeff"

var message = recipient.Message{
	ID: id, Received: now.Add(-time.Hour), Executed: now,
	Identities: []recipient.Identity{{Kind: "mail", Value: "jo@customer.example", Type: opendsr.Email}, {Kind: "customer_id", Value: "c-7", Type: opendsr.ControllerCustomerID}, {Kind: "device", Value: "d-1", Type: "android_id"}},
}

func secret(_ context.Context, name string) ([]byte, error) {
	if name != "theirs" {
		return nil, fault.New(fault.NotFound, "reading secret %q: there is none", name)
	}
	return key, nil
}

// asked is what a recipient was sent.
type asked struct {
	header http.Header
	path   string
	body   []byte
}

func listen(t *testing.T, answer http.HandlerFunc) (*wire.Client, string, *asked) {
	t.Helper()
	var got asked
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = asked{r.Header, r.Method + " " + r.URL.Path, body}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return wire.New(s.Client().Transport, secret, clock.NewManual(now)), s.URL, &got
}

// TestWebhook: what is sent is signed, and says no more than it has to.
func TestWebhook(t *testing.T) {
	t.Parallel()
	c, address, got := listen(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	a, err := c.Send(t.Context(), datamap.Recipient{ID: "mailer", By: datamap.ByWebhook, To: address + "/erasures", Secret: "theirs"}, message)
	if err != nil || a.Result != recipient.Heard || got.path != "POST /erasures" {
		t.Fatal(a, err, got.path)
	}
	want := `{"v":1,"event":"erasure","id":"` + id + `","identities":[{"kind":"mail","value":"jo@customer.example"},{"kind":"customer_id","value":"c-7"},{"kind":"device","value":"d-1"}],"received":"2026-03-02T08:00:00Z","executed":"2026-03-02T09:00:00Z"}`
	if string(got.body) != want {
		t.Errorf("sent was %s", got.body)
	}
	if got.header.Get("Ostiary-Signature") != hook.Sign(key, got.header.Get("Ostiary-Time"), "notice", got.body) {
		t.Error("the signature is not of the body")
	}
	closing := recipient.Message{ID: id, Tenant: "north", Received: now, Executed: now}
	if _, err := c.Send(t.Context(), datamap.Recipient{ID: "mailer", By: datamap.ByWebhook, To: address}, closing); err != nil || strings.Contains(string(got.body), "identities") ||
		!strings.Contains(string(got.body), `"tenant":"north"`) || got.header.Get("Ostiary-Signature") != "" {
		t.Errorf("of an account was sent %s, %v", got.body, err)
	}
}

// TestOpenDSR: what is sent is a request that our own side of the protocol takes, and only its own answer confirms it.
func TestOpenDSR(t *testing.T) {
	t.Parallel()
	answer := created
	c, _, got := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, answer)
	})
	c.Unsigned = true
	to := datamap.Recipient{ID: "reminders", By: datamap.ByOpenDSR, To: "https://example.com/opendsr/v2/", Secret: "theirs"}
	a, err := c.Send(t.Context(), to, message)
	if err != nil || a.Result != recipient.Heard || got.path != "POST /opendsr/v2/requests" || got.header.Get("Authorization") != "Bearer "+string(key) {
		t.Fatal(a, err, got.path)
	}
	q, err := opendsr.ParseRequest(got.body, opendsr.V2, now, opendsr.IdentityTypes)
	if err != nil || q.ID != id || !q.Submitted.Equal(message.Received) || fmt.Sprint(q.Identities) != "[{email raw jo@customer.example} {controller_customer_id raw c-7} {android_id raw d-1}]" {
		t.Errorf("read as %+v, %v", q, err)
	}
	first := string(got.body)
	if _, err := c.Send(t.Context(), to, message); err != nil || string(got.body) != first {
		t.Error("another time it says something else")
	}
	answer = strings.Replace(answer, id, "00112233-4455-4677-8899-aabbccddee00", 1)
	if a, err := c.Send(t.Context(), to, message); err != nil || a.Result != recipient.Refused {
		t.Errorf("an answer about another request: %+v, %v", a, err)
	}
	before := string(got.body)
	for name, m := range map[string]recipient.Message{
		"by what has no type there": {ID: id, Identities: []recipient.Identity{message.Identities[0], {Kind: "uid", Value: "u-9"}}, Received: now, Executed: now},
		"of an account":             {ID: id, Tenant: "7", Received: now, Executed: now},
	} {
		if a, err := c.Send(t.Context(), to, m); err != nil || a != (recipient.Answer{Result: recipient.Refused, Why: "no_type"}) || string(got.body) != before {
			t.Errorf("%s: %+v, %v, sent %s", name, a, err, got.body)
		}
	}
}

// TestAnswers: what does not confirm is not taken for it, whatever it sends.
func TestAnswers(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(code)
		}
	}
	for name, c := range map[string]struct {
		by     datamap.By
		answer http.HandlerFunc
		want   recipient.Answer
	}{
		"busy":                 {datamap.ByWebhook, status(503), recipient.Answer{Result: recipient.Later, After: 2 * time.Minute, Why: "busy"}},
		"too many":             {datamap.ByOpenDSR, status(429), recipient.Answer{Result: recipient.Later, After: 2 * time.Minute, Why: "busy"}},
		"not there":            {datamap.ByWebhook, status(404), recipient.Answer{Result: recipient.Refused, Why: "status_404"}},
		"200 is no creation":   {datamap.ByOpenDSR, status(200), recipient.Answer{Result: recipient.Refused, Why: "status_200"}},
		"created, and nothing": {datamap.ByOpenDSR, status(201), recipient.Answer{Result: recipient.Refused, Why: "answer_invalid"}},
		"sent on": {datamap.ByWebhook, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusPermanentRedirect)
		}, recipient.Answer{Result: recipient.Refused, Why: "redirected"}},
		"endless": {datamap.ByOpenDSR, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(`{"x":"` + strings.Repeat("x", 1<<20)))
		}, recipient.Answer{Result: recipient.Refused, Why: "answer_invalid"}},
		"gone meanwhile": {datamap.ByWebhook, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, recipient.Answer{Result: recipient.Later, Why: "unreachable"}},
		"wait for ever": {datamap.ByWebhook, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "31536000000")
			w.WriteHeader(503)
		}, recipient.Answer{Result: recipient.Later, After: 24 * time.Hour, Why: "busy"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, address, _ := listen(t, c.answer)
			a, err := client.Send(t.Context(), datamap.Recipient{ID: "r", By: c.by, To: address}, message)
			if err != nil || a != c.want {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
}

// TestNotSent: nothing goes to who is described badly, and nothing to what is not on the internet.
func TestNotSent(t *testing.T) {
	t.Parallel()
	c := wire.New(nil, secret, clock.NewManual(now))
	for _, to := range []datamap.Recipient{
		{By: datamap.ByWebhook, To: "http://mailer.example/"}, {By: datamap.ByWebhook, To: "https://a@mailer.example/"}, {By: datamap.ByMail, To: "https://mailer.example/"},
		{By: datamap.ByWebhook, To: "https://mailer.example/", Secret: "none"},
	} {
		if a, err := c.Send(t.Context(), to, message); err == nil || strings.Contains(err.Error(), "jo@") {
			t.Errorf("%+v: %+v, %v", to, a, err)
		}
	}
	arrived := false
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived = true }))
	t.Cleanup(s.Close)
	for _, address := range []string{s.URL, "https://127.0.0.1/", "https://169.254.169.254/", "https://10.1.2.3/", "https://[fd00::1]/", "https://localhost/"} {
		a, err := c.Send(t.Context(), datamap.Recipient{By: datamap.ByWebhook, To: address}, message)
		if err != nil || a.Result != recipient.Refused || a.Why != "out_of_reach" || arrived {
			t.Errorf("%s: %+v, %v", address, a, err)
		}
	}
}
