package revokegrants

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/policy"
)

// file is the newest signed receipt of a request.
func (w *world) file(id string) receipt.Receipt {
	w.t.Helper()
	signed, err := (&receipt.Book{Store: w.Raw("erasure")}).File(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := receipt.Parse(signed)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// settle has a person say of every notice that waits for one that the recipient knows.
func (w *world) settle(id string) {
	w.t.Helper()
	p, err := parts.New(w.Deps("decideerasure"))
	if err != nil {
		w.t.Fatal(err)
	}
	recipients, err := p.Recipients(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	dpo := slices.IndexFunc(w.Policy.People, func(p policy.Person) bool { return p.Has(policy.DPO) })
	notices, err := recipients.Of(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range notices {
		if n.State != receipt.Asked {
			continue
		}
		if _, err := recipients.Settle(w.t.Context(), w.Policy.People[dpo], n.ID, receipt.Acknowledged, w.Clock.Now()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestAmended: a receipt that was made while somebody had not answered is followed by another when the last of them has, and
// the person is told of it, once.
func TestAmended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	busy := func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) }
	w.answers("mailer.example", busy)
	w.answers(google, busy)
	w.Put("grants", erasuretest.Sud, document("u2", "sample-u2", "an-account-of-his", functiontest.Start.Add(-time.Hour)))
	asked := w.Ask(plans, erasuretest.Sud)
	w.settled()
	first := w.file(asked.ID)
	if len(first.Recipients) != 2 || first.Recipients[0].Outcome != receipt.Pending || len(first.Grants) != 1 || first.Grants[0].Outcome != receipt.GrantPending {
		t.Fatalf("the first receipt says %+v, %+v", first.Recipients, first.Grants)
	}
	letters := func() (all []message.Content) {
		for key, c := range w.Letters() {
			if strings.HasPrefix(key, "dsr/"+asked.ID+"/amended/") {
				all = append(all, c)
			}
		}
		return all
	}
	both := func(d time.Duration) { // an hour is how often it is looked
		for range int(d / time.Hour) {
			w.Pass(me, 30*time.Minute, 30*time.Minute)
			w.Pass(plans, 30*time.Minute, 30*time.Minute)
		}
	}
	w.answers("mailer.example", nil)
	both(6 * time.Hour)
	if got := w.file(asked.ID); got.Seq != first.Seq || len(letters()) != 0 {
		t.Errorf("amended although others have not answered: %+v, %d letters", got.Recipients, len(letters()))
	}
	w.answers(google, nil)
	w.settle(asked.ID)
	both(12 * time.Hour)
	last := w.file(asked.ID)
	digest, err := first.Digest()
	if err != nil || last.Amends != digest || last.Recipients[0].Outcome != receipt.Acknowledged || last.Recipients[1].Outcome != receipt.Acknowledged ||
		last.Grants[0].Outcome != receipt.GrantRevoked || last.State != first.State {
		t.Errorf("the last receipt amends %q, is %s and says %+v, %+v, %v", last.Amends, last.State, last.Recipients, last.Grants, err)
	}
	both(12 * time.Hour)
	if told := letters(); w.Request(asked.ID).Made != 2 || len(told) != 1 || told[0].To != erasuretest.Bruno {
		t.Errorf("%d receipts, told by %+v", w.Request(asked.ID).Made, told)
	}
	w.private()
}
