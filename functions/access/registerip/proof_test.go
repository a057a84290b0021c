package registerip

import (
	"net/http"
	"testing"

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

// proof runs a whole proof against a proxy that does to each request what proxy says.
func proof(t *testing.T, w *functiontest.World, proxy func(r *functiontest.Request, forged http.Header)) Judged {
	t.Helper()
	var begun Proof
	w.Call(t, functiontest.Request{Method: "POST", Path: proofs, Token: w.Staff(simone), Body: map[string]string{"from": functiontest.Home, "balancer": "34.1.2.3"}}).
		Want(t, 201, "").Decode(t, &begun)
	for _, c := range begun.Cases {
		r := functiontest.Request{Method: "POST", Path: proofs + "/" + begun.ID + "/cases", Token: w.Staff(simone), Body: map[string]string{"case": c.Name}, From: functiontest.Nowhere, Header: http.Header{}}
		forged := http.Header{}
		for _, h := range c.Headers {
			forged.Add(h[0], h[1])
		}
		proxy(&r, forged)
		w.Call(t, r).Want(t, 200, "")
	}
	var judged Judged
	w.Call(t, functiontest.Request{Method: "POST", Path: proofs + "/" + begun.ID + "/end", Token: w.Staff(simone)}).Want(t, 200, "").Decode(t, &judged)
	return judged
}

// balancer appends the sender and itself, as an external Application Load Balancer does.
func balancer(r *functiontest.Request, forged http.Header) {
	r.Header = forged.Clone()
	r.Header.Add("X-Forwarded-For", functiontest.Home+", 34.1.2.3")
}

// TestUnproven: deployed, nobody registers until somebody proved that the address is told right, by what is declared.
func TestUnproven(t *testing.T) {
	t.Parallel()
	through := func(r functiontest.Request) functiontest.Request {
		r.From = functiontest.Nowhere
		r.Header.Set("X-Forwarded-For", functiontest.Home+", 34.1.2.3")
		return r
	}
	w := deployed(t, "loadbalancer")
	phone := w.Phone(t, emma)
	code := phone.Code(w.Clock.Now())
	before := w.State(t)
	w.Call(t, through(register(w, emma, code, "k1"))).Want(t, 503, "address_unproven")
	w.Unchanged(t, before)
	if judged := proof(t, w, balancer); !judged.Passed || judged.Layout != "loadbalancer" || len(judged.Cases) < 15 {
		t.Fatalf("judged %+v", judged)
	}
	w.Call(t, through(register(w, emma, code, "k2"))).Want(t, 201, "")

	// The same balancer under a layout that takes the last entry: everybody would come from the balancer itself.
	w = deployed(t, "direct")
	if judged := proof(t, w, balancer); judged.Passed || judged.Cases[clientproof.Plain] != "wrong" {
		t.Errorf("judged %+v", judged)
	}
	phone = w.Phone(t, emma)
	w.Call(t, through(register(w, emma, phone.Code(w.Clock.Now()), "k1"))).Want(t, 503, "address_unproven")
	// A proxy whose header callers may write themselves.
	w = deployed(t, "header:X-Address")
	believes := func(r *functiontest.Request, forged http.Header) {
		if balancer(r, forged); r.Header.Get("X-Address") == "" {
			r.Header.Set("X-Address", functiontest.Home)
		}
	}
	if judged := proof(t, w, believes); judged.Passed || judged.Cases["private"] != "wrong" || judged.Cases["private-twice"] != "refused" {
		t.Errorf("judged %+v", judged)
	}
	overwrites := func(r *functiontest.Request, forged http.Header) {
		balancer(r, forged)
		r.Header.Set("X-Address", functiontest.Home)
	}
	if judged := proof(t, w, overwrites); !judged.Passed {
		t.Errorf("judged %+v", judged)
	}
}

// proofRefusals reaches every problem the interface lists of proofs.
func proofRefusals(t *testing.T, seen *functiontest.Coverage) {
	w := functiontest.New(t, setup)
	ask := func(email, path string, body any) functiontest.Answer {
		return seen.Saw(w.Call(t, functiontest.Request{Method: "POST", Path: proofs + path, Token: w.Staff(email), Body: body}))
	}
	from := map[string]string{"from": functiontest.Home}
	var begun Proof
	ask(owner, "", from).Want(t, 201, "").Decode(t, &begun)
	for _, path := range []string{"", "/" + begun.ID + "/cases", "/" + begun.ID + "/end"} {
		body := map[string]string{"": `{"from":"` + functiontest.Home + `"}`, "/" + begun.ID + "/cases": `{"case":"plain"}`}[path]
		ask(emma, path, body).Want(t, 403, "role_missing")
		r := functiontest.Request{Method: "POST", Path: proofs + path, Token: w.Staff(owner), Body: body}
		if body != "" {
			w.Bodies(t, seen, r)
		}
	}
	for _, bad := range []map[string]string{{"from": "here"}, {"from": functiontest.Home, "balancer": "there"}} {
		ask(owner, "", bad).Want(t, 400, "body_invalid")
	}
	ask(owner, "", map[string]string{"from": "10.0.0.1"}).Want(t, 422, "address_refused")
	for _, id := range []string{"0", "__x__", "ff"} {
		for _, path := range []string{"/cases", "/end"} {
			ask(owner, "/"+id+path, map[string]string{"case": "plain"}).Want(t, 404, "proof_unknown")
		}
	}
	ask(simone, "/"+begun.ID+"/cases", map[string]string{"case": "plain"}).Want(t, 404, "proof_unknown") // another's
	ask(owner, "/"+begun.ID+"/cases", map[string]string{"case": "nothing"}).Want(t, 400, "case_unknown")
	ask(owner, "/"+begun.ID+"/end", nil).Want(t, 409, "proof_incomplete")
	for _, c := range begun.Cases {
		ask(owner, "/"+begun.ID+"/cases", map[string]string{"case": c.Name}).Want(t, 200, "")
	}
	ask(owner, "/"+begun.ID+"/end", nil).Want(t, 200, "")
	ask(owner, "/"+begun.ID+"/end", nil).Want(t, 409, "proof_ended")
	ask(owner, "/"+begun.ID+"/cases", map[string]string{"case": "plain"}).Want(t, 409, "proof_ended")
	functiontest.StaffGate(t, setup, seen, owner, functiontest.Request{Method: "POST", Path: proofs, Body: from},
		functiontest.Request{Method: "POST", Path: proofs + "/0/cases", Body: map[string]string{"case": "plain"}}, functiontest.Request{Method: "POST", Path: proofs + "/0/end"})
}
