package upstream_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/oauth/upstream"
	"ostiary.internal/shared/platform/fault"
)

const token = "ya29.planted-token"

// secret is what proves the product to every provider.
func secret(_ context.Context, name string) ([]byte, error) {
	if name != "oauth" {
		return nil, fault.New(fault.NotFound, "reading secret %q: there is none", name)
	}
	return []byte("x y"), nil
}

// provider answers every request alike and keeps the last.
func provider(t *testing.T, status int, header, body string) (*httptest.Server, *http.Request, *string) {
	t.Helper()
	var got http.Request
	var sent string
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got, sent = *r, string(raw)
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s, &got, &sent
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method       datamap.Ending
		status       int
		header, body string
		want         oauth.Answer
	}{
		"standard":                      {datamap.ByStandard, 200, "", "", oauth.Answer{Result: oauth.Confirmed}},
		"standard, busy":                {datamap.ByStandard, 503, "Retry-After: 120", "", oauth.Answer{Result: oauth.Later, After: 2 * time.Minute, Why: "busy"}},
		"standard, too many":            {datamap.ByStandard, 429, "", "", oauth.Answer{Result: oauth.Later, Why: "busy"}},
		"standard, type not taken":      {datamap.ByStandard, 400, "", `{"error":"unsupported_token_type"}`, oauth.Answer{Result: oauth.Refused, Why: "unsupported_token_type"}},
		"standard, client refused":      {datamap.ByStandard, 401, "", `{"error":"invalid_client"}`, oauth.Answer{Result: oauth.Refused, Why: "invalid_client"}},
		"standard, sent on":             {datamap.ByStandard, 302, "Location: https://evil.example/", "", oauth.Answer{Result: oauth.Refused, Why: "redirected"}},
		"standard, a stranger's text":   {datamap.ByStandard, 400, "", `{"error":"<b>jo@customer.example</b>"}`, oauth.Answer{Result: oauth.Refused, Why: "status_400"}},
		"standard, no JSON":             {datamap.ByStandard, 404, "", "<html>", oauth.Answer{Result: oauth.Refused, Why: "status_404"}},
		"google":                        {datamap.ByGoogle, 200, "", "{}", oauth.Answer{Result: oauth.Confirmed}},
		"google, gone before":           {datamap.ByGoogle, 400, "", `{"error":"invalid_token","error_description":"Token expired or revoked"}`, oauth.Answer{Result: oauth.Unknown}},
		"google, gone, wrong status":    {datamap.ByGoogle, 403, "", `{"error":"invalid_token"}`, oauth.Answer{Result: oauth.Refused, Why: "invalid_token"}},
		"github":                        {datamap.ByGitHub, 204, "", "", oauth.Answer{Result: oauth.Confirmed}},
		"github, no such":               {datamap.ByGitHub, 404, "", "", oauth.Answer{Result: oauth.Refused, Why: "status_404"}},
		"github, 200 is not the answer": {datamap.ByGitHub, 200, "", "", oauth.Answer{Result: oauth.Refused, Why: "status_200"}},
		"slack":                         {datamap.BySlack, 200, "", `{"ok":true,"revoked":true}`, oauth.Answer{Result: oauth.Confirmed}},
		"slack, only a test":            {datamap.BySlack, 200, "", `{"ok":true,"revoked":false}`, oauth.Answer{Result: oauth.Refused, Why: "status_200"}},
		"slack, revoked before":         {datamap.BySlack, 200, "", `{"ok":false,"error":"token_revoked"}`, oauth.Answer{Result: oauth.Unknown}},
		"slack, or our address":         {datamap.BySlack, 200, "", `{"ok":false,"error":"invalid_auth"}`, oauth.Answer{Result: oauth.Refused, Why: "invalid_auth"}},
		"slack, its own trouble":        {datamap.BySlack, 200, "", `{"ok":false,"error":"internal_error"}`, oauth.Answer{Result: oauth.Later, Why: "internal_error"}},
		"slack, no JSON":                {datamap.BySlack, 200, "", `ok`, oauth.Answer{Result: oauth.Refused, Why: "status_200"}},
		"salesforce":                    {datamap.BySalesforce, 200, "", "", oauth.Answer{Result: oauth.Confirmed}},
		"salesforce, gone before":       {datamap.BySalesforce, 400, "", `{"error":"invalid_token"}`, oauth.Answer{Result: oauth.Unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, got, sent := provider(t, c.status, c.header, c.body)
			p := datamap.Provider{ID: "p", By: c.method, Endpoint: s.URL, Client: "Iv1.client", Secret: "oauth"}
			answer, err := upstream.New(s.Client().Transport, secret).Revoke(t.Context(), p, oauth.Token{Value: token, Instance: "eu1.my.salesforce.com"})
			if err != nil || answer != c.want {
				t.Errorf("got %+v, %v, want %+v", answer, err, c.want)
			}
			if strings.Contains(got.URL.String(), token) {
				t.Error("the token stands in the URL")
			}
			if all := *sent + got.Header.Get("Authorization"); !strings.Contains(all, token) {
				t.Error("the token was not sent")
			}
		})
	}
}

// What is sent is what each provider asks for.
func TestRequests(t *testing.T) {
	t.Parallel()
	s, got, sent := provider(t, 200, "", "")
	c := upstream.New(s.Client().Transport, secret)
	ask := func(p datamap.Provider, g oauth.Token) {
		t.Helper()
		p.Endpoint = s.URL
		if _, err := c.Revoke(t.Context(), p, g); err != nil {
			t.Fatal(err)
		}
	}
	ask(datamap.Provider{By: datamap.ByStandard, Client: "a:b", Secret: "oauth"}, oauth.Token{Value: token, Hint: "refresh_token"})
	if id, secret, _ := got.BasicAuth(); id != "a%3Ab" || secret != "x+y" || *sent != "token=ya29.planted-token&token_type_hint=refresh_token" || got.Method != http.MethodPost {
		t.Errorf("standard: %s %s, %s:%s", got.Method, *sent, id, secret)
	}
	ask(datamap.Provider{By: datamap.ByGitHub, Client: "Iv1.client", Secret: "oauth"}, oauth.Token{Value: token})
	var body map[string]string
	if json.Unmarshal([]byte(*sent), &body) != nil || body["access_token"] != token || got.URL.Path != "/applications/Iv1.client/grant" || got.Method != http.MethodDelete {
		t.Errorf("github: %s %s %s", got.Method, got.URL.Path, *sent)
	}
	ask(datamap.Provider{By: datamap.BySalesforce}, oauth.Token{Value: token, Instance: "EU1.my.salesforce.com"})
	if got.URL.Path != "/services/oauth2/revoke" {
		t.Errorf("salesforce: %s", got.URL.Path)
	}
}

func TestNotAsked(t *testing.T) {
	t.Parallel()
	c := upstream.New(nil, secret)
	if a, err := c.Revoke(t.Context(), datamap.Provider{By: datamap.ByHand}, oauth.Token{}); err != nil || a.Result != oauth.NoWay {
		t.Errorf("got %+v, %v", a, err)
	}
	for name, c2 := range map[string]struct {
		p datamap.Provider
		g oauth.Token
	}{
		"no token":               {datamap.Provider{By: datamap.ByGoogle}, oauth.Token{}},
		"http":                   {datamap.Provider{By: datamap.ByStandard, Endpoint: "http://provider.example/revoke"}, oauth.Token{Value: token}},
		"user in URL":            {datamap.Provider{By: datamap.ByStandard, Endpoint: "https://a@provider.example/"}, oauth.Token{Value: token}},
		"github without client":  {datamap.Provider{By: datamap.ByGitHub, Secret: "oauth"}, oauth.Token{Value: token}},
		"github, path in client": {datamap.Provider{By: datamap.ByGitHub, Client: "../x", Secret: "oauth"}, oauth.Token{Value: token}},
		"instance elsewhere":     {datamap.Provider{By: datamap.BySalesforce}, oauth.Token{Value: token, Instance: "salesforce.com.evil.example"}},
		"instance with path":     {datamap.Provider{By: datamap.BySalesforce}, oauth.Token{Value: token, Instance: "evil.example/.salesforce.com"}},
		"unknown method":         {datamap.Provider{By: "magic"}, oauth.Token{Value: token}},
	} {
		if _, err := c.Revoke(t.Context(), c2.p, c2.g); !fault.Is(err, fault.Misconfigured) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A provider that is not there is asked again, and the error says nothing of the token.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	s, _, _ := provider(t, 200, "", "")
	s.Close()
	a, err := upstream.New(s.Client().Transport, secret).Revoke(t.Context(), datamap.Provider{By: datamap.ByGoogle, Endpoint: s.URL}, oauth.Token{Value: token})
	if err != nil || a.Result != oauth.Later {
		t.Errorf("got %+v, %v", a, err)
	}
}

// A provider that is not what it was taken for is answered by nothing that could be taken for a success.
func TestHostile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   oauth.Result
	}{
		"an endless answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_token","x":"` + strings.Repeat("x", 1<<20)))
		}, oauth.Refused},
		"one cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":`))
		}, oauth.Later},
		"a connection that ends": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, oauth.Later},
		"created":                {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }, oauth.Refused},
		"sent on to ourselves": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/computeMetadata/v1/", http.StatusTemporaryRedirect)
		}, oauth.Refused},
		"a wait of a thousand years": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "31536000000")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, oauth.Later},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewTLSServer(c.answer)
			t.Cleanup(s.Close)
			p := datamap.Provider{ID: "p", By: datamap.ByStandard, Endpoint: s.URL}
			a, err := upstream.New(s.Client().Transport, secret).Revoke(t.Context(), p, oauth.Token{Value: token})
			if err != nil || a.Result != c.want || a.After != 0 && a.After != oauth.KeepToken {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
}

// What is not of the internet is not asked, whatever name led there.
func TestOutOfReach(t *testing.T) {
	t.Parallel()
	asked := false
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(s.Close)
	for _, endpoint := range []string{s.URL, "https://169.254.169.254/", "https://10.0.0.1/", "https://[::1]/", "https://localhost/"} {
		p := datamap.Provider{ID: "p", By: datamap.ByStandard, Endpoint: endpoint}
		a, err := upstream.New(nil, secret).Revoke(t.Context(), p, oauth.Token{Value: token})
		if err != nil || a.Result != oauth.Refused || a.Why != "out_of_reach" || asked {
			t.Errorf("%s: got %+v, %v", endpoint, a, err)
		}
	}
}
