package cloudtest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2"

	"ostiary.internal/functions/breach/deliver"
	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/keeppromises"
	"ostiary.internal/functions/trust/sealevidence"
	"ostiary.internal/functions/trust/trustpage"
	"ostiary.internal/functions/watch/justify"
	"ostiary.internal/functions/watch/tickwatch"
	"ostiary.internal/functions/watch/watchaudit"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/issuer"
	"ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/watch/episode"
)

// whole are the functions between an entry of the log and the word on the trust page.
var whole = []wiring.Function{watchaudit.Function, tickwatch.Function, justify.Function, deliver.Function, sealevidence.Function, keeppromises.Function, trustpage.Function}

const (
	asha   = "asha.iyer@sharedcontacts.example"
	omkar  = "omkar.rao@sharedcontacts.example"
	origin = "sharedcontacts.example/ostiary/evidence"
)

// journal is the environment of the evidence log: folders in place of buckets, and a key of this world's own.
func (w *world) journal(dir string) map[string]string {
	w.Helper()
	signer, err := file.New(filepath.Join(dir, "key"), origin)
	must(w.T, err)
	verifier, err := signer.Verifier(w.Context())
	must(w.T, err)
	trust, err := (sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier}}}).Encode()
	must(w.T, err)
	return map[string]string{
		"OSTIARY_LOG_INBOX": driver.URL("folder", filepath.Join(dir, "inbox")), "OSTIARY_LOG_TILES": driver.URL("folder", filepath.Join(dir, "tiles")),
		"OSTIARY_LOG_HEAD": driver.URL("folder", filepath.Join(dir, "head")), "OSTIARY_LOG_ORIGIN": origin, "OSTIARY_TRUST": string(trust),
		"OSTIARY_SIGNING_KEY": driver.URL("file", filepath.Join(dir, "key"), "name", origin), keeppromises.EnvProbes: "loopback",
	}
}

// sink is the log sink: of what functions log it carries the marker of the watch to the topic of entries.
type sink struct {
	slog.Handler
	world *world
}

// Enabled implements slog.Handler.
func (s sink) Enabled(ctx context.Context, level slog.Level) bool {
	return level == log.LevelNotice || s.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (s sink) Handle(ctx context.Context, r slog.Record) error {
	if value, marked := log.LabelsOf(r)[episode.HeartbeatLabel]; marked {
		topic := s.world.bus.Publisher(s.world.path("topics", watchaudit.TopicEntries))
		defer topic.Stop()
		if _, err := topic.Publish(ctx, &pubsub.Message{Data: episode.Marker(project, s.world.clock.Now(), value)}).Get(ctx); err != nil {
			s.world.Errorf("carrying the marker: %v", err)
		}
	}
	if !s.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return s.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (s sink) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sink{s.Handler.WithAttrs(attrs), s.world}
}

// WithGroup implements slog.Handler.
func (s sink) WithGroup(name string) slog.Handler { return sink{s.Handler.WithGroup(name), s.world} }

// edge is the load balancer with Identity-Aware Proxy, for browsers: a cookie says who signed in at /_sign-in/ADDRESS.
func (w *world) edge() (url string) {
	const cookie = "signed-in"
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if who, found := strings.CutPrefix(r.URL.Path, "/_sign-in/"); found {
			http.SetCookie(rw, &http.Cookie{Name: cookie, Value: who, Path: "/"})
			return
		}
		r.Header.Set("X-Forwarded-For", "198.51.100.7, "+home+", 34.110.0.1")
		if c, err := r.Cookie(cookie); err == nil {
			r.Header.Set(identity.AssertionHeader, w.token(issuer.Staff, c.Value, staff))
		}
		w.functions.ServeHTTP(rw, r)
	}))
	w.Cleanup(server.Close)
	return server.URL
}

// ticks runs schedules once.
func (w *world) ticks(functions ...string) {
	w.Helper()
	for _, name := range functions {
		if got := w.call(http.MethodPost, "/"+name+"/tick", nil, "Authorization", "Bearer "+w.token(issuer.Service, invoker(name), programs)); got.status != http.StatusNoContent {
			w.Fatalf("the schedule of %s: %+v", name, got)
		}
	}
}

// minutes lets time pass for the watch, by steps of a minute.
func (w *world) minutes(n int) {
	w.Helper()
	for range n {
		w.advance(time.Minute)
		w.ticks("tickwatch")
	}
}

// promised lets minutes pass until the trust page, as everybody reads it, says of a promise that it is in a state.
func (w *world) promised(id, state string) {
	w.Helper()
	var said any
	for range 20 {
		w.minutes(1)
		w.settled("watchaudit", "deliver")
		w.ticks("sealevidence", "keeppromises")
		one, _ := w.call(http.MethodGet, "/trustpage/v1/promises/"+id, nil).body["promise"].(map[string]any)
		if said = one["state"]; said == state {
			return
		}
	}
	w.Fatalf("for twenty minutes %s was not %s but %v", id, state, said)
}

// person is somebody in front of a browser.
type person struct {
	*browser.Tab
	*world
}

// linked is what a mail leads to.
var linked = regexp.MustCompile(regexp.QuoteMeta(site) + `(/justify/[A-Za-z0-9_-]+)`)

// mailed waits for a mail that says something, and returns the path of its link.
func (w *world) mailed(email, says string) (path string) {
	w.Helper()
	w.eventually("a mail to "+email+" says "+says, func() bool {
		for _, mail := range w.post.to(email) {
			// It breaks its lines where quoted-printable does.
			mail = strings.ReplaceAll(strings.ReplaceAll(mail, "=\r\n", ""), "=3D", "=")
			if found := linked.FindStringSubmatch(mail); found != nil && strings.Contains(mail, says) {
				path = found[1]
			}
		}
		return path != ""
	})
	return path
}

func (p person) says(selector, text string) {
	p.Helper()
	if said := p.Text(selector); !strings.Contains(said, text) {
		p.Errorf("on %s %s reads:\n%s\nwanted %q", p.URL(), selector, said, text)
	}
}

// TestWholeWay is the way of two alarms, from the topic of the log sink to the trust page: one is explained and reviewed,
// the other nobody answers. What people read and press they read and press in Chromium.
func TestWholeWay(t *testing.T) {
	path := browser.Path()
	require.Tool(t, "chromium", path != "")
	w := deploy(t, whole)
	chromium, err := browser.Start(path)
	must(t, err)
	t.Cleanup(chromium.Close)
	edge := w.edge()
	sit := func(email, path string) person {
		p := person{chromium.Tab(t, browser.Phone), w}
		if email != "" {
			p.Open(edge + "/_sign-in/" + email)
		}
		p.Open(edge + path + "?lang=en")
		return p
	}
	const promise = "D20"
	stands := func(state, word string) {
		t.Helper()
		w.promised(promise, state)
		sit("", "/trustpage/").says("#p-"+promise+" .state", word)
	}
	stands("kept", "Kept")
	w.explained(sit, func() { stands("broken", "Broken") })
	stands("kept", "Kept")
	w.unanswered(sit)
	stands("broken", "Broken")
	w.settled("watchaudit", "deliver", "keeppromises")
}

// explained is an alarm that the person explains, that she may not review, and that her manager accepts.
func (w *world) explained(sit func(email, path string) person, open func()) {
	w.Helper()
	entry := granted("1", emma, "stranger@example.net", w.clock.Now())
	w.written(entry, entry)
	path := w.mailed(emma, "user:stranger@example[.]net")
	open()
	her := sit(emma, path)
	her.says("section[aria-labelledby=seen]", "user:stranger@example.net")
	her.Choose("#reason", "mistake")
	her.Type("#ticket", "SUP-7")
	her.Press("form[action$='/answer'] button")
	her.says("[role=status]", "Somebody else reviews it now")
	her = sit(emma, path)
	if her.says(".note", "your own matter"); her.Has("form[action$='/review']") {
		w.Error("she is asked to review her own matter")
	}
	api := strings.Replace(path, "/justify/", "/justify/v1/episodes/", 1)
	refused := w.call(http.MethodPost, api+"/review", map[string]string{"verdict": "accepted"}, w.as(emma)...)
	if refused.status != http.StatusForbidden || refused.text("code") != "review_self" {
		w.Errorf("reviewing her own matter: %+v", refused)
	}
	manager := sit(marc, path)
	manager.says("dl", "SUP-7")
	manager.Press("button[value=accepted]")
	manager.says("[role=status]", "it is explained")
	if n := len(w.post.to(emma)); n != 1 {
		w.Errorf("%d mails to her", n)
	}
}

// unanswered is a grave alarm of which the person says nothing: an hour later it is a suspicion, and whoever is on call
// knows.
func (w *world) unanswered(sit func(email, path string) person) {
	w.Helper()
	w.written(strings.Replace(granted("2", asha, "stranger@example.net", w.clock.Now()), "roles/viewer", "roles/editor", 1))
	path := w.mailed(asha, "user:stranger@example[.]net")
	w.minutes(59)
	sit(asha, path).says("#state", "waits for an answer")
	w.minutes(2)
	if called := w.mailed(omkar, "It is a suspicion now"); called != path {
		w.Errorf("whoever is on call is led to %s, not to %s", called, path)
	}
	sit(stefan, path).says("#state", "suspicion")
	sit(asha, path).says("#state", "suspicion")
}
