package dayregister_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/dayregister"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/network"
	"ostiary.internal/shared/platform/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

var morning = time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC)

// day is a day on which everything happened.
func day() []lease.Lease {
	at := func(minutes int) time.Time { return morning.Add(time.Duration(minutes) * time.Minute) }
	made := func(id, person, prefix string, minutes int) lease.Lease {
		p := netip.MustParsePrefix(prefix)
		return lease.Lease{ID: id, Person: person, Prefix: p, Family: lease.FamilyOf(p), Date: "2026-03-03", Started: at(minutes), Ends: morning.Add(16 * time.Hour),
			Zone: "Europe/Paris", State: lease.Received, Marks: lease.Marks{Lease: "hmac-sha256:" + id}}
	}
	first := made("a", "emma", "81.2.69.142/32", 0)
	first.TwoStep, first.State, first.ConfirmedAt, first.WorkingAt, first.EndedAt, first.Why, first.RemovedAt = "used", lease.Ended, at(1), at(2), at(60), lease.Done, at(61)
	other := made("b", "emma", "2a02:6b8:0:1::/64", 1)
	other.Root, other.TwoStep, other.State, other.ConfirmedAt, other.EndedAt, other.Why = "a", "used", lease.Ended, at(2), at(60), lease.Done
	again := made("a-2", "emma", "81.2.69.142/32", 90)
	again.TwoStep, again.State, again.ConfirmedAt, again.WorkingAt, again.Tested = "enforced", lease.Working, at(91), at(92), true
	phone := made("c", "asha", "92.40.1.7/32", 95)
	phone.Elsewhere, phone.Network = true, network.Mobile
	full := made("d", "gone", "88.198.0.1/32", 99)
	full.Network, full.State, full.Why, full.EndedAt = network.Hosting, lease.Failed, lease.NoRoom, at(100)
	return []lease.Lease{first, other, again, phone, full}
}

func name(person string) string {
	return map[string]string{"emma": "Emma Dubois", "asha": `=HYPERLINK("x")`}[person]
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		t.Errorf("%s differs (%v):\n%s", file, err, got)
	}
}

// TestFiles: a day with renewals, ends and failures, as data and as a table.
func TestFiles(t *testing.T) {
	t.Parallel()
	rows := dayregister.Rows(day(), name)
	data, err := json.MarshalIndent(rows, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "day.json", string(data)+"\n")
	var out strings.Builder
	if err := dayregister.CSV(&out, rows); err != nil {
		t.Fatal(err)
	}
	golden(t, "day.csv", out.String())
	if !strings.Contains(out.String(), `"'=HYPERLINK(""x"")"`) {
		t.Error("a name is a formula")
	}
	for n := range 2 {
		if dayregister.CSV(&torn{n}, rows) == nil {
			t.Error("an error of writing was swallowed")
		}
	}
}

// torn takes n lines.
type torn struct{ n int }

func (w *torn) Write(b []byte) (int, error) {
	if w.n--; w.n < 0 {
		return 0, errors.New("the line is cut")
	}
	return len(b), nil
}

// TestFactors: a proof is never said to be more than is known.
func TestFactors(t *testing.T) {
	t.Parallel()
	for twoStep, want := range map[string]string{"": "(whether it was used at this sign-in is not said)", "enforced": "(whether it was used at this sign-in is not said)", "anything": "is not said)", "used": "was used at this sign-in;"} {
		if got := dayregister.Factors(lease.Lease{TwoStep: twoStep}); !strings.Contains(got, want) || !strings.HasPrefix(got, "Google sign-in; ") || !strings.HasSuffix(got, "; one-time password accepted") {
			t.Errorf("%q: %s", twoStep, got)
		}
	}
	if got := dayregister.Factors(lease.Lease{Root: "a"}); !strings.HasSuffix(got, "accepted for the device's first address, and none for this one") {
		t.Error(got)
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	for _, good := range []struct {
		from, to string
		days     int
	}{{"2026-03-03", "", 1}, {"2026-03-03", "2026-03-03", 1}, {"2026-02-27", "2026-03-02", 4}, {"2026-03-01", "2026-03-31", 31}, {"2025-12-31", "2026-01-01", 2}} {
		days, err := dayregister.Days(good.from, good.to)
		if err != nil || len(days) != good.days || days[0].String() != good.from || good.to != "" && days[len(days)-1].String() != good.to {
			t.Errorf("%+v: %v, %v", good, days, err)
		}
	}
	for _, bad := range [][2]string{{"", ""}, {"", "2026-03-03"}, {"2026-03-03", "2026-03-02"}, {"2026-03-01", "2026-04-01"}, {"2026-02-30", ""}, {"2026-03-03", "x"}, {"0001-01-01", "9999-12-31"}, {"9999-12-31", "0001-01-01"}, {"2026-3-3", ""}} {
		if days, err := dayregister.Days(bad[0], bad[1]); fault.CodeOf(err) != "dates_invalid" || days != nil {
			t.Errorf("%v: %v, %v", bad, days, err)
		}
	}
}

// TestRead: each day is asked for once, in order; what cannot be read is an error, not an empty day.
func TestRead(t *testing.T) {
	t.Parallel()
	days, err := dayregister.Days("2026-03-02", "2026-03-04")
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	rows, err := dayregister.Read(t.Context(), days, func(_ context.Context, date string) ([]lease.Lease, error) {
		if asked = append(asked, date); date == "2026-03-03" {
			return day(), nil
		}
		return nil, nil
	}, name)
	if err != nil || len(rows) != 5 || strings.Join(asked, " ") != "2026-03-02 2026-03-03 2026-03-04" {
		t.Errorf("%d rows of %v, %v", len(rows), asked, err)
	}
	if rows, err = dayregister.Read(t.Context(), days[:1], func(context.Context, string) ([]lease.Lease, error) { return nil, nil }, name); err != nil || rows == nil {
		t.Error("no rows are null, not an empty list", err)
	}
	broken := errors.New("away")
	if _, err = dayregister.Read(t.Context(), days, func(context.Context, string) ([]lease.Lease, error) { return nil, broken }, name); !errors.Is(err, broken) {
		t.Errorf("without a store: %v", err)
	}
}
