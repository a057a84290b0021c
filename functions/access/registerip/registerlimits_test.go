package registerip

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/store"
)

// TestRegisterByALink: days that a link chose stand in the form, and nothing is read until she says so, wherever the link was: a
// browser says of no site where a mail or a chat program opened it.
func TestRegisterByALink(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Call(t, register(w, emma, w.Phone(t, emma).Code(w.Clock.Now()), "first")).Want(t, 201, "")
	auditor := office(t, w, "auditor")
	before, records := w.State(t), len(w.Records(t))
	for _, site := range []string{"cross-site", "same-site", "none", "same-origin", ""} {
		r := read(w, auditor, "/registerip/register?from=2026-03-02&to=2026-03-03")
		r.Header.Set("Sec-Fetch-Site", site)
		text := string(w.Call(t, r).Want(t, 200, "").Body)
		if strings.Contains(text, "Emma") || !strings.Contains(text, `value="2026-03-02"`) || !strings.Contains(text, "Nothing was read") {
			t.Errorf("%s:\n%s", site, text)
		}
	}
	if w.Unchanged(t, before); len(w.Records(t)) != records {
		t.Error("a link is on record as a reading")
	}
}

// crowd is a day of as many leases.
func crowd(t *testing.T, w *functiontest.World, date string, many int) {
	t.Helper()
	for from := 0; from < many; from += 100 {
		if err := w.Raw("access").Tx(t.Context(), func(tx store.Tx) error {
			for n := from; n < min(from+100, many); n++ {
				id, ends := date+"x"+strconv.Itoa(n), w.Clock.Now().Add(time.Hour)
				prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{81, 3, byte(n >> 8), byte(n)}), 32)
				if err := tx.Put("leases", id, lease.Lease{V: 1, ID: id, Person: "emma", Prefix: prefix, Family: lease.IPv4, Date: date, Generation: 1, Started: w.Clock.Now(), Ends: ends,
					Until: ends.UnixMicro(), Zone: "Europe/Paris", State: lease.Received, Expires: ends.Add(lease.Retention)}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRegisterOfMany: the page shows the first addresses and says how to come to the others; the files hold all, and one that
// cannot be read to its end is broken off.
func TestRegisterOfMany(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	auditor := office(t, w, "auditor")
	for _, date := range []string{"2026-03-01", "2026-03-02", "2026-03-03"} {
		crowd(t, w, date, 100)
	}
	for from, want := range map[string]int{"2026-03-02": 200, "2026-03-01": 200, "2026-03-03": 100} {
		text := string(chosen(t, w, auditor, "/register", from, "2026-03-03").Want(t, 200, "").Body)
		more := strings.Contains(text, "More addresses than the 200 that fit here, the last of 2026-03-02")
		if got := strings.Count(text, `<th scope="row"`); got != want || more != (from == "2026-03-01") {
			t.Errorf("%s: %d rows, says there are more: %t", from, got, more)
		}
	}
	for _, path := range []string{register1, register1 + ".csv"} {
		r := read(w, auditor, path+"?from=2026-03-01&to=2026-03-03")
		if got := w.Call(t, r).Want(t, 200, ""); strings.Count(string(got.Body), "/32") != 300 || !strings.HasPrefix(got.Header.Get("Content-Disposition"), `attachment; filename="access-2026-03-01-2026-03-03.`) {
			t.Errorf("%s: %v, %d addresses", path, got.Header, strings.Count(string(got.Body), "/32"))
		}
	}
	table := w.Call(t, read(w, auditor, register1+".csv?from=2026-03-03")).Want(t, 200, "")
	if !strings.HasPrefix(string(table.Body), "\xEF\xBB\xBF\"date\"") {
		t.Errorf("the table begins with %q", table.Body[:20])
	}
}

// TestRegisterBrokenOff: a store that fails while a file is being written gives a refusal or a connection that breaks, and never a
// part that looks like the whole.
func TestRegisterBrokenOff(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	auditor := office(t, w, "auditor")
	for _, date := range []string{"2026-03-01", "2026-03-02", "2026-03-03"} {
		crowd(t, w, date, 100)
	}
	for _, path := range []string{register1, register1 + ".csv"} {
		broken := 0
		for n := 0; ; n++ {
			before := w.Store.Failed()
			w.Store.DownAfter(n)
			got, aborted := callOrAbort(t, w, read(w, auditor, path+"?from=2026-03-01&to=2026-03-03"))
			w.Store.Up()
			switch {
			case aborted:
				broken++
			case got.Status == 200 && strings.Count(string(got.Body), "/32") != 300:
				t.Errorf("%s, the store failing after %d calls: %d addresses, and nothing says that some are missing", path, n, strings.Count(string(got.Body), "/32"))
			case got.Status != 200 && got.Header.Get("Content-Disposition") != "":
				t.Errorf("%s: a refusal is offered as the file %s", path, got.Header.Get("Content-Disposition"))
			}
			if w.Store.Failed() == before {
				break
			}
		}
		if broken == 0 {
			t.Errorf("%s: the connection never broke", path)
		}
	}
}

// callOrAbort is Call where the handler may break the connection off.
func callOrAbort(t *testing.T, w *functiontest.World, r functiontest.Request) (got functiontest.Answer, aborted bool) {
	t.Helper()
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			aborted = true
		} else if p != nil {
			panic(p)
		}
	}()
	return w.Call(t, r), false
}

// TestRegisterOfBefore: of days whose leases may have gone by the bound of an older version, none is shown as if it were whole.
func TestRegisterOfBefore(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	auditor := office(t, w, "auditor")
	crowd(t, w, "2026-02-02", 1) // as version 1 stored them
	for from, want := range map[string]int{"2026-01-31": 410, "2026-02-01": 410, "2026-02-02": 200} {
		if got := w.Call(t, read(w, auditor, register1+"?from="+from)); got.Status != want {
			t.Errorf("from %s: %d, want %d: %s", from, got.Status, want, got.Body)
		}
	}
}
