package registerip

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/access/clientproof"
)

const (
	proofs = "/registerip/v1/proofs"
	simone = "simone.bernard@sharedcontacts.example"
	owner  = "odile.martin@sharedcontacts.example"
)

// deployed is a world whose function runs in the cloud: what it declares of the proxies in front has to be proven there.
func deployed(t *testing.T, layout string) *functiontest.World {
	t.Helper()
	s := setup
	s.Env = map[string]string{"K_SERVICE": "registerip", "OSTIARY_CLIENT_ADDRESS": layout}
	return functiontest.New(t, s)
}

// home6 is where the device is over IPv6.
const home6 = "2a02:6b8:0:1::7"

// proof runs a whole proof of this function over the family of an address, against a proxy that does to each request what
// proxy says, and returns what it came to there.
func proof(t *testing.T, w *functiontest.World, from string, proxy func(r *functiontest.Request, forged http.Header, from string)) JudgedPlace {
	t.Helper()
	var begun Proof
	w.Call(t, functiontest.Request{Method: "POST", Path: proofs, Token: w.Staff(simone), Body: map[string]any{"from": []string{from}, "balancer": "34.1.2.3"}}).
		Want(t, 201, "").Decode(t, &begun)
	at := slices.IndexFunc(begun.Places, func(p Place) bool { return strings.Contains(from, ":") == (p.Family == "ipv6") })
	for _, c := range begun.Places[at].Cases {
		r := functiontest.Request{Method: "POST", Path: begun.Places[at].URL, Token: w.Staff(simone), From: functiontest.Nowhere, Header: http.Header{},
			Body: map[string]string{"id": begun.ID, "case": c.Name, "family": begun.Places[at].Family}}
		forged := http.Header{}
		for _, h := range c.Headers {
			forged.Add(h[0], h[1])
		}
		proxy(&r, forged, from)
		w.Call(t, r).Want(t, 200, "")
	}
	var judged Judged
	w.Call(t, functiontest.Request{Method: "POST", Path: proofs + "/end", Token: w.Staff(simone), Body: map[string]any{"id": begun.ID}}).Want(t, 200, "").Decode(t, &judged)
	if judged.Layout != begun.Layout || len(judged.Places) != len(begun.Places) {
		t.Errorf("judged %+v", judged)
	}
	for i, other := range judged.Places {
		if i != at && (other.Verdict != "" || len(other.Cases) != 0) {
			t.Errorf("judged of what nobody sent: %+v", other)
		}
	}
	return judged.Places[at]
}

// balancer appends the sender and itself, as an external Application Load Balancer does.
func balancer(r *functiontest.Request, forged http.Header, from string) {
	r.Header = forged.Clone()
	r.Header.Add("X-Forwarded-For", from+", 34.1.2.3")
}

// through sends a request from an address by way of the load balancer.
func through(r functiontest.Request, from string) functiontest.Request {
	r.From = functiontest.Nowhere
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("X-Forwarded-For", from+", 34.1.2.3")
	return r
}

// TestUnproven: deployed, nobody registers until somebody proved that the address is told right, by what is declared and over
// the family she comes by.
func TestUnproven(t *testing.T) {
	t.Parallel()
	w := deployed(t, "loadbalancer")
	phone := w.Phone(t, emma)
	code := phone.Code(w.Clock.Now())
	ask := functiontest.Request{Method: "POST", Path: devices, Token: w.Staff(emma)}
	before := w.State(t)
	w.Call(t, through(register(w, emma, code, "k1"), functiontest.Home)).Want(t, 503, "address_unproven")
	w.Call(t, through(ask, functiontest.Home)).Want(t, 503, "address_unproven")
	w.Unchanged(t, before)
	if judged := proof(t, w, functiontest.Home, balancer); judged.Verdict != "pass" || !judged.Proven || judged.Function != "registerip" || judged.Family != "ipv4" || len(judged.Cases) < 15 {
		t.Fatalf("judged %+v", judged)
	}
	before = w.State(t)
	w.Call(t, through(register(w, emma, code, "k2"), home6)).Want(t, 503, "address_unproven")
	w.Call(t, through(ask, home6)).Want(t, 503, "address_unproven") // whose code would be typed over IPv4
	w.Unchanged(t, before)
	w.Call(t, through(register(w, emma, code, "k3"), functiontest.Home)).Want(t, 201, "")
	w.Call(t, through(ask, functiontest.Home)).Want(t, 201, "")
	if judged := proof(t, w, home6, balancer); judged.Verdict != "pass" || !judged.Proven || judged.Family != "ipv6" {
		t.Errorf("judged %+v", judged)
	}
	w.Advance(t, 30*time.Second)
	w.Call(t, through(register(w, emma, phone.Code(w.Clock.Now()), "k4"), home6)).Want(t, 201, "")
}

// TestLayouts: what the proofs of layouts come to that the proxies in front do not keep.
func TestLayouts(t *testing.T) {
	t.Parallel()
	// The balancer under a layout that takes the last entry: everybody would come from the balancer itself. Whoever says a wrong
	// address of her own finds that out no less.
	w := deployed(t, "direct")
	for _, from := range []string{functiontest.Home, mobile} {
		if judged := proof(t, w, from, balancer); judged.Verdict != "violation" || judged.Proven || judged.Cases[clientproof.Plain] != "forged" {
			t.Errorf("judged %+v", judged)
		}
	}
	phone := w.Phone(t, emma)
	w.Call(t, through(register(w, emma, phone.Code(w.Clock.Now()), "k1"), functiontest.Home)).Want(t, 503, "address_unproven")
	// A proxy whose header callers may write themselves.
	w = deployed(t, "header:X-Address")
	overwrites := func(r *functiontest.Request, forged http.Header, from string) {
		balancer(r, forged, from)
		r.Header.Set("X-Address", from)
	}
	if judged := proof(t, w, functiontest.Home, overwrites); judged.Verdict != "pass" || !judged.Proven {
		t.Errorf("judged %+v", judged)
	}
	// Somebody who mistakes her own address shows nothing, and takes nothing away.
	elsewhere := func(r *functiontest.Request, forged http.Header, _ string) { overwrites(r, forged, mobile) }
	if judged := proof(t, w, functiontest.Home, elsewhere); judged.Verdict != "undetermined" || !judged.Proven {
		t.Errorf("judged %+v", judged)
	}
	// A service that believes a forgery is found out, though the one who asks mistakes her own address.
	mistaken := func(r *functiontest.Request, forged http.Header, _ string) {
		balancer(r, forged, mobile)
		if forged.Get("X-Address") == "" {
			r.Header.Set("X-Address", mobile)
		}
	}
	if judged := proof(t, w, functiontest.Home, mistaken); judged.Verdict != "violation" || judged.Proven || judged.Cases[clientproof.Plain] != "wrong" {
		t.Errorf("judged %+v", judged)
	}
	believes := func(r *functiontest.Request, forged http.Header, from string) {
		if balancer(r, forged, from); r.Header.Get("X-Address") == "" {
			r.Header.Set("X-Address", from)
		}
	}
	if judged := proof(t, w, functiontest.Home, believes); judged.Verdict != "violation" || judged.Proven || judged.Cases["private"] != "forged" || judged.Cases["private-twice"] != "refused" {
		t.Errorf("judged %+v", judged)
	}
}

// TestPlaces: a proof names every place that takes addresses.
func TestPlaces(t *testing.T) {
	t.Parallel()
	s := setup
	s.Env = map[string]string{"OSTIARY_PAIR_HOSTS": "ipv4=https://v4.ostiary.test,ipv6=https://v6.ostiary.test"}
	w := functiontest.New(t, s)
	var begun Proof
	w.Call(t, functiontest.Request{Method: "POST", Path: proofs, Token: w.Staff(owner), Body: map[string]any{"from": []string{home6, functiontest.Home}}}).Want(t, 201, "").Decode(t, &begun)
	var found []string
	for _, p := range begun.Places {
		if len(p.Cases) < 15 || p.Cases[0].Name != clientproof.Plain {
			t.Errorf("the cases of %s: %+v", p.URL, p.Cases)
		}
		found = append(found, p.Function+" "+p.Family+" "+p.URL)
	}
	want := []string{"registerip ipv4 /registerip/v1/proofs/cases", "pairaddress ipv4 https://v4.ostiary.test/pairaddress/v1/proofs/cases",
		"registerip ipv6 /registerip/v1/proofs/cases", "pairaddress ipv6 https://v6.ostiary.test/pairaddress/v1/proofs/cases"}
	if !slices.Equal(found, want) || len(begun.ID) != 20 {
		t.Errorf("the places are\n%s", strings.Join(found, "\n"))
	}
}

// proofRefusals reaches every problem the interface lists of proofs.
func proofRefusals(t *testing.T, seen *functiontest.Coverage) {
	w := functiontest.New(t, setup)
	ask := func(email, path string, body any) functiontest.Answer {
		return seen.Saw(w.Call(t, functiontest.Request{Method: "POST", Path: proofs + path, Token: w.Staff(email), Body: body}))
	}
	from := map[string]any{"from": []string{functiontest.Home}}
	one := func(id, name string) map[string]string {
		return map[string]string{"id": id, "case": name, "family": "ipv4"}
	}
	var begun Proof
	ask(owner, "", from).Want(t, 201, "").Decode(t, &begun)
	for path, body := range map[string]string{"": `{"from":["` + functiontest.Home + `"]}`, "/cases": `{"id":"` + begun.ID + `","case":"plain","family":"ipv4"}`, "/end": `{"id":"` + begun.ID + `"}`} {
		ask(emma, path, body).Want(t, 403, "role_missing")
		w.Bodies(t, seen, functiontest.Request{Method: "POST", Path: proofs + path, Token: w.Staff(owner), Body: body})
	}
	for _, bad := range []map[string]any{{"from": []string{"here"}}, {"from": []string{}}, {"from": []string{functiontest.Home, mobile}}, {"from": []string{functiontest.Home}, "balancer": "there"}} {
		ask(owner, "", bad).Want(t, 400, "body_invalid")
	}
	ask(owner, "", map[string]any{"from": []string{"10.0.0.1"}}).Want(t, 422, "address_refused")
	for _, id := range []string{"0", "__x__", "ff", "../x"} {
		for _, path := range []string{"/cases", "/end"} {
			body := any(one(id, "plain"))
			if path == "/end" {
				body = map[string]string{"id": id}
			}
			ask(owner, path, body).Want(t, 404, "proof_unknown")
		}
	}
	end := map[string]any{"id": begun.ID}
	ask(simone, "/cases", one(begun.ID, "plain")).Want(t, 404, "proof_unknown") // another's
	ask(owner, "/cases", one(begun.ID, "nothing")).Want(t, 400, "case_unknown")
	ask(owner, "/cases", map[string]string{"id": begun.ID, "case": "plain", "family": "ipv6"}).Want(t, 404, "proof_unknown") // nobody said from where
	alone := deployed(t, "header:"+functiontest.ClientHeader)
	seen.Saw(alone.Call(t, functiontest.Request{Method: "POST", Path: devices, Token: alone.Staff(emma)})).Want(t, 503, "address_unproven")
	ask(owner, "/end", end).Want(t, 409, "proof_incomplete")
	for _, c := range begun.Places[0].Cases {
		ask(owner, "/cases", one(begun.ID, c.Name)).Want(t, 200, "")
	}
	ask(owner, "/end", end).Want(t, 200, "")
	ask(owner, "/end", end).Want(t, 409, "proof_ended")
	ask(owner, "/cases", one(begun.ID, "plain")).Want(t, 409, "proof_ended")
	functiontest.StaffGate(t, setup, seen, owner, functiontest.Request{Method: "POST", Path: proofs, Body: from},
		functiontest.Request{Method: "POST", Path: proofs + "/cases", Body: one("0", "plain")}, functiontest.Request{Method: "POST", Path: proofs + "/end", Body: map[string]string{"id": "0"}})
}

// TestBlockedInFront: a forged request that what stands in front refuses is not believed, and the rest proves the place.
func TestBlockedInFront(t *testing.T) {
	t.Parallel()
	w := deployed(t, "loadbalancer")
	var begun Proof
	w.Call(t, functiontest.Request{Method: "POST", Path: proofs, Token: w.Staff(simone), Body: map[string]any{"from": []string{functiontest.Home}}}).Want(t, 201, "").Decode(t, &begun)
	for _, c := range begun.Places[0].Cases {
		if c.Name != "many" {
			r := functiontest.Request{Method: "POST", Path: begun.Places[0].URL, Token: w.Staff(simone), Body: map[string]string{"id": begun.ID, "case": c.Name, "family": "ipv4"}}
			w.Call(t, through(r, functiontest.Home)).Want(t, 200, "")
		}
	}
	var judged Judged
	w.Call(t, functiontest.Request{Method: "POST", Path: proofs + "/end", Token: w.Staff(simone), Body: map[string]any{"id": begun.ID,
		"blocked": []Blocked{{Function: "registerip", Family: "ipv4", Cases: []string{"many"}}}}}).Want(t, 200, "").Decode(t, &judged)
	if one := judged.Places[0]; one.Verdict != "pass" || !one.Proven || one.Cases["many"] != "blocked" {
		t.Errorf("judged %+v", one)
	}
}

// TestApprovalsProof: what counts at an approval is what is proven of the address that is registered, then, and nothing of the
// phone's that approves.
func TestApprovalsProof(t *testing.T) {
	t.Parallel()
	w := deployed(t, "loadbalancer")
	phone := w.Phone(t, emma)
	ask := functiontest.Request{Method: "POST", Path: devices, Token: w.Staff(emma)}
	let := func(code, key, from string) functiontest.Request {
		r := approve(w, phone, code, key)
		r.From = ""
		if from == "" {
			r.From = functiontest.Nowhere
			return r
		}
		return through(r, from)
	}
	shown := func() (d Device) {
		t.Helper()
		w.Call(t, through(ask, functiontest.Home)).Want(t, 201, "").Decode(t, &d)
		return d
	}
	proof(t, w, functiontest.Home, balancer) // over IPv4 alone
	var made Lease
	w.Call(t, let(shown().Code, "k1", home6)).Want(t, 201, "").Decode(t, &made) // the phone is on IPv6
	if made.Prefix != functiontest.Home+"/32" {
		t.Errorf("registered %s", made.Prefix)
	}
	w.Advance(t, 30*time.Second)
	w.Call(t, let(shown().Code, "k2", "")).Want(t, 201, "") // nobody can tell where the phone is
	w.Advance(t, 30*time.Second)
	laptop := shown()
	forged := func(r *functiontest.Request, forged http.Header, from string) {
		if balancer(r, forged, from); len(forged) > 0 {
			r.Header.Set("X-Forwarded-For", "198.51.100.7, 34.1.2.3")
		}
	}
	if judged := proof(t, w, functiontest.Home, forged); judged.Proven {
		t.Fatalf("judged %+v", judged)
	}
	before := w.State(t)
	w.Call(t, let(laptop.Code, "k3", home6)).Want(t, 503, "address_unproven") // what the laptop asked with is not believed any more
	w.Unchanged(t, before)
}
