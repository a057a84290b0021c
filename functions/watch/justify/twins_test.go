package justify

import (
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
)

// twins: one human under two addresses neither reviews what she did nor agrees with herself.
func twins(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Twice(t, setup, simone, "root", "employee, security, owner"))
	root := email("root")
	entry(t, w, granted("1", simone, w.Clock.Now())).Want(t, 204, "")
	path := "/v1/episodes/" + only(t, w, simone).ID
	do(t, w, simone, "POST", path+"/answer", Answer{Reason: "mistake"}, 200, "")
	do(t, w, root, "POST", path+"/review", Review{Verdict: "accepted"}, 403, "same_person")
	do(t, w, stefan, "POST", path+"/review", Review{Verdict: "accepted"}, 200, "")
	wish := NewException{Kind: "suppression", Rule: "approved-identities", Actor: simone, Resource: "projects/sharedcontacts-live", Reason: "planned-work", Until: w.Clock.Now().Add(10 * 24 * time.Hour)}
	do(t, w, root, "POST", "/v1/exceptions", wish, 403, "same_person")
	wish.Actor = emma
	var asked Exception
	do(t, w, simone, "POST", "/v1/exceptions", wish, 201, "").Decode(t, &asked)
	do(t, w, root, "POST", "/v1/exceptions/"+asked.ID+"/approve", nil, 403, "same_person")
	do(t, w, dorothea, "POST", "/v1/exceptions/"+asked.ID+"/approve", nil, 200, "")
	wish.Actor = simone
	do(t, w, stefan, "POST", "/v1/exceptions", wish, 201, "").Decode(t, &asked)
	do(t, w, root, "POST", "/v1/exceptions/"+asked.ID+"/approve", nil, 403, "same_person")
}
