package access_test

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

var update = flag.Bool("update", false, "write the expected problems anew")

// read returns the rules of the starter with another access.yaml; "" for none.
func read(t testing.TB, rules string) (access.Rules, []policy.Problem) {
	t.Helper()
	folder := fstest.MapFS{}
	for _, name := range []string{"company.yaml", "people.yaml", "promises/access.yaml"} {
		data, err := policies.FS.ReadFile("baseline/" + name)
		if err != nil {
			t.Fatal(err)
		}
		folder["acme/"+name] = &fstest.MapFile{Data: data}
	}
	if rules != "" {
		folder["acme/access.yaml"] = &fstest.MapFile{Data: []byte(rules)}
	}
	p, _, err := policy.Load(folder, "acme")
	if err != nil {
		t.Fatal(err)
	}
	return access.ReadRules(p)
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	want := access.Rules{
		On:    true,
		Lease: access.Lease{DayEnd: "24:00", Weekend: access.Allow, MaxHours: 24, Devices: 2, ChangesPerDay: 10, Relays: access.Refuse, Hosting: access.Allow, MobileHours: 24},
		OTP: access.OTP{
			Issuer: "Example Company", MaxAuthenticators: 3, FreeFailures: 3, FirstWait: 30 * time.Second, MaxWait: time.Hour,
			HardStop: 50, MalformedPerMinute: 300, GrantLife: 10 * time.Minute, LinkLife: 10 * time.Minute,
		},
	}
	got, problems := read(t, "{}")
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("an empty access.yaml: %v\n%s", problems, diff)
	}
	// The starter writes every default out, so that a newcomer sees them.
	written, err := policies.FS.ReadFile("baseline/access.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, problems = read(t, string(written))
	got.Targets = nil
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("the starter's access.yaml: %v\n%s", problems, diff)
	}
	if off, problems := read(t, ""); off.On || len(problems) > 0 {
		t.Errorf("without access.yaml the control is on, or wrong: %v", problems)
	}
}

func TestReadRules(t *testing.T) {
	t.Parallel()
	got, problems := read(t, `
lease: {day_end: "20:00", weekend: refuse, max_hours: 12, devices: 4, changes_per_day: 50, relays: allow, hosting: refuse, mobile_hours: 2, remind: "08:30"}
otp: {issuer: Acme, max_authenticators: 5, free_failures: 0, first_wait: PT10S, max_wait: PT24H, hard_stop: 50, reset_wait: PT72H}
fixed:
  - {name: office, prefix: "2a00:23c6:1234::/48", reason: Head office., until: 2026-09-06}
  - {name: lab, prefix: 81.2.69.0/24, reason: Laboratory., until: 2026-10-25}
targets: [{name: vpc, capacity: 1}, {name: edge, beacon: "https://beacon.example:8443/v1/ok"}]
`)
	want := access.Rules{
		On:    true,
		Lease: access.Lease{DayEnd: "20:00", Weekend: access.Refuse, MaxHours: 12, Devices: 4, ChangesPerDay: 50, Relays: access.Allow, Hosting: access.Refuse, MobileHours: 2, Remind: "08:30"},
		OTP: access.OTP{
			Issuer: "Acme", MaxAuthenticators: 5, FirstWait: 10 * time.Second, MaxWait: 24 * time.Hour, HardStop: 50,
			MalformedPerMinute: 300, GrantLife: 10 * time.Minute, LinkLife: 10 * time.Minute, ResetWait: 72 * time.Hour,
		},
		Fixed: []access.Fixed{
			{Name: "lab", Prefix: netip.MustParsePrefix("81.2.69.0/24"), Reason: "Laboratory.", Until: time.Date(2026, 10, 25, 23, 0, 0, 0, time.UTC)},
			{Name: "office", Prefix: netip.MustParsePrefix("2a00:23c6:1234::/48"), Reason: "Head office.", Until: time.Date(2026, 9, 6, 22, 0, 0, 0, time.UTC)},
		},
		Targets: []access.Target{{Name: "edge", Capacity: 5000, Beacon: "https://beacon.example:8443/v1/ok"}, {Name: "vpc", Capacity: 1}},
	}
	if all := got.Beacons(); !reflect.DeepEqual(all, []string{"https://beacon.example:8443/v1/ok"}) {
		t.Errorf("the beacons are %v", all)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" || len(problems) > 0 {
		t.Errorf("%v\n%s", problems, diff)
	}
}

// TestHostileFiles: every problem of a hostile access.yaml is told, at its line, and what is wrong takes no effect.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/hostile/policy/access-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no hostile files", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			rules, problems := read(t, string(data))
			defaults, _ := read(t, "{}")
			if rules.Lease != defaults.Lease {
				t.Errorf("lease rules out of bounds take effect: %+v", rules.Lease)
			}
			if all := rules.Beacons(); len(all) > 0 {
				t.Errorf("beacons that are none take effect: %q", all)
			}
			var got strings.Builder
			for _, p := range problems {
				got.WriteString(p.String() + "\n")
			}
			golden := strings.TrimSuffix(path, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("problems differ (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSyntaxIsToldOnce: what Load tells already, ReadRules tells again in the same words, so that Sort drops it.
func TestSyntaxIsToldOnce(t *testing.T) {
	t.Parallel()
	folder := fstest.MapFS{"acme/access.yaml": {Data: []byte("lease: {\n")}}
	p, problems, err := policy.Load(folder, "acme")
	if err != nil {
		t.Fatal(err)
	}
	rules, more := access.ReadRules(p)
	if !rules.On || len(more) != 1 {
		t.Errorf("on %v, problems %v", rules.On, more)
	}
	if all := policy.Sort(append(problems, more...)); len(all) != len(problems) {
		t.Errorf("told twice: %v", all)
	}
}

func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	_, problems := read(t, "fixed:\n"+strings.Repeat("  - {}\n", 50_000)+"targets:\n"+strings.Repeat("  - {}\n", 50_000))
	var keys []string
	for _, p := range problems {
		keys = append(keys, p.Key)
	}
	if !reflect.DeepEqual(keys, []string{"fixed", "targets"}) {
		t.Errorf("problems of %d keys", len(keys))
	}
}

// TestRemindBeforeTheEnd: nobody is reminded of what she may not do any more.
func TestRemindBeforeTheEnd(t *testing.T) {
	t.Parallel()
	for rules, refused := range map[string]bool{
		`lease: {day_end: "18:00", remind: "17:59"}`: false, `lease: {remind: "23:59"}`: false, `lease: {day_end: "18:00", remind: ""}`: false,
		`lease: {day_end: "18:00", remind: "18:00"}`: true, `lease: {day_end: "18:00", remind: "18:30"}`: true, `lease: {remind: "12:00", day_end: "08:00"}`: true,
	} {
		got, problems := read(t, rules)
		if (len(problems) > 0) != refused || refused && (problems[0].Key != "lease.remind" || got.Lease.Remind != "") {
			t.Errorf("%s: %v, %+v", rules, problems, got.Lease)
		}
	}
}
