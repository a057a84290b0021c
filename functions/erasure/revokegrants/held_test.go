package revokegrants

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/policy"
)

// TestClosingHeld: where connections of somebody's are held, those of the account that closes are not ended before the engine says
// which: none is, at once.
func TestClosingHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hers := w.Ask(plans, erasuretest.Nord)
	var staff []policy.Person
	for _, role := range []policy.Role{policy.DPO, policy.Security} {
		staff = append(staff, w.Policy.People[slices.IndexFunc(w.Policy.People, func(p policy.Person) bool { return p.Has(role) })])
	}
	for _, who := range staff {
		hold := request.Hold{Entry: "grants", Ground: request.LegalClaims, Until: calendar.Date(w.Clock.Now().AddDate(0, 6, 0), time.UTC)}
		if _, err := w.Requests("decideerasure").Hold(t.Context(), hers.ID, who, hold, w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	now := w.Clock.Now()
	asked, err := w.Requests(plans).Ask(t.Context(), request.Ask{
		Kind: request.Account, Tenant: erasuretest.Nord, Language: "fr",
		Session: &request.Session{UID: "u1", Email: "agathe.roy@mail.example", Tenant: erasuretest.Nord, Role: request.TenantOwner, At: now},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	w.settled()
	r, connected := w.Request(asked.ID), w.connected(erasuretest.Nord)
	if r.State != request.AwaitingApproval || len(connected) == 0 {
		t.Fatalf("%s, %s, %q", r.State, r.Why, connected)
	}
	if _, err := w.Requests("decideerasure").Approve(t.Context(), asked.ID, staff[0], r.Plan.Digest, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.settled()
	if got := w.connected(erasuretest.Nord); !slices.Equal(got, connected) {
		t.Errorf("connected are %q, were %q", got, connected)
	}
}
