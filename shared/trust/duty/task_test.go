package duty

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

var start = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

func machineOf(t testing.TB, id string) terms {
	t.Helper()
	p := load(t, duties)
	rules, _ := ReadRules(p)
	d, known := rules.Duty(id)
	if !known {
		t.Fatalf("no duty %s", id)
	}
	return terms{d, p.Company.Location()}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func code(t *testing.T, err error, want string) {
	t.Helper()
	if fault.CodeOf(err) != want {
		t.Errorf("answered %v, want %s", err, want)
	}
}

// A year in the life of a duty that recurs and takes a second person.
func TestLife(t *testing.T) {
	t.Parallel()
	d := machineOf(t, "review")
	task := d.begin(Task{ID: "review", Nonce: "n"}, start)
	if want := at("2026-04-02T22:00:00Z"); task.State != Open || !task.Due.Equal(want) || task.InForce(start) {
		t.Fatalf("opened as %+v, want due %s", task, want)
	}
	tick := func(now time.Time, want ...step) {
		t.Helper()
		var got []step
		if task, got = d.tick(task, now); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("at %s: %v, want %v", now, got, want)
		}
		if _, again := d.tick(task, now); len(again) > 0 {
			t.Errorf("at %s: %v a second time", now, again)
		}
	}
	tick(start.Add(time.Hour))
	tick(start.Add(24*time.Hour), reminded) // thirty days before its end
	tick(task.Due.Add(-time.Second))
	tick(task.Due, overdue)
	if task.State != Overdue || task.Finding == "" || task.Next != 0 {
		t.Fatalf("at its end it is %+v", task)
	}
	_, _, err := d.review(task, doing{by: "cleo"}, Approved, task.Due)
	code(t, err, "duty_not_done")
	_, _, err = d.done(task, doing{by: "ada", cycle: 2}, task.Due)
	code(t, err, "duty_moved")
	doneAt := at("2026-04-10T09:00:00Z")
	task, _, err = d.done(task, doing{by: "ada", ref: "SEC-1"}, doneAt)
	if err != nil || !task.Waiting() || task.InForce(doneAt) || task.Finding == "" {
		t.Fatalf("done it is %+v, %v", task, err)
	}
	if _, again, err := d.done(task, doing{by: "ada", ref: "SEC-1"}, doneAt.Add(time.Minute)); err != nil || !again {
		t.Errorf("the same word again: %v, %v", again, err)
	}
	_, _, err = d.done(task, doing{by: "bob"}, doneAt)
	code(t, err, "duty_done")
	_, _, err = d.review(task, doing{by: "ada"}, Approved, doneAt)
	code(t, err, "review_self")
	task, _, err = d.review(task, doing{by: "cleo"}, Returned, doneAt)
	if err != nil || task.State != Overdue || task.DoneBy != "" {
		t.Fatalf("given back it is %+v, %v", task, err)
	}
	task, _, _ = d.done(task, doing{by: "ada"}, doneAt)
	reviewed := doneAt.Add(48 * time.Hour)
	task, _, err = d.review(task, doing{by: "cleo"}, Approved, reviewed)
	if want := at("2027-04-10T22:00:00Z"); err != nil || task.State != Reviewed || !task.InForce(reviewed) || task.Finding != "" || !task.Valid.Equal(want) {
		t.Fatalf("reviewed it is %+v, %v; want valid until %s", task, err, want)
	}
	_, _, err = d.review(task, doing{by: "bob"}, Approved, reviewed)
	code(t, err, "duty_reviewed")
	valid := task.Valid
	tick(valid.Add(-31 * 24 * time.Hour))
	tick(valid.Add(-30*24*time.Hour), opened, reminded)
	if task.Cycle != 2 || !task.Due.Equal(valid) || !task.InForce(valid.Add(-time.Second)) || task.InForce(valid) {
		t.Errorf("in its second year it is %+v", task)
	}
	tick(valid, overdue)
}

// A clock that jumps a year finds what a clock that ticks would have found.
func TestLongSleep(t *testing.T) {
	t.Parallel()
	d := machineOf(t, "partner")
	task := d.begin(Task{ID: "partner", Nonce: "n"}, start)
	task, _, _ = d.done(task, doing{by: "cleo"}, start)
	task, steps := d.tick(task, start.AddDate(2, 0, 0))
	if fmt.Sprint(steps) != "[opened overdue]" || task.Cycle != 2 || task.State != Overdue {
		t.Errorf("two years later: %v, %+v", steps, task)
	}
}

func TestOwnMatter(t *testing.T) {
	t.Parallel()
	nda, clearance := machineOf(t, "nda"), machineOf(t, "clear")
	task := nda.begin(Task{ID: "nda~bob", Person: "bob"}, start)
	_, _, err := nda.done(task, doing{by: "bob"}, start)
	code(t, err, "own_matter")
	asked := clearance.begin(Task{ID: "clear~x", Asker: "ada", About: "vim 9"}, start)
	_, _, err = clearance.done(asked, doing{by: "ada"}, start)
	code(t, err, "evidence_missing")
	asked, changed := clearance.arrive(asked, "scan.finished", "e1", start, start)
	asked, _, err = clearance.done(asked, doing{by: "ada"}, start) // the second person is not she
	if !changed || err != nil {
		t.Fatal(changed, err)
	}
	asked.DoneBy = "bob"
	_, _, err = clearance.review(asked, doing{by: "ada"}, Approved, start)
	code(t, err, "review_self")
	if after, _, err := clearance.review(asked, doing{by: "cleo"}, Approved, start); err != nil || !after.InForce(start.AddDate(5, 0, 0)) || after.Expires.IsZero() {
		t.Errorf("cleared it is %+v, %v", after, err)
	}
}

// Machine evidence settles what needs nothing else, counts from when it happened, and counts once.
func TestMachineEvidence(t *testing.T) {
	t.Parallel()
	d := machineOf(t, "drill")
	task := d.begin(Task{ID: "drill"}, start)
	happened := start.Add(-48 * time.Hour)
	task, changed := d.arrive(task, "backup.restored", "e1", happened, start)
	if want := at("2026-05-30T22:00:00Z"); !changed || task.State != Done || !task.InForce(start) || !task.Valid.Equal(want) {
		t.Fatalf("proven it is %+v, want valid until %s", task, want)
	}
	for name, again := range map[string]struct {
		event string
		at    time.Time
	}{"the same event": {"e1", start}, "an older one": {"e0", happened.Add(-time.Hour)}} {
		if _, changed := d.arrive(task, "backup.restored", again.event, again.at, start); changed {
			t.Errorf("%s counts", name)
		}
	}
	later := start.AddDate(0, 0, 10)
	task, changed = d.arrive(task, "backup.restored", "e2", later, later)
	if want := at("2026-06-11T22:00:00Z"); !changed || task.Cycle != 2 || !task.InForce(later) || !task.Valid.Equal(want) {
		t.Errorf("proven early again it is %+v, want valid until %s", task, want)
	}
}

// Whatever people and machines do in whatever order: nobody settles alone what is her own, what is not proven at its end
// is a finding, nothing is proven that was not done in time, and Tick comes to rest.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	people := []string{"ada", "bob", "cleo", "dan"}
	for seed := range require.Seeds(25) {
		random := rand.New(rand.NewPCG(uint64(seed), 7))
		for _, id := range []string{"review", "clear", "train", "partner", "nda", "drill"} {
			d := machineOf(t, id)
			task := d.begin(Task{ID: id, Person: people[random.IntN(4)], Asker: people[random.IntN(4)], Nonce: "n"}, start)
			for now, n := start, 0; n < 120; n++ {
				now = now.Add(time.Duration(random.ExpFloat64() * float64(20*24*time.Hour)))
				before, who := task, people[random.IntN(4)]
				switch random.IntN(5) {
				case 0:
					task, _, _ = d.done(task, doing{by: who}, now)
				case 1:
					task, _, _ = d.review(task, doing{by: who}, Approved, now)
				case 2:
					task, _, _ = d.review(task, doing{by: who}, Returned, now)
				case 3:
					task, _ = d.arrive(task, "backup.restored", fmt.Sprint(n), now.Add(-time.Duration(random.IntN(100))*time.Hour), now)
				}
				task, _ = d.tick(task, now)
				if _, steps := d.tick(task, now); len(steps) > 0 {
					t.Fatalf("seed %d, %s: Tick goes on with %v", seed, id, steps)
				}
				invariants(t, fmt.Sprintf("seed %d, %s, step %d", seed, id, n), d, before, task, now)
			}
		}
	}
}

func invariants(t *testing.T, where string, d terms, before, task Task, now time.Time) {
	t.Helper()
	settled := !task.Settled.IsZero()
	switch {
	case settled && task.DoneBy != "" && d.Second == "" && task.Own(task.DoneBy):
		t.Fatalf("%s: somebody settled her own matter", where)
	case task.State == Reviewed && (task.Reviewer == task.DoneBy || task.Own(task.Reviewer)):
		t.Fatalf("%s: somebody reviewed her own matter", where)
	case settled && d.Second != "" && task.State != Reviewed:
		t.Fatalf("%s: proven without the second person", where)
	case settled && (len(task.Missing(d.Duty)) > 0 || task.DoneAt.IsZero()):
		t.Fatalf("%s: proven without its evidence", where)
	case (task.Finding == "") != (task.InForce(now) || now.Before(task.Due)):
		t.Fatalf("%s: at %s the finding is %q of %+v", where, now, task.Finding, task)
	case task.Next != 0 && task.Next <= now.UnixMicro():
		t.Fatalf("%s: Tick looks again at %d", where, task.Next)
	case task.Cycle < before.Cycle:
		t.Fatalf("%s: time goes back", where)
	}
}
