package revokegrants

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	dsr "ostiary.internal/functions/erasure/opendsr"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/testdata/sample"
)

// TestRecipientsOfHashed: of somebody whom a customer named by a digest a recipient is told the address it knows, and not the
// digest as if it were one.
func TestRecipientsOfHashed(t *testing.T) {
	t.Parallel()
	const host, address = "annuaire.example", "lea.martin@mail.example"
	w := newWorld(t, dsr.Function)
	erasuretest.Certify(t, w.World.World)
	w.Put("contacts-of-one", erasuretest.Nord, sample.Document{Name: "k1", Created: functiontest.Start.AddDate(-1, 0, 0), Fields: map[string]any{"primary_email": address, "created_at": "2025-01-01T00:00:00Z"}})
	w.answers(host, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusCreated) })
	sum := sha256.Sum256([]byte(address))
	digest := hex.EncodeToString(sum[:])
	w.Call(t, functiontest.Request{Method: "POST", Path: "/opendsr/v2/requests", Token: w.Service("dsr@services.cabinetnord.example"), Header: http.Header{"Content-Type": {"application/json"}},
		Body: `{"regulation":"gdpr","subject_request_id":"a7551968-d5d6-44b2-9831-815ac9017798","subject_request_type":"erasure","submitted_time":"2026-03-02T15:00:00Z",` +
			`"subject_identities":[{"identity_type":"email","identity_value":"` + digest + `","identity_format":"sha256"}]}`}).Want(t, 201, "")
	w.settled()
	all := w.asked(host)
	if len(all) == 0 || !strings.Contains(all[0].body, address) || strings.Contains(all[0].body, digest) {
		t.Errorf("told %+v", all)
	}
}
