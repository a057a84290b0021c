package clientproof

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Place is what a proof knows of one place.
type Place struct {
	Spot
	From    netip.Addr         `json:"from,omitzero"` // the sender's own address of this family; the zero one: nothing is proven here
	Seen    map[string]Outcome `json:"seen"`          // by case
	Verdict record.State       `json:"verdict,omitempty"`
}

// saw notes what was seen of a case.
func (p *Place) saw(name string, seen netip.Addr) Outcome {
	outcome := Wrong
	switch {
	case !seen.IsValid():
		outcome = Refused
	case seen.Unmap() == p.From:
		outcome = Right
	}
	if p.Seen[name] != Wrong {
		p.Seen[name] = outcome
	}
	return outcome
}

// judge says what all that was seen comes to. Where the plain request was not seen from the sender's own address, that
// address may be the one that is wrong: the others then show nothing.
func (p *Place) judge() {
	switch {
	case p.Seen[Plain] != Right:
		p.Verdict = record.Undetermined
	case slices.Contains(slices.Collect(maps.Values(p.Seen)), Wrong):
		p.Verdict = record.Violation
	default:
		p.Verdict = record.Pass
	}
}

// standing is how one place stands, by one layout.
type standing struct {
	V       int       `json:"v"`
	Proof   string    `json:"proof"`
	Passed  bool      `json:"passed"`
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires"`
}

// stand writes how a place stands from now on; what is undetermined leaves it as it was.
func (s *Service) stand(p Proof, place Place, tx store.Tx) error {
	if place.Verdict == record.Undetermined {
		return nil
	}
	now := p.Ended
	return tx.Put(proofs, key(place.Spot, p.Layout), standing{V: 1, Proof: p.ID, Passed: place.Verdict == record.Pass, At: now, Expires: now.Add(kept)})
}

// key is the document of a place and a layout, whose words are none of an id's.
func key(s Spot, layout string) string {
	return "=" + s.Function + "-" + string(s.Family) + "-" + hex.EncodeToString([]byte(layout))
}

func (s *Service) record(p Proof, place Place, b *outbox.Batch) error {
	e := record.New(record.Access, "ip-daily", "client address "+p.ID+" "+place.Function+" "+string(place.Family), s.Promises...)
	e.Config, e.Method, e.Result = s.Policy, record.Test, record.Result{State: place.Verdict}
	e.Source.Type, e.Source.Observed, e.Source.Collected = "proof", p.Began, p.Ended
	wrong := 0
	for _, outcome := range place.Seen {
		if outcome == Wrong {
			wrong++
		}
	}
	e.Facts = map[string]string{"event": "client-address", "function": place.Function, "family": string(place.Family), "layout": strings.ReplaceAll(p.Layout, ",", "+"),
		"requests": strconv.Itoa(len(place.Seen)), "wrong": strconv.Itoa(wrong)}
	return e.Put(b)
}

// Proven reports whether a place is proven by a layout: the last proof there that determined anything passed, within the
// last 400 days.
func (s *Service) Proven(ctx context.Context, spot Spot, layout string, now time.Time) (bool, error) {
	var found standing
	err := s.Store.Get(ctx, proofs, key(spot, layout), &found)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading whether the client address is proven: %w", err)
	}
	return found.Passed && now.Before(found.Expires), nil
}
