package googledoor_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/option"

	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
)

// TestExplain lets a server answer as Google's do, and asks through the real client.
func TestExplain(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		status int
		reason string
		want   fault.Kind
	}{
		"quota":        {429, "rateLimitExceeded", fault.Exhausted},
		"quota as 403": {403, "quotaExceeded", fault.Exhausted},
		"no right":     {403, "forbidden", fault.Denied},
		"nobody":       {401, "required", fault.Denied},
		"gone":         {404, "notFound", fault.NotFound},
		"there":        {409, "alreadyExists", fault.Conflict},
		"fingerprint":  {412, "conditionNotMet", fault.Conflict},
		"wrong":        {400, "invalid", fault.Misconfigured},
		"down":         {503, "backendError", fault.Transient},
		"elsewhere":    {302, "", fault.Misconfigured},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(row.status)
			_, _ = w.Write([]byte(`{"error":{"code":0,"message":"emma@x.example from 81.2.69.142","errors":[{"reason":"` + row.reason + `","message":"81.2.69.142"}]}}`))
		}))
		client, err := compute.NewService(t.Context(), option.WithHTTPClient(googledoor.Guard(server.Client())), option.WithEndpoint(server.URL))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Firewalls.Get("p", "edge").Do()
		server.Close()
		err = googledoor.Explain("reading rule edge", err)
		if !fault.Is(err, row.want) || strings.Contains(err.Error(), "81.2") || !strings.Contains(err.Error(), "reading rule edge: status") {
			t.Errorf("%s: %v is of kind %q, want %s", name, err, fault.KindOf(err), row.want)
		}
		if e, ok := errors.AsType[*fault.Error](err); !ok || e.RetryAfter != 7*time.Second {
			t.Errorf("%s: to be tried again %+v", name, e)
		}
		if _, err = client.Firewalls.Get("p", "edge").Do(); !fault.Is(googledoor.Explain("reading", err), fault.Transient) || strings.Contains(googledoor.Explain("reading", err).Error(), "127.0.0.1") {
			t.Errorf("%s: nobody answers: %v", name, err)
		}
	}
	if googledoor.Explain("reading", nil) != nil {
		t.Error("no error is one")
	}
}
