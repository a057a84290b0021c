package drill_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/drill"
	"ostiary.internal/shared/calendar"
)

var paris = func() *time.Location {
	z, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return z
}()

func seeds() uint64 {
	if os.Getenv("OSTIARY_SOAK") == "1" {
		return 1000
	}
	return 25
}

var begun = time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC)

func exercise() drill.Drill {
	return drill.Drill{ID: "e", Kind: drill.Exercise, State: drill.Running, Begun: begun, Next: begun.UnixMicro(), Steps: []drill.Step{
		{Name: drill.Ack, Limit: 30 * time.Minute}, {Name: drill.Approve, Limit: 4 * time.Hour}, {Name: drill.Deliver, Limit: 6 * time.Hour}}}
}

func after(d time.Duration) time.Time { return begun.Add(d) }

// TestExercise: it is passed when every step was in time, failed when one was late or missing, and ends by itself.
func TestExercise(t *testing.T) {
	t.Parallel()
	all := drill.Seen{Acked: after(10 * time.Minute), Approved: after(time.Hour), Delivered: after(2 * time.Hour)}
	for name, c := range map[string]struct {
		seen  drill.Seen
		at    time.Duration
		state drill.State
		want  []drill.Effect
	}{
		"passed":                    {all, 3 * time.Hour, drill.Passed, []drill.Effect{drill.Record, drill.Tell}},
		"at the limit":              {drill.Seen{Acked: after(30 * time.Minute), Approved: after(4 * time.Hour), Delivered: after(6 * time.Hour)}, 7 * time.Hour, drill.Passed, []drill.Effect{drill.Record, drill.Tell}},
		"answered too late":         {drill.Seen{Acked: after(31 * time.Minute), Approved: after(time.Hour), Delivered: after(2 * time.Hour)}, 3 * time.Hour, drill.Failed, []drill.Effect{drill.Record, drill.Tell, drill.End}},
		"not all yet":               {drill.Seen{Acked: after(time.Minute)}, 3 * time.Hour, drill.Running, nil},
		"late, and not all yet":     {drill.Seen{}, time.Hour, drill.Running, nil},
		"nobody does anything":      {drill.Seen{}, 6*time.Hour + time.Second, drill.Failed, []drill.Effect{drill.Record, drill.Tell, drill.End}},
		"nobody looked until after": {all, 400 * time.Hour, drill.Passed, []drill.Effect{drill.Record, drill.Tell, drill.End}},
		"closed before it was done": {drill.Seen{Acked: after(time.Minute), Closed: true}, time.Hour, drill.Failed, []drill.Effect{drill.Record, drill.Tell}},
	} {
		d, effects := drill.Decide(exercise(), drill.Event{Seen: &c.seen}, after(c.at))
		if d.State != c.state || !slices.Equal(effects, c.want) {
			t.Errorf("%s: %s, %v", name, d.State, effects)
		}
		if again, effects := drill.Decide(d, drill.Event{Seen: &c.seen}, after(c.at)); len(effects) > 0 || again.State != d.State {
			t.Errorf("%s: twice: %v", name, effects)
		}
	}
	d, _ := drill.Decide(exercise(), drill.Event{Seen: &all}, after(3*time.Hour))
	if d, effects := drill.Decide(d, drill.Event{Seen: &all}, after(30*time.Hour)); !slices.Equal(effects, []drill.Effect{drill.End}) || d.Next != 0 {
		t.Errorf("it goes on: %v", effects)
	}
}

func test() drill.Drill {
	return drill.Drill{ID: "c", Kind: drill.Channels, State: drill.Running, Begun: begun, Next: 1, Tries: []drill.Try{{Channel: "mail", Key: "k1", Reached: drill.Sent}, {Channel: "sms", Key: "k2", Reached: drill.Sent}}}
}

// TestChannels: what somebody confirmed counts at once, what a provider took and nobody read is not passed after a day, and a
// channel that is lost is told of at once.
func TestChannels(t *testing.T) {
	t.Parallel()
	type step struct {
		e    drill.Event
		at   time.Duration
		want []drill.Effect
	}
	answer := func(key string, r drill.Reached) drill.Event {
		return drill.Event{Answer: &drill.Try{Key: key, Reached: r, At: after(time.Minute)}}
	}
	for name, c := range map[string]struct {
		steps []step
		state drill.State
	}{
		"taken by both":      {[]step{{answer("k1", drill.Accepted), time.Minute, nil}, {answer("k2", drill.Accepted), time.Minute, nil}, {drill.Event{}, 23 * time.Hour, nil}, {drill.Event{}, 24 * time.Hour, []drill.Effect{drill.Remind, drill.Record}}, {drill.Event{Confirmed: "sms"}, 26 * time.Hour, nil}}, drill.Unread},
		"confirmed by both":  {[]step{{drill.Event{Confirmed: "mail"}, time.Minute, nil}, {drill.Event{Confirmed: "sms"}, 2 * time.Minute, []drill.Effect{drill.Record}}}, drill.Passed},
		"refused":            {[]step{{answer("k2", drill.Lost), time.Minute, []drill.Effect{drill.Alarm}}, {answer("k2", drill.Lost), time.Minute, nil}, {drill.Event{Confirmed: "mail"}, time.Hour, []drill.Effect{drill.Record}}}, drill.Failed},
		"silent":             {[]step{{answer("k1", drill.Accepted), time.Minute, nil}, {drill.Event{}, 25 * time.Hour, []drill.Effect{drill.Alarm, drill.Record}}, {drill.Event{}, 26 * time.Hour, nil}}, drill.Failed},
		"not ours":           {[]step{{answer("k9", drill.Lost), time.Minute, nil}, {answer("", drill.Lost), time.Minute, nil}}, drill.Running},
		"read, then refused": {[]step{{drill.Event{Confirmed: "mail"}, time.Minute, nil}, {answer("k1", drill.Lost), 2 * time.Minute, nil}, {drill.Event{Confirmed: "sms"}, time.Hour, []drill.Effect{drill.Record}}}, drill.Passed},
		"refused, but read":  {[]step{{answer("k2", drill.Lost), time.Minute, []drill.Effect{drill.Alarm}}, {drill.Event{Confirmed: "sms"}, time.Hour, nil}, {drill.Event{Confirmed: "mail"}, time.Hour, []drill.Effect{drill.Record}}}, drill.Passed},
	} {
		d := test()
		for i, s := range c.steps {
			var effects []drill.Effect
			if d, effects = drill.Decide(d, s.e, after(s.at)); !slices.Equal(effects, s.want) {
				t.Errorf("%s, step %d: %v", name, i, effects)
			}
		}
		if d.State != c.state {
			t.Errorf("%s: %s", name, d.State)
		}
	}
	nobody := test()
	nobody.Tries[1] = drill.Try{Channel: "sms", Reached: drill.Lost, Why: "nobody has a number"}
	if d, effects := drill.Decide(nobody, drill.Event{Confirmed: "sms"}, after(time.Minute)); !slices.Equal(effects, []drill.Effect{drill.Alarm}) || d.Tries[1].Reached != drill.Lost {
		t.Errorf("a message that nobody was sent is confirmed: %v", effects)
	}
}

// TestPlan draws when somebody looks over two years: exercises are at least their period apart and begin as soon as people
// are at work after it, channels are tested once in each month, nothing begins at night or on a free day.
func TestPlan(t *testing.T) {
	t.Parallel()
	for seed := range seeds() {
		random := rand.New(rand.NewPCG(seed, 9))
		c := drill.Calendar{Every: calendar.Period{Months: 3}, Zone: paris, Country: "FR", Review: calendar.Day{Year: 2026, Month: 9, Day: 1}}
		var s drill.Schedule
		var last time.Time
		months, exercises, reminders := map[string]int{}, 0, 0
		from := time.Date(2026, 1, 5, 7, 0, 0, 0, time.UTC)
		for now := from; now.Before(from.AddDate(2, 0, 0)); now = now.Add(time.Minute + time.Duration(random.Int64N(int64(3*time.Hour)))) {
			then, b := drill.Plan(s, c, now)
			if again, twice := drill.Plan(then, c, now); twice != (drill.Begin{}) || again != then {
				t.Fatalf("seed %d: twice at %s: %+v", seed, now, twice)
			}
			local := now.In(paris)
			if b != (drill.Begin{}) && (local.Hour() < 9 || local.Hour() >= 15 || local.Weekday() == time.Saturday || local.Weekday() == time.Sunday || local.Format("01-02") == "07-14") {
				t.Errorf("seed %d: something begins at %s", seed, local)
			}
			if s = then; b.Exercise {
				exercises++
				if !last.IsZero() && (local.Before(last.AddDate(0, 3, 0)) || local.After(last.AddDate(0, 3, 7))) {
					t.Errorf("seed %d: exercises at %s and %s", seed, last, now)
				}
				last = local
			}
			if b.Channels {
				months[local.Format("2006-01")]++
			}
			if b.Reminder {
				reminders++
			}
		}
		if exercises != 7 || reminders != 1 || len(months) != 24 {
			t.Errorf("seed %d: %d exercises, %d reminders, %v", seed, exercises, reminders, months)
		}
		for month, n := range months {
			if n != 1 {
				t.Errorf("seed %d: %d tests in %s", seed, n, month)
			}
		}
	}
}
