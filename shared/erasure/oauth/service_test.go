package oauth_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/policy"
)

// TestEnd: a person's connections go out of the product and end at the providers; her neighbour's stay.
func TestEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect("a", "one", "u1", "zoom", "zoom-token", "zoom-account")
	w.connect("a", "two", "u1", "google", "google-token", "sub-1")
	w.connect("a", "three", "u1", "microsoft", "ms-token", "ms-account")
	w.connect("a", "four", "u1", "nobody@knows.example", "odd-token", "odd-account")
	w.connect("a", "five", "u10", "google", "neighbour", "sub-10")
	w.connect("b", "one", "u1", "zoom", "twin", "zoom-account")
	w.vaulted("a", "six", "u1", "projects/firm-live/secrets/grant-u1", "slack-token")
	for want := range 2 {
		c := w.cut("r1", "a", "u1")
		c.Wake = true
		taken, err := w.Take(t.Context(), c, w.Clock.Now())
		if err != nil || taken != 5-5*want || w.woken != 2 { // one for each entry
			t.Fatal(taken, w.woken, err)
		}
	}
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	if got := w.counts(); got != "3 revoked, 2 manual" {
		t.Errorf("the connections are %s", got)
	}
	if held := w.held(); !slices.Equal(held, []string{"tenants/a/connections/five", "tenants/b/connections/one"}) {
		t.Errorf("the product has %q", held)
	}
	if len(w.live) != 4 || !w.live["neighbour"] || !w.live["twin"] || len(w.secrets) != 0 {
		t.Errorf("live are %v, secrets %d", w.live, len(w.secrets))
	}
	rows, err := oauth.Rows(t.Context(), w.Raw, "r1")
	want := []receipt.Grant{{Items: 1, Outcome: "revoked", Provider: "google"}, {Items: 1, Outcome: "manual", Provider: "microsoft"}, {Items: 1, Outcome: "revoked", Provider: "slack"},
		{Items: 1, Outcome: "manual", Provider: "unlisted"}, {Items: 1, Outcome: "revoked", Provider: "zoom"}}
	if err != nil || !slices.Equal(rows, want) {
		t.Errorf("a receipt says %v, %v", rows, err)
	}
	for _, c := range w.Mail {
		if strings.Contains(c.Text, "token") || !strings.Contains(c.Text, "account") || strings.Contains(c.Subject+c.Text, "nobody@knows") || strings.Contains(c.Text, "%!") {
			t.Errorf("a mail says %q: %q", c.Subject, c.Text)
		}
	}
	if len(w.Mail) != 4 { // two tasks, two people
		t.Errorf("%d mails", len(w.Mail))
	}
	w.private()
}

// TestChosen: of what a search finds, only the items that are to be erased are taken; what was judged to stay keeps its
// connection, in the product and at the provider.
func TestChosen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect("a", "goes", "u1", "zoom", "t-goes", "x")
	w.connect("a", "stays", "u1", "zoom", "t-stays", "x")
	c := w.cut("r1", "a", "u1")
	c.Only = []string{"tenants/a/connections#goes"}
	if taken, err := w.Take(t.Context(), c, w.Clock.Now()); err != nil || taken != 1 {
		t.Fatal(taken, err)
	}
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	if held := w.held(); !slices.Equal(held, []string{"tenants/a/connections/stays"}) || !w.live["t-stays"] || w.live["t-goes"] {
		t.Errorf("the product has %q, live are %v", held, w.live)
	}
	c.Only = []string{}
	if taken, err := w.Take(t.Context(), c, w.Clock.Now()); err != nil || taken != 0 {
		t.Errorf("none was chosen, and %d were taken: %v", taken, err)
	}
}

// private: nothing that left, and nothing stored in clear, holds a token, an account or a name.
func (w *world) private() {
	w.T.Helper()
	var stored strings.Builder
	for _, all := range w.grants() {
		for _, g := range all {
			if (g.Private != nil) != (g.State == oauth.Pending || g.State == oauth.Disabled) {
				w.T.Errorf("of what is %s the token is kept: %v", g.State, g.Private != nil)
			}
			fmt.Fprintf(&stored, "%+v", g)
		}
	}
	for _, word := range []string{"-token", "-account", "sub-1", "grant-u1", "nobody@knows"} {
		if strings.Contains(w.Leaked.String(), word) || strings.Contains(stored.String(), word) {
			w.T.Errorf("%q was written down", word)
		}
	}
}

// TestSharedGrant: while another connection, of whatever tenant, lives by the account, the provider is not asked; the last
// one ends it.
func TestSharedGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect("a", "one", "u1", "google", "t1", "sub")
	w.connect("a", "more", "u1", "google", "t2", "sub")
	w.connect("b", "one", "u7", "google", "t3", "sub")
	end := func(request, tenant, uid string) {
		if _, err := w.Take(t.Context(), w.cut(request, tenant, uid), w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		if err := w.work(); err != nil {
			t.Fatal(err)
		}
	}
	end("r1", "a", "u1")
	if got := w.counts(); got != "2 shared" || len(w.asked) != 0 || !w.live["t3"] {
		t.Fatalf("%s, asked %q", got, w.asked)
	}
	end("r2", "b", "u7")
	if got := w.counts(); got != "1 revoked, 2 shared" || len(w.live) != 0 {
		t.Errorf("%s, live %v", got, w.live)
	}
	// Two of one request, and nobody else: the one does not count as alive for the other.
	w.connect("c", "one", "u1", "google", "t4", "other")
	w.connect("c", "two", "u1", "google", "t5", "other")
	end("r3", "c", "u1")
	if len(w.live) != 0 {
		t.Errorf("live are %v", w.live)
	}
	// Without an account nobody can tell.
	w.connect("d", "one", "u1", "google", "t6", "")
	end("r4", "d", "u1")
	if !w.live["t6"] || len(w.held()) != 0 {
		t.Error("a grant was ended of which nobody knows who lives by it")
	}
}

// TestForeignSecret: an item cannot name a secret that is not a connection's.
func TestForeignSecret(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"projects/firm-live/secrets/erasure-mark", "projects/other/secrets/grant-1", "projects/firm-live/secrets/grant-1/versions/latest",
		"projects/firm-live/secrets/grant-1/../erasure-mark", "erasure-mark", "projects/firm-live/secrets/grant-",
	} {
		w := newWorld(t)
		w.vaulted("a", "one", "u1", name, "its-token")
		if _, err := w.Take(t.Context(), w.cut("r1", "a", "u1"), w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		if err := w.work(); err != nil {
			t.Fatal(err)
		}
		if got := w.counts(); name != "projects/firm-live/secrets/grant-" && (got != "1 manual" || len(w.secrets) != 1 || len(w.asked) != 0) {
			t.Errorf("%s: %s, %d secrets, asked %q", name, got, len(w.secrets), w.asked)
		}
	}
}

// TestBusy: a provider that is busy is asked again, as long as the token may be kept; then a person is.
func TestBusy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect("a", "one", "u1", "zoom", "zoom-token", "x")
	w.answer = func(datamap.Provider, oauth.Token) (oauth.Answer, bool) {
		return oauth.Answer{Result: oauth.Later, After: time.Minute}, true
	}
	if _, err := w.Take(t.Context(), w.cut("r1", "a", "u1"), w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	for range 8 * 24 * 60 / 10 {
		if err := w.work(); err != nil {
			t.Fatal(err)
		}
		w.Pass(10 * time.Minute)
	}
	if got := w.counts(); got != "1 manual" || len(w.asked) < 10 || len(w.asked) > 40 || len(w.Mail) != 2 {
		t.Errorf("%s after %d attempts, %d mails", got, len(w.asked), len(w.Mail))
	}
	if !w.grants()[oauth.Manual][0].Since.Equal(now) || w.Clock.Now().Sub(now) < oauth.KeepToken {
		t.Error("the clock")
	}
	w.private()
}

// TestSecretThatStays: a secret that cannot be destroyed yet is tried again, and the provider is not asked twice.
func TestSecretThatStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.vaulted("a", "one", "u1", "projects/firm-live/secrets/grant-u1", "slack-token")
	w.stuck = true
	if _, err := w.Take(t.Context(), w.cut("r1", "a", "u1"), w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := w.work(); !fault.Is(err, fault.Transient) {
		t.Fatal(err)
	}
	if got := w.counts(); got != "1 disabled" || len(w.live) != 0 {
		t.Fatal(got)
	}
	w.stuck = false
	w.Pass(2 * time.Minute)
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	if got := w.counts(); got != "1 revoked" || len(w.asked) != 1 || len(w.secrets) != 0 {
		t.Errorf("%s, asked %d times, %d secrets", got, len(w.asked), len(w.secrets))
	}
}

// TestRotated: a token that the product renews while it is taken is the one that ends.
func TestRotated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect("a", "one", "u1", "zoom", "old", "x")
	if _, err := w.Take(t.Context(), w.cut("r1", "a", "u1"), w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	delete(w.live, "old")
	w.connect("a", "one", "u1", "zoom", "new", "x")
	for range 2 {
		if err := w.work(); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.counts(); got != "1 revoked" || len(w.live) != 0 || len(w.held()) != 0 {
		t.Errorf("%s, live %v", got, w.live)
	}
}

// TestTask: what a person has to do is listed, is out of order when it is late, and is closed by her word.
func TestTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect("a", "one", "u1", "microsoft", "ms-token", "x")
	if _, err := w.Take(t.Context(), w.cut("r1", "a", ""), w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	look := func(state record.State, value int64) {
		t.Helper()
		beats, err := w.Look(t.Context(), w.Clock.Now())
		if err != nil || len(beats) != 1 || beats[0].Result.State != state || beats[0].Result.Value != value {
			t.Errorf("the check says %+v, %v", beats, err)
		}
	}
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	look(record.Kept, 0)
	w.Pass(oauth.Target + time.Second)
	look(record.Broken, 1)
	w.Pass(oauth.TaskTime)
	for range 2 {
		if err := w.work(); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.Mail) != 4 {
		t.Errorf("%d mails", len(w.Mail))
	}
	tasks, err := w.Tasks(t.Context(), 10)
	if err != nil || len(tasks) != 1 || tasks[0].Finding == "" {
		t.Fatal(tasks, err)
	}
	p := w.Policy
	dan, ada := person(t, p, "dan"), person(t, p, "ada")
	if _, err := w.Settle(t.Context(), ada, tasks[0].ID, oauth.Revoked, w.Clock.Now()); fault.CodeOf(err) != "role_missing" {
		t.Error(err)
	}
	if _, err := w.Settle(t.Context(), dan, "none", oauth.Revoked, w.Clock.Now()); fault.CodeOf(err) != "grant_unknown" {
		t.Error(err)
	}
	if _, err := w.Settle(t.Context(), dan, tasks[0].ID, oauth.Manual, w.Clock.Now()); fault.CodeOf(err) != "state_conflict" {
		t.Error(err)
	}
	for range 2 {
		if g, err := w.Settle(t.Context(), dan, tasks[0].ID, oauth.Failed, w.Clock.Now()); err != nil || g.State != oauth.Failed {
			t.Error(g.State, err)
		}
	}
	look(record.Kept, 0)
	kinds := map[record.Kind]int{}
	for _, r := range w.Order {
		kinds[r.Kind]++
		if r.Control != oauth.Control || len(r.Subjects) == 0 {
			t.Errorf("a record %+v", r)
		}
	}
	if kinds[record.Finding] != 1 || kinds[record.Remediation] != 1 || kinds[record.Observation] != 3 {
		t.Errorf("records: %v", kinds)
	}
	w.private()
}

func person(t *testing.T, p *policy.Policy, id string) policy.Person {
	t.Helper()
	found, known := p.PersonByID(id)
	if !known {
		t.Fatal(id)
	}
	return found
}

// TestDeaths: killed at every call, or at random ones again and again, each connection ends, none is lost with its token,
// and what others live by stays.
func TestDeaths(t *testing.T) {
	t.Parallel()
	scene := func(w *world) {
		w.connect("a", "zoom", "u1", "zoom", "t1", "x")
		w.connect("a", "google", "u1", "google", "t2", "sub")
		w.connect("a", "shared", "u1", "google", "t3", "both")
		w.connect("b", "shared", "u5", "google", "t4", "both")
		w.connect("a", "hand", "u1", "microsoft", "t5", "x")
		w.vaulted("a", "slack", "u1", "projects/firm-live/secrets/grant-u1", "t6")
	}
	life := func(w *world) error {
		_, err := w.Take(w.T.Context(), w.cut("r1", "a", "u1"), w.Clock.Now())
		return errors.Join(err, w.work())
	}
	finish := func(w *world) {
		w.Left = -1
		for range 6 {
			if err := life(w); err != nil {
				w.T.Error(err)
			}
			if _, err := w.Box.Sweep(w.T.Context()); err != nil {
				w.T.Error(err)
			}
			w.Pass(time.Hour)
		}
		by := w.grants()
		if ended := len(by[oauth.Revoked]) + len(by[oauth.Gone]); ended != 3 || len(by[oauth.Shared]) != 1 || len(by[oauth.Manual]) != 1 || len(w.Mail) != 2 {
			w.T.Errorf("%s, %d mails", w.counts(), len(w.Mail))
		}
		if len(w.live) != 3 || !w.live["t3"] || !w.live["t4"] || !w.live["t5"] || len(w.secrets) != 0 {
			w.T.Errorf("live %v, %d secrets", w.live, len(w.secrets))
		}
		if held := w.held(); !slices.Equal(held, []string{"tenants/b/connections/shared"}) {
			w.T.Errorf("the product has %q", held)
		}
		w.private()
	}
	// After each death a token that lives is in the product, kept here, or out of our hands by decision.
	safe := func(w *world) {
		by, held := w.grants(), len(w.held())-1
		if kept := len(by[oauth.Pending]) + len(by[oauth.Disabled]) + len(by[oauth.Shared]) + len(by[oauth.Manual]); held+kept < len(w.live)-1 {
			w.T.Errorf("%d tokens live, %d are in the product and %d kept", len(w.live)-1, held, kept)
		}
	}
	whole := newWorld(t)
	scene(whole)
	if err := life(whole); err != nil {
		t.Fatal(err)
	}
	// Each death waits for a disk most of its time.
	every := max(1, 4/require.Seeds(1))
	for dies := 0; dies < whole.Calls; dies += every {
		t.Run(fmt.Sprint("dead at ", dies), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			scene(w)
			w.Left = dies
			_ = life(w)
			safe(w)
			w.Pass(2 * time.Minute)
			finish(w)
		})
	}
	for seed := range require.Seeds(25) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			w, r := newWorld(t), rand.New(rand.NewPCG(uint64(seed), 9))
			scene(w)
			for range 6 {
				w.Left = r.IntN(whole.Calls)
				_ = life(w)
				safe(w)
				w.Pass(time.Duration(r.IntN(3600)) * time.Second)
			}
			finish(w)
		})
	}
}
