package hook

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

func answering200(t testing.TB, text []byte) *httptest.Server {
	t.Helper()
	return served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) }))
}

func wants(t testing.TB, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: error %v is of kind %q, want %s", what, err, fault.KindOf(err), kind)
	}
	if err != nil && (strings.Contains(err.Error(), "ana@") || strings.Contains(err.Error(), "guest/") || strings.Contains(err.Error(), secret)) {
		t.Errorf("%s: the error names a person or a secret: %v", what, err)
	}
}

var two = []erasure.Item{{Ref: "guest/81", Tenant: "hotel-7"}, {Ref: "guest/82", Tenant: "hotel-7"}}

// all makes every call.
func all(t testing.TB, h *Hook) map[string]error {
	t.Helper()
	_, find := h.Find(t.Context(), example, "x", 2)
	_, erase := h.Erase(t.Context(), example, two)
	_, values := h.Values(t.Context(), example, "id", 2)
	_, group := h.Group(t.Context(), example, []string{"city"})
	_, places := h.Places(t.Context(), 2)
	_, traces := h.Traces(t.Context())
	return map[string]error{"find": find, "erase": erase, "values": values, "group": group, "places": places, "traces": traces}
}

// TestStatuses: an answer other than 200 is an error of its kind, and never "nothing found".
func TestStatuses(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]fault.Kind{
		201: fault.Misconfigured, 204: fault.Misconfigured, 301: fault.Misconfigured, 302: fault.Misconfigured, 307: fault.Misconfigured, 400: fault.Invalid, 401: fault.Denied, 403: fault.Denied,
		404: fault.NotFound, 405: fault.Misconfigured, 409: fault.Transient, 418: fault.Misconfigured, 422: fault.Invalid, 429: fault.Exhausted, 500: fault.Transient, 501: fault.Invalid,
		502: fault.Transient, 503: fault.Transient,
	} {
		elsewhere := 0
		other := served(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
		s := served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL)
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(status)
			if status != http.StatusNoContent {
				_, _ = io.WriteString(w, `{"v":1,"items":[],"results":[],"of":"ana@customer.example"}`)
			}
		}))
		for call, err := range all(t, to(t, s, secret)) {
			if call == "traces" && status == http.StatusNotImplemented {
				must(t, err)
				continue
			}
			wants(t, call+" answered "+http.StatusText(status), err, kind)
			if e, ok := err.(*fault.Error); kind == fault.Exhausted && (!ok || e.RetryAfter != time.Minute) { //nolint:errorlint // the outermost counts
				t.Errorf("%s: come back %v", call, err)
			}
		}
		if elsewhere != 0 {
			t.Errorf("%d was followed", status)
		}
	}
}

// TestAnswers: what breaks the protocol is an error.
func TestAnswers(t *testing.T) {
	t.Parallel()
	item := `{"ref":"guest/81","tenant":"hotel-7"}`
	for call, bad := range map[string][]string{
		"find": {
			"", "null", "[]", "<html>", `{"items":[]}`, `{"v":2,"items":[]}`, `{"v":1}`, `{"v":1,"items":null}`, `{"v":1,"items":[]} {}`, `{"v":1,"items":[],"items":[]}`, `{"v":1,"items":[],"more":true}`,
			`{"v":1,"V":1,"items":[]}`, `{"v":1,"items":[` + item + `,` + item + `]}`, `{"v":1,"items":[{"ref":"a"},{"ref":"b"},{"ref":"c"}]}`, `{"v":1,"items":[{"tenant":"hotel-7"}]}`,
			`{"v":1,"items":[{"ref":""}]}`, `{"v":1,"items":[],"next":"x"}`, `{"v":1,"items":[{"ref":"a","held":"tomorrow"}]}`, `{"v":1,"items":[{"ref":"a","clean":"yes"}]}`,
			`{"v":1,"items":[{"ref":"` + strings.Repeat("a", maxName+1) + `"}]}`, `{"v":1,"items":[],"next":"` + strings.Repeat("a", maxName+1) + `"}`, `{"v":1,"items":[` + strings.Repeat(" ", maxBody) + `]}`,
		},
		"erase": {
			`{"v":1,"results":[]}`, `{"v":1,"results":[{"ref":"guest/81","outcome":"erased"}]}`, `{"v":1,"results":[{"ref":"guest/82","outcome":"erased"},{"ref":"guest/81","outcome":"erased"}]}`,
			`{"v":1,"results":[{"ref":"guest/81","outcome":"done"},{"ref":"guest/82","outcome":"erased"}]}`, `{"v":1,"results":[{"ref":"guest/81","outcome":""},{"ref":"guest/82","outcome":"erased"}]}`,
			`{"v":1,"results":[{"ref":"guest/81","outcome":"erased","until":"2026-01-01T00:00:00Z"},{"ref":"guest/82","outcome":"erased"}]}`,
			`{"v":1,"results":[{"ref":"guest/81","outcome":"erased"},{"ref":"guest/82","outcome":"erased"},{"ref":"guest/83","outcome":"erased"}]}`,
		},
		"values": {`{"v":1}`, `{"v":1,"values":[1]}`, `{"v":1,"values":[null]}`, `{"v":1,"values":"a"}`},
		"group":  {`{"v":1}`, `{"v":1,"smallest":-1}`, `{"v":1,"smallest":1.5}`, `{"v":1,"smallest":"1"}`},
		"places": {`{"v":1}`, `{"v":1,"places":[""]}`, `{"v":1,"places":[["a"]]}`},
		"traces": {`{"v":2}`, `{"v":1,"soft_delete_s":-1}`, `{"v":1,"rewind_s":99999999999999}`, `{"v":1,"unknown":"all"}`},
	} {
		for _, text := range bad {
			err := all(t, to(t, answering200(t, []byte(text)), secret))[call]
			wants(t, call+": "+text[:min(len(text), 100)], err, fault.Misconfigured)
		}
	}
	for call, text := range map[string]string{"values": `{"v":1,"values":["a","b","c"]}`, "places": `{"v":1,"places":["a","b","c"]}`} {
		wants(t, call, all(t, to(t, answering200(t, []byte(text)), secret))[call], fault.Exhausted)
	}
	values, err := to(t, answering200(t, []byte(`{"v":1,"values":["b","","a","b"]}`)), secret).Values(t.Context(), example, "id", 2)
	if strings.Join(values, " ") != "a b" || err != nil {
		t.Errorf("values %q, %v", values, err)
	}
	traces, err := to(t, answering200(t, []byte(`{"v":1,"soft_delete_s":604800}`)), secret).Traces(t.Context())
	if traces.SoftDelete != 7*24*time.Hour || len(traces.Unknown) != 0 || err != nil {
		t.Errorf("traces %v, %v", traces, err)
	}
	q := example
	q.Tenant = erasure.Tenant{Binding: erasure.BindPath, ID: "hotel-7"}
	_, err = to(t, answering200(t, []byte(`{"v":1,"items":[{"ref":"a","tenant":"hotel-8"}]}`)), secret).Find(t.Context(), q, "", 2)
	wants(t, "another tenant than the place's", err, fault.Misconfigured)
}

// TestLines: a connection that fails is tried again, a certificate that is not trusted is not.
func TestLines(t *testing.T) {
	t.Parallel()
	s := answering200(t, nil)
	u, err := url.Parse(s.URL + "/?secret=hook")
	must(t, err)
	h, err := open(u, options(secret), func(string) string { return "" })
	must(t, err)
	for call, err := range all(t, h) {
		wants(t, call+", with a certificate of nobody's", err, fault.Misconfigured)
	}
	cut := served(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	for call, err := range all(t, to(t, cut, secret)) {
		wants(t, call+", cut off", err, fault.Transient)
	}
	gone := to(t, s, secret)
	s.Close()
	for call, err := range all(t, gone) {
		wants(t, call+", gone", err, fault.Transient)
	}
	for call, err := range all(t, to(t, cut, "too short")) {
		wants(t, call+", with a short secret", err, fault.Misconfigured)
	}
	h = to(t, cut, secret)
	h.secret = "other"
	for call, err := range all(t, h) {
		wants(t, call+", without a secret", err, fault.NotFound)
	}
}

// TestAddresses: a hook is elsewhere, by TLS, and not inside our own network unless the map says so.
func TestAddresses(t *testing.T) {
	t.Parallel()
	deployed := func(name string) string { return map[string]string{"K_SERVICE": "runerasure"}[name] }
	local := func(string) string { return "" }
	try := func(raw string, loopback bool, getenv func(string) string) error {
		u, err := url.Parse(raw)
		must(t, err)
		o := options(secret)
		o.Loopback = loopback
		h, err := open(u, o, getenv)
		if err != nil {
			return err
		}
		defer h.Close()
		_, err = h.Traces(t.Context())
		return err
	}
	for _, raw := range []string{
		"https://hook.example", "https://hook.example/?secret=a&secret=b", "https://hook.example/?secret=hook&network=loopback", "https://hook.example/?secret=hook&x=y", "https:///x?secret=hook",
		"https://u@hook.example/?secret=hook", "http://hook.example/?secret=hook", "http://10.0.0.1/?secret=hook&network=private",
	} {
		wants(t, raw, try(raw, true, local), fault.Misconfigured)
	}
	for _, raw := range []string{"http://127.0.0.1:1/?secret=hook", "https://localhost:1/?secret=hook", "https://[::1]:1/?secret=hook&network=private", "https://[::ffff:127.0.0.1]:1/?secret=hook"} {
		wants(t, raw+" by default", try(raw, false, local), fault.Misconfigured)
		wants(t, raw+" deployed", try(raw, true, deployed), fault.Misconfigured)
		wants(t, raw+" in local mode", try(raw, true, local), fault.Transient) // nothing listens
	}
	for _, raw := range []string{"https://10.0.0.1/?secret=hook", "https://[fd00::1]/?secret=hook", "https://169.254.169.254/?secret=hook&network=private", "https://0.0.0.0/?secret=hook", "https://[fe80::1]/?secret=hook&network=private"} {
		if err := try(raw, true, local); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "out of reach") {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, registered := range []string{"https", "http"} {
		_, reading := erasure.Readers.Open(t.Context(), registered+"://127.0.0.1:1/?secret=hook", options(secret))
		_, erasing := erasure.Stores.Open(t.Context(), registered+"://127.0.0.1:1/?secret=hook", options(secret))
		must(t, reading)
		must(t, erasing)
	}
	_, err := erasure.Readers.Open(t.Context(), "https://hook.example/?secret=hook", erasure.Options{})
	wants(t, "no secrets at all", err, fault.Misconfigured)
}

// TestHandler: who does not sign, signs another call or another body, or signed long ago, learns and changes nothing.
func TestHandler(t *testing.T) {
	t.Parallel()
	handler, err := Handler(tired{}, []byte(secret), clock.NewManual(now))
	must(t, err)
	body := string(marshal(t, &FindRequest{head, queryToWire(example), "", 2}))
	itoa := func(at int64) string { return strconv.FormatInt(at, 10) }
	ask := func(method, path, body string, at int64, signature string) int {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set(timeHeader, itoa(at))
		r.Header.Set(signHeader, signature)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Body.Len() != 0 && w.Code != http.StatusOK {
			t.Errorf("%s %s: %d says %s", method, path, w.Code, w.Body)
		}
		return w.Code
	}
	sign := func(call, body string, at int64) string { return Sign([]byte(secret), itoa(at), call, []byte(body)) }
	at := now.Unix()
	for what, got := range map[string][2]int{
		"signed":           {ask("POST", "/any/base/find", body, at, sign("find", body, at)), 429},
		"old":              {ask("POST", "/find", body, at-301, sign("find", body, at-301)), 401},
		"new":              {ask("POST", "/find", body, at+301, sign("find", body, at+301)), 401},
		"just in time":     {ask("POST", "/find", body, at-300, sign("find", body, at-300)), 429},
		"another time":     {ask("POST", "/find", body, at+1, sign("find", body, at)), 401},
		"another call":     {ask("POST", "/erase", body, at, sign("find", body, at)), 401},
		"another body":     {ask("POST", "/find", body+" ", at, sign("find", body, at)), 401},
		"no signature":     {ask("POST", "/find", body, at, ""), 401},
		"another secret":   {ask("POST", "/find", body, at, Sign([]byte(strings.ToUpper(secret)), itoa(at), "find", []byte(body))), 401},
		"a call unknown":   {ask("POST", "/drop", body, at, sign("drop", body, at)), 501},
		"another method":   {ask("GET", "/find", body, at, sign("find", body, at)), 501},
		"a malformed body": {ask("POST", "/find", `{"v":1`, at, sign("find", `{"v":1`, at)), 400},
		"an unknown field": {ask("POST", "/places", `{"v":1,"limit":1,"x":1}`, at, sign("places", `{"v":1,"limit":1,"x":1}`, at)), 400},
		"another version":  {ask("POST", "/places", `{"v":2,"limit":1}`, at, sign("places", `{"v":2,"limit":1}`, at)), 400},
		"a body too large": {ask("POST", "/find", strings.Repeat(" ", maxBody+1), at, ""), 413},
		"no time that is one": {func() int {
			r := httptest.NewRequest("POST", "/find", strings.NewReader(body))
			r.Header.Set(timeHeader, "soon")
			r.Header.Set(signHeader, Sign([]byte(secret), "soon", "find", []byte(body)))
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w.Code
		}(), 401},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", what, got[0], got[1])
		}
	}
	_, err = Handler(tired{}, []byte("short"), clock.NewManual(now))
	wants(t, "a short secret", err, fault.Misconfigured)
}
