package acceptdrift

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/policy"
)

// twins: one human under two addresses is one of the two who accept, and accepts nothing she may have done herself.
func twins(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Twice(t, setup, simone, "root", "employee, security, owner"))
	root, wish := email("root"), Accept{Reason: "canary reason", Until: w.Clock.Now().Add(72 * time.Hour)}
	path := "/findings/" + out(t, w, database, "database-exposure", policy.Critical, "a")
	do(t, w, simone, "POST", path+"/accept", wish, 200, "")
	do(t, w, root, "POST", path+"/accept", wish, 403, "same_person")
	// No page invites her to what she would be refused.
	for who, waits := range map[string]bool{root: false, simone: false, dorothea: true} {
		for page, mark := range map[string]string{"/": `id="asked"`, strings.TrimPrefix(path, "/findings"): `/accept"`} {
			text := string(w.Call(t, functiontest.Request{Method: "GET", Path: "/acceptdrift" + page, Token: w.Staff(who)}).Body)
			if strings.Contains(text, mark) != waits {
				t.Errorf("%s sees %s on %s: %t", who, mark, page, !waits)
			}
		}
	}
	do(t, w, dorothea, "POST", path+"/accept", wish, 200, "")
	const other = "//storage.googleapis.com/canary-bucket"
	path = "/findings/" + out(t, w, other, "public-bucket", policy.Medium, "a")
	if err := service(t, w).Blame(t.Context(), other, []finding.Actor{{Person: "simone", Kind: "human", At: w.Clock.Now()}}, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	do(t, w, root, "POST", path+"/accept", wish, 403, "same_person")
	do(t, w, dorothea, "POST", path+"/accept", wish, 200, "")
}
