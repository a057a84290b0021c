package opendsr

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/scene"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/request"
)

// TestLifeOfAnInstruction: it is taken, looked at and taken back, in the words of either version, and every answer is signed.
func TestLifeOfAnInstruction(t *testing.T) {
	t.Parallel()
	for version, at := range map[opendsr.Version]string{opendsr.V2: v2, opendsr.V1: v1} {
		w := newWorld(t)
		w.Private("lea.martin@mail.example")
		var created opendsr.Created
		first := w.Call(t, w.as(nord, "POST", at, asked)).Want(t, 201, "")
		w.signed(t, version, first, &created)
		raw, _ := base64.StdEncoding.DecodeString(created.Encoded)
		if created.Controller != "cabinet-nord" || created.ID != id || string(raw) != asked || !created.Received.Equal(w.Clock.Now()) || created.Expected.Format(time.DateOnly) != "2026-04-02" {
			t.Errorf("answered %s", first.Body)
		}
		if len(w.Published("erasure.plan")) != 1 {
			t.Error("nobody is told to look for the person")
		}
		w.Advance(t, time.Hour)
		if again := w.Call(t, w.as(nord, "POST", at, asked)).Want(t, 201, ""); string(again.Body) != string(first.Body) {
			t.Errorf("the same again is answered %s", again.Body)
		}
		var state opendsr.State
		w.signed(t, version, w.Call(t, w.as(nord, "GET", at+"/"+id, nil)).Want(t, 200, ""), &state)
		if state.Controller != "cabinet-nord" || state.ID != id || state.Status != opendsr.Pending || !state.Expected.Equal(created.Expected) || state.Extensions["ostiary.test"].Detail != "planning" {
			t.Errorf("it stands as %+v", state)
		}
		if version == opendsr.V2 {
			w.signed(t, version, w.Call(t, w.as(nord, "GET", at+"/"+id+"/status", nil)).Want(t, 200, ""), &state)
		}
		w.Call(t, w.as(nord, "GET", v2+"/"+id+"/receipt", nil)).Want(t, 404, "receipt_missing")
		for range 2 {
			var cancelled opendsr.Cancellation
			w.signed(t, version, w.Call(t, w.as(nord, "DELETE", at+"/"+id, nil)).Want(t, 202, ""), &cancelled)
			if cancelled.Controller != "cabinet-nord" || cancelled.ID != id || !cancelled.Received.Equal(w.Clock.Now()) {
				t.Errorf("taken back: %+v", cancelled)
			}
		}
		w.signed(t, version, w.Call(t, w.as(nord, "GET", at+"/"+id, nil)).Want(t, 200, ""), &state)
		if state.Status != opendsr.Cancelled || state.Extensions["ostiary.test"].Reason != "instruction" {
			t.Errorf("it ends as %+v", state)
		}
		if w.Pending(t, "opendsr") != 0 || len(w.Records(t)) == 0 {
			t.Error("something waits, or nothing is on record")
		}
	}
}

// TestUnservedIdentity: what nobody here can search by is named in the answer, and holds nothing up; the same again is told alike.
func TestUnservedIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := strings.Replace(asked, `"subject_identities":[`, `"subject_identities":[{"identity_type":"android_id","identity_value":"38400000-8cf0-11bd-b23e-10b96e40000d","identity_format":"raw"},`, 1)
	w.Private("lea.martin@mail.example", "38400000-8cf0")
	var created opendsr.Created
	first := w.Call(t, w.as(nord, "POST", v2, body)).Want(t, 201, "")
	w.signed(t, opendsr.V2, first, &created)
	if told := created.Extensions["ostiary.test"]; !slices.Equal(told.Unused, []string{"android_id"}) {
		t.Errorf("answered %s", first.Body)
	}
	w.Advance(t, time.Hour)
	if again := w.Call(t, w.as(nord, "POST", v2, body)).Want(t, 201, ""); string(again.Body) != string(first.Body) {
		t.Errorf("the same again is answered %s", again.Body)
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var d opendsr.Discovery
	w.signed(t, opendsr.V2, w.Call(t, w.as(nord, "GET", "/opendsr/v2/discovery", nil)).Want(t, 200, ""), &d)
	want := []opendsr.SupportedIdentity{{Type: "email", Format: "raw"}, {Type: "email", Format: "sha1"}, {Type: "email", Format: "md5"}, {Type: "email", Format: "sha256"}}
	if d.APIVersion != "2.0" || !slices.Equal(d.Identities, want) || d.Certificate != "https://ostiary.test/requesterasure/opendsr/v2/certificate" {
		t.Errorf("discovery says %+v", d)
	}
	a := w.Call(t, w.as(nord, "GET", "/opendsr/v2/certificate", nil)).Want(t, 200, "")
	if block, rest := pem.Decode(a.Body); block == nil || string(block.Bytes) != string(w.leaf.Raw) || len(rest) > 0 {
		t.Errorf("the certificate is %s", a.Body)
	}
}

// TestRefusals: what is refused is refused in the specification's words, and leaves nothing behind.
func TestRefusals(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := newWorld(t)
	w.Private("lea.martin@mail.example")
	w.Call(t, w.as(nord, "POST", v2, asked)).Want(t, 201, "")
	before := w.State(t)
	for _, at := range []string{v2, v1} {
		if a := seen.Saw(w.Call(t, w.as(nord, "POST", at, strings.Replace(asked, "lea.martin", "leo.martin", 1))).Want(t, 400, "id_conflict")); reasons(t, a) != "IdConflict" {
			t.Errorf("answered %s", a.Body)
		}
		seen.Saw(w.Call(t, w.as(nord, "POST", at, asked+strings.Repeat(" ", opendsr.MaxBytes))).Want(t, 413, "too_large"))
		seen.Saw(w.Call(t, w.as(nord, "POST", at, strings.Replace(asked, `{`, `{"status_callback_urls":["https://10.0.0.1/"],`, 1))).Want(t, 400, "callback_refused"))
		form := w.as(nord, "POST", at, asked)
		form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		seen.Saw(w.Call(t, form)).Want(t, 400, "body_invalid")
	}
	w.Unchanged(t, before)
	for _, unknown := range []string{"b7551968-d5d6-44b2-9831-815ac9017798", "A7551968-D5D6-44B2-9831-815AC9017798", "7", "..%2f" + id} {
		for _, path := range []string{v2 + "/", v1 + "/"} {
			for _, method := range []string{"GET", "DELETE"} {
				if a := seen.Saw(w.Call(t, w.as(nord, method, path+unknown, nil)).Want(t, 404, "request_unknown")); reasons(t, a) != "NotFound" {
					t.Errorf("%s %s: %s", method, unknown, a.Body)
				}
			}
		}
		seen.Saw(w.Call(t, w.as(nord, "GET", v2+"/"+unknown+"/receipt", nil)).Want(t, 404, "request_unknown"))
		seen.Saw(w.Call(t, w.as(nord, "GET", v2+"/"+unknown+"/status", nil)).Want(t, 404, "request_unknown"))
	}
	late(t, &seen)
	doors(t, &seen)
	seen.Complete(t, "opendsr", w.Routes("opendsr"))
}

// TestVectors: the published requests are answered as it says there, and what is refused leaves nothing behind.
func TestVectors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../testdata/opendsr/requests.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Now     time.Time
		Vectors []struct {
			Name, Body string
			Status     int
			Reasons    []string
		}
	}
	if err := json.Unmarshal(data, &file); err != nil || len(file.Vectors) < 30 || !file.Now.Equal(functiontest.Start) {
		t.Fatalf("%d vectors of %s, %v", len(file.Vectors), file.Now, err)
	}
	w := newWorld(t)
	w.Private("@mail.example")
	for _, v := range file.Vectors {
		before := w.State(t)
		a := w.Call(t, w.as(nord, "POST", v2, strings.ReplaceAll(v.Body, "dsr.controller.example", "dsr.cabinetnord.example")))
		if a.Status == 201 && v.Status == 201 {
			continue
		}
		if got := reasons(t, a); a.Status != v.Status || got != strings.Join(v.Reasons, " ") {
			t.Errorf("%s: answered %d %s, want %d %s", v.Name, a.Status, got, v.Status, v.Reasons)
		}
		if strings.Contains(string(a.Body), "@mail.example") {
			t.Errorf("%s: the answer names the person", v.Name)
		}
		w.Unchanged(t, before)
	}
}

// late takes an instruction back when erasing has begun.
func late(t *testing.T, seen *functiontest.Coverage) {
	w := newWorld(t)
	w.Call(t, w.as(nord, "POST", v2, asked)).Want(t, 201, "")
	seen.Saw(w.Call(t, w.as(nord, "GET", v2+"/"+id+"/receipt", nil)).Want(t, 404, "receipt_missing"))
	s := scene.New(t, w.World, "cabinet-nord")
	r := begun(t, s)
	before := w.State(t)
	for _, at := range []string{v2, v1} {
		if a := seen.Saw(w.Call(t, w.as(nord, "DELETE", at+"/"+id, nil)).Want(t, 400, "not_pending")); reasons(t, a) != "NotPending" {
			t.Errorf("answered %s", a.Body)
		}
	}
	w.Unchanged(t, before)
	s.Executed(t, r.ID, request.Totals{Erased: 3})
	s.Verified(t, r.ID, request.Outcome{})
	var state opendsr.State
	w.signed(t, opendsr.V2, w.Call(t, w.as(nord, "GET", v2+"/"+id, nil)).Want(t, 200, ""), &state)
	if told := state.Extensions["ostiary.test"]; state.Status != opendsr.Completed || told.Erased != 3 || told.Receipt != "https://ostiary.test/opendsr/v2/requests/"+id+"/receipt" {
		t.Errorf("it ends as %+v", state)
	}
}

// begun lets the engine find something and begin to erase it.
func begun(t *testing.T, s *scene.Scene) request.Request {
	t.Helper()
	r, err := s.Requests.Instructed(t.Context(), "cabinet-nord", id)
	if err != nil {
		t.Fatal(err)
	}
	s.Planned(t, r.ID, request.Plan{Digest: strings.Repeat("a", 64), Map: "m", Items: 3, Own: true})
	return s.Started(t, r.ID)
}

// doors: whom the token does not bind to a customer gets nothing, and when something is down nothing is taken.
func doors(t *testing.T, seen *functiontest.Coverage) {
	w := newWorld(t)
	var all []functiontest.Request
	for _, path := range []string{"/opendsr/v2/discovery", "/opendsr/v2/certificate", v2 + "/" + id, v2 + "/" + id + "/status", v2 + "/" + id + "/receipt", v1 + "/" + id} {
		all = append(all, w.as(nord, "GET", path, nil))
	}
	for _, path := range []string{v2, v1} {
		all = append(all, w.as(nord, "POST", path, asked), w.as(nord, "DELETE", path+"/"+id, nil))
	}
	functiontest.ServiceGate(t, setup, seen, nord, slices.Clone(all)...)
	for _, r := range all {
		r.Token = w.Service("bastion@services.sharedcontacts.example")
		before := w.State(t)
		seen.Saw(w.Call(t, r)).Want(t, 403, "caller_denied")
		w.Unchanged(t, before)
	}
	for _, at := range []string{v2, v1} {
		w := newWorld(t)
		w.Outages(t, seen, w.as(nord, "POST", at, asked), 201, &w.Issuer, &w.RequestKey, &w.Secrets)
		w.Outages(t, seen, w.as(nord, "GET", at+"/"+id, nil), 200)
		w.Panics(t, w.as(nord, "GET", at+"/"+id, nil), &w.Store)
		w.Outages(t, seen, w.as(nord, "DELETE", at+"/"+id, nil), 202)
		w.Store.Down()
		for _, path := range []string{v2 + "/" + id + "/status", v2 + "/" + id + "/receipt"} {
			seen.Saw(w.Call(t, w.as(nord, "GET", path, nil))).Want(t, 503, "unavailable")
		}
		w.Store.Up()
		w.PutSecret("opendsr-certificate", []byte("no certificate"))
		w.Restart()
		for _, path := range []string{"/opendsr/v2/discovery", "/opendsr/v2/certificate"} {
			seen.Saw(w.Call(t, w.as(nord, "GET", path, nil))).Want(t, 503, "unavailable")
		}
	}
}

// TestExpected: the day by which an instruction will have been carried out is moved to when the next search is, and while it is
// late, pending or not, to the end of the next day; what is done is as it was.
func TestExpected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expected := func() time.Time {
		t.Helper()
		var state opendsr.State
		w.signed(t, opendsr.V2, w.Call(t, w.as(nord, "GET", v2+"/"+id, nil)).Want(t, 200, ""), &state)
		return state.Expected
	}
	w.Call(t, w.as(nord, "POST", v2, asked)).Want(t, 201, "")
	s := scene.New(t, w.World, "cabinet-nord")
	first := expected()
	r := begun(t, s)
	s.Executed(t, r.ID, request.Totals{Erased: 3})
	if got := expected(); !got.Equal(first) {
		t.Errorf("in time, it moved from %s to %s", first, got)
	}
	w.Advance(t, first.Sub(w.Clock.Now())+time.Hour)
	late := expected()
	if wait := late.Sub(w.Clock.Now()); wait <= 0 || wait > 24*time.Hour {
		t.Errorf("late at %s, it is expected at %s", w.Clock.Now(), late)
	}
	s.Verified(t, r.ID, request.Outcome{Open: []request.Open{{Entry: "contacts", Why: "unreachable"}}})
	next, err := s.Requests.Instructed(t.Context(), "cabinet-nord", id)
	if err != nil || next.State != request.Partial {
		t.Fatalf("%s, %v", next.State, err)
	}
	if got := expected(); got.Before(next.Pass) || got.Before(w.Clock.Now()) {
		t.Errorf("with a search at %s, it is expected at %s", next.Pass, got)
	}
	s.Verified(t, r.ID, request.Outcome{})
	if got := expected(); !got.Equal(first) {
		t.Errorf("done, it is expected at %s", got)
	}
}
