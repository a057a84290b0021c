package duty

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

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

// restored is the event of a drill.
func restored(event string, at time.Time) Arrived {
	return Arrived{Type: "backup.restored", Event: event, At: at}
}

// issued is a document that counts until a time.
func issued(until time.Time) Document {
	return Document{Issuer: "Example Assurance Ltd", Number: "ISO-27001/4711", Until: until}
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
	task, _, _ = d.done(task, doing{by: "cleo", document: issued(start.AddDate(3, 0, 0))}, start)
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
	asked, changed := clearance.arrive(asked, Arrived{Type: "scan.finished", Event: "e1", At: start}, start)
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
	task, changed := d.arrive(task, restored("e1", happened), start)
	if want := at("2026-05-30T22:00:00Z"); !changed || task.State != Done || !task.InForce(start) || !task.Valid.Equal(want) {
		t.Fatalf("proven it is %+v, want valid until %s", task, want)
	}
	for name, again := range map[string]struct {
		event string
		at    time.Time
	}{"the same event": {"e1", start}, "an older one": {"e0", happened.Add(-time.Hour)}} {
		if _, changed := d.arrive(task, restored(again.event, again.at), start); changed {
			t.Errorf("%s counts", name)
		}
	}
	later := start.AddDate(0, 0, 10)
	task, changed = d.arrive(task, restored("e2", later), later)
	if want := at("2026-06-11T22:00:00Z"); !changed || task.Cycle != 2 || !task.InForce(later) || !task.Valid.Equal(want) {
		t.Errorf("proven early again it is %+v, want valid until %s", task, want)
	}
}

// A person's word stands on evidence of its own time, and is as old as that.
func TestOldEvidence(t *testing.T) {
	t.Parallel()
	d := machineOf(t, "exercise")
	task := d.begin(Task{ID: "exercise"}, start)
	if _, changed := d.arrive(task, restored("e0", start.Add(-time.Hour)), start); changed {
		t.Error("what happened before the first time counts for it")
	}
	happened, said := start.Add(dayLong), start.AddDate(0, 0, 20)
	task, changed := d.arrive(task, restored("e1", happened), happened)
	if !changed {
		t.Fatal("what happened in time does not count")
	}
	task, _, err := d.done(task, doing{by: "ada"}, said)
	if want := at("2026-06-02T22:00:00Z"); err != nil || !task.Valid.Equal(want) || !task.DoneAt.Equal(said) {
		t.Fatalf("done it is %+v, %v; want valid until %s, 90 days from what happened", task, err, want)
	}
	if r := d.settled(task, nil, marks{}, said)[0]; !r.Source.Observed.Equal(happened) {
		t.Errorf("the record proves what was observed at %s, and it happened at %s", r.Source.Observed, happened)
	}
	next := task.Valid.Add(-time.Hour)
	task, _ = d.tick(task, next)
	if _, changed := d.arrive(task, restored("e2", said.Add(-time.Hour)), next); changed || task.Cycle != 2 {
		t.Errorf("what happened before the last word counts for the next, in cycle %d", task.Cycle)
	}
	if _, _, err := d.done(task, doing{by: "ada"}, next); fault.CodeOf(err) != "evidence_missing" {
		t.Errorf("done without: %v", err)
	}
	if _, changed := d.arrive(task, restored("e3", said.Add(time.Hour)), next); !changed {
		t.Error("what happened after the last word does not count for the next")
	}
	request := machineOf(t, "clear")
	asked := request.begin(Task{ID: "clear~x", Asker: "dan", About: "vim 9"}, start)
	if _, changed := request.arrive(asked, Arrived{Type: "scan.finished", Event: "e4", Request: "vim 9", At: start.Add(-time.Minute)}, start); changed {
		t.Error("a scan from before the request counts for it")
	}
}

// A document is named, counts until its own end and no longer, and the next one is asked for before that.
func TestDocument(t *testing.T) {
	t.Parallel()
	d := machineOf(t, "partner")
	task := d.begin(Task{ID: "partner", Nonce: "n"}, start)
	fine := issued(at("2026-08-31T22:00:00Z"))
	for want, change := range map[string]func(*Document){
		"document_invalid": func(doc *Document) { doc.Issuer = "" },
		"until_invalid":    func(doc *Document) { doc.Until = start },
	} {
		doc := fine
		change(&doc)
		_, _, err := d.done(task, doing{by: "cleo", document: doc}, start)
		code(t, err, want)
	}
	for _, doc := range []Document{{}, {Issuer: "Example", Until: fine.Until}, {Issuer: "two\nlines", Number: "1", Until: fine.Until}, {Issuer: "Example", Number: "no spaces", Until: fine.Until}} {
		_, _, err := d.done(task, doing{by: "cleo", document: doc}, start)
		code(t, err, "document_invalid")
	}
	for _, until := range []time.Time{{}, start.AddDate(5, 0, 2)} {
		_, _, err := d.done(task, doing{by: "cleo", document: issued(until)}, start)
		code(t, err, "until_invalid")
	}
	review := machineOf(t, "review")
	_, _, err := review.done(review.begin(Task{ID: "review"}, start), doing{by: "ada", document: fine}, start)
	code(t, err, "document_invalid")

	task, _, err = d.done(task, doing{by: "cleo", document: fine}, start)
	if err != nil || !task.Valid.Equal(fine.Until) || !task.InForce(fine.Until.Add(-time.Second)) || task.InForce(fine.Until) {
		t.Fatalf("filed it is %+v, %v", task, err)
	}
	if _, again, err := d.done(task, doing{by: "cleo", document: fine}, start); err != nil || !again {
		t.Errorf("the same word again: %v, %v", again, err)
	}
	if r := d.settled(task, nil, marks{}, start)[0]; r.Result.State != record.Inherited || !r.Expires.Equal(fine.Until) {
		t.Errorf("the record is %+v", r)
	}
	before := fine.Until.Add(-29 * 24 * time.Hour)
	task, steps := d.tick(task, before)
	if fmt.Sprint(steps) != "[opened]" || !task.Due.Equal(fine.Until) || task.Document != (Document{}) {
		t.Errorf("a month before its end: %v, %+v", steps, task)
	}
	task, steps = d.tick(task, fine.Until.Add(-7*24*time.Hour))
	if fmt.Sprint(steps) != "[reminded]" {
		t.Errorf("a week before its end: %v", steps)
	}
	if _, steps = d.tick(task, fine.Until); fmt.Sprint(steps) != "[overdue]" {
		t.Errorf("at its end: %v", steps)
	}
	// One that outlasts the duty's period is looked for again when the period is over.
	task = d.begin(Task{ID: "partner"}, start)
	task, _, _ = d.done(task, doing{by: "cleo", document: issued(start.AddDate(3, 0, 0))}, start)
	if want := at("2027-03-03T23:00:00Z"); !task.Valid.Equal(want) {
		t.Errorf("a document for three years counts until %s, want %s", task.Valid, want)
	}
}

// Whatever people and machines do in whatever order: nobody settles alone what is her own, what is not proven at its end
// is a finding, nothing is proven that was not done in time, and Tick comes to rest.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	people := []string{"ada", "bob", "cleo", "dan"}
	for seed := range require.Seeds(25) {
		random := rand.New(rand.NewPCG(uint64(seed), 7))
		for _, id := range []string{"review", "clear", "train", "partner", "nda", "drill", "exercise"} {
			d := machineOf(t, id)
			task := d.begin(Task{ID: id, Person: people[random.IntN(4)], Asker: people[random.IntN(4)], Nonce: "n"}, start)
			for now, n := start, 0; n < 120; n++ {
				now = now.Add(time.Duration(random.ExpFloat64() * float64(20*24*time.Hour)))
				before, who := task, people[random.IntN(4)]
				event := restored(fmt.Sprint(n), now.Add(-time.Duration(random.IntN(100))*time.Hour))
				if needed := d.Machines(); len(needed) > 0 {
					event.Type = needed[0].Type
				}
				switch random.IntN(7) {
				case 0:
					by := doing{by: who}
					if d.Files() {
						by.document = issued(now.Add(time.Duration(random.IntN(1000)) * 24 * time.Hour))
					}
					task, _, _ = d.done(task, by, now)
				case 1:
					task, _, _ = d.review(task, doing{by: who}, Approved, now)
				case 2:
					task, _, _ = d.review(task, doing{by: who}, Returned, now)
				case 3:
					task, _ = d.arrive(task, event, now)
				case 4:
					event.Failed = true
					task = d.fail(task, event, now)
				case 5:
					task, _, _ = d.refuse(task, doing{by: who}, random.IntN(2) == 0, now)
				case 6:
					task, _, _ = d.withdraw(task, doing{by: who}, now)
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
	case (task.State == Reviewed || task.State == Refused) && (task.Reviewer == task.DoneBy || task.Own(task.Reviewer)):
		t.Fatalf("%s: somebody reviewed her own matter", where)
	case task.Decided() && !d.Requested():
		t.Fatalf("%s: what nobody asked for was refused or withdrawn", where)
	case task.State == Withdrawn && before.Proven:
		t.Fatalf("%s: who may have it withdrew it alone", where)
	case task.Decided(): // by whom, the machine says
	case settled && d.Second != "" && task.State != Reviewed:
		t.Fatalf("%s: proven without the second person", where)
	case settled && len(task.Failed(d.Duty)) > 0 && !task.Settled.After(task.newest(d.Duty)):
		t.Fatalf("%s: proven by what failed", where)
	case settled && (len(task.Missing(d.Duty)) > 0 || task.DoneAt.IsZero()):
		t.Fatalf("%s: proven without its evidence", where)
	case (task.Finding == "") != (task.InForce(now) || now.Before(task.Due)):
		t.Fatalf("%s: at %s the finding is %q of %+v", where, now, task.Finding, task)
	case task.Next != 0 && task.Next <= now.UnixMicro():
		t.Fatalf("%s: Tick looks again at %d", where, task.Next)
	case settled && d.ByHand() && d.happened(task).Before(task.Since):
		t.Fatalf("%s: somebody's word stands on what happened before its time", where)
	case d.Files() && task.InForce(now) && settled && !now.Before(task.Document.Until):
		t.Fatalf("%s: a document counts that has ended", where)
	case task.Cycle < before.Cycle:
		t.Fatalf("%s: time goes back", where)
	}
}
