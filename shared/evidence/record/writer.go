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

// Scope is what one writer may put on record.
type Scope struct {
	Controls map[string][]Kind `json:"controls,omitempty"` // the kinds it may write about each of these
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

// Check returns what is wrong with a scope, Invalid: nothing in it, a control that is no word, no kind for one, a kind that
// does not exist, or is there twice.
func (s Scope) Check() error {
	if len(s.Controls)+len(s.Bound) == 0 {
		return fault.New(fault.Invalid, "scope of a writer: there is nothing in it")
	}
	for _, part := range []map[string][]Kind{s.Controls, s.Bound} {
		for _, name := range slices.Sorted(maps.Keys(part)) {
			if name != Others && !isWord(name) || len(part[name]) == 0 {
				return fault.New(fault.Invalid, "scope of a writer: %q is malformed, or without kinds", name)
			}
			for i, kind := range part[name] {
				if !slices.Contains(kinds, kind) || slices.Contains(part[name][:i], kind) {
					return fault.New(fault.Invalid, "scope of a writer: the kind %q does not exist, or is there twice", kind)
				}
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
// it binds, only those write whose mechanism it is, and only as that mechanism.
func (w Writers) Allow(writer string, r Record, bound Names) bool {
	s, known := w[writer]
	if !known {
		return false
	}
	if kinds, named := s.Controls[r.Control]; named {
		return slices.Contains(kinds, r.Kind)
	}
	for _, other := range w {
		if _, named := other.Controls[r.Control]; named {
			return false
		}
	}
	if slices.Contains(s.Controls[Others], r.Kind) {
		return true
	}
	free := !bound.bind(r.Control)
	for mechanism, kinds := range s.Bound {
		if slices.Contains(kinds, r.Kind) && r.counts(mechanism) && (free || slices.Contains(bound[mechanism], r.Control)) {
			return true
		}
	}
	return false
}

// counts reports whether a record is of a mechanism. A duty's steps are also those of the document it files.
func (r Record) counts(mechanism string) bool {
	of := r.Of()
	return of == mechanism || of == byDuty && mechanism == byCertificate
}
