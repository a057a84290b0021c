package deliver

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
	"ostiary.internal/shared/platform/seal"
)

const otherWays = `authorities: [{id: cnil, name: CNIL, portal: "https://cnil.example/"}]
contact: "+33 1 99 00 45 67"
drill: {people: [emma], every: P3M}
out_of_band: [{person: emma, channel: sms, to: "+33639980101"}]
`

const contacts = `tenants:
- id: northwind
  name: Northwind Trading
  country: GB
  language: en
  domains: [northwind.example]
  contacts:
  - {role: privacy, email: dpo@northwind.example, language: en, channels: [mail]}
  - {role: security, email: security@northwind.example, language: en, channels: [webhook, sms, chat], webhook: "https://hooks.northwind.example/in", phone: "+33639980102"}
  - {role: security, email: second@northwind.example, language: en, channels: [mail, webhook], webhook: "https://hooks.northwind.example/second"}
`

var every = functiontest.Setup{
	Functions: []wiring.Function{Function}, Policy: map[string]string{"breach.yaml": otherWays, "tenants.yaml": contacts},
	Env: map[string]string{EnvWebhook: "world:", EnvSMS: "world:", EnvChat: "world:"},
}

// asks is a request sealed as other functions do.
func asks(t *testing.T, w *functiontest.World, r message.Request, c message.Content) string {
	t.Helper()
	dataKey, err := seal.NewDataKey(t.Context(), w.Key("message"), rand.Reader, message.Bound())
	if err != nil {
		t.Fatal(err)
	}
	c.Subject, c.Text = "Sujet", "Le texte"
	if r, err = r.Seal(dataKey, rand.Reader, c); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return push(string(data))
}

// TestChannels: who is meant, by which channel, and where that leads; nobody is reached by another way than the asker's.
func TestChannels(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, every)
	for i, c := range []struct{ person, contact, to, channel, want string }{
		{"emma", "", "", "mail", emma},
		{"emma", "", "", "sms", "+33639980101"},
		{"emma", "", "", "chat", "staff"},
		{"emma", "", "", "webhook", ""},
		{"asha", "", "", "sms", ""},
		{"", "northwind/privacy", "", "mail", "dpo@northwind.example"},
		{"", "northwind/privacy", "", "sms", ""},
		{"", "northwind/security", "", "mail", "second@northwind.example"},
		{"", "northwind/security", "", "webhook", "https://hooks.northwind.example/in"},
		{"", "northwind/security", "", "sms", "+33639980102"},
		{"", "northwind/security", "", "chat", "northwind"},
		{"", "northwind/legal", "", "mail", ""},
		{"", "nobody/privacy", "", "mail", ""},
		{"", "northwind", "", "mail", ""},
		{"", "", "ana@customer.example", "mail", "ana@customer.example"},
		{"", "", "https://hooks.customer.example/in", "webhook", "https://hooks.customer.example/in"},
		{"", "", "+33639980103", "sms", "+33639980103"},
		{"", "", "", "mail", ""},
	} {
		before := w.Mail(t)
		r := message.Request{Key: "k" + strings.Repeat("x", i), Kind: message.Customer, Person: c.person, Contact: c.contact, Channel: c.channel}
		w.Event(t, name, asks(t, w, r, message.Content{To: c.to})).Want(t, 204, "")
		sent := w.Mail(t)[len(before):]
		if c.want == "" && len(sent) != 0 || c.want != "" && (len(sent) != 1 || sent[0].To != c.want || sent[0].Channel != c.channel) {
			t.Errorf("%+v: sent %+v", c, sent)
		}
	}
	for _, r := range w.Records(t) {
		if c := r.Facts["channel"]; c != "mail" && c != "sms" && c != "chat" && c != "webhook" {
			t.Errorf("recorded %v", r.Facts)
		}
	}
}

// TestNotConfigured: whoever asks for a channel that is not there hears so at once, and can go to the next.
func TestNotConfigured(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Setup{Functions: every.Functions, Env: map[string]string{EnvChat: ""}})
	for i, channel := range []string{"webhook", "sms", "chat", "fax", "a fax\u2014machine"} {
		r := message.Request{Key: "k" + channel, Kind: message.Customer, Channel: channel}
		w.Event(t, name, asks(t, w, r, message.Content{To: "+33639980103"})).Want(t, 204, "")
		failed := w.Published(message.TopicFailed)
		var answer message.Answer
		if len(failed) != i+1 || json.Unmarshal(failed[i].Message.Data, &answer) != nil || answer.State != message.StateFailed || answer.Why != "channel not configured" {
			t.Errorf("%s: answered %+v of %d", channel, answer, len(failed))
		}
	}
	if found := states(t, w); found["failed/failed"] != 5 || len(w.Mail(t)) != 0 {
		t.Errorf("recorded %v", found)
	}
	if w.Pending(t, name) != 0 {
		t.Errorf("%d entries wait", w.Pending(t, name))
	}
}

// TestInwardWebhook: a webhook that leads to this machine, the metadata server or the company's network is refused when it
// is to be called, whoever let it into the policy.
func TestInwardWebhook(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, nil)
	w := functiontest.New(t, functiontest.Setup{Functions: every.Functions, Env: map[string]string{EnvWebhook: "webhook:?secret=webhook-secrets"}})
	inward := []string{s.URL, "https://localhost/", "https://169.254.169.254/computeMetadata/v1/", "https://10.0.0.1/", "https://[fd20:ce::254]/", "https://[::ffff:127.0.0.1]/"}
	lines := ""
	for _, to := range inward {
		lines += to + " whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
	}
	w.PutSecret("webhook-secrets", []byte(lines))
	for i, to := range inward {
		r := message.Request{Key: "k" + strings.Repeat("x", i), Kind: message.Customer, Channel: "webhook"}
		w.Event(t, name, asks(t, w, r, message.Content{To: to})).Want(t, 204, "")
		failed := w.Published(message.TopicFailed)
		var answer message.Answer
		if len(failed) != i+1 || json.Unmarshal(failed[i].Message.Data, &answer) != nil || !strings.Contains(answer.Why, "out of reach") {
			t.Errorf("%s: answered %+v of %d", to, answer, len(failed))
		}
	}
	if len(s.Posted()) != 0 {
		t.Error("something was sent")
	}
}

// TestUntil: a message that has to be there by a time is tried more often as it comes, and ended there.
func TestUntil(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, every)
	w.Channel.Down()
	r := message.Request{Key: "k", Kind: message.Customer, Channel: "mail", Until: functiontest.Start.Add(time.Hour)}
	w.Event(t, name, asks(t, w, r, message.Content{To: "ana@customer.example"})).Want(t, 204, "")
	for range 90 {
		w.Advance(t, time.Minute)
		w.Tick(t, name).Want(t, 204, "")
	}
	found, failed := states(t, w), w.Published(message.TopicFailed)
	if found["planned/deferred"] < 5 || len(failed) != 1 || failed[0].At.After(functiontest.Start.Add(time.Hour+time.Minute)) {
		t.Errorf("recorded %v, answered %d times", found, len(failed))
	}
}

// telling takes every message, and says what it saw of the way.
type telling struct{}

func (telling) Send(ctx context.Context, _ message.Message) (message.Outcome, error) {
	wire := message.WireOf(ctx)
	wire.TLS = message.TLS12
	wire.Named("abc-1")
	return message.Accepted, nil
}

func (telling) Close() error { return nil }

func init() {
	message.Drivers.Register("telling", func(context.Context, *url.URL, message.Options) (message.Channel, error) { return telling{}, nil })
}

// TestTheWay: how the way to the peer was protected, and what the peer calls the message, is answered and recorded; the record
// has the name as a commitment alone.
func TestTheWay(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Setup{Functions: every.Functions, Env: map[string]string{EnvMail: "telling:"}})
	w.Event(t, name, push(request(t, w, "k1", message.Customer, "emma"))).Want(t, 204, "")
	answers := w.Published(message.TopicAccepted)
	var answer message.Answer
	if len(answers) != 1 || json.Unmarshal(answers[0].Message.Data, &answer) != nil || answer.TLS != message.TLS12 || answer.Reference != "abc-1" {
		t.Errorf("answered %+v of %d", answer, len(answers))
	}
	for _, r := range w.Records(t) {
		data, err := r.Canonical()
		if err != nil || r.Facts["tls"] != message.TLS12 || len(r.Subjects) != 3 || r.Subjects[2].Type != "reference" || strings.Contains(string(data), "abc-1") {
			t.Errorf("recorded %s, %v", data, err)
		}
	}
}

// losing never answers when it takes a message, and knows it afterwards.
type losing struct{}

func (losing) Send(context.Context, message.Message) (message.Outcome, error) {
	return message.Unknown, nil
}

func (losing) Find(ctx context.Context, _ string) (message.Trace, error) {
	message.WireOf(ctx).Named("abc-2")
	return message.TraceTaken, nil
}

func (losing) Close() error { return nil }

func init() {
	message.Drivers.Register("losing", func(context.Context, *url.URL, message.Options) (message.Channel, error) { return losing{}, nil })
}

// TestFound: a message whose outcome is unknown is looked for on the schedule, and what was found is answered and recorded.
func TestFound(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Setup{Functions: every.Functions, Env: map[string]string{EnvMail: "losing:"}})
	w.Event(t, name, push(request(t, w, "k1", message.Customer, "emma"))).Want(t, 204, "")
	if found := states(t, w); found["sought/unknown"] != 1 || len(w.Published(message.TopicUnknown)) != 0 {
		t.Fatalf("recorded %v", found)
	}
	w.Advance(t, time.Minute)
	w.Tick(t, name).Want(t, 204, "")
	var answer message.Answer
	if answers := w.Published(message.TopicAccepted); len(answers) != 1 || json.Unmarshal(answers[0].Message.Data, &answer) != nil || answer.Reference != "abc-2" {
		t.Errorf("answered %d times, %+v", len(answers), answer)
	}
	for _, r := range w.Records(t) {
		if found := r.Facts["state"] == "accepted"; found != (r.Facts["looks"] == "1") || found && r.Facts["outcome"] != "accepted" {
			t.Errorf("recorded %v", r.Facts)
		}
	}
}

// closing counts the channels that are open.
type closing struct{ open *atomic.Int32 }

func (closing) Send(context.Context, message.Message) (message.Outcome, error) {
	return message.Accepted, nil
}

func (c closing) Close() error {
	c.open.Add(-1)
	return nil
}

var opened atomic.Int32

func init() {
	message.Drivers.Register("closing", func(context.Context, *url.URL, message.Options) (message.Channel, error) {
		opened.Add(1)
		return closing{&opened}, nil
	})
}

// TestLetsGo: what is opened is closed with the function.
func TestLetsGo(t *testing.T) {
	t.Parallel()
	env := map[string]string{EnvMail: "closing:", EnvWebhook: "closing:", EnvSMS: "closing:", EnvChat: "closing:"}
	w := functiontest.New(t, functiontest.Setup{Functions: every.Functions, Env: env})
	if n := opened.Load(); n != 4 {
		t.Errorf("%d channels are open", n)
	}
	if err := w.Deps(name).Close(); err != nil || opened.Load() != 0 {
		t.Errorf("%d channels are left open, %v", opened.Load(), err)
	}
}

// TestTheLastSendEnds: what a sweep begins last is over, with all that is written about it, before the run is cut.
func TestTheLastSendEnds(t *testing.T) {
	t.Parallel()
	var m struct {
		Timeout int `json:"timeout_s"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil || time.Duration(m.Timeout)*time.Second <= message.SweepTime+message.SendTimeout+20*time.Second {
		t.Errorf("a run takes %d s, %v", m.Timeout, err)
	}
}
