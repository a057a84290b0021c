package checkup_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/ostiary/internal/checkup"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

// TestUnable: without credentials, without the first list, or where part of it was not heard of, nothing is told to be well.
func TestUnable(t *testing.T) {
	t.Parallel()
	const list = "GET cloudfunctions.googleapis.com/v2/projects/" + project + "/locations/-/functions"
	for name, row := range map[string]struct {
		change func(*world, *checkup.Options)
		kind   fault.Kind
		next   string
	}{
		"nobody is signed in": {func(_ *world, o *checkup.Options) {
			o.Client = func(context.Context) (*http.Client, error) { return nil, errors.New("no credentials") }
		}, fault.Misconfigured, "gcloud auth application-default login"},
		"functions may not be listed": {func(w *world, _ *checkup.Options) { w.codes[list] = http.StatusForbidden }, fault.Denied, "some.thing.get"},
		"the API is off":              {func(w *world, _ *checkup.Options) { w.codes[list] = http.StatusPreconditionFailed }, fault.Misconfigured, "gcloud services enable"},
		"a region is not heard of": {func(w *world, _ *checkup.Options) {
			w.set(strings.TrimPrefix(list, "GET "), object{"unreachable": []any{"europe-west4"}})
		}, fault.Transient, ""},
		"no manifest": {func(_ *world, o *checkup.Options) { o.Manifests = [][]byte{[]byte("{}")} }, fault.Misconfigured, ""},
	} {
		w := deployment(t)
		w.serves()
		o := w.options()
		row.change(w, &o)
		_, err := checkup.Examine(t.Context(), o)
		told, _ := errors.AsType[*fault.Error](err)
		if !fault.Is(err, row.kind) || row.next != "" && !strings.Contains(told.Next, row.next) {
			t.Errorf("%s: %v, next %+v", name, err, told)
		}
	}
}

// TestUnread: where an account may read nothing but the list of functions, nothing is wrong and nothing is well.
func TestUnread(t *testing.T) {
	t.Parallel()
	w := deployment(t)
	w.serves()
	for key := range w.answers {
		if !strings.Contains(key, "/locations/-/functions") {
			w.codes[key] = http.StatusForbidden
		}
	}
	found := w.examine(t)
	for _, c := range found.Checks {
		if c.State == checkup.Wrong || c.State == checkup.OK && !slices.Contains([]string{"functions", "clock", "site"}, c.Area) {
			t.Errorf("%+v", c)
		}
	}
	if found.State != checkup.Undetermined {
		t.Error(found.State)
	}
}

// TestEvidenceProject: a role on what lies in the evidence project is one of that project, which the signing key names.
func TestEvidenceProject(t *testing.T) {
	t.Parallel()
	w := deployment(t)
	key := "//iam.googleapis.com/" + role(proof, "sealevidence", "signing-key:evidence")
	one := w.live[key]
	delete(w.live, key)
	alone := func(o *checkup.Options) { o.Evidence = "" }
	if found := w.examine(t, alone); found.State != checkup.Wrong || found.Checks[0].Area != "grants" || found.Checks[1].State == checkup.Wrong {
		t.Errorf("the role is nowhere: %s", lines(found))
	}
	w.live[key] = one
	if found := w.examine(t, alone); found.State != checkup.OK {
		t.Errorf("the role is there: %s", lines(found))
	}
	one.Data["includedPermissions"] = []any{"cloudkms.cryptoKeyVersions.destroy"}
	if found := w.examine(t, alone); found.State != checkup.Wrong || !strings.Contains(found.Checks[0].Found, "cloudkms.cryptoKeyVersions.destroy") {
		t.Errorf("the role allows more: %s", lines(found))
	}
}

// TestPublished: who may not read the log's head is told what the trust page says of its age; but not that it is well, for nobody saw a signature.
func TestPublished(t *testing.T) {
	t.Parallel()
	for code, state := range map[int]checkup.State{http.StatusOK: checkup.Undetermined, http.StatusServiceUnavailable: checkup.Wrong, http.StatusNotFound: checkup.Undetermined, -1: checkup.Undetermined} {
		w := deployment(t)
		w.codes["GET "+buckets+"acme-head/o/checkpoint"] = http.StatusForbidden
		w.site[home+"trustpage/v1/freshness"] = code
		found := w.examine(t)
		at := slices.IndexFunc(found.Checks, func(c checkup.Check) bool { return c.Area == "log" && c.Subject == "checkpoint" })
		if at < 0 || found.Checks[at].State != state || found.State != state {
			t.Fatalf("%d: it comes to %s: %s", code, found.State, lines(found))
		}
		if one := found.Checks[at]; strings.Contains(one.Found, "the trust page says that it is young") != (code == http.StatusOK) || one.Next == "" {
			t.Errorf("%d: %+v", code, one)
		}
	}
}

// TestPatience: what Google refuses for now is asked again, and what it refuses for good is not.
func TestPatience(t *testing.T) {
	t.Parallel()
	const key = "GET secretmanager.googleapis.com/v1/projects/" + project + "/secrets/smtp-password/versions/1"
	for code, tries := range map[int]int{http.StatusTooManyRequests: 4, http.StatusServiceUnavailable: 4, http.StatusForbidden: 1} {
		w := deployment(t)
		w.codes[key] = code
		var waits []time.Duration
		found := w.examine(t, func(o *checkup.Options) {
			o.Pause = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
		})
		if found.State != checkup.Undetermined || w.asked[key] != tries || len(waits) != tries-1 || !slices.IsSorted(waits) {
			t.Errorf("%d: %s, asked %d times, waited %v", code, found.State, w.asked[key], waits)
		}
	}
}

// TestClock: how far this machine's clock is off is told in seconds, on either side.
func TestClock(t *testing.T) {
	t.Parallel()
	for off, state := range map[time.Duration]checkup.State{0: checkup.OK, 20 * time.Second: checkup.OK, 2 * time.Minute: checkup.Wrong, -2 * time.Minute: checkup.Wrong} {
		w := deployment(t)
		found := w.examine(t, func(o *checkup.Options) { o.Clock = clock.NewManual(noon.Add(off)) })
		at := slices.IndexFunc(found.Checks, func(c checkup.Check) bool { return c.Area == "clock" })
		if at < 0 || found.Checks[at].State != state {
			t.Errorf("%s off: %+v", off, found.Checks)
		}
	}
}

// TestBlind: rules that see nothing are named with the stream they need, by what the functions are told is written.
func TestBlind(t *testing.T) {
	t.Parallel()
	w := deployment(t)
	found := w.examine(t, func(o *checkup.Options) {
		o.Blind = func(on, streams []string) []rule.Need {
			if !slices.Equal(on, []string{"iam.googleapis.com"}) || !slices.Equal(streams, []string{"application"}) {
				t.Errorf("on are %q and %q", on, streams)
			}
			return []rule.Need{{Service: "storage.googleapis.com", Stream: auditlog.DataAccess, Rules: []string{"mass-download"}}}
		}
	})
	if c := found.Checks[0]; found.State != checkup.Wrong || c.Area != "streams" || !strings.Contains(c.Subject, "storage.googleapis.com") || !strings.Contains(c.Found, "mass-download") {
		t.Errorf("%+v", c)
	}
}

// TestSkip: what is left out is said to be, and not asked.
func TestSkip(t *testing.T) {
	t.Parallel()
	w := deployment(t)
	w.codes["GET "+proofOf("registerip-ipv4")] = http.StatusForbidden
	found := w.examine(t, func(o *checkup.Options) { o.Skip, o.Watchdog = []string{"address", "functions"}, "" })
	if found.State != checkup.OK || w.asked["GET "+proofOf("registerip-ipv4")] != 0 || len(found.Unasked) != 4 || !strings.HasPrefix(found.Unasked[0], "address: left out") || slices.ContainsFunc(found.Checks, func(c checkup.Check) bool { return c.Area == "functions" }) {
		t.Errorf("%s, not looked at %q", found.State, found.Unasked)
	}
}

// TestReleased: the archives of a release are held against what runs, whatever the deployment says of itself.
func TestReleased(t *testing.T) {
	t.Parallel()
	w := deployment(t)
	found := w.examine(t, func(o *checkup.Options) {
		o.Released = map[string]string{}
		for name, digest := range w.expected.Code {
			o.Released[name] = digest
		}
		o.Released["deliver"] = "sha256:" + strings.Repeat("2", 64)
	})
	if c := found.Checks[0]; found.State != checkup.Wrong || !strings.HasPrefix(c.Subject, "locations/europe-west1/services/deliver code") || found.Checks[1].State == checkup.Wrong {
		t.Errorf("%+v", found.Checks[:2])
	}
}

// confirmer is the key of a witness.
type confirmer struct{ signer }

func (confirmer) Name() string { return "auditor.example/w1" }
func (c confirmer) key() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat("w", ed25519.SeedSize)))
}
func (c confirmer) Verifier(context.Context) (string, error) {
	return sign.VerifierKey(c.Name(), c.key().Public().(ed25519.PublicKey))
}
func (c confirmer) Sign(_ context.Context, text []byte) ([]byte, error) {
	return ed25519.Sign(c.key(), text), nil
}

// TestWitness: a log that a witness ought to confirm is not well where none did, or did so long ago.
func TestWitness(t *testing.T) {
	t.Parallel()
	verifier, err := confirmer{}.Verifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, err := sign.WitnessKey(verifier)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		at    time.Time
		state checkup.State
		says  string
	}{
		"yesterday": {noon.AddDate(0, 0, -1), checkup.OK, "auditor.example/w1 confirmed it 24 hours ago"},
		"long ago":  {noon.AddDate(0, 0, -20), checkup.Wrong, "it was confirmed the last time 20 days ago"},
		"never":     {time.Time{}, checkup.Wrong, "none of the trust file's witnesses ever confirmed the log"},
	} {
		w := deployment(t)
		trust, err := json.Marshal(object{"v": 1, "origin": origin, "keys": []any{object{"key": signer{}.verifier(t), "from": 0}}, "witnesses": []any{object{"key": key, "from": 0}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, env := range w.env {
			if env["OSTIARY_TRUST"] != "" {
				env["OSTIARY_TRUST"] = string(trust)
			}
		}
		const checkpoint = buckets + "acme-head/o/checkpoint"
		note, _ := w.answers["GET "+checkpoint].([]byte)
		if !row.at.IsZero() {
			if note, err = sign.Cosign(t.Context(), note, row.at, confirmer{}); err != nil {
				t.Fatal(err)
			}
			w.put(checkpoint, note)
		}
		found := w.examine(t)
		at := slices.IndexFunc(found.Checks, func(c checkup.Check) bool { return c.Area == "log" && c.Subject == "witness" })
		if at < 0 || found.Checks[at].State != row.state || found.Checks[at].Found != row.says {
			t.Errorf("%s: %s", name, lines(found))
		}
	}
}
