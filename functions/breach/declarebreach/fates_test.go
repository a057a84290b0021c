package declarebreach

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/breach/deliver"
	"ostiary.internal/functions/breach/tickbreach"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/mailapi"
	secretpost "ostiary.internal/shared/platform/message/post"
	"ostiary.internal/shared/platform/reach"
	"ostiary.internal/shared/platform/require"
)

// provider is a mail provider over HTTPS that says what the script of each address has it say.
type provider struct {
	url, name string
	roots     *x509.CertPool
	clock     clock.Clock
	script    map[string]func(since time.Duration) string // last_event by address

	mu    sync.Mutex
	taken []taken
	asked map[string]int // by address
}

type taken struct {
	to string
	at time.Time
}

// providers are those of tests that run, by name.
var providers sync.Map

func init() {
	message.Drivers.Register("provider", func(_ context.Context, u *url.URL, o message.Options) (message.Channel, error) {
		found, known := providers.Load(u.Opaque)
		if !known {
			return nil, fault.New(fault.Misconfigured, "no such provider")
		}
		p := found.(*provider)
		c, err := mailapi.New(mailapi.Config{Endpoint: p.url + "/emails", From: mail.Address{Address: "breach@company.example"}, Token: secretpost.Secret{Name: "mail-token", Store: o.Secrets}, Network: reach.Loopback, Roots: p.roots})
		if err != nil || u.RawQuery == "" {
			return c, err
		}
		return another{c, u.RawQuery}, nil
	})
}

// another sends to one address, whatever it is told: it stands for a channel of another kind whose gateway knows more.
type another struct {
	*mailapi.Channel
	to string
}

func (a another) Send(ctx context.Context, m message.Message) (message.Outcome, error) {
	m.To = a.to
	return a.Channel.Send(ctx, m)
}

func serveProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{asked: map[string]int{}, roots: x509.NewCertPool(), name: fmt.Sprintf("%p", t)}
	s := httptest.NewUnstartedServer(p)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	p.url = s.URL
	p.roots.AddCert(s.Certificate())
	providers.Store(p.name, p)
	t.Cleanup(func() { providers.Delete(p.name) })
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Method == http.MethodPost {
		var body struct{ To string }
		if json.NewDecoder(r.Body).Decode(&body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.taken = append(p.taken, taken{body.To, p.clock.Now()})
		fmt.Fprintf(w, `{"id":"m-%d"}`, len(p.taken)-1)
		return
	}
	var n int
	if _, err := fmt.Sscanf(r.URL.Path, "/emails/m-%d", &n); err != nil || n >= len(p.taken) || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	one := p.taken[n]
	p.asked[one.to]++
	event := "sent"
	if says := p.script[one.to]; says != nil {
		event = says(p.clock.Now().Sub(one.at))
	}
	fmt.Fprintf(w, `{"id":"m-%d","last_event":%q}`, n, event)
}

// to is how often something was sent to an address.
func (p *provider) to(address string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.taken {
		if one.to == address {
			n++
		}
	}
	return n
}

const (
	hookAddress = "hook@northwind.example"
	klinik      = "datenschutz@klinikamsee.example"
	northwind   = "security@northwind.example"
	cabinet     = "donnees@cabinetnord.example"
)

// fatesWorld is a case with three tenants who are told by a provider; pump hands on what is on the bus.
type fatesWorld struct {
	*functiontest.World
	*provider
	t         *testing.T
	random    *rand.Rand // nil: everything comes once and in order, and nobody dies
	delivered map[string]int
}

func newFatesWorld(t *testing.T, random *rand.Rand) (w *fatesWorld, one string) {
	t.Helper()
	p := serveProvider(t)
	w = &fatesWorld{provider: p, t: t, random: random, delivered: map[string]int{}}
	w.World = functiontest.New(t, functiontest.Setup{
		Functions: []wiring.Function{Function, tickbreach.Function, deliver.Function},
		Env:       map[string]string{deliver.EnvMail: "provider:" + p.name, deliver.EnvWebhook: "provider:" + p.name + "?" + hookAddress},
	})
	w.PutSecret("mail-token", []byte("hunter2"))
	p.clock = w.Clock
	p.script = map[string]func(time.Duration) string{
		klinik: func(time.Duration) string { return "delivered" },
		northwind: func(since time.Duration) string {
			if since < time.Hour {
				return "delivery_delayed"
			}
			return "bounced"
		},
		hookAddress: func(time.Duration) string { return "delivered" },
	}
	path := found(object{"tenants": []string{"klinik-am-see", "northwind", "cabinet-nord"}})
	var d Declared
	do(t, w.World, emma, "POST", "/breaches", path, 201, "").Decode(t, &d)
	for _, who := range []string{simone, dorothea} {
		post(t, w.World, who, "/breaches/"+d.ID+"/decide", Answer{Subject: "tenants", Answer: "yes"})
	}
	var n Notice
	do(t, w.World, simone, "POST", "/breaches/"+d.ID+"/notices", initial(nil), 201, "").Decode(t, &n)
	one = "/breaches/" + d.ID + "/notices/1"
	agree(t, w.World, dorothea, one+"/approve", Agreement{n.Hash})
	return w, one
}

// pump hands on what is on the bus; with chance on its side twice, and the last topic first.
func (w *fatesWorld) pump() {
	w.t.Helper()
	topics := map[string]string{message.TopicRequested: "deliver", message.TopicAccepted: "tickbreach", message.TopicFailed: "tickbreach", message.TopicUnknown: "tickbreach", message.TopicDelivered: "tickbreach", message.TopicBounced: "tickbreach"}
	order := []string{message.TopicRequested, message.TopicAccepted, message.TopicFailed, message.TopicUnknown, message.TopicDelivered, message.TopicBounced}
	if w.random != nil {
		order = []string{message.TopicBounced, message.TopicDelivered, message.TopicUnknown, message.TopicFailed, message.TopicAccepted, message.TopicRequested}
	}
	for _, topic := range order {
		all, late := w.Published(topic), false
		for _, p := range all[w.delivered[topic]:] {
			twice := w.random != nil && strings.Contains(string(p.Message.Data), `"customer"`)
			if twice && topic != message.TopicRequested && w.random.IntN(3) == 0 {
				late = true // it comes again
				continue
			}
			w.Event(w.t, topics[topic], functiontest.Push(topics[topic], p)).Want(w.t, 204, "")
			if twice {
				w.Event(w.t, topics[topic], functiontest.Push(topics[topic], p)).Want(w.t, 204, "")
			}
		}
		if !late {
			w.delivered[topic] = len(all)
		}
	}
}

// pass lets time pass, with the schedules; some of their runs die.
func (w *fatesWorld) pass(whole, step time.Duration) {
	w.t.Helper()
	for range whole / step {
		w.Advance(w.t, step)
		for _, name := range []string{"deliver", "tickbreach"} {
			if w.random != nil && w.random.IntN(3) == 0 {
				part := []*functiontest.Switch{&w.Store, &w.Applied, &w.Bus, &w.Inbox}[w.random.IntN(4)]
				part.DownAfter(w.random.IntN(12))
				w.Tick(w.t, name)
				part.Up()
				w.Restart()
				continue
			}
			w.Tick(w.t, name).Want(w.t, 204, "")
		}
		w.pump()
	}
}

// by returns the deliveries of a notice by tenant.
func (w *fatesWorld) by(one string) map[string]Delivery {
	w.t.Helper()
	found := map[string]Delivery{}
	for _, d := range deliveries(w.t, w.World, one) {
		found[d.Tenant] = d
	}
	return found
}

// toldLater is what a try's peer said later, in words.
func toldLater(tr Try) string {
	var all []string
	for _, l := range tr.Later {
		all = append(all, l.State)
	}
	return tr.Channel + " " + tr.State + " " + strings.Join(all, " ")
}

// TestFates: of three tenants one has the notice at once by the provider's word, one's mail comes back after an hour and goes by the
// next way, and of one the provider never says anything; the same with every message twice, out of order and with deaths.
func TestFates(t *testing.T) {
	t.Parallel()
	t.Run("calm", func(t *testing.T) {
		t.Parallel()
		fates(t, nil)
	})
	for seed := range require.Seeds(1) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			fates(t, rand.New(rand.NewPCG(uint64(seed), 5)))
		})
	}
}

func fates(t *testing.T, random *rand.Rand) {
	w, one := newFatesWorld(t, random)
	begun := w.Clock.Now()
	w.pass(10*time.Minute, time.Minute)
	first := w.by(one)
	if d := first["northwind"]; random == nil && (d.Progress != "arrived" || d.Told.IsZero() || !d.Received.IsZero()) {
		t.Errorf("before it came back: %+v", d)
	}
	w.pass(3*time.Hour, 15*time.Minute)
	w.pass(80*time.Hour, 5*time.Hour)
	w.random = nil // whatever died is followed by those that live
	w.pass(30*time.Minute, 5*time.Minute)
	all := w.by(one)
	if d := all["klinik-am-see"]; d.Progress != "arrived" || d.Received.IsZero() || d.Told.IsZero() || d.Received.Before(d.Told) || d.Contrary || len(d.Tries) != 1 || toldLater(d.Tries[0]) != "mail accepted delivered" {
		t.Errorf("delivered: %+v", d)
	}
	if d := all["northwind"]; d.Progress != "arrived" || d.Received.IsZero() || d.Told.Before(begun.Add(time.Hour)) || d.Contrary || len(d.Tries) != 2 || toldLater(d.Tries[0]) != "mail accepted bounced" || toldLater(d.Tries[1]) != "webhook accepted delivered" {
		t.Errorf("came back: %+v", d)
	}
	if d := all["cabinet-nord"]; d.Progress != "arrived" || !d.Received.IsZero() || len(d.Tries) != 1 || len(d.Tries[0].Later) != 0 {
		t.Errorf("never said: %+v", d)
	}
	for _, address := range []string{klinik, northwind, cabinet, hookAddress} {
		if n := w.to(address); n != 1 {
			t.Errorf("%s was sent it %d times", address, n)
		}
	}
	if n := w.asked[cabinet]; n < 8 || n > 40 {
		t.Errorf("asked %d times", n)
	}
	recorded(t, w.World)
	if random == nil {
		shownFates(t, w, one)
	}
}

// recorded looks at the evidence: each certain word once, that nobody came to know once, and that a tenant was not told for a while.
func recorded(t *testing.T, w *functiontest.World) {
	t.Helper()
	count := map[string]int{}
	for _, r := range w.Records(t) {
		switch {
		case r.Control == "alert-route" && r.Facts["asks"] != "":
			count["deliver "+r.Facts["state"]]++
		case strings.HasPrefix(r.Facts["event"], "delivery_"):
			count[r.Facts["event"]+" "+r.Facts["outcome"]]++
		case r.Kind == record.Finding || r.Kind == record.Remediation:
			count[string(r.Kind)+" "+r.Facts["event"]]++
		}
	}
	for what, want := range map[string]int{
		"deliver delivered": 2, "deliver bounced": 1, "deliver undetermined": 1, "delivery_arrived accepted": 4, "delivery_arrived delivered": 2, "delivery_going bounced": 1, "delivery_lost bounced": 0,
		"finding tenant_not_told": 1, "remediation tenant_not_told": 1,
	} {
		if count[what] != want {
			t.Errorf("%d records of %s, want %d: %v", count[what], what, want, count)
		}
	}
}

// shownFates looks at the page and the dossier, in each language.
func shownFates(t *testing.T, w *fatesWorld, one string) {
	t.Helper()
	at := "/case/" + strings.TrimPrefix(one, "/breaches/")
	for language, texts := range map[string][]string{
		"en": {"delivered</span>", "reported as returned, ", "reported delivered, "}, "fr": {"remis</span>", "signalé comme non remis, ", "signalé comme remis, "}, "de": {"zugestellt</span>", "als unzustellbar gemeldet, ", "als zugestellt gemeldet, "},
	} {
		says(t, look(t, w.World, simone, at+"?lang="+language), texts...)
	}
	answer := do(t, w.World, simone, "GET", strings.TrimSuffix(one, "/notices/1")+"/dossier.md?lang=en", nil, 200, "")
	says(t, string(answer.Body), "mail, bounced, ", "webhook, delivered, ")
}
