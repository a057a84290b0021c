package opendsr

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/opendsr"
)

const (
	nord = "dsr@services.cabinetnord.example"
	sud  = "dsr@services.cabinetsud.example"
	id   = "a7551968-d5d6-44b2-9831-815ac9017798"
	v2   = "/opendsr/v2/requests"
	v1   = "/opendsr/opengdpr_requests"
	// asked is a request as a controller sends it.
	asked = `{"regulation":"gdpr","subject_request_id":"` + id + `","subject_request_type":"erasure","submitted_time":"2026-03-02T15:00:00Z",` +
		`"subject_identities":[{"identity_type":"email","identity_value":"lea.martin@mail.example","identity_format":"raw"}],"api_version":"2.0"}`
)

var setup = functiontest.Setup{Functions: []wiring.Function{Function}, Policy: map[string]string{"services.yaml": `services:
  - {id: nord, email: ` + nord + `, may: [opendsr], tenant: cabinet-nord, callbacks: [dsr.cabinetnord.example]}
  - {id: sud, email: ` + sud + `, may: [opendsr], tenant: cabinet-sud}
  - {id: bastion, email: bastion@services.sharedcontacts.example, may: [checkotp]}
`}}

// world is the function with a certificate for its domain.
type world struct {
	*functiontest.World
	leaf *x509.Certificate
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{World: functiontest.New(t, setup)}
	w.leaf = erasuretest.Certify(t, w.World)
	return w
}

// as is a request of a customer's program.
func (w *world) as(service, method, path string, body any) functiontest.Request {
	r := functiontest.Request{Method: method, Path: path, Body: body, Token: w.Service(service)}
	if body != nil {
		r.Header = http.Header{"Content-Type": {"application/json"}}
	}
	return r
}

// signed fails unless an answer is signed, and reads it.
func (w *world) signed(t testing.TB, v opendsr.Version, a functiontest.Answer, into any) {
	t.Helper()
	domain, signature := opendsr.Headers(v)
	if a.Header.Get(domain) != erasuretest.Domain || !opendsr.Verify(w.leaf.PublicKey, a.Body, a.Header.Get(signature)) {
		t.Errorf("not signed: %v", a.Header)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("the answer may be kept")
	}
	a.Decode(t, into)
}

// reasons are those of an answer that refuses, as the specification writes them.
func reasons(t testing.TB, a functiontest.Answer) string {
	t.Helper()
	var body struct {
		Error opendsr.Document `json:"error"`
	}
	if err := json.Unmarshal(a.Body, &body); err != nil || body.Error.Code != a.Status || body.Error.Message == "" {
		t.Errorf("no answer of the specification: %v\n%s", err, a.Body)
	}
	var all []string
	for _, d := range body.Error.Errors {
		all = append(all, d.Reason)
	}
	return strings.Join(all, " ")
}
