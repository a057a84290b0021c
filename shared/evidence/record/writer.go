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
	for i, kind := range s.Kinds {
		if !slices.Contains(kinds, kind) || slices.Contains(s.Kinds[:i], kind) {
			return fault.New(fault.Invalid, "scope of a writer: the kind %q does not exist, or is there twice", kind)
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

// Allow reports whether a writer may put a record on record.
func (w Writers) Allow(writer string, r Record) bool {
	s, known := w[writer]
	if !known || !slices.Contains(s.Kinds, r.Kind) {
		return false
	}
	if slices.Contains(s.Controls, r.Control) {
		return true
	}
	for _, other := range w {
		if slices.Contains(other.Controls, r.Control) {
			return false
		}
	}
	return slices.Contains(s.Controls, Others)
}
