package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// trust is strangers who read the trust page, and people who sign statements and do their duties.
type trust struct {
	*run

	mu     sync.Mutex
	signed map[string]bool // records of the statements that were answered as signed
	done   int             // duties
	pages  int
}

func (t *trust) name() string { return "trust" }

func (t *trust) workers() int { return 2 }

func (t *trust) prepare(context.Context) error {
	t.signed = map[string]bool{}
	return nil
}

// pages are what strangers read.
var pages = []string{"/trustpage/?lang=en", "/trustpage/?lang=fr", "/trustpage/?lang=de", "/trustpage/v1/promises.json", "/trustpage/v1/promises/D20", "/trustpage/v1/checkpoint", "/trustpage/v1/freshness", "/trustpage/v1/feed.atom"}

func (t *trust) work(ctx context.Context, r *rand.Rand) error {
	sleep(ctx, time.Duration(r.IntN(300))*time.Millisecond)
	switch r.IntN(6) {
	case 0:
		return t.signs(ctx, r)
	case 1:
		return t.duties(ctx, r)
	}
	path := pages[r.IntN(len(pages))]
	a, err := t.client.do(ctx, call{kind: "trust page", method: "GET", path: path})
	if err == nil && a.good() {
		t.oracle.private(path, a.body)
	}
	t.mu.Lock()
	t.pages++
	t.mu.Unlock()
	return err
}

// signs has somebody sign a statement she may sign.
func (t *trust) signs(ctx context.Context, r *rand.Rand) error {
	who := &caller{email: []string{simone, odile, dorothea}[r.IntN(3)]}
	a, err := t.client.do(ctx, call{kind: "statements", method: "GET", path: "/attest/v1/statements", as: who})
	if err != nil || !a.good() {
		return err
	}
	var listed struct {
		Statements []struct {
			Promise string
			Hash    string `json:"text_hash"`
			MaySign bool   `json:"may_sign"`
		}
	}
	if err := a.into(&listed); err != nil {
		return err
	}
	now, err := t.client.now(ctx)
	if err != nil || len(listed.Statements) == 0 {
		return err
	}
	s := listed.Statements[r.IntN(len(listed.Statements))]
	a, err = t.client.do(ctx, call{kind: "statements", method: "POST", path: "/attest/v1/statements", as: who,
		body: map[string]string{"promise": s.Promise, "text_hash": s.Hash, "valid_until": now.AddDate(0, 2, r.IntN(20)).Format(time.DateOnly)}})
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil && a.status == http.StatusCreated {
		t.signed[a.text("record")] = true
	}
	return err
}

// duties has somebody do what she may, or look at what another did.
func (t *trust) duties(ctx context.Context, r *rand.Rand) error {
	who := &caller{email: []string{simone, stefan, odile, marc}[r.IntN(4)]}
	a, err := t.client.do(ctx, call{kind: "duties", method: "GET", path: "/attest/v1/duties", as: who})
	if err != nil || !a.good() {
		return err
	}
	var listed struct {
		Duties []struct {
			ID        string
			Missing   []string `json:"missing_evidence"`
			MayDo     bool     `json:"may_do"`
			MayReview bool     `json:"may_review"`
		}
	}
	if err := a.into(&listed); err != nil {
		return err
	}
	for _, d := range listed.Duties {
		path := ""
		switch {
		case d.MayReview:
			path = "/review"
		case d.MayDo && len(d.Missing) == 0:
			path = "/done"
		default:
			continue
		}
		a, err := t.client.do(ctx, call{kind: "duties", method: "POST", path: "/attest/v1/duties/" + d.ID + path, as: who, body: map[string]string{}})
		if err == nil && a.good() {
			t.mu.Lock()
			t.done++
			t.mu.Unlock()
		}
		return err
	}
	return nil
}

// check: whatever was answered as signed is on record. That the page follows from the log, the journal looks at.
func (t *trust) check(context.Context) error {
	for id := range t.signed {
		t.oracle.holds(logWhole, t.log.ids[id], "the statement %s was answered as signed, and is not on record", id)
	}
	return nil
}

func (t *trust) counts() map[string]int {
	return map[string]int{"statements signed": len(t.signed), "duties done or reviewed": t.done, "pages read": t.pages}
}
