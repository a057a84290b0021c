package trustpage

import (
	"fmt"
	"net/http"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/trust/page"
)

// sealedWithin is how old the newest checkpoint may be. A page enters the log every quarter of an hour, whatever else does
// or does not happen: two are missing then.
const sealedWithin = 30 * time.Minute

// notKept is for answers of which only the newest is of use.
const notKept = "no-store"

// Freshness is how new what is shown here is.
type Freshness struct {
	Checked time.Time `json:"checked" doc:"when the newest page was last found to hold"`
	Sealed  time.Time `json:"sealed" doc:"when the newest checkpoint of the evidence log was written"`
	Size    int64     `json:"size" doc:"records the checkpoint covers"`
}

// freshness tells by its status whether what is shown is believed and sealed, for whoever watches from outside and reads
// nothing else. Code stale: the page is older than page.Fresh, or the checkpoint than sealedWithin, or one of them is dated
// ahead, or nothing was sealed yet.
func (t *trustpage) freshness(w http.ResponseWriter, r *http.Request) error {
	s, err := t.newest(r.Context())
	if err != nil {
		return err
	}
	newest, err := t.log.Newest(r.Context())
	if fault.Is(err, fault.NotFound) {
		return stale("Nothing has been sealed yet: there is no checkpoint.")
	}
	if err != nil {
		return found(err)
	}
	now := t.Clock.Now()
	if old := now.Sub(newest.Sealed).Abs() > sealedWithin; old || page.Behind(s.Checked, now) {
		return stale(fmt.Sprintf("It is %s: the newest page was last checked at %s, and the newest checkpoint written at %s.",
			second(now), second(s.Checked), second(newest.Sealed)))
	}
	return answerJSON(w, r, notKept, Freshness{Checked: s.Checked, Sealed: newest.Sealed, Size: newest.Size})
}

func stale(detail string) error {
	return fault.Refuse(fault.Transient, "stale", detail, "See whether sealevidence and keeppromises run: they do each minute.")
}

// second is a time as people compare it, in UTC.
func second(t time.Time) string { return t.UTC().Format(time.RFC3339) }
