package pairaddress

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ostiary.internal/functions/access/registerip"
	"ostiary.internal/functions/internal/functiontest"
)

const (
	simone = "simone.bernard@sharedcontacts.example"
	layout = "header:" + functiontest.ClientHeader
)

// begin begins a proof, and returns it with the paths of the requests to this function, by family.
func begin(t *testing.T, w *functiontest.World, from ...string) (registerip.Proof, map[string]string) {
	t.Helper()
	var begun registerip.Proof
	w.Call(t, functiontest.Request{Method: "POST", Path: "/registerip/v1/proofs", Token: w.Staff(simone), Body: map[string]any{"from": from}}).Want(t, 201, "").Decode(t, &begun)
	paths := map[string]string{}
	for _, p := range begun.Places {
		if site, err := url.Parse(p.URL); err != nil {
			t.Fatal(err)
		} else if p.Function == "pairaddress" {
			paths[p.Family] = site.Path
		}
	}
	return begun, paths
}

// sent is one request of a proof, seen from an address.
func sent(id, path, family, name, from string) functiontest.Request {
	return functiontest.Request{Method: "POST", Path: path, From: from, Body: map[string]string{"id": id, "case": name, "family": family}}
}

func end(t *testing.T, w *functiontest.World, id string) map[string]bool {
	t.Helper()
	var judged registerip.Judged
	w.Call(t, functiontest.Request{Method: "POST", Path: "/registerip/v1/proofs/end", Token: w.Staff(simone), Body: map[string]string{"id": id}}).Want(t, 200, "").Decode(t, &judged)
	proven := map[string]bool{}
	for _, p := range judged.Places {
		proven[p.Function+" "+p.Family] = p.Proven
	}
	return proven
}

// TestProven: a second address is taken at the place that was proven over its family, and at no other.
func TestProven(t *testing.T) {
	t.Parallel()
	s := setup
	s.Env = maps.Clone(setup.Env)
	s.Env["K_SERVICE"], s.Env["OSTIARY_CLIENT_ADDRESS"] = "pairaddress", layout
	w := functiontest.New(t, s)
	phone := w.Phone(t, emma)
	prove := func(from, family string, without ...string) map[string]bool {
		t.Helper()
		begun, paths := begin(t, w, from)
		for _, p := range begun.Places {
			path := paths[family]
			if p.Family != family || p.Function == without[0] {
				continue
			}
			for _, c := range p.Cases {
				if p.Function == "registerip" {
					path = p.URL
				}
				r := sent(begun.ID, path, family, c.Name, from)
				if p.Function == "registerip" {
					r.Token = w.Staff(simone)
				}
				answer := w.Call(t, r).Want(t, 200, "")
				if text := string(answer.Body); p.Function == "pairaddress" && strings.TrimSpace(text) != `{"outcome":"right"}` {
					t.Fatalf("answered %s", text)
				}
			}
		}
		return end(t, w, begun.ID)
	}
	if proven := prove(functiontest.Home, "ipv4", "pairaddress"); !proven["registerip ipv4"] || proven["pairaddress ipv4"] || proven["registerip ipv6"] {
		t.Fatalf("proven %v", proven)
	}
	made := register(t, w, phone, functiontest.Home, "k1")
	w.Call(t, show(made.Pair.Token, home6)).Want(t, 503, "address_unproven") // registerip's proof is not this function's
	if proven := prove(functiontest.Home, "ipv4", "registerip"); !proven["pairaddress ipv4"] || proven["pairaddress ipv6"] {
		t.Fatalf("proven %v", proven)
	}
	w.Call(t, show(made.Pair.Token, home6)).Want(t, 503, "address_unproven") // nor is that of IPv4 that of IPv6
	if proven := prove(home6, "ipv6", "registerip"); !proven["pairaddress ipv6"] || proven["registerip ipv6"] {
		t.Fatalf("proven %v", proven)
	}
	w.Call(t, show(made.Pair.Token, home6)).Want(t, 201, "")
}

// proofRefusals reaches every problem the interface lists of proofs; who is not told the id of one changes nothing.
func proofRefusals(t *testing.T, w *functiontest.World, seen *functiontest.Coverage) {
	t.Helper()
	begun, paths := begin(t, w, functiontest.Home)
	saw := func(r functiontest.Request) functiontest.Answer { return seen.Saw(w.Call(t, r)) }
	before := w.State(t)
	for _, id := range []string{"0", "__x__", "ff", strings.Repeat("a", 2000)} {
		saw(sent(id, paths["ipv4"], "ipv4", "plain", functiontest.Home)).Want(t, 404, "proof_unknown")
	}
	if strings.Contains(paths["ipv4"], begun.ID) {
		t.Error("a URL holds what opens the proof")
	}
	for _, family := range []string{"ipv6", "ipv5", ""} { // nobody said from where
		if got := saw(sent(begun.ID, paths["ipv4"], family, "plain", functiontest.Home)); got.Status/100 != 4 {
			t.Errorf("family %q: %d", family, got.Status)
		}
	}
	saw(sent(begun.ID, paths["ipv4"], "ipv4", "nothing", functiontest.Home)).Want(t, 400, "case_unknown")
	w.Unchanged(t, before)
	bodies := sent(begun.ID, paths["ipv4"], "", "", "")
	bodies.Body = `{"id":"` + begun.ID + `","case":"plain","family":"ipv4"}`
	w.Bodies(t, seen, bodies)
	w.Outages(t, seen, sent(begun.ID, paths["ipv4"], "ipv4", "one", functiontest.Home), 200)
	for _, c := range begun.Places[0].Cases {
		want := map[string]string{"plain": functiontest.Nowhere}[c.Name]
		w.Call(t, sent(begun.ID, paths["ipv4"], "ipv4", c.Name, want)).Want(t, 200, "")
	}
	if proven := end(t, w, begun.ID); proven["pairaddress ipv4"] {
		t.Error("proven by a plain request of which nothing could be told")
	}
	saw(sent(begun.ID, paths["ipv4"], "ipv4", "plain", functiontest.Home)).Want(t, 409, "proof_ended")
}

func TestProofFlood(t *testing.T) {
	t.Parallel()
	functiontest.Flood(t, setup, func(w *functiontest.World) functiontest.Request {
		return functiontest.Request{Method: http.MethodPost, Path: "/pairaddress/v1/proofs/cases", Body: map[string]string{"id": "0123456789abcdef0123", "case": "plain", "family": "ipv4"}}
	})
}
