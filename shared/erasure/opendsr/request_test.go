package opendsr_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
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

func TestParseRequest(t *testing.T) {
	t.Parallel()
	q, err := opendsr.ParseRequest([]byte(valid), opendsr.V2, now)
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
	again, _ := opendsr.ParseRequest([]byte(valid+" "), opendsr.V2, now)
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
		"digest of wrong size":  {`"jo@customer.example","identity_format":"raw"`, `"abcd","identity_format":"sha1"`, "InvalidIdentity"},
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
			_, err := opendsr.ParseRequest([]byte(body), opendsr.V2, now)
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
	_, err := opendsr.ParseRequest([]byte(valid+strings.Repeat(" ", opendsr.MaxBytes)), opendsr.V2, now)
	var e *opendsr.Error
	if !errors.As(err, &e) || e.Status != 413 {
		t.Errorf("got %v", err)
	}
}

// Version 1.0 has no regulation, and was written for the GDPR.
func TestVersion1(t *testing.T) {
	t.Parallel()
	body := strings.Replace(valid, `"regulation":"gdpr",`, "", 1)
	if q, err := opendsr.ParseRequest([]byte(body), opendsr.V1, now); err != nil || q.Regulation != "gdpr" {
		t.Errorf("got %v, %v", q.Regulation, err)
	}
	if d, s := opendsr.Headers(opendsr.V1); d != "X-OpenGDPR-Processor-Domain" || s != "X-OpenGDPR-Signature" {
		t.Errorf("headers %s, %s", d, s)
	}
}

// An identity of a type nobody here knows is listed and does not fail the request.
func TestUnusedIdentity(t *testing.T) {
	t.Parallel()
	body := strings.Replace(valid, `"subject_identities":[`, `"subject_identities":[{"identity_type":"loyalty","identity_value":"7","identity_format":"raw"},`, 1)
	q, err := opendsr.ParseRequest([]byte(body), opendsr.V2, now)
	if err != nil || len(q.Identities) != 1 || len(q.Unused) != 1 {
		t.Fatalf("got %d identities, %d unused, %v", len(q.Identities), len(q.Unused), err)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	const stored = " Jo@Customer.example"
	hash := map[opendsr.Format]func(string) string{
		opendsr.Raw:    func(s string) string { return s },
		opendsr.SHA1:   func(s string) string { d := sha1.Sum([]byte(s)); return hex.EncodeToString(d[:]) },
		opendsr.MD5:    func(s string) string { d := md5.Sum([]byte(s)); return hex.EncodeToString(d[:]) },
		opendsr.SHA256: func(s string) string { d := sha256.Sum256([]byte(s)); return hex.EncodeToString(d[:]) },
	}
	for format, digest := range hash {
		literal := opendsr.Identity{Type: opendsr.Email, Format: format, Value: digest(stored)}
		normal := opendsr.Identity{Type: opendsr.Email, Format: format, Value: digest("jo@customer.example")}
		other := opendsr.Identity{Type: opendsr.Email, Format: format, Value: digest("jo1@customer.example")}
		if !literal.Matches(stored) || other.Matches(stored) {
			t.Errorf("%s: literal %v, other %v", format, literal.Matches(stored), other.Matches(stored))
		}
		if got := normal.Matches(stored); got != (format != opendsr.Raw) {
			t.Errorf("%s: normalised value matches: %v", format, got)
		}
	}
	if (opendsr.Identity{Format: opendsr.Raw}).Matches("") {
		t.Error("nothing matches nothing")
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
		q, err := opendsr.ParseRequest(body, opendsr.V2, now)
		if err != nil {
			return
		}
		raw, _ := base64.StdEncoding.DecodeString(q.Encoded)
		if string(raw) != string(body) || !opendsr.ValidID(q.ID) || len(q.Identities) == 0 || q.Submitted.After(now.Add(5*time.Minute)) {
			t.Errorf("accepted %+v", q)
		}
	})
}
