package revokegrants

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/sample"
)

func document(name, token, account string, created time.Time) sample.Document {
	return sample.Document{Name: name, Created: created, Fields: map[string]any{"refresh_token": token, "google_id": account}}
}

const google = "oauth2.googleapis.com"

// TestErased: who is forgotten has her connection ended at the provider, but not while her twin lives by the same account;
// who was given her data is told of it.
func TestErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.Ask(plans, erasuretest.Nord)
	w.settled()
	if got := w.ends(first.ID); got != "1 google shared" || len(w.asked(google)) != 0 {
		t.Fatalf("%q, asked %v", got, w.asked(google))
	}
	if got := w.connected(erasuretest.Nord); !slices.Equal(got, []string{"u1", "u10"}) {
		t.Errorf("connected are %q", got)
	}
	second := w.Ask(plans, erasuretest.Sud)
	w.settled()
	asked := w.asked(google)
	if got := w.ends(second.ID); got != "1 google revoked" || len(asked) != 1 || asked[0] != (call{google, "POST", "/revoke", "token=sample-u2"}) {
		t.Errorf("%q, asked %v", got, asked)
	}
	signed, err := (&receipt.Book{Store: w.Raw("erasure")}).File(t.Context(), second.ID)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := receipt.Parse(signed); err != nil || len(r.Grants) != 1 || r.Grants[0] != (receipt.Grant{Items: 1, Outcome: receipt.GrantRevoked, Provider: "google"}) || len(r.Recipients) != 2 {
		t.Errorf("the receipt says %+v, told %+v, %v", r.Grants, r.Recipients, err)
	}
	if told := w.told(first.ID); told["mailer"] != receipt.Acknowledged || told["support-desk"] != receipt.Asked {
		t.Errorf("told are %v", told)
	}
	calls := w.asked("mailer.example")
	if len(calls) != 2 || calls[0].path != "/erasures" || strings.Count(calls[0].body, erasuretest.Bruno) != 1 || strings.Contains(calls[0].body, "c-1002") || strings.Contains(calls[0].body, erasuretest.Nord) {
		t.Errorf("the mailer was sent %v", calls)
	}
	mails := 0
	for key, c := range w.Letters() {
		if strings.HasPrefix(key, "notice/") && c.To == "privacy@guichet.example" && strings.Contains(c.Text, erasuretest.Bruno) {
			mails++
		}
	}
	if mails != 2 {
		t.Errorf("%d mails to the support desk", mails)
	}
	w.private()
}

// private: nothing stored or put on record holds a token, an account or an address in clear.
func (w *world) private() {
	w.t.Helper()
	state := fmt.Sprint(w.State(w.t)) + fmt.Sprint(w.Records(w.t))
	for _, word := range []string{"sample-u", "g-u2", erasuretest.Bruno, "privacy@guichet"} {
		if strings.Contains(state, word) {
			w.t.Errorf("%q was written down", word)
		}
	}
}

// TestAccountChanged: an account that is downgraded loses all connections within a minute, those made later excepted,
// however often and late it is said.
func TestAccountChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Put("grants", erasuretest.Sud, document("u10", "other", "another-account", w.Clock.Now().Add(-time.Hour)))
	said := Change{V: 1, Tenant: erasuretest.Nord, Change: oauth.Downgraded, At: w.Clock.Now()}
	w.Advance(t, time.Minute)
	w.Put("grants", erasuretest.Nord, document("u77", "late", "g-u77", w.Clock.Now()))
	w.live["late"] = true
	for range 3 {
		w.push(TopicAccount, said).Want(t, 204, "")
	}
	w.settled()
	if got := w.connected(erasuretest.Nord); !slices.Equal(got, []string{"u77"}) {
		t.Errorf("connected are %q", got)
	}
	if got := w.ends(""); got != "1 google revoked, 2 google shared" || w.live["sample-u10"] || !w.live["sample-u1"] || !w.live["late"] {
		t.Errorf("%q, live %v", got, w.live)
	}
	w.push(TopicAccount, Change{V: 1, Tenant: erasuretest.Sud, Change: oauth.Cancelled, At: w.Clock.Now()}).Want(t, 204, "")
	w.settled()
	if got := w.ends(""); got != "4 google revoked, 2 google shared" && got != "1 google gone, 3 google revoked, 2 google shared" || len(w.connected(erasuretest.Sud)) != 0 {
		t.Errorf("%q", got)
	}
	kinds := map[record.Kind]int{}
	for _, r := range w.Records(t) {
		if r.Control == oauth.Control {
			kinds[r.Kind]++
		}
	}
	if kinds[record.Run] == 0 || kinds[record.Observation] != 12 {
		t.Errorf("on record: %v", kinds)
	}
}

// TestClosing: the connections of an account that closes end when that is approved, long before its grace is over.
func TestClosing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.Clock.Now()
	asked, err := w.Requests(plans).Ask(t.Context(), request.Ask{
		Kind: request.Account, Tenant: erasuretest.Nord, Language: "fr",
		Session: &request.Session{UID: "u1", Email: "agathe.roy@mail.example", Tenant: erasuretest.Nord, Role: request.TenantOwner, At: now},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	w.settled()
	r := w.Request(asked.ID)
	if r.State != request.AwaitingApproval {
		t.Fatalf("%s, %s", r.State, r.Why)
	}
	dpo := slices.IndexFunc(w.Policy.People, func(p policy.Person) bool { return p.Has("dpo") })
	if _, err := w.Requests("decideerasure").Approve(t.Context(), asked.ID, w.Policy.People[dpo], r.Plan.Digest, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.settled()
	if r = w.Request(asked.ID); r.State != request.Approved || len(w.connected(erasuretest.Nord)) != 0 || w.ends(asked.ID) != "3 google shared" {
		t.Errorf("%s, connected %q, %q", r.State, w.connected(erasuretest.Nord), w.ends(asked.ID))
	}
	if got := w.connected(erasuretest.Sud); len(got) != 3 {
		t.Errorf("the twin has %q", got)
	}
}

// TestHostile: a provider that is busy, sends elsewhere, lies or breaks off ends nothing; when it is well again, the
// connection ends.
func TestHostile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		ends   string
	}{
		"busy": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "1 google disabled"},
		"breaks off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "1 google disabled"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(strings.Repeat("x", 1<<20)))
		}, "1 google disabled"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/computeMetadata/v1/", http.StatusTemporaryRedirect)
		}, "1 google manual"},
		"a stranger's words": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"error":"<b>sample-u2</b>"}`))
		}, "1 google manual"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Put("grants", erasuretest.Sud, document("u2", "sample-x", "nobody-else", w.Clock.Now()))
			w.answers(google, c.answer)
			asked := w.Ask(plans, erasuretest.Nord)
			w.settled()
			if got := w.ends(asked.ID); got != c.ends || !w.live["sample-u2"] || len(w.asked("169.254.169.254")) != 0 {
				t.Fatalf("%q, live %v", got, w.live)
			}
			w.answers(google, nil)
			w.Pass(me, 30*time.Minute, 10*time.Minute)
			want, tasks := "1 google revoked", 0
			for _, mail := range w.Letters() {
				if strings.Contains(mail.Text, "g-u2") {
					tasks++
				}
			}
			if c.ends == "1 google manual" {
				want = c.ends
			}
			if got := w.ends(asked.ID); got != want || (tasks > 0) != (want == c.ends) {
				t.Errorf("%q, %d tasks", got, tasks)
			}
			w.private()
		})
	}
}

// TestDeaths: whatever dies between the first look at a connection and the end of our copy, it ends and nothing of its token
// is left.
func TestDeaths(t *testing.T) {
	t.Parallel()
	said := Change{V: 1, Tenant: erasuretest.Nord, Change: oauth.Cancelled, At: functiontest.Start}
	scene := func(t *testing.T) *world {
		t.Helper()
		w := newWorld(t)
		for _, uid := range []string{"u1", "u2", "u10"} { // accounts that the twin does not live by
			w.Put("grants", erasuretest.Nord, document(uid, "sample-"+uid, "own-"+uid, functiontest.Start.Add(-time.Hour)))
		}
		return w
	}
	whole := scene(t)
	before := whole.Store.Calls()
	whole.push(TopicAccount, said).Want(t, 204, "")
	calls := whole.Store.Calls() - before
	if got := whole.ends(""); got != "3 google revoked" || calls < 20 {
		t.Fatalf("%q in %d calls", got, calls)
	}
	kills := require.Seeds(12)
	for kill := range kills {
		t.Run(fmt.Sprint(kill), func(t *testing.T) {
			t.Parallel()
			w := scene(t)
			w.Store.DownAfter(kill * calls / kills)
			w.push(TopicAccount, said)
			w.Store.Up()
			w.Restart()
			w.push(TopicAccount, said).Want(t, 204, "")
			w.Pass(me, 20*time.Minute, 4*time.Minute)
			ends := w.ends("")
			if len(w.live) != 0 || len(w.connected(erasuretest.Nord)) != 0 || strings.Trim(strings.NewReplacer("google revoked", "", "google gone", "").Replace(ends), "123, ") != "" {
				t.Errorf("%q, live %v, connected %q", ends, w.live, w.connected(erasuretest.Nord))
			}
			w.private()
		})
	}
}

// TestLost: a mail to a recipient that did not arrive for certain is a person's task; so is what nobody ends.
func TestLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers(google, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) })
	w.push(TopicAccount, Change{V: 1, Tenant: erasuretest.Sud, Change: oauth.Cancelled, At: functiontest.Start}).Want(t, 204, "")
	asked := w.Ask(plans, erasuretest.Nord)
	w.settled()
	lost := ""
	for key := range w.Letters() {
		if strings.HasPrefix(key, "notice/") {
			lost = key
		}
	}
	w.push(message.TopicUnknown, message.Answer{V: 1, Key: lost, State: message.StateUnknown}).Want(t, 204, "")
	if told := w.told(asked.ID); told["support-desk"] != receipt.Asked {
		t.Errorf("told are %v", told)
	}
	w.Pass(me, 8*24*time.Hour, 12*time.Hour)
	findings := map[string]int{}
	for _, r := range w.Records(t) {
		if r.Kind == record.Finding {
			findings[r.Control]++
		}
	}
	if findings[oauth.Control] == 0 || findings[request.Control] == 0 {
		t.Errorf("out of order are %v", findings)
	}
}

// TestUnreadable: what nobody can understand is set aside, and on record.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for topic, bodies := range map[string][]string{
		request.TopicRevoke: {`{}`, `[]`, `{"v":1}`},
		TopicAccount: {`{}`, `{"v":1,"tenant":"cabinet-nord","change":"cancelled"}`, `{"v":1,"tenant":"cabinet-nord","change":"erased","at":"2026-03-03T08:00:00Z"}`,
			`{"v":1,"tenant":"../x","change":"cancelled","at":"2026-03-03T08:00:00Z"}`, `{"v":2,"tenant":"cabinet-nord","change":"cancelled","at":"2026-03-03T08:00:00Z"}`, `{"v":1,"tenant":"cabinet-nord","change":"cancelled","at":"2026-03-03T09:05:00Z"}`},
		message.TopicFailed: {`[]`},
	} {
		for _, body := range bodies {
			w.push(topic, body).Want(t, 204, "")
		}
	}
	gaps := 0
	for _, r := range w.Records(t) {
		if r.Kind == record.Gap {
			gaps++
		}
	}
	if gaps != 10 || len(w.connected(erasuretest.Nord)) != 3 {
		t.Errorf("%d gaps, connected %q", gaps, w.connected(erasuretest.Nord))
	}
	w.push(request.TopicRevoke, `{"v":1,"request":"abcdefgh2345"}`).Want(t, 204, "")
	w.push(message.TopicFailed, `{"key":"somebody-elses"}`).Want(t, 204, "")
}

func TestGate(t *testing.T) {
	t.Parallel()
	s, _ := erasuretest.Setup(t, nil, Function)
	var seen functiontest.Coverage
	functiontest.MachineGate(t, s, &seen, me, functiontest.Request{Method: "POST", Path: "/revokegrants/tick"}, functiontest.Request{Method: "POST", Path: "/revokegrants/events", Body: "{}"})
}

// TestStandIn: where sample data stands for the product's, nobody outside is asked.
func TestStandIn(t *testing.T) {
	t.Parallel()
	w := &world{t: t, World: erasuretest.New(t, nil, Function), hosts: map[string]http.HandlerFunc{}}
	w.push(TopicAccount, Change{V: 1, Tenant: erasuretest.Sud, Change: oauth.Cancelled, At: functiontest.Start}).Want(t, 204, "")
	w.push(TopicAccount, Change{V: 1, Tenant: erasuretest.Nord, Change: oauth.Cancelled, At: functiontest.Start}).Want(t, 204, "")
	if got := w.ends(""); got != "3 google revoked, 3 google shared" {
		t.Error(got)
	}
}
