package requesterasure

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/erasure/internal/scene"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/web"
)

var setup = functiontest.Setup{Functions: []wiring.Function{Function}}

const (
	tenant = "cabinet-nord"
	mia    = "mia.canary@cabinetnord.example"
	nobody = "nobody.canary@cabinetnord.example"
)

// answered collects which problems the API answered, over all parts of TestAPI.
var answered functiontest.Coverage

// Every problem the table lists is answered by something people do, and none that it does not list.
func TestAPI(t *testing.T) {
	t.Parallel()
	t.Run("parts", func(t *testing.T) {
		for name, part := range map[string]func(*testing.T){
			"alike": alike, "followed": followed, "taken back": takenBack, "closed": closed, "both shown": bothShown, "signed in": signedIn, "repeated": repeated, "bodies": bodies, "outages": outages, "discovered": discovered,
		} {
			t.Run(name, part)
		}
	})
	answered.Complete(t, "requesterasure", functiontest.New(t, setup).Routes("requesterasure"))
}

func started(t testing.TB) *scene.Scene {
	t.Helper()
	w := functiontest.New(t, setup)
	w.Private(mia, nobody)
	return scene.New(t, w, tenant, mia)
}

func call(method, path, secret string, body any) functiontest.Request {
	r := functiontest.Request{Method: method, Path: "/requesterasure" + path, Body: body}
	if secret != "" {
		r.Header = http.Header{secretHeader: {secret}}
	}
	return r
}

// do calls the API and wants an answer.
func do(t *testing.T, s *scene.Scene, r functiontest.Request, status int, code string) functiontest.Answer {
	t.Helper()
	return answered.Saw(s.Call(t, r)).Want(t, status, code)
}

func ask(t *testing.T, s *scene.Scene, email string) (made Taken) {
	t.Helper()
	do(t, s, call("POST", "/v1/requests", "", NewRequest{Email: email, Tenant: tenant, Kind: "erasure", Language: "en"}), 202, "").Decode(t, &made)
	s.Private(made.Secret)
	return made
}

func view(t *testing.T, s *scene.Scene, number, secret string) (v request.View) {
	t.Helper()
	do(t, s, call("GET", "/v1/requests/"+number, secret, nil), 200, "").Decode(t, &v)
	return v
}

// Whoever asks gets the same answer, known or not, and sees the same until the person has proved to be it.
func alike(t *testing.T) {
	t.Parallel()
	s := started(t)
	known, unknown := ask(t, s, mia), ask(t, s, nobody)
	if known.State != "received" || known.State != unknown.State || known.Due != unknown.Due || len(known.Number) != len(unknown.Number) || known.Due != (calendar.Day{Year: 2026, Month: 4, Day: 3}) {
		t.Errorf("answered %+v and %+v", known, unknown)
	}
	number, code := s.Identified(t, known.ID)
	if other, none := s.Identified(t, unknown.ID); code == "" || none != "" || other != "" {
		t.Errorf("the letters hold %q and %q", code, none)
	}
	a, b := view(t, s, known.Number, known.Secret), view(t, s, unknown.Number, unknown.Secret)
	a.ID, a.Number, a.Counts, b.ID, b.Number, b.Counts = "", "", "", "", "", ""
	if fmt.Sprint(a) != fmt.Sprint(b) || a.State != request.IdentityPending {
		t.Errorf("seen as\n%+v and\n%+v", a, b)
	}
	// Whatever an organisation is called: nobody learns by it which are customers.
	for _, name := range []string{"株式会社", "?!", strings.Repeat("long ", 60), "x"} {
		var made Taken
		do(t, s, call("POST", "/v1/requests", "", NewRequest{Email: nobody, Tenant: name, Kind: "erasure", Language: "en"}), 202, "").Decode(t, &made)
		if s.Private(made.Secret); made.State != known.State || made.Due != known.Due {
			t.Errorf("%q is answered %+v", name, made)
		}
	}
	// The same words whether there is no such request or no such secret.
	first := do(t, s, call("GET", "/v1/requests/"+known.Number, "wrong", nil), 404, "request_unknown")
	second := do(t, s, call("GET", "/v1/requests/abcdefghjk", known.Secret, nil), 404, "request_unknown")
	if string(first.Body) != string(second.Body) {
		t.Errorf("%s\n%s", first.Body, second.Body)
	}
	do(t, s, call("POST", "/v1/requests/"+number+"/confirm", known.Secret, nil), 403, "token_invalid")
	do(t, s, call("POST", "/v1/requests/abcdefghjk/confirm", code, nil), 403, "token_invalid")
	do(t, s, call("POST", "/v1/requests/"+unknown.Number+"/renew", unknown.Secret, nil), 204, "")
	do(t, s, call("POST", "/v1/requests/"+unknown.Number+"/renew", "wrong", nil), 404, "request_unknown")
}

// From the mail to the receipt.
func followed(t *testing.T) {
	t.Parallel()
	s := started(t)
	made := ask(t, s, strings.ToUpper(mia[:1])+mia[1:])
	number, code := s.Identified(t, made.ID)
	var v request.View
	do(t, s, call("POST", "/v1/requests/"+number+"/confirm", "", Code{Code: code}), 200, "").Decode(t, &v)
	if v.State != request.Planning || v.Number != made.Number || !v.Proved.Equal(s.Clock.Now()) {
		t.Errorf("confirmed as %+v", v)
	}
	do(t, s, call("POST", "/v1/requests/"+number+"/confirm", code, nil), 409, "token_used")
	do(t, s, call("GET", "/v1/requests/"+made.Number+"/receipt", code, nil), 404, "receipt_missing")
	s.Planned(t, made.ID, request.Plan{Digest: strings.Repeat("a", 64), Map: "m", Items: 3, Own: true})
	s.Started(t, made.ID)
	do(t, s, call("POST", "/v1/requests/"+made.Number+"/cancel", code, nil), 409, "too_late")
	s.Executed(t, made.ID, request.Totals{Erased: 2, Anonymised: 1})
	s.Verified(t, made.ID, request.Outcome{Purge: []request.Tail{{Class: "pitr", By: calendar.Day{Year: 2026, Month: 4, Day: 3}}}})
	if v = view(t, s, made.Number, code); v.State != request.Completed || v.Erased != 3 || v.Passed != 1 || len(v.Purge) != 1 || v.Executed.IsZero() || v.Next.IsZero() {
		t.Errorf("done as %+v", v)
	}
	// Who only asked sees neither that it is done, nor what there was.
	if v = view(t, s, made.Number, made.Secret); v.State != request.IdentityPending || v.Erased != 0 || v.Purge != nil || !v.Proved.IsZero() {
		t.Errorf("who asked sees %+v", v)
	}
	do(t, s, call("GET", "/v1/requests/"+made.Number+"/receipt", made.Secret, nil), 404, "receipt_missing")
	do(t, s, call("GET", "/v1/requests/"+made.Number+"/receipt", "wrong", nil), 404, "request_unknown")
}

func takenBack(t *testing.T) {
	t.Parallel()
	s := started(t)
	made := ask(t, s, mia)
	number, code := s.Identified(t, made.ID)
	do(t, s, call("POST", "/v1/requests/"+number+"/cancel", "wrong", nil), 404, "request_unknown")
	do(t, s, call("POST", "/v1/requests/"+number+"/confirm", code, nil), 200, "")
	do(t, s, call("POST", "/v1/requests/"+made.Number+"/cancel", made.Secret, nil), 404, "request_unknown") // whoever asked is not she
	var v request.View
	do(t, s, call("POST", "/v1/requests/"+made.Number+"/cancel", "", Code{Code: code}), 200, "").Decode(t, &v)
	if v.State != request.Cancelled || v.Why != request.Withdrawn {
		t.Errorf("taken back as %+v", v)
	}
	do(t, s, call("POST", "/v1/requests/"+made.Number+"/cancel", code, nil), 200, "") // sent twice
	// An account that stood still because of her goes on.
	made = ask(t, s, mia)
	s.Advance(t, time.Hour)
	if number, code = s.Identified(t, made.ID); code == "" {
		t.Fatal("a second request got no letter")
	}
	do(t, s, call("POST", "/v1/requests/"+number+"/confirm", code, nil), 200, "")
	s.Planned(t, made.ID, request.Plan{Digest: strings.Repeat("a", 64), Map: "m", Items: 1, Own: true, Owner: true, Last: true})
	do(t, s, call("POST", "/v1/requests/"+made.Number+"/cancel", code, nil), 200, "")
	if told := s.Published(request.TopicFreeze); len(told) != 1 {
		t.Errorf("the account is told to go on by %d messages", len(told))
	}
	if waiting := s.Pending(t, "requesterasure"); waiting != 0 {
		t.Errorf("%d messages or records did not leave", waiting)
	}
	other := started(t)
	made = ask(t, other, mia)
	number, code = other.Identified(t, made.ID)
	do(t, other, call("POST", "/v1/requests/"+number+"/confirm", code, nil), 200, "")
	other.Planned(t, made.ID, request.Plan{Digest: strings.Repeat("a", 64), Map: "m", Theirs: true})
	do(t, other, call("POST", "/v1/requests/"+made.Number+"/cancel", code, nil), 409, "state_conflict")
}

// The last owner has the account closed instead, with the code from her mail alone.
func closed(t *testing.T) {
	t.Parallel()
	s := started(t)
	made := ask(t, s, mia)
	number, code := s.Identified(t, made.ID)
	path := "/v1/requests/" + made.Number + "/close"
	do(t, s, call("POST", "/v1/requests/"+number+"/confirm", code, nil), 200, "")
	do(t, s, call("POST", path, code, nil), 409, "state_conflict")
	s.Planned(t, made.ID, request.Plan{Digest: strings.Repeat("a", 64), Map: "m", Items: 1, Own: true, Owner: true, Last: true})
	do(t, s, call("POST", path, made.Secret, nil), 404, "request_unknown")
	if page := string(send(t, s, "/follow", "number", made.Number, "code", code).Body); !strings.Contains(page, `action="/requesterasure/close"`) {
		t.Errorf("the page does not offer it:\n%s", page)
	}
	for range 2 {
		var v request.View
		do(t, s, call("POST", path, "", Code{Code: code}), 200, "").Decode(t, &v)
		if v.Kind != request.Account || v.State != request.Planning {
			t.Errorf("closing as %+v", v)
		}
	}
}

// Whoever keeps sending what showed the request gives the code from her mail beside it, in the body: the code counts.
func bothShown(t *testing.T) {
	t.Parallel()
	s := started(t)
	made := ask(t, s, mia)
	number, code := s.Identified(t, made.ID)
	path := "/v1/requests/" + made.Number
	confirm := "/v1/requests/" + number + "/confirm"
	do(t, s, call("POST", confirm, made.Secret, `{"code":7}`), 400, "body_invalid") // the header does not excuse a body
	do(t, s, call("POST", confirm, made.Secret, Code{Code: "wrong"}), 403, "token_invalid")
	do(t, s, call("POST", confirm, made.Secret, Code{Code: code}), 200, "")
	do(t, s, call("POST", path+"/renew", made.Secret, Code{}), 204, "") // without a code, the header counts
	do(t, s, call("POST", path+"/renew", made.Secret, Code{Secret: "wrong"}), 204, "")
	s.Planned(t, made.ID, request.Plan{Digest: strings.Repeat("a", 64), Map: "m", Items: 1, Own: true, Owner: true, Last: true})
	do(t, s, call("POST", path+"/cancel", code, Code{Code: made.Secret}), 404, "request_unknown")
	do(t, s, call("POST", path+"/close", made.Secret, Code{Code: code}), 200, "")
	do(t, s, call("POST", path+"/cancel", made.Secret, Code{Code: code}), 200, "")
}

// Who is signed in to the product proves it by that, a moment ago; she asks for herself and, as an owner, for others.
func signedIn(t *testing.T) {
	t.Parallel()
	s := started(t)
	const path = "/v1/requests"
	as := func(token string, body NewRequest) functiontest.Request {
		r := call("POST", path, "", body)
		r.Token = token
		return r
	}
	now := s.Clock.Now()
	fresh := map[string]any{"auth_time": now.Add(-time.Minute).Unix()}
	undated := map[string]any{"auth_time": nil}
	owner := map[string]any{"auth_time": now.Add(-time.Minute).Unix(), "role": "owner"}
	var made Taken
	do(t, s, as(s.Customer(mia, tenant, fresh), NewRequest{Tenant: tenant}), 202, "").Decode(t, &made)
	if made.State != "planning" {
		t.Errorf("signed in: %+v", made)
	}
	if v := view(t, s, made.Number, made.Secret); v.Proved.IsZero() {
		t.Errorf("whoever is signed in sees %+v", v)
	}
	do(t, s, as(s.Customer(mia, tenant, undated), NewRequest{Tenant: tenant}), 202, "").Decode(t, &made)
	if made.State != "received" {
		t.Errorf("signed in nobody knows when: %+v", made)
	}
	do(t, s, as(s.Customer(mia, tenant, fresh), NewRequest{Tenant: "cabinet-sud"}), 403, "other_tenant")
	do(t, s, as(s.Customer(mia, tenant, fresh), NewRequest{Tenant: tenant, Email: nobody}), 403, "not_allowed")
	do(t, s, as(s.Customer(mia, tenant, map[string]any{"role": "owner"}, undated), NewRequest{Tenant: tenant, Email: nobody}), 403, "reauthenticate")
	do(t, s, as(s.Customer(mia, tenant, owner), NewRequest{Tenant: tenant, Email: nobody}), 202, "")
	do(t, s, as(s.Customer(mia, tenant, owner), NewRequest{Tenant: tenant, Kind: "account"}), 202, "")
	do(t, s, as(s.Customer(mia, tenant, map[string]any{"auth_time": now.Unix(), "role": "admin"}), NewRequest{Tenant: tenant, Kind: "account"}), 403, "not_allowed")
	do(t, s, as("no.token.atall", NewRequest{Tenant: tenant, Email: mia}), 401, "unauthenticated")
	do(t, s, as(s.Customer(mia, ""), NewRequest{Tenant: tenant}), 401, "unauthenticated")
	do(t, s, as(s.Service("bastion@services.sharedcontacts.example"), NewRequest{Tenant: tenant}), 401, "unauthenticated")
	s.Issuer.Down()
	s.Restart() // keys are fetched anew
	before := s.State(t)
	do(t, s, as(s.Customer(mia, tenant, fresh), NewRequest{Tenant: tenant}), 503, "unavailable")
	s.Unchanged(t, before)
	s.Issuer.Up()
}

// What the product calls its people counts, in the words of either list; whoever has none of them is a member.
func TestRoles(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]request.Requester{
		"owner": request.TenantOwner, "tenant_owner": request.TenantOwner, "admin": request.TenantAdmin, "tenant_admin": request.TenantAdmin,
		"": request.Subject, "member": request.Subject, "Owner": request.Subject, "tenant_owner ": request.Subject, "controller": request.Subject, "agent": request.Subject,
	} {
		if got := session(caller.Customer{Subject: "u1", Tenant: tenant, Role: role}); got.Role != want {
			t.Errorf("%q is %s, not %s", role, got.Role, want)
		}
	}
	// Signed in on this machine, she has proved who she is just now.
	s := started(t)
	for role, status := range map[string]int{"tenant_owner": 202, "tenant_admin": 202, "tenant_member": 403} {
		r := call("POST", "/v1/requests", "", NewRequest{Tenant: tenant, Email: nobody})
		r.Token = s.Customer(mia, tenant, map[string]any{"role": role})
		if got := s.Call(t, r); got.Status != status {
			t.Errorf("%s: %d %s", role, got.Status, got.Code)
		}
	}
}

// Nobody is turned away, however often her own network asked for her: what is beyond a few waits. Of whoever is signed in only
// repetitions are refused.
func repeated(t *testing.T) {
	t.Parallel()
	s := started(t)
	for range 3 * request.MaxAsks {
		ask(t, s, mia)
	}
	for _, from := range []string{"81.2.69.9", "92.40.1.7", functiontest.Nowhere, "2a02:6b8:0:1::7"} {
		elsewhere := call("POST", "/v1/requests", "", NewRequest{Email: mia, Tenant: tenant})
		elsewhere.From = from
		do(t, s, elsewhere, 202, "")
	}
	signed := call("POST", "/v1/requests", "", NewRequest{Tenant: tenant})
	signed.Token = s.Customer(mia, tenant, map[string]any{"auth_time": s.Clock.Now().Add(-time.Minute).Unix()})
	for range request.MaxAsks {
		do(t, s, signed, 202, "")
	}
	if got := do(t, s, signed, 429, "too_many"); got.Header.Get("Retry-After") == "" {
		t.Error("nobody says when to come back")
	}
}

func bodies(t *testing.T) {
	t.Parallel()
	s := started(t)
	s.Bodies(t, &answered, functiontest.Request{Method: "POST", Path: "/requesterasure/v1/requests", Body: `{"email":"` + mia + `","tenant":"` + tenant + `"}`})
	for _, deed := range []string{"confirm", "cancel", "close", "renew"} {
		s.Bodies(t, &answered, functiontest.Request{Method: "POST", Path: "/requesterasure/v1/requests/abcdefghjk/" + deed, Body: `{"code":"abc"}`})
	}
	for name, wrong := range map[string]NewRequest{
		"no address": {Tenant: tenant}, "no organisation": {Email: mia, Tenant: "  "}, "another kind": {Email: mia, Tenant: tenant, Kind: "everything"},
		"an id without a sign-in": {Email: mia, Tenant: tenant, UID: "u1"}, "a mandate of two lines": {Email: mia, Tenant: tenant, Mandate: "a\nb"},
	} {
		if got := answered.Saw(s.Call(t, call("POST", "/v1/requests", "", wrong))); got.Code != "body_invalid" {
			t.Errorf("%s: %d %s", name, got.Status, got.Code)
		}
	}
	for _, email := range []string{"*", "..", "a/b", "mia", "mia@", "mia@a", "a b@c.example", strings.Repeat("x", 2000) + "@c.example", "mia@c.example\u202e"} {
		do(t, s, call("POST", "/v1/requests", "", NewRequest{Email: email, Tenant: tenant}), 400, "identifier_invalid")
	}
}

func outages(t *testing.T) {
	t.Parallel()
	s := started(t)
	made := ask(t, s, mia)
	number, code := s.Identified(t, made.ID)
	path := "/v1/requests/" + made.Number
	s.Outages(t, &answered, call("POST", "/v1/requests", "", NewRequest{Email: mia, Tenant: tenant}), 202, &s.RequestKey)
	s.Outages(t, &answered, call("GET", path, made.Secret, nil), 200)
	s.Outages(t, &answered, call("POST", path+"/renew", made.Secret, nil), 204, &s.RequestKey)
	confirm := call("POST", "/v1/requests/"+number+"/confirm", code, nil)
	for _, part := range []*functiontest.Switch{&s.Store, &s.RequestKey} {
		before := s.State(t)
		part.Down()
		do(t, s, confirm, 503, "unavailable")
		part.Up()
		s.Unchanged(t, before)
	}
	do(t, s, confirm, 200, "")
	s.Outages(t, &answered, call("GET", path+"/receipt", code, nil), 404)
	s.Planned(t, made.ID, request.Plan{Digest: strings.Repeat("a", 64), Map: "m", Items: 1, Own: true, Owner: true, Last: true})
	s.Outages(t, &answered, call("POST", path+"/close", code, nil), 200, &s.RequestKey)
	s.Outages(t, &answered, call("POST", path+"/cancel", code, nil), 200, &s.RequestKey)
}

// A request that is late and taken back is put on record as mended.
func TestMended(t *testing.T) {
	t.Parallel()
	s := started(t)
	made := ask(t, s, mia)
	number, code := s.Identified(t, made.ID)
	do(t, s, call("POST", "/v1/requests/"+number+"/confirm", code, nil), 200, "")
	s.Overdue(t)
	do(t, s, call("POST", "/v1/requests/"+made.Number+"/cancel", code, nil), 200, "")
	s.Mended(t, "requesterasure")
}

// Whatever this function may answer, a person reads in her language what is the matter and what to do now.
func TestEveryProblemHasTexts(t *testing.T) {
	t.Parallel()
	functiontest.Texts(t, page.NewAsk("requesterasure"), append(functiontest.New(t, setup).Routes("requesterasure"), web.Route{})...)
}

// Whatever is sent is answered, and what is refused changes nothing.
func FuzzTake(f *testing.F) {
	functiontest.FuzzBody(f, setup, func(*functiontest.World) functiontest.Request {
		return call("POST", "/v1/requests", "", nil)
	}, `{"email":"mia@cabinetnord.example","tenant":"cabinet-nord","kind":"erasure","language":"fr"}`, `{"email":"*","tenant":".."}`, `{"email":"a@b.example","tenant":"x","mandate":"y","export":true}`,
		`{"email":"mia@cabinetnord.exаmple","tenant":"Cabinet Nord"}`)
}

func TestFlood(t *testing.T) {
	t.Parallel()
	functiontest.Flood(t, setup, func(*functiontest.World) functiontest.Request {
		return call("GET", "/v1/requests/abcdefghjk", "secret", nil)
	})
}
