package workspace

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/api/option"
)

// google plays IAM Credentials and the token endpoint, at their real addresses.
type google struct{ asked []string }

// RoundTrip implements http.RoundTripper.
func (g *google) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	g.asked = append(g.asked, r.URL.Host+r.URL.Path+" "+string(body))
	reply := `{"access_token":"delegated","token_type":"Bearer","expires_in":3600}`
	switch {
	case strings.HasSuffix(r.URL.Path, ":generateAccessToken"):
		reply = `{"accessToken":"own","expireTime":"2099-01-01T00:00:00Z"}`
	case strings.HasSuffix(r.URL.Path, ":signJwt"):
		reply = `{"keyId":"k","signedJwt":"signed"}`
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(reply)), Request: r}, nil
}

// Both ways of asking through a service account end in a token of the one scope, and no key file is read.
func TestTokens(t *testing.T) {
	t.Parallel()
	const account = "dir@labelsync.iam.gserviceaccount.com"
	for name, row := range map[string]struct {
		settings Settings
		bearer   string
		asked    []string // begins with, and holds
		holds    []string
	}{
		"role": {
			Settings{Account: account}, "Bearer own",
			[]string{"iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + account + ":generateAccessToken "},
			[]string{`"scope":["` + Permissions["Lookup"][0] + `"]`},
		},
		"delegation": {
			Settings{Account: account, Impersonate: "admin@labelsync.example"}, "Bearer delegated",
			[]string{
				"iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + account + ":signJwt ",
				"oauth2.googleapis.com/token ",
			},
			[]string{`\"scope\":\"` + Permissions["Lookup"][0] + `\",\"sub\":\"admin@labelsync.example\"`, "assertion=signed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var bearer string
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				bearer = r.Header.Get("Authorization")
				_ = json.NewEncoder(w).Encode(map[string]any{"primaryEmail": "jane@labelsync.example"})
			}))
			defer api.Close()
			g := &google{}
			users, err := connect(t.Context(), row.settings,
				[]option.ClientOption{option.WithHTTPClient(&http.Client{Transport: g})},
				[]option.ClientOption{option.WithEndpoint(api.URL)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := users.Get("jane@labelsync.example").Do(); err != nil {
				t.Fatal(err)
			}
			if bearer != row.bearer {
				t.Errorf("Authorization: %q, want %q", bearer, row.bearer)
			}
			if len(g.asked) != len(row.asked) {
				t.Fatalf("asked for tokens: %q", g.asked)
			}
			for n, asked := range g.asked {
				if !strings.HasPrefix(asked, row.asked[n]) || !strings.Contains(asked, row.holds[n]) {
					t.Errorf("request %d: %q, want %q with %q", n, asked, row.asked[n], row.holds[n])
				}
			}
		})
	}
}
