package runerasure

import (
	"maps"
	"slices"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/policy"
)

// TestClosureKeepsWhatIsHeld: what two people hold of a member who was erased outlasts the end of the account, is named in its
// receipt, and goes when they let go.
func TestClosureKeepsWhatIsHeld(t *testing.T) {
	t.Parallel()
	w, _, data := begun(t)
	const nord = erasuretest.Nord
	for uid, role := range map[string]string{"u1": "owner", "u2": "member"} {
		for path, fields := range map[string]map[string]any{
			"":           {"uid": uid, "email": uid + "@mail.example", "role": role, "made": "2025-01-01T00:00:00Z"},
			"/devices/d": {"uid": uid}, "/devices/d/notes/n": {"text": "below a device"},
		} {
			if _, err := data.Doc("tenants/"+nord+"/users/"+uid+path).Set(t.Context(), fields); err != nil {
				t.Fatal(err)
			}
		}
	}
	pass := func(total, step time.Duration) {
		t.Helper()
		for passed := time.Duration(0); passed < total; passed += step {
			w.Advance(t, step)
			w.Tick(t, "planerasure").Want(t, 204, "")
			w.Deliver(t)
		}
	}
	service := func(function string) *request.Service {
		t.Helper()
		p, err := parts.New(w.Deps(function))
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Requests(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ask := func(kind request.Kind, uid string, role request.Requester) string {
		t.Helper()
		asked, err := service("planerasure").Ask(t.Context(), request.Ask{Kind: kind, Tenant: nord, Language: "fr",
			Session: &request.Session{UID: uid, Email: uid + "@mail.example", Tenant: nord, Role: role, At: w.Clock.Now()}}, w.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return asked.ID
	}
	read := func(id string) (r request.Request) {
		t.Helper()
		if err := w.Raw("erasure").Get(t.Context(), request.Requests, id, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	var staff []policy.Person
	for _, role := range []policy.Role{policy.DPO, policy.Security} {
		staff = append(staff, w.Policy.People[slices.IndexFunc(w.Policy.People, func(p policy.Person) bool { return p.Has(role) })])
	}
	agree := func(id string) {
		t.Helper()
		r := read(id)
		if r.State != request.AwaitingApproval {
			t.Fatalf("planned: %s (%s), %+v", r.State, r.Why, r.Outcome)
		}
		if _, err := service("decideerasure").Approve(t.Context(), id, staff[0], r.Plan.Digest, w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}

	hers := ask(request.Person, "u2", request.Subject)
	until := calendar.Date(w.Clock.Now().AddDate(0, 6, 0), time.UTC)
	for _, who := range staff {
		if _, err := service("decideerasure").Hold(t.Context(), hers, who, request.Hold{Entry: "devices", Ground: request.LegalClaims, Until: until}, w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	w.Deliver(t)
	pass(3*time.Minute, time.Minute)
	if read(hers).State == request.AwaitingApproval {
		agree(hers)
	}
	pass(time.Hour, 10*time.Minute)
	if r := read(hers); r.State != request.Retained || paths(t, data, nord)["users/u2/devices/d"] == "" {
		t.Fatalf("hers is %s (%s), %+v; left are %v", r.State, r.Why, r.Outcome, paths(t, data, nord))
	}
	whole := ask(request.Account, "u1", request.TenantOwner)
	w.Deliver(t)
	pass(3*time.Minute, time.Minute)
	agree(whole)
	pass(15*24*time.Hour, 24*time.Hour) // its grace
	pass(3*time.Minute, time.Minute)
	if got := slices.Sorted(maps.Keys(paths(t, data, nord))); !slices.Equal(got, []string{"users/u2/devices/d"}) {
		t.Errorf("left are %v", got)
	}
	signed, err := (&receipt.Book{Store: w.Raw("erasure")}).File(t.Context(), whole)
	if err != nil {
		t.Fatalf("%s: %v", read(whole).State, err)
	}
	said, err := receipt.Parse(signed)
	want := receipt.Kept{Entry: "devices", Items: 1, Ground: string(request.LegalClaims), Until: until}
	if err != nil || said.State != receipt.Retained || !slices.Contains(said.Retained, want) {
		t.Errorf("the receipt says %+v, %v", said.Retained, err)
	}
	if _, err := service("decideerasure").Release(t.Context(), hers, staff[0], read(hers).Holds[0].ID, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	pass(time.Hour, 10*time.Minute)
	agree(whole)
	pass(time.Hour, 10*time.Minute)
	if got := paths(t, data, nord); len(got) != 0 || read(whole).State != request.Completed {
		t.Errorf("in the end %s, left are %v", read(whole).State, got)
	}
}
