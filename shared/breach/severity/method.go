package severity

import (
	"bytes"
	_ "embed" // the data
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

var (
	//go:embed enisa-2013.json
	methodFile []byte
	//go:embed triggers.json
	triggerFile []byte
)

// Text is one value of the method with what it stands for.
type Text struct {
	Value Quarters
	Text  string
}

// texts are values by their decimals, as the files have them.
type texts map[string]string

// list returns the values in order.
func (t texts) list() []Text {
	all := make([]Text, 0, len(t))
	for decimal, text := range t {
		q, err := parseQuarters(decimal)
		if err != nil {
			panic(err) // the file is part of the program
		}
		all = append(all, Text{q, text})
	}
	slices.SortFunc(all, func(a, b Text) int { return int(a.Value - b.Value) })
	return all
}

func (t texts) values() []Quarters {
	var all []Quarters
	for _, one := range t.list() {
		all = append(all, one.Value)
	}
	return all
}

// method is enisa-2013.json.
type method struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Published string `json:"published"`
	Formula   string `json:"formula"`
	DPC       map[Class]struct {
		Content string `json:"content"`
		Base    int    `json:"base"`
		Values  texts  `json:"values"`
	} `json:"dpc"`
	EI    map[string]texts `json:"ei"`
	CB    map[string]texts `json:"cb"`
	Bands []struct {
		Level Level  `json:"level"`
		From  string `json:"from"`
		Means string `json:"means"`
	} `json:"bands"`
}

// condition is what a trigger needs; all that is given has to hold.
type condition struct {
	Readable        bool     `json:"readable,omitempty"`
	Malicious       bool     `json:"malicious,omitempty"`
	Confidentiality Quarters `json:"confidentiality,omitempty"` // at least
	Availability    Quarters `json:"availability,omitempty"`    // at least
	PeopleOver      int64    `json:"people_over,omitempty"`
	Identifier      string   `json:"identifier,omitempty"`
	EI              Quarters `json:"ei,omitempty"` // of Identifier, at least
	Class           Class    `json:"class,omitempty"`
	DPC             int      `json:"dpc,omitempty"` // of Class, at least
	Fact            string   `json:"fact,omitempty"`
}

type trigger struct {
	ID   string    `json:"id"`
	Asks string    `json:"asks"`
	Why  string    `json:"why"`
	When condition `json:"when"`
}

type triggerData struct {
	Name      string            `json:"name"`
	Published string            `json:"published"`
	Facts     map[string]string `json:"facts"`
	Triggers  []trigger         `json:"triggers"`
}

var (
	enisa    = mustRead[method](methodFile)
	triggers = mustRead[triggerData](triggerFile)
)

// mustRead reads a file that is part of the program.
func mustRead[T any](data []byte) T {
	var into T
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&into); err != nil {
		panic(fmt.Sprintf("reading the data of severity: %v", err))
	}
	return into
}

// Source names the method, for people.
func Source() string { return enisa.Name + ", version " + enisa.Version + ", " + enisa.Published }

// Means says what a level means for people.
func (l Level) Means() string {
	for _, b := range enisa.Bands {
		if b.Level == l {
			return b.Means
		}
	}
	return ""
}

// ValuesOfClass returns what a class may be scored with, its base and what it holds.
func ValuesOfClass(c Class) (values []Text, base Quarters, content string) {
	row := enisa.DPC[c]
	return row.Values.list(), Quarters(row.Base * 4), row.Content
}

// ValuesOf returns what an identifier or a circumstance may be scored with; none of what the method does not know.
func ValuesOf(name string) []Text {
	if t, known := enisa.EI[name]; known {
		return t.list()
	}
	return enisa.CB[name].list()
}

// Facts returns the facts a trigger may ask for, sorted, and what each says.
func Facts() (names []string, says map[string]string) {
	return slices.Sorted(maps.Keys(triggers.Facts)), maps.Clone(triggers.Facts)
}
