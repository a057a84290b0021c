// Package severity scores a personal data breach by the method ENISA published in December 2013, and says which notices
// the score, and the triggers beside it, speak for.
//
// # What it promises
//
// The method stands in a data file (enisa-2013.json): every class, identifier and circumstance with the values it may
// take, in quarters, so that no rounding decides. A value the method does not know is refused with those it does. The 18
// cases of the EDPB's guidelines 01/2021 (edpb-01-2021.json) come out as the guidelines say; bands alone miss four of
// them, which is why there are triggers (triggers.json): ours, named and dated.
//
// # What it does not do
//
// It decides nothing. Article 33 of the GDPR asks for a notice unless the breach is unlikely to result in a risk, and a
// score does not show that: Presumption says what speaks for a notice, never that none is needed. Neither the number of
// people nor encryption has a weight in the method, so they are flags and change no score.
package severity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Quarters is a number of the method, in quarters of one: 5 is 1.25. As JSON it is a decimal.
type Quarters int

// String returns the decimal, such as 1.25.
func (q Quarters) String() string {
	return strconv.FormatFloat(float64(q)/4, 'f', -1, 64)
}

// MarshalJSON writes the decimal.
func (q Quarters) MarshalJSON() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalJSON reads a decimal that is a multiple of 0.25, and true and false as 0.5 and 0: that is how people answer
// whether there was bad intent.
func (q *Quarters) UnmarshalJSON(data []byte) error {
	switch text := string(data); text {
	case "true":
		*q = 2
		return nil
	case "false":
		*q = 0
		return nil
	default:
		value, err := parseQuarters(text)
		*q = value
		return err
	}
}

// mostQuarters is more than any number of the method has.
const mostQuarters = 100

func parseQuarters(text string) (Quarters, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(value >= 0 && value <= mostQuarters) || value*4 != float64(int(value*4)) {
		return 0, fmt.Errorf("%.20q is not a multiple of 0.25", text)
	}
	return Quarters(value * 4), nil
}

// Class is a class of data. It is stored.
type Class string

// The classes.
const (
	Simple      Class = "simple"
	Behavioural Class = "behavioural"
	Financial   Class = "financial"
	Sensitive   Class = "sensitive"
)

// Classes returns the classes, from the lowest base to the highest.
func Classes() []Class { return []Class{Simple, Behavioural, Financial, Sensitive} }

// Identifiers returns what people are told apart by. What is not among them, such as an address of a network, a cookie
// or a customer number, counts as code_alias_initials.
func Identifiers() []string {
	return []string{"full_name", "id_number", "phone_or_address", "email", "picture", "code_alias_initials"}
}

// Circumstances returns the four parts of CB, by their names in Input.
func Circumstances() []string {
	return []string{"confidentiality", "integrity", "availability", "malicious"}
}

// Level is the band of a score. It is stored.
type Level string

// The levels.
const (
	Low      Level = "low"
	Medium   Level = "medium"
	High     Level = "high"
	VeryHigh Level = "very_high"
)

// Flag is a circumstance that is shown beside a score and does not change it. It is stored.
type Flag string

// The flags.
const (
	Over100        Flag = "over_100"       // more than 100 people
	Unintelligible Flag = "unintelligible" // strong protection, and the key is safe
	KeyCompromised Flag = "key_compromised"
	PeopleUnknown  Flag = "people_unknown"
)

// allowed lists the values of a table, for people.
func allowed(values []Quarters) string {
	texts := make([]string, len(values))
	for i, v := range slices.Sorted(slices.Values(values)) {
		texts[i] = v.String()
	}
	return strings.Join(texts, ", ")
}
