package admit

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
)

const (
	edgeKey   = "an edge's key of 26 letters"
	annexKey  = "another key, of the annex's"
	home      = "81.2.69.142"
	network   = "2a02:8109:9340:1234::/64"
	office    = "81.2.69.200" // of the fixed site 81.2.69.192/28
	elsewhere = "92.40.1.7"
)

var start = functiontest.Start

// services has two gateways; one of them may also come with a token of its own service account.
const services = `services:
  - {id: edge, email: edge@services.sharedcontacts.example, may: [admit]}
  - {id: bastion, email: bastion@services.sharedcontacts.example, may: [checkotp]}
  - {id: stray, email: stray@services.sharedcontacts.example, may: [admit]}
gateways:
  - {id: edge, header: X-Real-Ip, key_ref: gateway-edge}
  - {id: annex, header: X-Annex-Client, key_ref: gateway-annex}
`

// world is the function on embedded drivers, with leases put straight into its store.
type world struct {
	*functiontest.World
	http.Handler
}

// open runs the function. Its second gateway has a key too, which its manifest does not list: the sample company has
// one gateway.
func open(t testing.TB, env ...string) world {
	t.Helper()
	f := Function
	f.Manifest = []byte(strings.NewReplacer(`"secrets": [`, `"secrets": ["gateway-annex",`,
		`"permissions": [`, `"permissions": [{"permission": "secretmanager.versions.access", "resource": "secret:gateway-annex"},`).Replace(string(f.Manifest)))
	return run(t, f, env...)
}

func run(t testing.TB, f wiring.Function, env ...string) world {
	t.Helper()
	setup := functiontest.Setup{Functions: []wiring.Function{f}, Policy: map[string]string{"services.yaml": services}, Env: map[string]string{}}
	for i := 0; i < len(env); i += 2 {
		setup.Env[env[i]] = env[i+1]
	}
	w := world{World: functiontest.New(t, setup)}
	w.PutSecret("gateway-edge", []byte(edgeKey))
	w.PutSecret("gateway-annex", []byte(annexKey))
	w.Private(edgeKey, annexKey, home, elsewhere, "2a02:8109")
	served, err := f.Build(t.Context(), w.Deps("admit"))
	must(t, err)
	w.Handler = served.Handler()
	return w
}

func mark(kind string) string { return record.Commitment([]byte("a salt of the test"), kind, "x") }

// lets in prefix until ends.
func (w world) lets(t testing.TB, id, prefix string, ends time.Time) {
	t.Helper()
	p := netip.MustParsePrefix(prefix)
	l := lease.Lease{V: 1, ID: id, Person: "emma", Prefix: p, Family: lease.FamilyOf(p), Date: "2026-03-03", Generation: 1, Started: start,
		Ends: ends, Until: ends.UnixMicro(), Zone: "Europe/Paris", TZData: "2026a", State: lease.Confirmed, Open: true, Expires: ends.Add(lease.Retention),
		Marks: lease.Marks{Lease: mark("lease"), Person: mark("person"), Prefix: mark("prefix")}}
	must(t, w.Raw("access").Tx(t.Context(), func(tx store.Tx) error { return tx.Put("leases", id, l) }))
}

// ask sends one check; header values are given in pairs.
func (w world) ask(method, path string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, body)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	return answer
}

func (w world) check(headers ...string) *httptest.ResponseRecorder {
	return w.ask(http.MethodGet, "/admit/v1/check", nil, headers...)
}

func (w world) token(service string, claims map[string]any) string {
	return "Bearer " + w.Service(service+"@services.sharedcontacts.example", claims)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// expect compares status and code.
func expect(t *testing.T, answer *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	if answer.Code != status || code != "" && !strings.Contains(answer.Body.String(), `"code":"`+code+`"`) || code == "" && answer.Body.Len() > 0 {
		t.Errorf("answered %d %s, want %d %s", answer.Code, answer.Body, status, code)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.lets(t, "v4", home+"/32", start.Add(time.Hour))
	w.lets(t, "v6", network, start.Add(time.Hour))
	w.lets(t, "over", "92.40.1.8/32", start.Add(-time.Second))
	edge := func(addr string) []string { return []string{KeyHeader, edgeKey, "X-Real-Ip", addr} }
	for name, row := range map[string]struct {
		headers []string
		status  int
		code    string
	}{
		"registered":             {edge(home), 204, ""},
		"other gateway":          {[]string{KeyHeader, annexKey, "X-Annex-Client", home}, 204, ""},
		"mapped into IPv6":       {edge("::ffff:" + home), 204, ""},
		"same /64":               {edge("2a02:8109:9340:1234:abcd::1"), 204, ""},
		"fixed site":             {edge(office), 204, ""},
		"fixed site, mapped":     {edge("::ffff:" + office), 204, ""},
		"not registered":         {edge(elsewhere), 403, "not_admitted"},
		"beside the /64":         {edge("2a02:8109:9340:1235::1"), 403, "not_admitted"},
		"beside the fixed site":  {edge("81.2.69.208"), 403, "not_admitted"},
		"expired at read":        {edge("92.40.1.8"), 403, "not_admitted"},
		"private":                {edge("10.0.0.1"), 403, "not_admitted"},
		"unspecified":            {edge("0.0.0.0"), 403, "not_admitted"},
		"no address":             {[]string{KeyHeader, edgeKey}, 400, "address_unreadable"},
		"empty address":          {edge(""), 400, "address_unreadable"},
		"two addresses":          {append(edge(home), "X-Real-Ip", home), 400, "address_unreadable"},
		"a list":                 {edge(elsewhere + ", " + home), 400, "address_unreadable"},
		"a port":                 {edge(home + ":443"), 400, "address_unreadable"},
		"a prefix":               {edge(home + "/32"), 400, "address_unreadable"},
		"a zone":                 {edge("fe80::1%eth0"), 400, "address_unreadable"},
		"leading zeros":          {edge("081.2.69.142"), 400, "address_unreadable"},
		"a name":                 {edge("localhost"), 400, "address_unreadable"},
		"spaces":                 {edge(" " + home), 400, "address_unreadable"},
		"another's header":       {[]string{KeyHeader, edgeKey, "X-Annex-Client", home}, 400, "address_unreadable"},
		"a forwarded address":    {append(edge(elsewhere), "X-Forwarded-For", home, "Forwarded", "for="+home, "X-Annex-Client", home), 403, "not_admitted"},
		"no key":                 {[]string{"X-Real-Ip", home}, 401, "gateway_unknown"},
		"empty key":              {[]string{KeyHeader, "", "X-Real-Ip", home}, 401, "gateway_unknown"},
		"wrong key":              {[]string{KeyHeader, "no such key", "X-Real-Ip", home}, 401, "gateway_unknown"},
		"a key's beginning":      {[]string{KeyHeader, edgeKey[:len(edgeKey)-1], "X-Real-Ip", home}, 401, "gateway_unknown"},
		"a key and more":         {[]string{KeyHeader, edgeKey + "x", "X-Real-Ip", home}, 401, "gateway_unknown"},
		"two keys":               {[]string{KeyHeader, edgeKey, KeyHeader, "the client's", "X-Real-Ip", home}, 401, "gateway_unknown"},
		"right token":            {[]string{"Authorization", w.token("edge", nil), "X-Real-Ip", home}, 204, ""},
		"token and key":          {append(edge(home), "Authorization", "Bearer of the client"), 204, ""},
		"wrong key, right token": {[]string{KeyHeader, "no such key", "Authorization", w.token("edge", nil), "X-Real-Ip", home}, 401, "gateway_unknown"},
		"service without right":  {[]string{"Authorization", w.token("bastion", nil), "X-Real-Ip", home}, 401, "gateway_unknown"},
		"service, no gateway":    {[]string{"Authorization", w.token("stray", nil), "X-Real-Ip", home}, 401, "gateway_unknown"},
		"token of a stranger":    {[]string{"Authorization", w.token("nobody", nil), "X-Real-Ip", home}, 401, "gateway_unknown"},
		"token, other audience":  {[]string{"Authorization", w.token("edge", map[string]any{"aud": "https://other.example"}), "X-Real-Ip", home}, 401, "gateway_unknown"},
		"token, expired":         {[]string{"Authorization", w.token("edge", map[string]any{"exp": start.Add(-time.Hour).Unix()}), "X-Real-Ip", home}, 401, "gateway_unknown"},
		"a basic password":       {[]string{"Authorization", "Basic ZWRnZTplZGdl", "X-Real-Ip", home}, 401, "gateway_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, w.check(row.headers...), row.status, row.code)
		})
	}
}

// Behind IAM the token comes without its signature; where it stands beside a key, the key counts.
func TestBehindIAM(t *testing.T) {
	t.Parallel()
	w := open(t, wiring.EnvIAM, "front", wiring.EnvIdentity, "")
	checked := func(service string) string {
		token := w.token(service, nil)
		return token[:strings.LastIndex(token, ".")+1] + "SIGNATURE_REMOVED_BY_GOOGLE"
	}
	expect(t, w.check("Authorization", checked("edge"), "X-Real-Ip", office), 204, "")
	expect(t, w.check("X-Serverless-Authorization", checked("edge"), "X-Real-Ip", office), 204, "")
	expect(t, w.check("Authorization", checked("bastion"), KeyHeader, annexKey, "X-Annex-Client", office), 204, "")
	expect(t, w.check("Authorization", checked("edge"), KeyHeader, annexKey, "X-Real-Ip", office), 400, "address_unreadable")
	expect(t, w.check("Authorization", checked("stray"), "X-Real-Ip", office), 401, "gateway_unknown")
	expect(t, w.check("X-Real-Ip", office), 401, "gateway_unknown")
}

// The end of a lease and of a fixed site is looked at when somebody comes, not when somebody sweeps.
func TestExpiryAtRead(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.lets(t, "one", home+"/32", start.Add(time.Minute))
	must(t, w.Clock.Set(start.Add(time.Minute-time.Microsecond)))
	expect(t, w.check(KeyHeader, edgeKey, "X-Real-Ip", home), 204, "")
	must(t, w.Clock.Set(start.Add(time.Minute)))
	expect(t, w.check(KeyHeader, edgeKey, "X-Real-Ip", home), 403, "not_admitted")
	must(t, w.Clock.Set(time.Date(2027, 12, 31, 22, 59, 59, 0, time.UTC))) // one second before midnight in Paris
	expect(t, w.check(KeyHeader, edgeKey, "X-Real-Ip", office), 204, "")
	must(t, w.Clock.Set(time.Date(2027, 12, 31, 23, 0, 0, 0, time.UTC)))
	expect(t, w.check(KeyHeader, edgeKey, "X-Real-Ip", office), 403, "not_admitted")
}

// Coming in for the first time is what turns the page green.
func TestFirstEntryIsMarked(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.lets(t, "one", home+"/32", start.Add(time.Hour))
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() { expect(t, w.check(KeyHeader, edgeKey, "X-Real-Ip", home), 204, "") })
	}
	all.Wait()
	var l lease.Lease
	must(t, w.Raw("access").Get(t.Context(), "leases", "one", &l))
	if l.State != lease.Working || !l.WorkingAt.Equal(start) {
		t.Errorf("the lease is %s since %s, want working", l.State, l.WorkingAt)
	}
}

// A new key counts after five minutes at the latest, and the old one no longer.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	w := open(t)
	old, fresh := []string{KeyHeader, edgeKey, "X-Real-Ip", office}, []string{KeyHeader, "a key of this year", "X-Real-Ip", office}
	expect(t, w.check(old...), 204, "")
	w.PutSecret("gateway-edge", []byte(fresh[1]))
	for _, step := range []struct {
		after      time.Duration
		old, fresh int
	}{{0, 204, 401}, {keyLife - time.Microsecond, 204, 401}, {keyLife, 401, 204}} {
		must(t, w.Clock.Set(start.Add(step.after)))
		if got := w.check(old...).Code; got != step.old {
			t.Errorf("after %s the old key is answered %d, want %d", step.after, got, step.old)
		}
		if got := w.check(fresh...).Code; got != step.fresh {
			t.Errorf("after %s the new key is answered %d, want %d", step.after, got, step.fresh)
		}
	}
}

// A key so short that it could be tried is none, and shuts its own gateway alone.
func TestShortKey(t *testing.T) {
	t.Parallel()
	w := open(t)
	short := strings.Repeat("k", leastKey-1)
	w.PutSecret("gateway-edge", []byte(short))
	expect(t, w.check(KeyHeader, short, "X-Real-Ip", office), 503, "unavailable")
	expect(t, w.check(KeyHeader, annexKey, "X-Annex-Client", office), 204, "")
	w.PutSecret("gateway-edge", []byte(short+"k"))
	expect(t, w.check(KeyHeader, short+"k", "X-Real-Ip", office), 204, "")
}

// What does not answer admits nobody, and nothing is remembered of it.
func TestClosedWhenSomethingIsDown(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.lets(t, "one", home+"/32", start.Add(time.Hour))
	edge, annex := []string{KeyHeader, edgeKey, "X-Real-Ip", home}, []string{KeyHeader, annexKey, "X-Annex-Client", home}

	w.Secrets.Down()
	expect(t, w.check(edge...), 503, "unavailable")
	expect(t, w.check("Authorization", w.token("edge", nil), "X-Real-Ip", home), 204, "") // needs no secret
	w.Secrets.Up()
	expect(t, w.check(edge...), 204, "")

	w.Secrets.Down()
	expect(t, w.check(edge...), 204, "") // remembered
	must(t, w.Clock.Set(start.Add(keyLife)))
	expect(t, w.check(edge...), 503, "unavailable")
	expect(t, w.check(annex...), 503, "unavailable")
	expect(t, w.check(KeyHeader, "no such key", "X-Real-Ip", home), 503, "unavailable")
	w.Secrets.Up()

	w.Store.Down()
	expect(t, w.check(edge...), 503, "unavailable")
	expect(t, w.check(KeyHeader, "no such key", "X-Real-Ip", home), 401, "gateway_unknown")
	w.Store.Up()
	expect(t, w.check(edge...), 204, "")
}

// A gateway whose secret the function may not read does not shut the others out.
func TestOneSecretOutOfReach(t *testing.T) {
	t.Parallel()
	w := run(t, Function)
	expect(t, w.check(KeyHeader, edgeKey, "X-Real-Ip", office), 204, "")
	expect(t, w.check(KeyHeader, annexKey, "X-Annex-Client", office), 503, "unavailable")
}

// The description names every route.
func TestDescribed(t *testing.T) {
	t.Parallel()
	w := open(t)
	text := w.ask(http.MethodGet, "/admit/openapi.json", nil).Body.String()
	for _, path := range []string{`"/admit/v1/check"`, `"/admit/v1/check/{rest}"`} {
		if !strings.Contains(text, path) {
			t.Errorf("the description lacks %s", path)
		}
	}
}
