package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// breach is breaches that are declared, scored, decided by two, and told to customers by a notice that one writes and
// another approves.
type breach struct {
	*run

	mu    sync.Mutex
	cases []*incident
}

// incident is one case.
type incident struct {
	client   string // the declarer's own id of it
	id       string
	word     string    // stands in its notice and in no other
	now      time.Time // when its reports were made
	step     int
	hash     string
	approved bool
}

func (b *breach) name() string { return "breach" }

func (b *breach) workers() int { return 1 }

func (b *breach) prepare(context.Context) error { return nil }

func (b *breach) work(ctx context.Context, r *rand.Rand) error {
	sleep(ctx, time.Duration(100+r.IntN(500))*time.Millisecond)
	b.mu.Lock()
	var c *incident
	for _, one := range b.cases {
		if one.step < len(steps) {
			c = one
		}
	}
	if c == nil && r.IntN(8) == 0 {
		n := len(b.cases)
		c = &incident{client: fmt.Sprint("soak-", n), word: fmt.Sprintf("Nr%04dzk", n)}
		b.cases = append(b.cases, c)
	}
	b.mu.Unlock()
	if c == nil {
		return nil
	}
	return b.next(ctx, c)
}

// object is a JSON object.
type object = map[string]any

// step is what somebody does about a case.
type step struct {
	who, path string
	body      func(c *incident) object
	again     []string // codes that say it was done before: the answer was lost
}

func fixed(o object) func(*incident) object { return func(*incident) object { return o } }

// filed is the report to the authority a clock is about. Made again with the same time it is the same.
func filed(clock string) func(*incident) object {
	return func(c *incident) object {
		return object{"clock": clock, "at": c.now, "reference": c.client, "late_reasons": "It took time to read the log."}
	}
}

// steps are what is done about a case, in order. Each can be done again.
var steps = []step{
	{marc, "", func(c *incident) object {
		return object{"client_id": c.client, "kind": "breach", "summary": "An export lay open.", "tenants": []string{"own", "banque-du-port", "klinik-am-see"}}
	}, nil},
	{stefan, "/ack", fixed(object{"step": "oncall"}), []string{"*"}},
	{simone, "/score", fixed(object{"dpc": object{"simple": object{"value": 1}}, "ei": object{"email": 1}, "cb": object{"confidentiality": 0.25, "integrity": 0, "availability": 0, "malicious": false}, "people": 40, "unintelligible": false, "key_compromised": false}), nil},
	{simone, "/decide", fixed(object{"subject": "tenants", "answer": "yes"}), nil},
	{dorothea, "/decide", fixed(object{"subject": "tenants", "answer": "yes"}), nil},
	{simone, "/decide", fixed(object{"subject": "sa", "answer": "yes"}), nil},
	{dorothea, "/decide", fixed(object{"subject": "sa", "answer": "yes"}), nil},
	{simone, "/decide", fixed(object{"subject": "persons", "answer": "no", "reason": "Nobody but the finder opened it."}), nil},
	{dorothea, "/decide", fixed(object{"subject": "persons", "answer": "no", "reason": "The log shows one access."}), nil},
	{simone, "/notices", func(c *incident) object {
		texts := func(nature string) object {
			return object{"nature": nature, "subjects": "unknown", "records": "unknown", "excluded": "unknown", "subprocessors": "unknown", "measures": "unknown", "open": "unknown"}
		}
		return object{"kind": "initial", "texts": object{"fr": texts("Un export est resté ouvert : " + c.word + "."), "de": texts("Ein Export lag offen: " + c.word + ".")}}
	}, nil},
	{dorothea, "/notices/1/approve", func(c *incident) object { return object{"hash": c.hash} }, nil},
	{simone, "/file", filed("gdpr_33_1"), nil},
	{simone, "/file", filed("uk_33"), nil},
}

// next does the next step of a case, until there is an answer.
func (b *breach) next(ctx context.Context, c *incident) error {
	s := steps[c.step]
	path := "/declarebreach/v1/breaches"
	if c.id != "" {
		path += "/" + c.id
	}
	// A notice that was written and not answered is there: another would be a second one.
	if s.path == "/notices" {
		if done, err := b.written(ctx, c, path); err != nil || done {
			return err
		}
	}
	if s.path == "/file" && c.now.IsZero() {
		now, err := b.client.now(ctx)
		if err != nil {
			return err
		}
		c.now = now
	}
	a, err := b.client.do(ctx, call{kind: "breaches", method: "POST", path: path + s.path, as: &caller{email: s.who}, body: s.body(c)})
	switch {
	case errors.Is(err, errUnanswered) || err == nil && (a.status >= 500 || a.status == http.StatusUnauthorized):
		return nil
	case err != nil:
		return err
	case !a.good() && !slices.Contains(s.again, a.code) && !slices.Contains(s.again, "*"):
		return fmt.Errorf("%s of case %s as %s: %s", s.path, c.client, s.who, a)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch s.path {
	case "":
		c.id = a.text("id")
	case "/notices":
		c.hash = a.text("hash")
	case "/notices/1/approve":
		c.approved = true
	}
	c.step++
	return nil
}

// written looks whether the notice of a case is there already.
func (b *breach) written(ctx context.Context, c *incident, path string) (bool, error) {
	a, err := b.client.again(ctx, call{kind: "breaches", method: "GET", path: path + "/notices", as: &caller{email: simone}})
	if err != nil {
		return false, err
	}
	var list struct {
		Notices []struct {
			N    int
			Hash string
		}
	}
	if err := a.into(&list); err != nil || len(list.Notices) == 0 {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c.hash = list.Notices[0].Hash
	c.step++
	return true, nil
}

// recipients of the notices, as tenants.yaml names them.
var recipients = []string{"dpo@banqueduport.example", "astreinte@banqueduport.example", "datenschutz@klinikamsee.example"}

func (b *breach) counts() map[string]int {
	all := map[string]int{"breaches declared": len(b.cases)}
	for _, c := range b.cases {
		if c.approved {
			all["notices approved"]++
		}
	}
	return all
}
