// Package upstream asks providers to end a grant: by RFC 7009 where they follow it, by their own interface where they
// do not.
//
// It promises that a token goes to the provider's own host over TLS and nowhere else (no redirect is followed), that no
// error and no Answer holds any of it, and that what cannot be told is oauth.Later or oauth.Refused, never a success.
package upstream

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
)

const (
	timeout     = 20 * time.Second
	mostAnswer  = 64 << 10
	googleURL   = "https://oauth2.googleapis.com/revoke"
	githubURL   = "https://api.github.com"
	slackURL    = "https://slack.com/api/auth.revoke"
	githubMedia = "application/vnd.github+json"
)

// Client speaks to providers. It is safe for concurrent use.
type Client struct {
	http   *http.Client
	secret func(ctx context.Context, name string) ([]byte, error)
}

// New returns a client that reaches the internet and nothing else; secret reads what proves the product to a provider. A
// transport other than nil is used as it is.
func New(transport http.RoundTripper, secret func(ctx context.Context, name string) ([]byte, error)) *Client {
	c := &Client{reach.Client(reach.Public, nil, timeout), secret}
	if transport != nil {
		c.http.Transport = transport
	}
	return c
}

// grant is what is handed to a provider.
type grant struct {
	oauth.Token
	secret string // of the product
}

// Revoke asks the provider to end a connection. An error is Misconfigured: the map does not describe the provider, or an
// item its connection, well enough to ask; or that of reading the product's secret.
func (c *Client) Revoke(ctx context.Context, p datamap.Provider, t oauth.Token) (oauth.Answer, error) {
	if p.By == datamap.ByHand {
		return oauth.Answer{Result: oauth.NoWay}, nil
	}
	if t.Value == "" {
		return oauth.Answer{}, fault.New(fault.Misconfigured, "revoking a grant of %q: there is no token", p.ID)
	}
	g := grant{Token: t}
	if p.Secret != "" && (p.By == datamap.ByStandard || p.By == datamap.ByGitHub) { // the others ask for no more than the token
		secret, err := c.secret(ctx, p.Secret)
		if err != nil {
			return oauth.Answer{}, err
		}
		g.secret = string(secret)
	}
	r, read, err := build(ctx, p, g)
	if err != nil {
		return oauth.Answer{}, err
	}
	answer, body, failed := reach.Ask(c.http, r, mostAnswer, oauth.KeepToken)
	if failed != nil {
		result := oauth.Refused
		if failed.Again {
			result = oauth.Later
		}
		return oauth.Answer{Result: result, After: failed.After, Why: failed.Why}, nil
	}
	return read(answer.StatusCode, body), nil
}

// reader makes an answer of a status below 500 and its body.
type reader func(status int, body []byte) oauth.Answer

func build(ctx context.Context, p datamap.Provider, g grant) (*http.Request, reader, error) {
	switch p.By {
	case datamap.ByStandard:
		u, err := url.Parse(p.Endpoint)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return nil, nil, fault.New(fault.Misconfigured, "revoking a grant of %q: its endpoint is no https URL", p.ID)
		}
		form := url.Values{"token": {g.Value}}
		if g.Hint != "" {
			form.Set("token_type_hint", g.Hint)
		}
		r, err := post(ctx, p.Endpoint, form)
		if err == nil && p.Client != "" {
			// RFC 6749, section 2.3.1: both parts are form-encoded first.
			r.SetBasicAuth(url.QueryEscape(p.Client), url.QueryEscape(g.secret))
		}
		return r, readStandard, err
	case datamap.ByGoogle:
		r, err := post(ctx, or(p.Endpoint, googleURL), url.Values{"token": {g.Value}})
		return r, readStandard, err
	case datamap.ByGitHub:
		return github(ctx, p, g)
	case datamap.BySlack:
		r, err := post(ctx, or(p.Endpoint, slackURL), nil)
		if err == nil {
			r.Header.Set("Authorization", "Bearer "+g.Value)
		}
		return r, readSlack, err
	case datamap.BySalesforce:
		host := strings.ToLower(g.Instance)
		if !strings.HasSuffix(host, ".salesforce.com") || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
			return nil, nil, fault.New(fault.Misconfigured, "revoking a grant of %q: its instance is no host of salesforce.com", p.ID)
		}
		r, err := post(ctx, or(p.Endpoint, "https://"+host)+"/services/oauth2/revoke", url.Values{"token": {g.Value}})
		return r, readStandard, err
	}
	return nil, nil, fault.New(fault.Misconfigured, "revoking a grant of %q: unknown method %q", p.ID, p.By)
}

func github(ctx context.Context, p datamap.Provider, g grant) (*http.Request, reader, error) {
	if p.Client == "" || strings.Trim(p.Client, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") != "" || g.secret == "" {
		return nil, nil, fault.New(fault.Misconfigured, "revoking a grant of %q: the application's client id and secret are needed", p.ID)
	}
	body, err := json.Marshal(map[string]string{"access_token": g.Value})
	if err != nil {
		return nil, nil, fault.New(fault.Misconfigured, "revoking a grant of %q: the token is no text", p.ID)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, or(p.Endpoint, githubURL)+"/applications/"+p.Client+"/grant", strings.NewReader(string(body)))
	if err != nil {
		return nil, nil, fault.New(fault.Misconfigured, "revoking a grant of %q: its endpoint is no URL", p.ID)
	}
	r.SetBasicAuth(p.Client, g.secret)
	r.Header.Set("Accept", githubMedia)
	r.Header.Set("Content-Type", "application/json")
	return r, readGitHub, nil
}

func post(ctx context.Context, endpoint string, form url.Values) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "revoking a grant: its endpoint is no URL")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	return r, nil
}

func or(own, usual string) string {
	if own != "" {
		return strings.TrimSuffix(own, "/")
	}
	return usual
}

// readStandard reads RFC 7009, section 2.2: 200 for a token that is revoked, and for one that is not known. Google and
// Salesforce say 400 invalid_token for the latter.
func readStandard(status int, body []byte) oauth.Answer {
	if status == http.StatusOK {
		return oauth.Answer{Result: oauth.Confirmed}
	}
	var said struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &said) == nil && status == http.StatusBadRequest && said.Error == "invalid_token" {
		return oauth.Answer{Result: oauth.Unknown}
	}
	return oauth.Answer{Result: oauth.Refused, Why: word(said.Error, status)}
}

// readGitHub: 204 when the grant is gone with all its tokens. 404 for a token of no grant, and for a client that is not
// known; 422 for a token it cannot read. Neither says that the grant is gone, as the grant outlives a token.
func readGitHub(status int, _ []byte) oauth.Answer {
	if status == http.StatusNoContent {
		return oauth.Answer{Result: oauth.Confirmed}
	}
	return oauth.Answer{Result: oauth.Refused, Why: "status_" + strconv.Itoa(status)}
}

// readSlack reads auth.revoke, which answers 200 to everything. invalid_auth may also mean that our address is not let in:
// it says nothing about the token.
func readSlack(status int, body []byte) oauth.Answer {
	var said struct {
		OK      bool   `json:"ok"`
		Revoked bool   `json:"revoked"`
		Error   string `json:"error"`
	}
	switch err := json.Unmarshal(body, &said); {
	case err != nil || status != http.StatusOK:
		return oauth.Answer{Result: oauth.Refused, Why: "status_" + strconv.Itoa(status)}
	case said.OK && said.Revoked:
		return oauth.Answer{Result: oauth.Confirmed}
	case said.Error == "token_revoked" || said.Error == "token_expired" || said.Error == "account_inactive":
		return oauth.Answer{Result: oauth.Unknown}
	case said.Error == "ratelimited" || said.Error == "internal_error" || said.Error == "service_unavailable" || said.Error == "request_timeout":
		return oauth.Answer{Result: oauth.Later, Why: said.Error}
	}
	return oauth.Answer{Result: oauth.Refused, Why: word(said.Error, status)}
}

// word takes a provider's error code where it is one, so that nothing a stranger wrote comes into a record.
func word(code string, status int) string {
	if code == "" || len(code) > 40 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "status_" + strconv.Itoa(status)
	}
	return code
}
