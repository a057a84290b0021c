package sealevidence

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/gcstest"
	"ostiary.internal/shared/platform/require"
)

func (c *cloud) trust() sign.Trust {
	return sign.Trust{V: 1, Origin: origin, Keys: []sign.TrustedKey{{Key: c.verifier("first")}}}
}

// trusting is a trust file that holds keys.
func (c *cloud) trusting(keys ...string) string {
	c.t.Helper()
	trust := sign.Trust{V: 1, Origin: origin}
	for _, k := range keys {
		trust.Keys = append(trust.Keys, sign.TrustedKey{Key: c.verifier(k)})
	}
	text, err := trust.Encode()
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// TestSeals: what a control has handed in is in the log a minute later, signed, and out of the inbox; nothing to do
// changes nothing, until the log gives its sign of life.
func TestSeals(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	w := functiontest.New(t, c.setup)
	first, second := c.hand(w, "one"), c.hand(w, "two")
	w.Tick(t, name).Want(t, 204, "")
	all := c.leaves(c.trust())
	for _, want := range []record.Record{first, second} {
		if !slices.ContainsFunc(all, func(r record.Record) bool { return r.ID() == want.ID() }) {
			t.Errorf("record %s is not in the log", want.ID())
		}
	}
	if count(all, record.Key, "rel=begins") != 1 || count(all, record.Run) != 1 || len(all) != 4 {
		t.Errorf("the log holds %d records: %+v", len(all), all)
	}
	if left := c.Names("evidence-inbox"); len(left) != 0 {
		t.Errorf("the inbox holds %v", left)
	}
	w.Advance(t, time.Minute)
	w.Tick(t, name).Want(t, 204, "")
	if n := len(c.leaves(c.trust())); n != 4 {
		t.Errorf("a pass without records left %d", n)
	}
	w.Advance(t, log.Interval)
	w.Tick(t, name).Want(t, 204, "")
	if n := count(c.leaves(c.trust()), record.Run); n != 2 {
		t.Errorf("%d signs of life", n)
	}
}

// TestRefuses: what a function hands in that is not its own to say is not in the log, however well formed; it is kept for
// somebody to look at, and a gap tells of it.
func TestRefuses(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	w := functiontest.New(t, c.setup)
	c.handAs(w, "checkotp/", record.New(record.Access, "ip-daily", "another's control"))
	c.handAs(w, "registerip/", record.New(record.Page, "ip-daily", "another's kind"))
	c.handAs(w, "registerip/", record.New(record.Key, log.Control, "the log's own"))
	c.handAs(w, "", record.New(record.Access, "ip-daily", "in nobody's place"))
	c.handAs(w, "nobody/", record.New(record.Access, "ip-daily", "in a place of nobody's"))
	early := record.New(record.Access, "ip-daily", "tomorrow")
	early.Source.Collected = w.Clock.Now().Add(24 * time.Hour)
	c.handAs(w, "registerip/", early)
	good := c.hand(w, "good")
	w.Tick(t, name).Want(t, 204, "")
	all := c.leaves(c.trust())
	if n := count(all, record.Gap); n != 6 || len(all) != 9 { // and a key, a run
		t.Errorf("%d gaps for 6 records, %d leaves", n, len(all))
	}
	if !slices.ContainsFunc(all, func(r record.Record) bool { return r.ID() == good.ID() }) {
		t.Error("the good record is not in the log")
	}
	kept := slices.DeleteFunc(c.Names("evidence-head"), func(name string) bool { return !strings.HasPrefix(name, "refused/") })
	if len(kept) != 6 || len(c.Names("evidence-inbox")) != 0 {
		t.Errorf("kept are %v, the inbox holds %v", kept, c.Names("evidence-inbox"))
	}
}

// TestKeyChange walks the change of a key as sign.Overlap tells it: after each of the four steps the log goes on, the step is
// on record once, and readers with the trust file of the step, and of the one before, verify it. The second step before the
// first stops the log.
func TestKeyChange(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	trust := sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: []sign.TrustedKey{{Key: c.verifier("first")}}}
	before := trust
	head := log.Head(c.owner("evidence-head"))
	c.aim(trust, "first")
	w := functiontest.New(t, c.setup)
	size := func() int64 {
		t.Helper()
		data, err := head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		v, err := trust.Verify(data)
		if err != nil {
			t.Fatal(err)
		}
		return v.Size
	}
	pass := func(keys ...string) functiontest.Answer {
		c.aim(trust, keys...)
		w.Restart()
		w.Advance(t, time.Minute)
		c.hand(w, w.Clock.Now().String())
		return w.Tick(t, name)
	}
	pass("first").Want(t, 204, "")
	if got := pass("first", "second"); got.Status < 500 {
		t.Errorf("a key that the trust file lacks signs: %d", got.Status)
	}
	for _, step := range []struct {
		change       func() (sign.Trust, error)
		keys         []string
		begins, ends int
	}{
		{func() (sign.Trust, error) { return trust.Add(c.verifier("second"), size()) }, []string{"first"}, 1, 0},
		{nil, []string{"first", "second"}, 2, 0},
		{nil, []string{"second"}, 2, 1},
		{func() (sign.Trust, error) { return trust.Close(c.verifier("first"), size()) }, []string{"second"}, 2, 1},
	} {
		before = trust
		if step.change != nil {
			var err error
			if trust, err = step.change(); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // the second instance finds everything on record
			pass(step.keys...).Want(t, 204, "")
		}
		all := c.leaves(before)
		if b, e := count(all, record.Key, "rel=begins"), count(all, record.Key, "rel=ends"); b != step.begins || e != step.ends || len(c.leaves(trust)) != len(all) {
			t.Errorf("%v: %d keys began and %d ended on record, want %d and %d", step.keys, b, e, step.begins, step.ends)
		}
		data, err := head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var signed []string
		for _, k := range step.keys {
			signed = append(signed, c.verifier(k))
		}
		if v, err := trust.Verify(data); err != nil || !slices.Equal(v.Keys, signed) {
			t.Errorf("%v: signed by %v, %v", step.keys, v.Keys, err)
		}
	}
}

// aim gives the function a trust file and keys, from its next start on.
func (c *cloud) aim(trust sign.Trust, keys ...string) {
	c.t.Helper()
	text, err := trust.Encode()
	if err != nil {
		c.t.Fatal(err)
	}
	var urls []string
	for _, k := range keys {
		urls = append(urls, c.key(k))
	}
	c.setup.Env[EnvKeys], c.setup.Env[evidence.EnvTrust] = strings.Join(urls, " "), string(text)
}

// TestKeysSetBack: a key that ended signs no more, and a trust file that no longer holds a key the log has seen stops the
// log: both are states of before. Nothing is sealed until they are set right.
func TestKeysSetBack(t *testing.T) {
	t.Parallel()
	for test, back := range map[string]func(c *cloud){
		"the key":        func(c *cloud) { c.setup.Env[EnvKeys] = c.key("first") },
		"the trust file": func(c *cloud) { c.setup.Env[evidence.EnvTrust] = c.trusting("second") },
		"a stranger's":   func(c *cloud) { c.setup.Env[EnvKeys] = c.key("second") + " " + c.key("third") },
	} {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			w := functiontest.New(t, c.setup)
			step := func(set func()) functiontest.Answer {
				set()
				w.Restart()
				w.Advance(t, time.Minute)
				c.hand(w, w.Clock.Now().String())
				return w.Tick(t, name)
			}
			for _, keys := range []string{"first", "second"} {
				step(func() { c.setup.Env[EnvKeys] = c.key(keys) }).Want(t, 204, "")
			}
			before, _ := c.Data("evidence-head", "checkpoint")
			marks := len(c.Names("evidence-head"))
			if got := step(func() { back(c) }); got.Status < 500 {
				t.Errorf("answered %d", got.Status)
			}
			after, _ := c.Data("evidence-head", "checkpoint")
			if before != after || len(c.Names("evidence-inbox")) != 1 || len(c.Names("evidence-head")) != marks {
				t.Errorf("something was sealed, or put on record: the inbox holds %v, the head store %v", c.Names("evidence-inbox"), c.Names("evidence-head"))
			}
			step(func() {
				c.setup.Env[EnvKeys], c.setup.Env[evidence.EnvTrust] = c.key("second"), c.trusting("first", "second")
			}).Want(t, 204, "")
			if left := c.Names("evidence-inbox"); len(left) != 0 {
				t.Errorf("set right, the inbox holds %v", left)
			}
		})
	}
}

// TestBound: about what the policy binds to a probe nobody says that a rule looked, and about what it binds to a rule the
// schedule of the watch does. The other one is set aside, under a gap that names the writer.
func TestBound(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.setup.Policy = map[string]string{"promises/bound.yaml": boundPromises}
	w := functiontest.New(t, c.setup)
	for control, promise := range map[string]string{"tls-version": "X01", "approved-identities": "X02"} {
		r := record.New(record.Run, control, "beat 1", promise)
		r.Facts = map[string]string{record.Mechanism: "rule"}
		c.handAs(w, "tickwatch/", r)
	}
	c.handAs(w, "attest/", record.New(record.Erasure, "vault", "erased"))
	w.Tick(t, name).Want(t, 204, "")
	all := c.leaves(c.trust())
	if n := count(all, record.Gap, "reason=foreign", "writer=tickwatch"); n != 1 {
		t.Errorf("%d records of the watch are set aside", n)
	}
	if n := count(all, record.Gap, "reason=foreign", "writer=attest"); n != 1 {
		t.Errorf("%d records of attest are set aside", n)
	}
	if !slices.ContainsFunc(all, func(r record.Record) bool { return r.Kind == record.Run && r.Control == "approved-identities" }) {
		t.Error("a rule that looked is not in the log")
	}
}

// TestDeaths: the storage stops answering somewhere in a run, with the call done or not, at every call of it in the soak;
// the next runs make it good, and nothing is lost or doubled.
func TestDeaths(t *testing.T) {
	t.Parallel()
	stride := max(10/require.Seeds(1), 1)
	for n := int64(0); ; n += int64(stride) {
		c := newCloud(t)
		w := functiontest.New(t, c.setup)
		var calls atomic.Int64
		calls.Store(1 << 40)
		die := func(gcstest.Call) int {
			if calls.Add(-1) < 0 {
				return http.StatusForbidden // the client tries no such call again
			}
			return 0
		}
		if n%2 == 0 {
			c.Before = die
		} else {
			c.After = die
		}
		c.hand(w, "before")
		w.Tick(t, name).Want(t, 204, "")
		r := c.hand(w, "one")
		calls.Store(n)
		w.Restart()
		w.Tick(t, name)
		died := calls.Load() < 0
		calls.Store(1 << 40)
		for range 2 {
			w.Restart()
			w.Advance(t, time.Minute)
			w.Tick(t, name).Want(t, 204, "")
		}
		all := c.leaves(c.trust())
		found := slices.DeleteFunc(slices.Clone(all), func(o record.Record) bool { return o.ID() != r.ID() })
		if len(found) != 1 || count(all, record.Key) != 1 || len(c.Names("evidence-inbox")) != 0 {
			t.Fatalf("dead after %d calls: the record is there %d times, the inbox holds %v", n, len(found), c.Names("evidence-inbox"))
		}
		if !died {
			return
		}
	}
}

// TestEveryRightIsNeeded: with one right of the manifest less, evidence does not get through.
func TestEveryRightIsNeeded(t *testing.T) {
	t.Parallel()
	for i, right := range rights(t) {
		t.Run(right, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.grants = slices.Delete(slices.Clone(c.grants), i, i+1)
			w := functiontest.New(t, c.setup)
			failed := false
			for _, event := range []string{"one", "two", "three"} {
				c.hand(w, event)
				failed = failed || w.Tick(t, name).Status != 204
				w.Restart() // a new instance reads where the log ends
				w.Advance(t, time.Minute)
			}
			if !failed {
				t.Error("three runs went well without it")
			}
		})
	}
}

// TestFailures: what cannot be done reads as failed to the scheduler, and is done when it can.
func TestFailures(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.setup.Env[EnvKeys] = driver.URL("file", c.keys, "name", origin) // a folder holds no key
	w := functiontest.New(t, c.setup)
	c.hand(w, "one")
	if got := w.Tick(t, name); got.Status < 500 {
		t.Errorf("without a key: answered %d", got.Status)
	}
	if _, ok := c.Data("evidence-head", "checkpoint"); ok {
		t.Error("a checkpoint was published without a key")
	}
	c.setup.Env[EnvKeys] = c.key("first")
	w.Restart()
	w.Tick(t, name).Want(t, 204, "")
	if all := c.leaves(c.trust()); count(all, record.Access) != 1 || count(all, record.Key) != 1 {
		t.Errorf("the log holds %+v", all)
	}
	// A head that cannot be believed stops the log, rather than being built upon.
	c.Damage("evidence-head", "head", func(data []byte) { data[0] ^= 1 })
	w.Restart()
	c.hand(w, "two")
	if got := w.Tick(t, name); got.Status < 500 {
		t.Errorf("on a damaged head: answered %d", got.Status)
	}
}

func TestCallers(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	var seen functiontest.Coverage
	functiontest.MachineGate(t, c.setup, &seen, name, functiontest.Request{Method: "POST", Path: "/sealevidence/tick"})
	w := functiontest.New(t, c.setup)
	w.Issuer.Down()
	seen.Saw(w.Tick(t, name)).Want(t, 503, "unavailable")
	seen.Complete(t, name, w.Routes(name))
}
