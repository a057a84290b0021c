package planerasure

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/shared/erasure/request"
)

// TestToldByID: whom an administrator names by her id alone is told at the address on file; of whom nobody has an address a
// person at the desk decides.
func TestToldByID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.Clock.Now()
	admin := &request.Session{UID: "u1", Email: "agathe.roy@mail.example", Tenant: erasuretest.Nord, Role: request.TenantAdmin, At: now}
	for uid, known := range map[string]bool{erasuretest.BrunoUID: true, "u404": false} {
		asked, err := w.Requests(me).Ask(t.Context(), request.Ask{Tenant: erasuretest.Nord, UID: uid, Session: admin, Language: "de"}, now)
		if err != nil {
			t.Fatal(err)
		}
		settled(t, w)
		var to []string
		for key, letter := range w.Letters() {
			if strings.HasPrefix(key, "dsr/"+asked.ID+"/asked/") {
				to = append(to, letter.To)
			}
		}
		r := w.Request(asked.ID)
		if known && (!slices.Equal(to, []string{erasuretest.Bruno}) || slices.Contains(r.Doubts, request.Untold)) {
			t.Errorf("told are %q, %s for %v", to, r.State, r.Doubts)
		}
		if !known && (len(to) > 0 || r.State != request.AwaitingApproval || !slices.Contains(r.Doubts, request.Untold)) {
			t.Errorf("told are %q, %s for %v", to, r.State, r.Doubts)
		}
	}
}
