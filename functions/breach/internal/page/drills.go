package page

import (
	"slices"

	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/breach/drill"
)

// Drills is the page of exercises and of tests whether calls arrive.
type Drills struct {
	Done    string // key of a text that says what was done
	Problem *staffed.Trouble
	AsOf    string
	Items   []Drill
	Called  bool // the reader is on the ladder: she confirms what she read
}

// Drill is one exercise, or one test of the channels.
type Drill struct {
	ID       string
	Kind     string // key
	State    string // key
	Tone     string
	Begun    string
	Number   string // of the case of an exercise
	Path     string
	Steps    []Fact // of an exercise: what was done, by when
	Channels []Sounded
}

// Sounded is one channel of a test.
type Sounded struct {
	ID, Name string
	Reached  string // key
	Tone     string
	Why, At  string
	Waits    bool // for somebody who read it
}

// NewDrills is the page of some drills, newest first.
func (r Reader) NewDrills(all []drill.Drill) Drills {
	p := Drills{AsOf: r.At(r.Now)}
	for _, s := range r.Rules.Ladder {
		p.Called = p.Called || slices.ContainsFunc(s.Roles, r.Me.Has)
	}
	for _, d := range all {
		i := Drill{ID: d.ID, Kind: "drill." + string(d.Kind), State: "drill." + string(d.State), Begun: r.At(d.Begun), Number: Group(d.Number), Path: CasePath(d.Case),
			Tone: map[drill.State]string{drill.Running: "wait", drill.Passed: "good", drill.Failed: "bad"}[d.State]}
		for _, s := range d.Steps {
			f := Fact{Name: "drill.step." + s.Name, Value: r.At(s.At)}
			if f.Unknown = s.At.IsZero(); f.Unknown {
				f.Value = r.Say("drill.until", r.At(d.Begun.Add(s.Limit)))
			}
			i.Steps = append(i.Steps, f)
		}
		for _, t := range d.Tries {
			i.Channels = append(i.Channels, Sounded{ID: t.Channel, Name: r.known("channel.", t.Channel), Reached: "drill.reached." + string(t.Reached), Why: t.Why, At: r.At(t.At),
				Tone: map[drill.Reached]string{drill.Confirmed: "good", drill.Lost: "bad"}[t.Reached], Waits: t.Key != "" && d.State == drill.Running && t.Reached != drill.Confirmed})
		}
		p.Items = append(p.Items, i)
	}
	return p
}
