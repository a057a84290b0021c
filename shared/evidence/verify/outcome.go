package verify

import "slices"

// Outcome is what a bundle is found to be.
type Outcome string

const (
	Good        Outcome = "good"
	Tampered    Outcome = "tampered"     // bytes are not those that were signed
	Incomplete  Outcome = "incomplete"   // something that was signed is missing
	Untrusted   Outcome = "untrusted"    // no trusted key has signed; with Strict: no witness
	Malformed   Outcome = "malformed"    // the bundle, or a leaf as it was signed, cannot be read in one way
	PageDiffers Outcome = "page-differs" // the records do not lead to the page
)

// exits are the outcomes by exit code.
var exits = []Outcome{Good, Tampered, Incomplete, Untrusted, Malformed, PageDiffers}

// Exit is the exit code of a command that found this outcome: 0 good, 1 tampered, 2 incomplete, 3 untrusted, 4
// malformed, 5 the page differs.
func (o Outcome) Exit() int { return slices.Index(exits, o) }

// gravity orders outcomes where a bundle has several faults. The graver one hides the other: what was tampered with may
// look incomplete for that reason.
var gravity = []Outcome{Tampered, Malformed, Incomplete, PageDiffers, Untrusted, Good}

func graver(a, b Outcome) Outcome {
	if slices.Index(gravity, b) < slices.Index(gravity, a) {
		return b
	}
	return a
}

// Failure is one thing that is wrong with a bundle.
type Failure struct {
	Outcome Outcome `json:"outcome"`
	Code    Code    `json:"code"`
	Where   string  `json:"where,omitempty"` // a file of the bundle, a record's index, a control
	Why     string  `json:"why,omitempty"`   // what the reader stumbled over, in English; never a value out of a record
}

// Error returns the English line.
func (f *Failure) Error() string { return f.Text("en") }

func failure(code Code, where string, why error) Failure {
	f := Failure{Outcome: codes[code].outcome, Code: code, Where: where}
	if why != nil {
		f.Why = why.Error()
	}
	return f
}
