// Package page turns a snapshot of the promises into what a person reads on the trust page: words, dates and numbers
// in her language, and the picture of the last ninety days.
//
// It promises to be pure, to leave no promise out, and to say of every promise what the snapshot says of it, or less:
// a snapshot that is too old says nothing, so every state is then unknown. It never adds states up to one figure. It
// writes no HTML, and escapes nothing: what the policy says goes to the template as it is.
package page

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/promise"
)

// Fresh is how long after it was last checked a page is believed. It is computed every minute: ten missed in a row
// are silence.
const Fresh = 10 * time.Minute

// NotUpdated is the reason of every state of a page that is no longer believed.
const NotUpdated promise.Reason = "page not updated"

// Languages are those the page speaks, the default first.
var Languages = []string{"en", "fr", "de"}

// Behind reports whether a page that was last checked at a time says nothing any more. Neither does one that was
// checked after now: then one of the two clocks is wrong.
func Behind(checked, now time.Time) bool {
	return now.Sub(checked) > Fresh || checked.Sub(now) > Fresh
}

// Current returns what a snapshot that was last checked at a time says now: itself, or, where the page is behind, the
// same promises with every state unknown. Shares and history are of the past and stay.
func Current(s promise.Snapshot, checked, now time.Time) promise.Snapshot {
	if !Behind(checked, now) {
		return s
	}
	rows := make([]promise.Row, len(s.Promises))
	for i, row := range s.Promises {
		row.Status = promise.Status{State: record.Unknown, Reason: NotUpdated, Since: checked, Last: row.Last}
		rows[i] = row
	}
	s.Promises = rows
	s.Counts = map[record.State]int{}
	for _, state := range promise.States() {
		s.Counts[state] = 0
	}
	s.Counts[record.Unknown] = len(rows)
	return s
}

// Circumstances are what a page tells beside its snapshot.
type Circumstances struct {
	Now     time.Time // when it is looked at
	Checked time.Time // when the snapshot was last found to hold
	Digest  string    // of the snapshot's bytes
	Past    bool      // it was shown once, and is not what holds now
	Home    string    // path of the page, such as "/trustpage/"
	Log     Checkpoint
}

// Checkpoint is the newest state of the evidence log that somebody signed.
type Checkpoint struct {
	Known     bool // false: it could not be read, or not believed
	Size      int64
	Root      string
	Signed    time.Time // when it was written
	Witnesses []Witness // who confirmed it, or an earlier one: the last confirmation of each
}

// Witness is somebody who is not us and saw the same log.
type Witness struct {
	Name string
	Size int64 // of the log, then
	At   time.Time
}

// View is one page in one language.
type View struct {
	words
	Title     string
	Company   string
	Lede      string
	Home      string
	Past      bool
	Behind    bool
	At        Moment // the states are true for this time
	Checked   Moment
	Now       Moment
	Choices   []Choice
	Counts    []Count
	Groups    []Group // worst first; states without a promise are left out
	Log       Log
	Digest    string
	Policy    string // digest of the policy's files
	Gaps      string // what is known of evidence that nobody understood; "" for nothing
	FeedTitle string
}

// Choice is a language the page can be read in.
type Choice struct {
	Tag, Name string
	Current   bool
}

// Count is how many promises are in a state.
type Count struct {
	State   string
	Word    string
	Meaning string
	Number  string
	Some    bool
}

// Group is the promises in one state.
type Group struct {
	Count
	Rows []Row
}

// Log is what the page says of the evidence log.
type Log struct {
	Known     bool
	Origin    string
	Size      string
	Root      string
	Signed    Moment
	Confirmed []Confirmed
}

// Confirmed is what one witness confirmed last.
type Confirmed struct {
	Name string
	Says string // how much of the log
	At   Moment
}

// names are the languages as their speakers call them.
var names = map[string]string{"en": "English", "fr": "Français", "de": "Deutsch"}

// Build returns the page in a language of Languages, the first of them for any other. The snapshot is shown as Current
// makes it.
func Build(s promise.Snapshot, c Circumstances, lang string) View {
	w := wordsOf(lang)
	if c.Past {
		c.Now, c.Checked = s.At, s.At
	}
	s = Current(s, c.Checked, c.Now)
	v := View{
		words: w, Company: s.Company, Home: c.Home, Past: c.Past, Behind: Behind(c.Checked, c.Now), Digest: c.Digest,
		Policy: "sha256:" + strings.TrimPrefix(s.Policy, "sha256:"),
		At:     w.moment(s.At, c.Now), Checked: w.moment(c.Checked, c.Now), Now: w.moment(c.Now, c.Now),
		Title: w.Text("title", s.Company), FeedTitle: w.Text("feed.title", s.Company),
	}
	for _, tag := range Languages {
		v.Choices = append(v.Choices, Choice{tag, names[tag], tag == w.Lang})
	}
	v.sort(s.Promises, c.Now)
	v.Log = w.log(s, c)
	if s.Gaps.Count > 0 {
		v.Gaps = w.counted("gaps", s.Gaps.Count)
	}
	return v
}

// sort puts the promises into groups by their states, counts them, and sums up.
func (v *View) sort(rows []promise.Row, now time.Time) {
	grouped := map[record.State][]promise.Row{}
	for _, row := range rows {
		if !slices.Contains(promise.States(), row.State) {
			row.State = record.Unknown // what nobody understands is not known
		}
		grouped[row.State] = append(grouped[row.State], row)
	}
	for _, state := range promise.States() {
		count := Count{
			State: string(state), Word: v.Text("state." + string(state)), Meaning: v.Text("meaning." + string(state)),
			Number: v.number(int64(len(grouped[state]))), Some: len(grouped[state]) > 0,
		}
		if v.Behind && !count.Some {
			count.Number = "–" // none would be a claim
		}
		v.Counts = append(v.Counts, count)
		if !count.Some {
			continue
		}
		group := Group{Count: count}
		for _, row := range grouped[state] {
			group.Rows = append(group.Rows, v.row(row, now))
		}
		v.Groups = append(v.Groups, group)
	}
	if v.Lede = v.counted("lede", int64(len(rows))) + " "; v.Behind {
		v.Lede += v.Text("lede.behind")
	} else {
		v.Lede += v.lede(len(grouped[record.Broken]), len(grouped[record.Unknown])+len(grouped[promise.Stale]))
	}
}

// lede is the page in one breath: how many promises do not hold, and of how many nobody can tell.
func (w words) lede(broken, unproved int) string {
	bad := w.counted("lede.broken", int64(broken))
	if broken == 0 {
		bad = w.Text("lede.broken.none")
	}
	open := w.counted("lede.unproved", int64(unproved))
	if unproved == 0 {
		open = w.Text("lede.unproved.none")
	}
	return bad + " " + open
}

func (w words) log(s promise.Snapshot, c Circumstances) Log {
	l := Log{Known: c.Log.Known, Origin: s.Origin, Size: w.counted("records", s.Size), Root: s.Root}
	if !l.Known {
		return l
	}
	l.Size, l.Root, l.Signed = w.counted("records", c.Log.Size), c.Log.Root, w.moment(c.Log.Signed, c.Now)
	for _, witness := range c.Log.Witnesses {
		l.Confirmed = append(l.Confirmed, Confirmed{plain(witness.Name), w.Text("witness.confirmed", w.counted("records", witness.Size)), w.moment(witness.At, c.Now)})
	}
	return l
}
