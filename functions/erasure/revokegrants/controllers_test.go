package revokegrants

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	dsr "ostiary.internal/functions/erasure/opendsr"
	"ostiary.internal/functions/erasure/requesterasure"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
)

// TestControllers: a customer's program is told, signed, what became of its instruction, and again as long as it does not take
// it.
func TestControllers(t *testing.T) {
	t.Parallel()
	const host, id = "dsr.cabinetnord.example", "a7551968-d5d6-44b2-9831-815ac9017798"
	w := newWorld(t, dsr.Function, requesterasure.Function)
	leaf := erasuretest.Certify(t, w.World.World)
	status, signed := http.StatusServiceUnavailable, 0
	w.answers(host, func(rw http.ResponseWriter, r *http.Request) {
		body := w.asked(host)
		if opendsr.Verify(leaf.PublicKey, []byte(body[len(body)-1].body), r.Header.Get("X-OpenDSR-Signature")) && r.Header.Get("X-OpenDSR-Processor-Domain") == erasuretest.Domain {
			signed++
		}
		rw.WriteHeader(status)
	})
	w.instructs(host, id)
	w.settled()
	if len(w.asked(host)) == 0 {
		t.Fatal("nobody is told")
	}
	status = http.StatusAccepted
	w.Advance(t, time.Hour)
	w.Tick(t, me).Want(t, 204, "")
	told := len(w.asked(host))
	w.Advance(t, time.Hour)
	w.Tick(t, me).Want(t, 204, "")
	all := w.asked(host)
	if last := all[told-1]; len(all) != told || signed != told || last.method != "POST" || last.path != "/told" || !strings.Contains(last.body, `"request_status":"completed"`) {
		t.Errorf("told %d times, %d signed, then %d: %+v", told, signed, len(all), last)
	}
	// What a later search takes back it is told too.
	w.takenBack()
	w.Advance(t, time.Hour)
	w.Tick(t, me).Want(t, 204, "")
	if all = w.asked(host); len(all) != told+1 || !strings.Contains(all[told].body, `"request_status":"in_progress"`) {
		t.Errorf("told %d times, the last %+v", len(all)-told, all[len(all)-1])
	}
	// Whoever checks a signature has no token of ours.
	public := w.Call(t, functiontest.Request{Method: "GET", Path: "/requesterasure/opendsr/v2/certificate"}).Want(t, 200, "")
	if block, rest := pem.Decode(public.Body); block == nil || !bytes.Equal(block.Bytes, leaf.Raw) || len(rest) > 0 {
		t.Errorf("the certificate that is served to everybody is %s", public.Body)
	}
}

// instructs has a customer's program instruct to erase somebody.
func (w *world) instructs(host, id string) {
	w.t.Helper()
	w.Call(w.t, functiontest.Request{Method: "POST", Path: "/opendsr/v2/requests", Token: w.Service("dsr@services.cabinetnord.example"), Header: http.Header{"Content-Type": {"application/json"}},
		Body: `{"regulation":"gdpr","subject_request_id":"` + id + `","subject_request_type":"erasure","submitted_time":"2026-03-02T15:00:00Z","status_callback_urls":["https://` + host + `/told"],` +
			`"subject_identities":[{"identity_type":"email","identity_value":"lea.martin@mail.example","identity_format":"raw"}]}`}).Want(w.t, 201, "")
}

// takenBack has a later search find something of the one request there is.
func (w *world) takenBack() {
	w.t.Helper()
	requests, err := store.Find[request.Request](w.Raw("erasure").Query(w.t.Context(), store.Query{Collection: request.Requests, Equal: []store.Field{{Name: "open", Value: false}}, Range: &store.Range{Name: "due_at"}, Limit: 10}))
	if err != nil || len(requests) != 1 || !requests[0].Closed.IsZero() {
		w.t.Fatalf("%d requests are over, %v", len(requests), err)
	}
	if err := w.Raw("erasure").Tx(w.t.Context(), func(tx store.Tx) error {
		r := requests[0]
		r.State, r.Why, r.Open = request.Partial, request.Left, true
		return tx.Put(request.Requests, r.ID, r)
	}); err != nil {
		w.t.Fatal(err)
	}
}

// TestControllerThatTakesNothing: of a customer's program that takes no word for a day the people of the desk hear, once, and it stands
// on record until one is taken.
func TestControllerThatTakesNothing(t *testing.T) {
	t.Parallel()
	const host, id = "dsr.cabinetnord.example", "b7551968-d5d6-44b2-9831-815ac9017798"
	w := newWorld(t, dsr.Function, requesterasure.Function)
	erasuretest.Certify(t, w.World.World)
	status := http.StatusServiceUnavailable
	w.answers(host, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(status) })
	w.instructs(host, id)
	w.settled()
	on := func(kind record.Kind) (n int) {
		for key, r := range w.Records(t) {
			if r.Kind == kind && r.Control == request.Control && w.Writer(key) == me {
				n++
			}
		}
		return n
	}
	for range 30 {
		w.Advance(t, time.Hour)
		w.Tick(t, me).Want(t, 204, "")
	}
	w.Deliver(t)
	letters := 0
	for _, letter := range w.Letters() {
		if strings.Contains(letter.Text, id) && strings.Contains(letter.Text, "Cabinet Nord") {
			letters++
		}
	}
	if on(record.Finding) != 1 || on(record.Remediation) != 0 || letters == 0 {
		t.Fatalf("%d findings, %d mended, %d letters", on(record.Finding), on(record.Remediation), letters)
	}
	status = http.StatusAccepted
	w.takenBack()
	w.Advance(t, time.Hour)
	w.Tick(t, me).Want(t, 204, "")
	if on(record.Remediation) != 1 {
		t.Errorf("%d mended", on(record.Remediation))
	}
}
