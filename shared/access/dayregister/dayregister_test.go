package dayregister_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/dayregister"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/network"
	"ostiary.internal/shared/calendar"
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
	first.FirstConfirmed, first.FirstWorking = at(1), at(2)
	other := made("b", "emma", "2a02:6b8:0:1::/64", 1)
	other.Root, other.TwoStep, other.State, other.ConfirmedAt, other.EndedAt, other.Why = "a", "used", lease.Ended, at(2), at(60), lease.Done
	other.FirstConfirmed = at(2)
	again := made("a-2", "emma", "81.2.69.142/32", 90)
	again.TwoStep, again.State, again.ConfirmedAt, again.WorkingAt, again.Tested = "enforced", lease.Working, at(91), at(92), true
	again.FirstConfirmed, again.FirstWorking, again.FirstTested = at(91), at(92), true
	lost := made("a-3", "emma", "81.2.69.200/32", 93) // a door had it, and lost it
	lost.TwoStep, lost.FirstConfirmed, lost.FirstWorking = "enforced", at(94), at(95)
	phone := made("c", "asha", "92.40.1.7/32", 95)
	phone.Elsewhere, phone.Network = true, network.Mobile
	full := made("d", "gone", "88.198.0.1/32", 99)
	full.Network, full.State, full.Why, full.EndedAt = network.Hosting, lease.Failed, lease.NoRoom, at(100)
	return []lease.Lease{first, other, again, lost, phone, full}
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
	days, err := dayregister.Days("2026-03-03", "2026-03-04", calendar.Day{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(days []calendar.Day) iter.Seq2[[]dayregister.Row, error] {
		return dayregister.Read(t.Context(), days, func(_ context.Context, date string) ([]lease.Lease, error) {
			if date == "2026-03-03" {
				return day(), nil
			}
			return nil, nil
		}, name)
	}
	var out strings.Builder
	if err := dayregister.JSON(&out, days[0], days[1], read(days)); err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(out.String()), "", " "); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	golden(t, "day.json", strings.TrimSpace(indented.String())+"\n")
	out.Reset()
	if err := dayregister.CSV(&out, read(days)); err != nil {
		t.Fatal(err)
	}
	golden(t, "day.csv", out.String())
	if !strings.Contains(out.String(), `"'=HYPERLINK(""x"")"`) {
		t.Error("a name is a formula")
	}
	for n := range 3 {
		if dayregister.CSV(&torn{n}, read(days)) == nil || dayregister.JSON(&torn{n}, days[0], days[1], read(days)) == nil {
			t.Error("an error of writing was swallowed")
		}
	}
	out.Reset()
	if err := dayregister.JSON(&out, days[1], days[1], read(days[1:])); err != nil || out.String() != `{"from":"2026-03-04","to":"2026-03-04","rows":[`+"]}\n" {
		t.Errorf("a day without anybody: %s, %v", out.String(), err)
	}
}

// TestStreamed: of many days one is held at a time; what cannot be read is an error before anything was written, and one after.
func TestStreamed(t *testing.T) {
	t.Parallel()
	days, err := dayregister.Days("2026-03-01", "2026-03-31", calendar.Day{})
	if err != nil {
		t.Fatal(err)
	}
	for _, breaks := range []int{0, 1, 20} {
		for name, write := range map[string]func(w io.Writer, all iter.Seq2[[]dayregister.Row, error]) error{
			"csv": dayregister.CSV, "json": func(w io.Writer, all iter.Seq2[[]dayregister.Row, error]) error {
				return dayregister.JSON(w, days[0], days[30], all)
			}} {
			var out strings.Builder
			asked, broken := 0, errors.New("away")
			err := write(&out, dayregister.Read(t.Context(), days, func(context.Context, string) ([]lease.Lease, error) {
				if asked > 0 && strings.Count(out.String(), "81.2.69.200") != asked {
					t.Fatalf("%s: day %d is read before the one before it was written", name, asked)
				}
				if asked == breaks {
					return nil, broken
				}
				asked++
				return day(), nil
			}, func(string) string { return "" }))
			if !errors.Is(err, broken) || (out.Len() == 0) != (breaks == 0) {
				t.Errorf("%s, breaking at day %d: %v after %d bytes", name, breaks, err, out.Len())
			}
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
		days, err := dayregister.Days(good.from, good.to, calendar.Day{})
		if err != nil || len(days) != good.days || days[0].String() != good.from || good.to != "" && days[len(days)-1].String() != good.to {
			t.Errorf("%+v: %v, %v", good, days, err)
		}
	}
	for _, bad := range [][2]string{{"", ""}, {"", "2026-03-03"}, {"2026-03-03", "2026-03-02"}, {"2026-03-01", "2026-04-01"}, {"2026-02-30", ""}, {"2026-03-03", "x"}, {"0001-01-01", "9999-12-31"}, {"9999-12-31", "0001-01-01"}, {"2026-3-3", ""}} {
		if days, err := dayregister.Days(bad[0], bad[1], calendar.Day{}); fault.CodeOf(err) != "dates_invalid" || days != nil {
			t.Errorf("%v: %v, %v", bad, days, err)
		}
	}
}

// TestGone: days whose leases are kept no longer are no days on which nobody came.
func TestGone(t *testing.T) {
	t.Parallel()
	earliest, err := calendar.ParseDay("2026-03-03")
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[[2]string]string{{"2026-03-03", ""}: "", {"2026-03-04", "2026-03-08"}: "", {"2026-03-02", ""}: "days_gone", {"2026-03-01", "2026-03-05"}: "days_gone",
		{"2020-01-01", ""}: "days_gone", {"2020-01-02", "2020-01-01"}: "dates_invalid"} {
		if days, err := dayregister.Days(from[0], from[1], earliest); fault.CodeOf(err) != want || (err == nil) != (days != nil) {
			t.Errorf("%v: %v, %v", from, days, err)
		}
	}
}

// TestRead: each day is asked for once, in order; what cannot be read is an error, not an empty day.
func TestRead(t *testing.T) {
	t.Parallel()
	days, err := dayregister.Days("2026-03-02", "2026-03-04", calendar.Day{})
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	rows := 0
	for found, err := range dayregister.Read(t.Context(), days, func(_ context.Context, date string) ([]lease.Lease, error) {
		if asked = append(asked, date); date == "2026-03-03" {
			return day(), nil
		}
		return nil, nil
	}, name) {
		if rows += len(found); err != nil {
			t.Fatal(err)
		}
	}
	if rows != 6 || strings.Join(asked, " ") != "2026-03-02 2026-03-03 2026-03-04" {
		t.Errorf("%d rows of %v", rows, asked)
	}
	broken, asks := errors.New("away"), 0
	for found, err := range dayregister.Read(t.Context(), days, func(context.Context, string) ([]lease.Lease, error) { asks++; return nil, broken }, name) {
		if !errors.Is(err, broken) || found != nil {
			t.Errorf("without a store: %v, %v", found, err)
		}
	}
	if asks != 1 {
		t.Errorf("asked %d times", asks)
	}
}
