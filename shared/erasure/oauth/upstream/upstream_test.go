package upstream_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/oauth/upstream"
	"ostiary.internal/shared/platform/fault"
)

const token = "ya29.planted-token"

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
		method       upstream.Method
		status       int
		header, body string
		want         oauth.Answer
	}{
		"standard":                      {upstream.RFC7009, 200, "", "", oauth.Answer{Result: oauth.Confirmed}},
		"standard, busy":                {upstream.RFC7009, 503, "Retry-After: 120", "", oauth.Answer{Result: oauth.Later, After: 2 * time.Minute, Why: "busy"}},
		"standard, too many":            {upstream.RFC7009, 429, "", "", oauth.Answer{Result: oauth.Later, Why: "busy"}},
		"standard, type not taken":      {upstream.RFC7009, 400, "", `{"error":"unsupported_token_type"}`, oauth.Answer{Result: oauth.Refused, Why: "unsupported_token_type"}},
		"standard, client refused":      {upstream.RFC7009, 401, "", `{"error":"invalid_client"}`, oauth.Answer{Result: oauth.Refused, Why: "invalid_client"}},
		"standard, sent on":             {upstream.RFC7009, 302, "Location: https://evil.example/", "", oauth.Answer{Result: oauth.Refused, Why: "redirected"}},
		"standard, a stranger's text":   {upstream.RFC7009, 400, "", `{"error":"<b>jo@customer.example</b>"}`, oauth.Answer{Result: oauth.Refused, Why: "status_400"}},
		"standard, no JSON":             {upstream.RFC7009, 404, "", "<html>", oauth.Answer{Result: oauth.Refused, Why: "status_404"}},
		"google":                        {upstream.Google, 200, "", "{}", oauth.Answer{Result: oauth.Confirmed}},
		"google, gone before":           {upstream.Google, 400, "", `{"error":"invalid_token","error_description":"Token expired or revoked"}`, oauth.Answer{Result: oauth.Unknown}},
		"google, gone, wrong status":    {upstream.Google, 403, "", `{"error":"invalid_token"}`, oauth.Answer{Result: oauth.Refused, Why: "invalid_token"}},
		"github":                        {upstream.GitHub, 204, "", "", oauth.Answer{Result: oauth.Confirmed}},
		"github, no such":               {upstream.GitHub, 404, "", "", oauth.Answer{Result: oauth.Refused, Why: "status_404"}},
		"github, 200 is not the answer": {upstream.GitHub, 200, "", "", oauth.Answer{Result: oauth.Refused, Why: "status_200"}},
		"slack":                         {upstream.Slack, 200, "", `{"ok":true,"revoked":true}`, oauth.Answer{Result: oauth.Confirmed}},
		"slack, only a test":            {upstream.Slack, 200, "", `{"ok":true,"revoked":false}`, oauth.Answer{Result: oauth.Refused, Why: "status_200"}},
		"slack, revoked before":         {upstream.Slack, 200, "", `{"ok":false,"error":"token_revoked"}`, oauth.Answer{Result: oauth.Unknown}},
		"slack, or our address":         {upstream.Slack, 200, "", `{"ok":false,"error":"invalid_auth"}`, oauth.Answer{Result: oauth.Refused, Why: "invalid_auth"}},
		"slack, its own trouble":        {upstream.Slack, 200, "", `{"ok":false,"error":"internal_error"}`, oauth.Answer{Result: oauth.Later, Why: "internal_error"}},
		"slack, no JSON":                {upstream.Slack, 200, "", `ok`, oauth.Answer{Result: oauth.Refused, Why: "status_200"}},
		"salesforce":                    {upstream.Salesforce, 200, "", "", oauth.Answer{Result: oauth.Confirmed}},
		"salesforce, gone before":       {upstream.Salesforce, 400, "", `{"error":"invalid_token"}`, oauth.Answer{Result: oauth.Unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, got, sent := provider(t, c.status, c.header, c.body)
			p := upstream.Provider{ID: "p", Method: c.method, Endpoint: s.URL, ClientID: "Iv1.client"}
			answer, err := upstream.New(s.Client().Transport).Revoke(t.Context(), p, upstream.Grant{Token: token, Secret: "s", Instance: "eu1.my.salesforce.com"})
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
	c := upstream.New(s.Client().Transport)
	ask := func(p upstream.Provider, g upstream.Grant) {
		t.Helper()
		p.Endpoint = s.URL
		if _, err := c.Revoke(t.Context(), p, g); err != nil {
			t.Fatal(err)
		}
	}
	ask(upstream.Provider{Method: upstream.RFC7009, ClientID: "a:b"}, upstream.Grant{Token: token, Hint: "refresh_token", Secret: "x y"})
	if id, secret, _ := got.BasicAuth(); id != "a%3Ab" || secret != "x+y" || *sent != "token=ya29.planted-token&token_type_hint=refresh_token" || got.Method != http.MethodPost {
		t.Errorf("standard: %s %s, %s:%s", got.Method, *sent, id, secret)
	}
	ask(upstream.Provider{Method: upstream.GitHub, ClientID: "Iv1.client"}, upstream.Grant{Token: token, Secret: "s"})
	var body map[string]string
	if json.Unmarshal([]byte(*sent), &body) != nil || body["access_token"] != token || got.URL.Path != "/applications/Iv1.client/grant" || got.Method != http.MethodDelete {
		t.Errorf("github: %s %s %s", got.Method, got.URL.Path, *sent)
	}
	ask(upstream.Provider{Method: upstream.Salesforce}, upstream.Grant{Token: token, Instance: "EU1.my.salesforce.com"})
	if got.URL.Path != "/services/oauth2/revoke" {
		t.Errorf("salesforce: %s", got.URL.Path)
	}
}

func TestNotAsked(t *testing.T) {
	t.Parallel()
	c := upstream.New(nil)
	if a, err := c.Revoke(t.Context(), upstream.Provider{Method: upstream.None}, upstream.Grant{}); err != nil || a.Result != oauth.NoWay {
		t.Errorf("got %+v, %v", a, err)
	}
	for name, c2 := range map[string]struct {
		p upstream.Provider
		g upstream.Grant
	}{
		"no token":               {upstream.Provider{Method: upstream.Google}, upstream.Grant{}},
		"http":                   {upstream.Provider{Method: upstream.RFC7009, Endpoint: "http://provider.example/revoke"}, upstream.Grant{Token: token}},
		"user in URL":            {upstream.Provider{Method: upstream.RFC7009, Endpoint: "https://a@provider.example/"}, upstream.Grant{Token: token}},
		"github without client":  {upstream.Provider{Method: upstream.GitHub}, upstream.Grant{Token: token, Secret: "s"}},
		"github, path in client": {upstream.Provider{Method: upstream.GitHub, ClientID: "../x"}, upstream.Grant{Token: token, Secret: "s"}},
		"instance elsewhere":     {upstream.Provider{Method: upstream.Salesforce}, upstream.Grant{Token: token, Instance: "salesforce.com.evil.example"}},
		"instance with path":     {upstream.Provider{Method: upstream.Salesforce}, upstream.Grant{Token: token, Instance: "evil.example/.salesforce.com"}},
		"unknown method":         {upstream.Provider{Method: "magic"}, upstream.Grant{Token: token}},
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
	a, err := upstream.New(s.Client().Transport).Revoke(t.Context(), upstream.Provider{Method: upstream.Google, Endpoint: s.URL}, upstream.Grant{Token: token})
	if err != nil || a.Result != oauth.Later {
		t.Errorf("got %+v, %v", a, err)
	}
}
