package cases

import (
	"maps"
	"reflect"
	"slices"
)

// Origin says where a breach comes from. It is stored; "" is not said yet.
type Origin string

// The origins.
const (
	Internal      Origin = "internal"
	External      Origin = "external"
	UnknownOrigin Origin = "unknown"
)

// Intent says whether somebody meant it. It is stored; "" is not said yet.
type Intent string

// The intents.
const (
	Malicious     Intent = "malicious"
	Accidental    Intent = "accidental"
	UnknownIntent Intent = "unknown"
)

// Found says by whom a breach was found. It is stored; "" is not said yet.
type Found string

// By whom a breach was found.
const (
	ByStaff      Found = "staff"
	ByDetection  Found = "detection" // of our own
	ByProcessor  Found = "processor" // one of ours
	ByPerson     Found = "person"    // whose data it is
	ByThirdParty Found = "third_party"
	ByPress      Found = "press"
)

// Details are what the register of breaches wants to be known beside times, numbers and decisions (GDPR, article 33(5)).
// What is not said is not known yet. Texts are numbers of those in Private.
type Details struct {
	Certainty Exactness `json:"certainty,omitempty"` // of when it occurred: Exact, Estimate or Unknown
	Origin    Origin    `json:"origin,omitempty"`
	Intent    Intent    `json:"intent,omitempty"`
	Found     Found     `json:"found,omitempty"`
	Systems   int       `json:"systems,omitempty"` // text: which are concerned
	Before    int       `json:"before,omitempty"`  // text: what protected the data before
	Police    int       `json:"police,omitempty"`  // text: whether and under which reference they know
	Others    int       `json:"others,omitempty"`  // text: other authorities that know, and under which reference
	Earlier   []string  `json:"earlier,omitempty"` // numbers of earlier cases it is linked to; all there are now
	// Not are texts, by the names of DetailFields that do not apply: the reason of each.
	Not map[string]int `json:"not,omitempty"`
}

// DetailTexts are the texts of Details by their names in it.
var DetailTexts = []string{"systems", "before", "police", "others"}

// DetailFields are the names of what of Details is a word or a text: each may be said not to apply.
var DetailFields = append([]string{"occurrence", "found", "origin", "intent"}, DetailTexts...)

// Word returns what is said of a name in DetailFields that is a word, as it is stored; "" for none.
func (d Details) Word(name string) string {
	return map[string]string{"occurrence": string(d.Certainty), "found": string(d.Found), "origin": string(d.Origin), "intent": string(d.Intent)}[name]
}

// says reports whether something is said of a name in DetailFields.
func (d Details) says(name string) bool { return d.Word(name) != "" || d.Text(name) != 0 }

// clear takes back what was said of a name in DetailFields.
func (d *Details) clear(name string) {
	switch name {
	case "occurrence":
		d.Certainty = ""
	case "found":
		d.Found = ""
	case "origin":
		d.Origin = ""
	case "intent":
		d.Intent = ""
	default:
		*d.text(name) = 0
	}
}

// text is where the text of a name stands; nil for no such name.
func (d *Details) text(name string) *int {
	return map[string]*int{"systems": &d.Systems, "before": &d.Before, "police": &d.Police, "others": &d.Others}[name]
}

// Text returns the number of the text of a name in DetailTexts; 0 for none.
func (d Details) Text(name string) int {
	if at := d.text(name); at != nil {
		return *at
	}
	return 0
}

// maxEarlier bounds the links of a case.
const maxEarlier = 50

// complete takes what is known now. It may come after a case was closed: the register is read for years.
func (d *deciding) complete() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if d.State == "" {
		return d.from(Suspected)
	}
	before := d.Details
	if err := d.detail(); err != nil {
		return err
	}
	if !reflect.DeepEqual(before, d.Details) {
		d.record("details")
	}
	return nil
}

// detail puts what an event says of the details beside what is known.
func (d *deciding) detail() error {
	said, now := d.e.Details, &d.Details
	if !said.valid() {
		return refuse("details_invalid", "One of the details is no word there is, or there are too many earlier cases.", "Correct it and send it again; unknown is a value.")
	}
	for _, why := range said.Not {
		if why == 0 {
			return inapplicable()
		}
	}
	if said.Certainty != "" {
		now.Certainty = said.Certainty
	}
	if said.Origin != "" {
		now.Origin = said.Origin
	}
	if said.Intent != "" {
		now.Intent = said.Intent
	}
	if said.Found != "" {
		now.Found = said.Found
	}
	for _, name := range DetailTexts {
		if n := said.Text(name); n != 0 {
			*now.text(name) = n
		}
	}
	if said.Earlier != nil {
		now.Earlier = slices.Clone(said.Earlier)
	}
	now.setNot(said)
	return nil
}

// setNot puts beside each other what applies and what does not.
func (d *Details) setNot(said Details) {
	not := maps.Clone(d.Not)
	maps.DeleteFunc(not, func(name string, _ int) bool { return said.says(name) })
	for name, why := range said.Not {
		if not == nil {
			not = map[string]int{}
		}
		not[name] = why
		d.clear(name)
	}
	if d.Not = not; len(not) == 0 {
		d.Not = nil
	}
}

func (d Details) valid() bool {
	for name := range d.Not {
		if !slices.Contains(DetailFields, name) || d.says(name) {
			return false
		}
	}
	return slices.Contains([]Exactness{"", Exact, Estimate, Unknown}, d.Certainty) && slices.Contains([]Origin{"", Internal, External, UnknownOrigin}, d.Origin) &&
		slices.Contains([]Intent{"", Malicious, Accidental, UnknownIntent}, d.Intent) && slices.Contains([]Found{"", ByStaff, ByDetection, ByProcessor, ByPerson, ByThirdParty, ByPress}, d.Found) &&
		len(d.Earlier) <= maxEarlier
}

// detail puts the texts of details among those of a case, and their numbers into the event.
func (t *turn) detail(p *private, texts, not map[string]string) (err error) {
	t.event.Details.Not = nil
	for _, name := range slices.Sorted(maps.Keys(not)) {
		if t.event.Details.Not == nil {
			t.event.Details.Not = map[string]int{}
		}
		if t.event.Details.Not[name], err = p.again(not[name], t.before.Details.Not[name], last(t.event.What), false); err != nil {
			return err
		}
	}
	for _, name := range DetailTexts {
		if *t.event.Details.text(name), err = p.again(texts[name], t.before.Details.Text(name), last(t.event.What), false); err != nil {
			return err
		}
	}
	return nil
}
