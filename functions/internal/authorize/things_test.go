package authorize

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/watch/watchaudit"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

type object = map[string]any

func decoded(part string) []byte {
	data, _ := base64.RawURLEncoding.DecodeString(part)
	return data
}

// furnish puts something of each kind there: of herself, of one customer, and what the asker began.
func (w *world) furnish(t testing.TB) *world {
	t.Helper()
	w.access(t)
	w.erasure(t)
	w.breach(t)
	w.watch(t)
	w.drift(t)
	w.trust(t)
	return w
}

// has names a thing by the path below a function that leads to it.
func (w *world) has(path string, id any) string {
	w.t.Helper()
	text, ok := id.(string)
	if !ok || text == "" {
		w.t.Fatalf("nothing was made for %s: %v", path, id)
	}
	w.things[path] = text
	return text
}

// do sends one request of somebody and returns the members of the answer.
func (w *world) do(t testing.TB, who, method, path string, body any, status int, header ...string) object {
	t.Helper()
	q := functiontest.Request{Method: method, Path: path, Body: body, Header: map[string][]string{}}
	switch w.manifests[strings.Split(path, "/")[1]].Callers {
	case manifest.Staff:
		q.Token = w.Staff(who)
	case manifest.Service:
		q.Token = w.Service(who)
	}
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	got := w.Call(t, q)
	if got.Status != status {
		t.Fatalf("%s %s: answered %d, want %d\n%.600s", method, path, got.Status, status, got.Body)
	}
	var members object
	if len(got.Body) > 0 && got.Body[0] == '{' {
		got.Decode(t, &members)
	}
	return members
}

func (w *world) access(t testing.TB) {
	t.Helper()
	phone := w.Phone(t, herself)
	w.has("enrolotp v1/authenticators/{}", phone.ID)
	begun := w.do(t, herself, "POST", "/enrolotp/v1/authenticators", object{"name": "tablet"}, 201)
	w.has("enrolotp POST /v1/authenticators/{id}/confirm", begun["id"])
	w.has("registerip v1/leases/{}", w.do(t, herself, "POST", "/registerip/v1/leases", object{"code": phone.Code(w.Clock.Now())}, 201, "Idempotency-Key", "one")["id"])
	w.Phone(t, email("asha.iyer"))
	w.has("enrolotp v1/resets/{}", w.do(t, asker, "POST", "/enrolotp/v1/resets", object{"email": email("asha.iyer"), "reason": "new phone"}, 201)["id"])
	w.do(t, asker, "POST", "/enrolotp/v1/seedfiles", object{"id": "aaaabbbbccccdddd", "keys": 1}, 201)
	w.has("enrolotp v1/seedfiles/{}", "aaaabbbbccccdddd")
	rollover := object{"id": "ddddccccbbbbaaaa", "everyone": true, "by": w.Clock.Now().Add(240 * time.Hour), "reason": "a change of makers"}
	w.has("enrolotp v1/rollovers/{}", w.do(t, asker, "POST", "/enrolotp/v1/rollovers", rollover, 200)["id"])
}

func (w *world) erasure(t testing.TB) {
	t.Helper()
	letter := object{"channel": "letter", "received": w.Clock.Now().Add(-72 * time.Hour), "tenant": "cabinet-nord", "email": "mia.canary@cabinetnord.example", "text": "canary letter", "language": "de"}
	id := w.has("decideerasure v1/requests/{}", w.do(t, asker, "POST", "/decideerasure/v1/requests", letter, 201)["id"])
	w.has("decideerasure {}", id)
	asked := w.do(t, "", "POST", "/requesterasure/v1/requests", object{"email": "lea.martin@mail.example", "tenant": "cabinet-nord", "kind": "erasure", "language": "en"}, 202)
	w.has("requesterasure v1/requests/{}", asked["number"])
	w.has("secret", asked["secret"])
	w.Private(w.things["secret"])
	w.certify(t)
	w.do(t, programs[3].email, "POST", "/opendsr/v2/requests", instruction, 201)
	w.has("opendsr v2/requests/{}", instruction["subject_request_id"])
	w.has("opendsr opengdpr_requests/{}", instruction["subject_request_id"])
}

// instruction is one of a customer's program.
var instruction = object{
	"regulation": "gdpr", "subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798", "subject_request_type": "erasure", "submitted_time": "2026-03-02T15:00:00Z", "api_version": "2.0",
	"subject_identities": []object{{"identity_type": "email", "identity_value": "leo.martin@mail.example", "identity_format": "raw"}},
}

// certify gives answers to customers' programs something to be signed with.
func (w *world) certify(t testing.TB) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"ostiary.test"}, NotBefore: functiontest.Start.AddDate(-1, 0, 0), NotAfter: functiontest.Start.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	w.PutSecret("opendsr-certificate", append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...))
}

func (w *world) breach(t testing.TB) {
	t.Helper()
	declared := object{"client_id": "emma-1", "kind": "breach", "detected_at": w.Clock.Now().Add(-10 * time.Minute), "summary": "canary summary", "tenants": []string{"banque-du-port", "own"}}
	id := w.has("declarebreach v1/breaches/{}", w.do(t, herself, "POST", "/declarebreach/v1/breaches", declared, 201)["id"])
	w.has("declarebreach case/{}", id)
	path := "/declarebreach/v1/breaches/" + id
	for _, who := range []string{asker, email("dorothea.klein")} {
		w.do(t, who, "POST", path+"/decide", object{"subject": "tenants", "answer": "yes"}, 200)
	}
	said := object{"nature": "An export of contacts lay open.", "subjects": "unknown", "records": "unknown", "excluded": "No passwords.", "subprocessors": "None.", "measures": "The export is gone.", "open": "Who read it."}
	w.do(t, asker, "POST", path+"/notices", object{"kind": "initial", "texts": object{"en": said, "fr": said, "de": said}}, 201)
	w.has("declarebreach v1/breaches/{}/notices/{}", "1")
	w.has("declarebreach case/{}/notices/{}", "1")
}

// granted is an entry of the audit log by which somebody outside was given a role.
const granted = `{"insertId":"1","logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,
	"resource":{"type":"project","labels":{"project_id":"sharedcontacts-live"}},"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",
	"serviceName":"cloudresourcemanager.googleapis.com","methodName":"SetIamPolicy","resourceName":"projects/sharedcontacts-live","status":{},
	"authenticationInfo":{"principalEmail":%q},"requestMetadata":{"callerIp":"81.2.69.193"},"authorizationInfo":[{"permission":"resourcemanager.projects.setIamPolicy","granted":true}],
	"serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/editor","member":"user:canary.stranger@example.net"}]}}}}`

func (w *world) watch(t testing.TB) {
	t.Helper()
	entry := bus.Message{Data: fmt.Appendf(nil, granted, w.Clock.Now().Format(time.RFC3339Nano), herself)}
	w.Event(t, "watchaudit", functiontest.Push("watchaudit", functiontest.Published{Topic: watchaudit.TopicEntries, At: w.Clock.Now(), Message: entry})).Want(t, 204, "")
	listed := w.do(t, herself, "GET", "/justify/v1/episodes", nil, 200)["episodes"].([]any)
	id := w.has("justify v1/episodes/{}", listed[0].(object)["id"])
	w.has("justify {}", id)
	noise := object{"kind": "suppression", "rule": "approved-identities", "actor": herself, "resource": "projects/sharedcontacts-live", "reason": "planned-work", "until": w.Clock.Now().Add(240 * time.Hour), "note": "canary exception"}
	id = w.has("justify v1/exceptions/{}", w.do(t, asker, "POST", "/justify/v1/exceptions", noise, 201)["id"])
	w.has("justify exceptions/{}", id)
}

func (w *world) drift(t testing.TB) {
	t.Helper()
	now := w.Clock.Now()
	f := finding.Finding{V: 1, Rev: 1, Round: 1, State: finding.Open, Asset: "//storage.googleapis.com/canary-bucket", What: "database-exposure", Class: finding.Forbidden, Promises: []string{"D01"},
		Severity: policy.Critical, Want: "x", Got: "y", First: now, Seen: now, Since: now, Opened: now, Nonce: "n"}
	f.ID = finding.ID(f.Asset, f.What)
	must(t, w.Raw("drift").Tx(t.Context(), func(tx store.Tx) error { return tx.Put(finding.Findings, f.ID, f) }))
	w.has("acceptdrift v1/findings/{}", f.ID)
	w.has("acceptdrift {}", f.ID)
}

func (w *world) trust(t testing.TB) {
	t.Helper()
	waiver := object{"promise": "D24", "reason": "accepted-risk", "until": "2026-04-01", "note": "canary waiver"}
	id := w.has("attest v1/waivers/{}", w.do(t, asker, "POST", "/attest/v1/waivers", waiver, 201)["id"])
	w.has("attest waivers/{}", id)
	w.has("attest v1/duties/{}", "risk-register-review")
	w.has("attest duties/{}", "risk-register-review")
	w.has("attest ask/{}", "software-clearance")
	w.has("attest POST /v1/duties/{id}/ask", "software-clearance")
	id = w.has("attest POST /v1/duties/{id}/withdraw", w.do(t, herself, "POST", "/attest/v1/duties/software-clearance/ask", object{"about": "canary scanner"}, 201)["id"])
	w.has("attest POST /duties/{id}/withdraw", id)
	w.has("attest statements/{}", "F01")
}
