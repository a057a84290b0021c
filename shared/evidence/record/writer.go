package record

import (
	"maps"
	"regexp"
	"slices"

	"ostiary.internal/shared/platform/fault"
)

var writerForm = regexp.MustCompile(`^[a-z][a-z0-9]{0,62}$`)

// CheckWriter tells whether a writer may have a name: up to 63 lower-case letters and digits, the first a letter.
// Otherwise Misconfigured. Every driver of an inbox calls it, so that nothing is handed in by nobody.
func CheckWriter(name string) error {
	if !writerForm.MatchString(name) {
		return fault.New(fault.Misconfigured, "evidence inbox: %q is not the name of a writer", name)
	}
	return nil
}

// Others among the controls of a scope stands for every control that no scope names.
const Others = "*"

// Scope is what one writer may put on record: any of the kinds, about any of the controls.
type Scope struct {
	Controls []string `json:"controls"`
	Kinds    []Kind   `json:"kinds"`
	// Bound are the kinds it may write about what a policy names and no scope does, by the mechanism that the name is
	// bound to, such as rule or duty.
	Bound map[string][]Kind `json:"bound,omitempty"`
}

// Names are the checks that a policy binds, by mechanism. What it binds to none keeps no promise.
type Names map[string][]string

// bind reports whether a name is bound to any mechanism.
func (n Names) bind(name string) bool {
	for _, names := range n {
		if slices.Contains(names, name) {
			return true
		}
	}
	return false
}

// Check returns what is wrong with a scope, Invalid: nothing in it, a control that is no word, a kind that does not
// exist, something twice.
func (s Scope) Check() error {
	if len(s.Controls) == 0 || len(s.Kinds) == 0 {
		return fault.New(fault.Invalid, "scope of a writer: controls or kinds are missing")
	}
	for i, control := range s.Controls {
		if control != Others && !isWord(control) || slices.Contains(s.Controls[:i], control) {
			return fault.New(fault.Invalid, "scope of a writer: the control %q is malformed, or there twice", control)
		}
	}
	for _, mechanism := range append(slices.Sorted(maps.Keys(s.Bound)), "") {
		listed := s.Kinds
		if mechanism != "" {
			listed = s.Bound[mechanism]
		}
		for i, kind := range listed {
			if !slices.Contains(kinds, kind) || slices.Contains(listed[:i], kind) {
				return fault.New(fault.Invalid, "scope of a writer: the kind %q does not exist, or is there twice", kind)
			}
		}
	}
	return nil
}

// Writers is the scope of every writer of an inbox, by its name.
type Writers map[string]Scope

// Check returns what is wrong with the first writer that has something wrong: Misconfigured, also when there is none.
func (w Writers) Check() error {
	if len(w) == 0 {
		return fault.New(fault.Misconfigured, "evidence inbox: nobody may write")
	}
	for _, name := range slices.Sorted(maps.Keys(w)) {
		if err := CheckWriter(name); err != nil {
			return err
		}
		if err := w[name].Check(); err != nil {
			return fault.New(fault.Misconfigured, "evidence inbox: writer %s: %w", name, err)
		}
	}
	return nil
}

// Allow reports whether a writer may put a record on record. bound are the names of the policy in force: about a name that
// it binds, only those write whose mechanism it is.
func (w Writers) Allow(writer string, r Record, bound Names) bool {
	s, known := w[writer]
	if !known {
		return false
	}
	if slices.Contains(s.Controls, r.Control) {
		return slices.Contains(s.Kinds, r.Kind)
	}
	for _, other := range w {
		if slices.Contains(other.Controls, r.Control) {
			return false
		}
	}
	if slices.Contains(s.Controls, Others) {
		return slices.Contains(s.Kinds, r.Kind)
	}
	free := !bound.bind(r.Control)
	for mechanism, kinds := range s.Bound {
		if slices.Contains(kinds, r.Kind) && (free || slices.Contains(bound[mechanism], r.Control)) {
			return true
		}
	}
	return false
}
