package run

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/erasure"
)

// added is what is put behind a step's id for names of totals that its items were added to.
const added = "="

// counted is a secret of the request by which totals count it: made of the one that is destroyed with it, and not that itself,
// as it goes to stores.
func (k known) counted() string {
	if len(k.Mark) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, k.Mark)
	mac.Write([]byte("counted in totals"))
	return hex.EncodeToString(mac.Sum(nil))
}

// sums returns the totals that items in hand add to, each once.
func sums(items []erasure.Item) (names []string) {
	for _, i := range items {
		names = append(names, i.Totals...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// few reports whether a total that items of a step were added to is of fewer people than the map asks for: it tells what was
// theirs. One that is not there tells nothing.
func (w *walk) few(ctx context.Context, from erasure.Reader, s *step) (bool, error) {
	asked := map[string]bool{}
	for id := ""; ; {
		names, next, err := w.listed(ctx, w.job, s.ID+added, id)
		if err != nil || len(names) == 0 {
			return false, err
		}
		places := map[string][]string{}
		for _, name := range names {
			if at := strings.LastIndex(name, "/"); at >= 0 && !asked[name] {
				asked[name] = true
				places[name[:at]] = append(places[name[:at]], name[at+1:])
			}
		}
		for place, totals := range places {
			page, err := from.Find(ctx, s.Query.Sum(place, totals), "", erasure.MaxPage)
			if err != nil {
				return false, err
			}
			w.Pace.Spent(s.Store, len(page.Items))
			if slices.ContainsFunc(page.Items, func(i erasure.Item) bool { return people(i) < s.Entry.Least() }) {
				return true, nil
			}
		}
		id = next
	}
}

// people is of how many a total is; what says nothing of it is of nobody.
func people(total erasure.Item) int {
	n, _ := strconv.Atoi(total.Shown[erasure.TotalPeople])
	return n
}
