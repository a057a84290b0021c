package severity

import (
	_ "embed" // the data
	"slices"
)

//go:embed edpb-01-2021.json
var caseFile []byte

// Case is one of the EDPB's examples. Inputs and score are ours, title and outcome the guidelines'.
type Case struct {
	ID        string   `json:"id"` // 01 to 18
	Title     string   `json:"title"`
	Count     string   `json:"count,omitempty"` // what the guidelines say of the number of people
	Input     Input    `json:"input"`
	SE        Quarters `json:"se"`
	Level     Level    `json:"level"`
	Authority bool     `json:"authority"` // was to be told
	Persons   bool     `json:"persons"`   // were to be told
	Reread    bool     `json:"reread"`    // the outcome was compared with the text itself
	Note      string   `json:"note,omitempty"`
}

type caseData struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Published string `json:"published"`
	About     string `json:"about"`
	Cases     []Case `json:"cases"`
}

var edpb = mustRead[caseData](caseFile)

// Cases returns the 18 cases, and where they are from.
func Cases() (cases []Case, source string) {
	return slices.Clone(edpb.Cases), edpb.Name + ", version " + edpb.Version
}

// Closest is the case that resembles a breach most, by its score alone: a person reads both and sees.
type Closest struct {
	Case      string   `json:"case"`
	Title     string   `json:"title"`
	Authority bool     `json:"authority"`
	Persons   bool     `json:"persons"`
	Differs   []string `json:"differs"` // parts that are not alike, such as cb.malicious
}

// closest compares the parts of the score, protection, and in how many digits the people are counted. Of those that are
// equally near the first counts.
func closest(in Input, s Score) Closest {
	best, near := Closest{}, -1
	for _, c := range edpb.Cases {
		differs, far := differences(in, s, c)
		if near < 0 || far < near {
			best, near = Closest{c.ID, c.Title, c.Authority, c.Persons, differs}, far
		}
	}
	return best
}

func differences(in Input, s Score, c Case) (differs []string, far int) {
	other := c.Input.score()
	differs = []string{}
	add := func(name string, by int) {
		if by < 0 {
			by = -by
		}
		if by > 0 {
			differs = append(differs, name)
			far += by
		}
	}
	add("dpc", int(s.DPC-other.DPC)/2)
	add("ei", int(s.EI-other.EI))
	for _, name := range Circumstances() {
		add("cb."+name, int(*in.CB.part(name)-*c.Input.CB.part(name))*2)
	}
	if in.readable() != c.Input.readable() {
		add("readable", 4)
	}
	if in.People != nil && c.Input.People != nil {
		add("people", digits(*in.People)-digits(*c.Input.People))
	}
	return differs, far
}

func digits(n int64) (count int) {
	for ; n > 0; n /= 10 {
		count++
	}
	return count
}
