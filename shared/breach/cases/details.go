package cases

import (
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
}

// DetailTexts are the texts of Details by their names in it.
var DetailTexts = []string{"systems", "before", "police", "others"}

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
	return nil
}

func (d Details) valid() bool {
	return slices.Contains([]Exactness{"", Exact, Estimate, Unknown}, d.Certainty) && slices.Contains([]Origin{"", Internal, External, UnknownOrigin}, d.Origin) &&
		slices.Contains([]Intent{"", Malicious, Accidental, UnknownIntent}, d.Intent) && slices.Contains([]Found{"", ByStaff, ByDetection, ByProcessor, ByPerson, ByThirdParty, ByPress}, d.Found) &&
		len(d.Earlier) <= maxEarlier
}

// detail puts the texts of details among those of a case, and their numbers into the event.
func (t *turn) detail(p *private, texts map[string]string) (err error) {
	for _, name := range DetailTexts {
		if *t.event.Details.text(name), err = p.again(texts[name], t.before.Details.Text(name), last(t.event.What), false); err != nil {
			return err
		}
	}
	return nil
}
