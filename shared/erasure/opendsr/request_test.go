package opendsr_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/erasure/opendsr"
)

var now = time.Date(2026, 3, 25, 9, 0, 0, 0, time.UTC)

const valid = `{"regulation":"gdpr","subject_request_id":"a7551968-d5d6-44b2-9831-815ac9017798","subject_request_type":"erasure",
"submitted_time":"2026-03-02T15:00:00Z","subject_identities":[{"identity_type":"email","identity_value":"jo@customer.example","identity_format":"raw"}],
"api_version":"2.0","status_callback_urls":["https://controller.example/dsr"],"extensions":{"processor.example":{"a":1}}}`

// served are the identity types of a processor that knows people by their addresses, and by his customers' own numbers.
var served = []opendsr.IdentityType{opendsr.Email, opendsr.ControllerCustomerID}

func TestParseRequest(t *testing.T) {
	t.Parallel()
	q, err := opendsr.ParseRequest([]byte(valid), opendsr.V2, now, served)
	if err != nil {
		t.Fatal(err)
	}
	want := opendsr.Request{
		ID: "a7551968-d5d6-44b2-9831-815ac9017798", Regulation: "gdpr", Submitted: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC),
		Identities: []opendsr.Identity{{Type: opendsr.Email, Format: opendsr.Raw, Value: "jo@customer.example"}},
		Callbacks:  []string{"https://controller.example/dsr"},
		Digest:     q.Digest, Encoded: base64.StdEncoding.EncodeToString([]byte(valid)),
	}
	if d := cmp.Diff(want, q); d != "" {
		t.Error(d)
	}
	again, _ := opendsr.ParseRequest([]byte(valid+" "), opendsr.V2, now, served)
	if again.Digest == q.Digest || !strings.HasPrefix(q.Digest, "sha256:") {
		t.Error("the digest does not tell bodies apart")
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to string
		reasons  string
	}{
		"no regulation":         {`"regulation":"gdpr",`, ``, "UnsupportedRegulation"},
		"other regulation":      {`"gdpr"`, `"ccpa"`, "UnsupportedRegulation"},
		"capital letters in id": {`a7551968-d5d6`, `A7551968-D5D6`, "InvalidId"},
		"id of version 1":       {`-44b2-`, `-14b2-`, "InvalidId"},
		"path in id":            {`a7551968-d5d6-44b2-9831-815ac9017798`, `../x`, "InvalidId"},
		"access":                {`"erasure"`, `"access"`, "UnsupportedRequestType"},
		"six minutes ahead":     {`2026-03-02T15:00:00Z`, `2026-03-25T09:06:00Z`, "InvalidTime"},
		"year 0000":             {`2026-03-02T15:00:00Z`, `0000-03-02T15:00:00Z`, "InvalidTime"},
		"time without zone":     {`15:00:00Z`, `15:00:00`, "InvalidTime"},
		"empty value":           {`jo@customer.example`, ``, "InvalidIdentity"},
		"control character":     {`jo@`, `jo\u0001@`, "InvalidIdentity"},
		"unknown format":        {`"raw"`, `"sha512"`, "UnsupportedIdentityFormat"},
		"hashed with sha1":      {`"jo@customer.example","identity_format":"raw"`, `"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12","identity_format":"sha1"`, "UnsupportedIdentityFormat"},
		"hashed with md5":       {`"jo@customer.example","identity_format":"raw"`, `"9e107d9d372bb6826bd81d3542a419d6","identity_format":"md5"`, "UnsupportedIdentityFormat"},
		"one of two hashed":     {`"subject_identities":[`, `"subject_identities":[{"identity_type":"email","identity_value":"d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592","identity_format":"sha256"},`, "UnsupportedIdentityFormat"},
		"a type not served":     {`"email"`, `"android_id"`, "NoUsableIdentity"},
		"only an unknown type":  {`"email"`, `"shoe_size"`, "NoUsableIdentity"},
		"no identities":         {`"subject_identities":[`, `"subject_identities":[],"x":[`, "NoUsableIdentity"},
		"identities no list":    {`"subject_identities":[`, `"subject_identities":{},"x":[`, "Malformed"},
		"callback no text":      {`["https://controller.example/dsr"]`, `[7]`, "InvalidCallback"},
		"a name twice":          {`"api_version":"2.0"`, `"regulation":"gdpr"`, "Malformed"},
		"array":                 {valid, `[]`, "Malformed"},
		"two things wrong":      {`"gdpr","subject_request_id":"a`, `"lgpd","subject_request_id":"A`, "InvalidId UnsupportedRegulation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flat := strings.ReplaceAll(valid, "\n", "")
			body := strings.Replace(flat, strings.ReplaceAll(c.from, "\n", ""), c.to, 1)
			if body == flat {
				t.Fatal("the case changes nothing")
			}
			_, err := opendsr.ParseRequest([]byte(body), opendsr.V2, now, served)
			var e *opendsr.Error
			if !errors.As(err, &e) || e.Status != 400 {
				t.Fatalf("got %v", err)
			}
			var reasons []string
			for _, d := range e.Details {
				reasons = append(reasons, d.Reason)
			}
			if got := strings.Join(reasons, " "); got != c.reasons {
				t.Errorf("got reasons %s, want %s", got, c.reasons)
			}
			if out, _ := json.Marshal(e); strings.Contains(string(out), "jo@") || strings.Contains(err.Error(), "jo@") {
				t.Error("the answer holds the identity")
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	_, err := opendsr.ParseRequest([]byte(valid+strings.Repeat(" ", opendsr.MaxBytes)), opendsr.V2, now, served)
	var e *opendsr.Error
	if !errors.As(err, &e) || e.Status != 413 {
		t.Errorf("got %v", err)
	}
}

// Version 1.0 has no regulation, and was written for the GDPR.
func TestVersion1(t *testing.T) {
	t.Parallel()
	body := strings.Replace(valid, `"regulation":"gdpr",`, "", 1)
	if q, err := opendsr.ParseRequest([]byte(body), opendsr.V1, now, served); err != nil || q.Regulation != "gdpr" {
		t.Errorf("got %v, %v", q.Regulation, err)
	}
	if d, s := opendsr.Headers(opendsr.V1); d != "X-OpenGDPR-Processor-Domain" || s != "X-OpenGDPR-Signature" {
		t.Errorf("headers %s, %s", d, s)
	}
}

// An identity of a type nobody here knows is listed and does not fail the request.
func TestUnusedIdentity(t *testing.T) {
	t.Parallel()
	body := strings.Replace(valid, `"subject_identities":[`, `"subject_identities":[{"identity_type":"loyalty","identity_value":"7","identity_format":"raw"},
		{"identity_type":"android_id","identity_value":"0123456789abcdef0123456789abcdef","identity_format":"md5"},`, 1)
	q, err := opendsr.ParseRequest([]byte(body), opendsr.V2, now, served)
	if err != nil || len(q.Identities) != 1 || !slices.Equal(q.Unused, []string{"android_id", "unknown type"}) {
		t.Fatalf("got %d identities, unused %v, %v", len(q.Identities), q.Unused, err)
	}
}

// TestDiscover: what discovery lists is taken, and nothing else: whose a digest is nobody here can tell.
func TestDiscover(t *testing.T) {
	t.Parallel()
	d := opendsr.Discover(served, "https://processor.example/opendsr/v2/certificate")
	if len(d.Identities) != 2 || !slices.Equal(d.RequestTypes, []string{"erasure"}) || d.APIVersion != "2.0" {
		t.Errorf("discovery says %+v", d)
	}
	for _, i := range d.Identities {
		if i.Format != opendsr.Raw || !slices.Contains(served, i.Type) {
			t.Errorf("discovery lists %s as %s", i.Type, i.Format)
		}
	}
}

func TestStatusOf(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]opendsr.Status{
		"received": "pending", "identity_pending": "pending", "planning": "pending", "awaiting_approval": "pending", "approved": "pending",
		"executing": "in_progress", "verifying": "in_progress", "blocked": "in_progress", "partial": "in_progress",
		"completed": "completed", "completed_with_retention": "completed", "cancelled": "cancelled", "rejected": "cancelled",
	} {
		if got, ok := opendsr.StatusOf(state); !ok || got != want {
			t.Errorf("%s reads %s, %v", state, got, ok)
		}
	}
	if _, ok := opendsr.StatusOf("done"); ok {
		t.Error("a state nobody knows has a status")
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(valid))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"subject_identities":[{"identity_type":7}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := opendsr.ParseRequest(body, opendsr.V2, now, served)
		if err != nil {
			return
		}
		raw, _ := base64.StdEncoding.DecodeString(q.Encoded)
		if string(raw) != string(body) || !opendsr.ValidID(q.ID) || len(q.Identities) == 0 || q.Submitted.After(now.Add(5*time.Minute)) {
			t.Errorf("accepted %+v", q)
		}
	})
}
