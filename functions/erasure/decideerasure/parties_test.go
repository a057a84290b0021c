package decideerasure

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/scene"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
)

// byHand leaves a connection and a notice for a person.
func byHand(t *testing.T, s *scene.Scene) {
	t.Helper()
	past, salt := functiontest.Start.Add(-time.Hour), []byte("sixteen bytes...")
	grant := oauth.Grant{
		V: 1, ID: "aa11", Salt: salt, Provider: "google", Entry: "grants", Tenant: tenant, Cause: oauth.Cancelled, State: oauth.Manual, Why: "gave_up", Since: past.AddDate(0, 0, -8),
		Due: past, Next: past.UnixMicro(), Finding: "wrekyvhnarysqukos7fkbjcut3ygongm",
	}
	notice := recipient.Notice{
		V: 1, ID: "bb22", Salt: salt, Request: "r1", Recipient: "mailer", State: receipt.Pending, Why: "unreachable", Task: true, Since: past, At: past, Next: past.UnixMicro(),
		Finding: "wrekyvhnarysqukos7fkbjcut3ygonga",
	}
	if err := s.Raw("erasure").Tx(t.Context(), func(tx store.Tx) error {
		if err := tx.Create(oauth.Grants, grant.ID, grant); err != nil {
			return err
		}
		return tx.Create(recipient.Notices, notice.ID, notice)
	}); err != nil {
		t.Fatal(err)
	}
}

// byProgram: the same list and the same words for programs: what is settled is on record once, and listed no more.
func byProgram(t *testing.T) {
	t.Parallel()
	s := started(t)
	for _, path := range parted {
		do(t, s, dorothea, "POST", path, Settled{"revoked"}, 404, map[string]string{parted[0]: "grant_unknown", parted[1]: "notice_unknown"}[path])
	}
	byHand(t, s)
	var all Parties
	do(t, s, dorothea, "GET", "/v1/parties", nil, 200, "").Decode(t, &all)
	if len(all.Connections) != 1 || len(all.Notices) != 1 || all.Connections[0].Name != "Google" || all.Connections[0].State != "manual" || !all.Connections[0].Late ||
		all.Notices[0].Party != "mailer" || all.Notices[0].State != "pending" || all.Notices[0].Why != "unreachable" || all.Notices[0].Waits {
		t.Fatalf("listed are %+v", all)
	}
	for i, outcome := range []string{"revoked", "impossible"} {
		do(t, s, dorothea, "POST", parted[i], Settled{"pending"}, 409, "state_conflict")
		var after Party
		for range 2 {
			do(t, s, dorothea, "POST", parted[i], Settled{outcome}, 200, "").Decode(t, &after)
		}
		if after.State != outcome || after.Late || !after.Due.IsZero() {
			t.Errorf("it stands as %+v", after)
		}
		do(t, s, simone, "POST", parted[i], Settled{outcome}, 409, "state_conflict")
	}
	do(t, s, dorothea, "GET", "/v1/parties", nil, 200, "").Decode(t, &all)
	if len(all.Connections)+len(all.Notices) != 0 {
		t.Errorf("listed are %+v", all)
	}
}

// What no program could settle is listed, and a person's word settles it, on record; nobody else's does.
func TestPartiesOnPages(t *testing.T) {
	t.Parallel()
	s := started(t)
	byHand(t, s)
	if got := s.Call(t, call(s.World, emma, "GET", "/parties", nil)); got.Status != 403 {
		t.Errorf("somebody who decides nothing gets the list: %d", got.Status)
	}
	says(t, open(t, s, dorothea, "/?lang=en"), `href="/decideerasure/parties"`)
	says(t, open(t, s, dorothea, "/parties?lang=de"), "Dritte", "Überfällig seit")
	page := open(t, s, dorothea, "/parties?lang=en")
	says(t, page, "Google", "gave_up", "https://accounts.google.example/connections", "Postkutsche Mailversand", "unreachable", "Number aa11", "Overdue since")
	none := send(t, s, dorothea, page, "/parties/connection")
	says(t, string(none.Body), `id="trouble"`)
	gone := send(t, s, dorothea, page, "/parties/notice", "id", "nobody", "outcome", "acknowledged")
	says(t, string(gone.Body), `id="trouble"`, "There is no such notice.")
	after := done(t, s, dorothea, page, "/parties/connection", "outcome", "revoked")
	says(t, after, "Settled, and on record.")
	if strings.Contains(after, "aa11") {
		t.Error("what is settled is listed still")
	}
	says(t, done(t, s, dorothea, after, "/parties/notice", "outcome", "impossible"), "There is none of these.")
	kinds := map[string]int{}
	for _, r := range s.Records(t) {
		kinds[r.Control+" "+string(r.Kind)]++
	}
	if kinds["token-revoke "+string(record.Observation)] != 1 || kinds["token-revoke "+string(record.Remediation)] != 1 || kinds["dsr-desk "+string(record.Remediation)] == 0 {
		t.Errorf("on record: %v", kinds)
	}
}
