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
		"other regulation":      {`"gdpr"`, `"lgpd"`, "UnsupportedRegulation"},
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
		"no digest":             {`"raw"`, `"sha256"`, "InvalidIdentity"},
		"sha1 that is an md5":   {`"jo@customer.example","identity_format":"raw"`, `"9e107d9d372bb6826bd81d3542a419d6","identity_format":"sha1"`, "InvalidIdentity"},
		"digest in base64":      {`"jo@customer.example","identity_format":"raw"`, `"16j7swfXgJRpypq8sAguT41WUeRtPNt2LQLQvzfJ5ZI=","identity_format":"sha256"`, "InvalidIdentity"},
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

// Digests are taken beside values as they stand, each as the controller wrote it.
func TestHashedIdentities(t *testing.T) {
	t.Parallel()
	hashed := []opendsr.Identity{
		{Type: opendsr.Email, Format: opendsr.SHA1, Value: "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"},
		{Type: opendsr.Email, Format: opendsr.MD5, Value: "9E107D9D372BB6826BD81D3542A419D6"},
		{Type: opendsr.ControllerCustomerID, Format: opendsr.SHA256, Value: "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"},
	}
	list, err := json.Marshal(hashed)
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Replace(valid, `"subject_identities":[`, `"subject_identities":[`+strings.Trim(string(list), "[]")+",", 1)
	q, err := opendsr.ParseRequest([]byte(body), opendsr.V2, now, served)
	if err != nil || !slices.Equal(q.Identities[:3], hashed) || len(q.Identities) != 4 {
		t.Errorf("took %+v, %v", q.Identities, err)
	}
}

// The digests are of "the quick brown fox" and of an address in small letters, as other programs compute them.
func TestTells(t *testing.T) {
	t.Parallel()
	fox := "The quick brown fox jumps over the lazy dog"
	for _, c := range []struct {
		format        opendsr.Format
		digest, value string
		want          bool
	}{
		{opendsr.SHA1, "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", fox, true},
		{opendsr.MD5, "9E107D9D372BB6826BD81D3542A419D6", fox, true},
		{opendsr.SHA256, "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592", fox, true},
		{opendsr.SHA256, "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514", " USER@Example.org", false},
		{opendsr.SHA256, "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514", "\tUser@Example.com ", true},
		{opendsr.SHA1, "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592", fox, false},
		{opendsr.SHA256, "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e5", fox, false},
		{opendsr.SHA256, "", "", false},
		{opendsr.Raw, fox, fox, false},
		{"sha512", "", "", false},
	} {
		if got := c.format.Tells(c.digest, c.value); got != c.want {
			t.Errorf("%s %s of %q: %v", c.format, c.digest, c.value, got)
		}
	}
}

func TestCCPA(t *testing.T) {
	t.Parallel()
	q, err := opendsr.ParseRequest([]byte(strings.Replace(valid, `"gdpr"`, `"ccpa"`, 1)), opendsr.V2, now, served)
	if err != nil || q.Regulation != "ccpa" {
		t.Errorf("read %q, %v", q.Regulation, err)
	}
}

// TestDiscover: what discovery lists is taken: digests where whose they are can be looked up.
func TestDiscover(t *testing.T) {
	t.Parallel()
	d := opendsr.Discover(served, served[:1], "https://processor.example/opendsr/v2/certificate")
	var got []string
	for _, i := range d.Identities {
		got = append(got, string(i.Type)+" "+string(i.Format))
	}
	want := []string{"email raw", "email sha1", "email md5", "email sha256", "controller_customer_id raw"}
	if !slices.Equal(got, want) || !slices.Equal(d.RequestTypes, []string{"erasure"}) || d.APIVersion != "2.0" {
		t.Errorf("discovery says %+v", d)
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

func TestLife(t *testing.T) {
	t.Parallel()
	for life, want := range map[opendsr.Life]opendsr.Status{
		{State: "planning"}:                                       "pending",
		{State: "blocked"}:                                        "pending",
		{State: "blocked", Begun: true}:                           "in_progress",
		{State: "planning", Begun: true}:                          "in_progress",
		{State: "approved", Begun: true}:                          "in_progress",
		{State: "awaiting_approval", Begun: true, Over: true}:     "in_progress",
		{State: "planning", Begun: true, Over: true}:              "completed",
		{State: "planning", Begun: true, Over: true, Left: true}:  "in_progress",
		{State: "verifying", Begun: true, Over: true, Left: true}: "in_progress",
		{State: "completed", Begun: true, Over: true}:             "completed",
	} {
		if got, ok := life.Status(); !ok || got != want {
			t.Errorf("%+v reads %s, %v", life, got, ok)
		}
	}
	if _, ok := (opendsr.Life{State: "done", Begun: true}).Status(); ok {
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
