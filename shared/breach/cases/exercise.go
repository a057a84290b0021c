package cases

import (
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message/letters"
)

// Marks begin everything that is said in an exercise.
var marks = map[string]string{"en": "EXERCISE: ", "fr": "EXERCICE : ", "de": "ÜBUNG: "}

// Mark begins the subject of everything that is written in an exercise; "" for a language there are no texts in.
func Mark(language string) string { return marks[language] }

// Marked is a text of an exercise, which begins with its mark whoever wrote it.
func Marked(text, language string) string {
	if mark := Mark(language); !strings.HasPrefix(text, strings.TrimSpace(mark)) {
		return mark + text
	}
	return text
}

// CheckMarks refuses a company's own texts whose subject has no place for the mark of an exercise, of those that can be about
// one: Misconfigured names them.
func CheckMarks(spec letters.Spec, read func(name string) ([]byte, bool)) error {
	var wrong []string
	if read == nil {
		return nil
	}
	for _, language := range letters.Languages() {
		for _, kind := range spec.Kinds() {
			name := spec.Name(kind, language)
			if !slices.Contains(spec.Common, "exercise") && !slices.Contains(spec.Needs[kind], "exercise") {
				continue
			}
			own, found := read(name)
			if subject, _, _ := strings.Cut(string(own), "\n"); found && !strings.Contains(subject, "{exercise}") {
				wrong = append(wrong, name+":1: the subject leaves out {exercise}")
			}
		}
	}
	if len(wrong) > 0 {
		return fault.New(fault.Misconfigured, "reading the texts: %s", strings.Join(wrong, "; "))
	}
	return nil
}
