// Package letters fills texts that a program sends to people.
//
// It promises that a text which names an unknown variable, or leaves out one it must have, is refused when it is read, all
// of them at once; that nothing is ever written with a hole in it; and that no value adds a line or a link that the text
// does not have. A company's own text takes the place of the one that comes with a control. It sends nothing.
package letters

import (
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// Spec is what a control writes.
type Spec struct {
	Control string              // begins the names of a company's own texts: templates/en/CONTROL-KIND.txt
	Texts   fs.FS               // the control's own: texts/en/KIND.txt
	Needs   map[string][]string // by kind: the variables a text must hold
	Common  []string            // variables every text may hold
	// Whole are variables put in as they are: lines and addresses the control itself made. All others are made harmless.
	Whole []string
	// Optional are variables that may be empty.
	Optional []string
}

// Vars are the values of variables.
type Vars map[string]string

// Languages returns the languages there are texts in.
func Languages() []string { return []string{"en", "fr", "de"} }

// Set holds the texts of a Spec. It is safe for concurrent use.
type Set struct {
	spec  Spec
	texts map[string]text
}

type text struct{ subject, body string }

// Kinds returns all kinds, sorted.
func (s Spec) Kinds() []string { return slices.Sorted(maps.Keys(s.Needs)) }

// Name returns the name of a company's own text in its policy folder.
func (s Spec) Name(kind, language string) string {
	return "templates/" + language + "/" + s.Control + "-" + kind + ".txt"
}

// Read reads all texts: read returns a company's own by its Name, where it has one; it may be nil. Misconfigured names
// every text that cannot be used.
func Read(spec Spec, read func(name string) ([]byte, bool)) (*Set, error) {
	s, wrong := &Set{spec: spec, texts: map[string]text{}}, []string(nil)
	for _, language := range Languages() {
		for _, kind := range spec.Kinds() {
			name, data, found := spec.Name(kind, language), []byte(nil), false
			if read != nil {
				data, found = read(name)
			}
			if !found {
				name = "texts/" + language + "/" + kind + ".txt"
				data, _ = fs.ReadFile(spec.Texts, name)
			}
			t, why := spec.parse(kind, string(data))
			if why != "" {
				wrong = append(wrong, name+": "+why)
			}
			s.texts[language+"/"+kind] = t
		}
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Misconfigured, "reading the texts: %s", strings.Join(wrong, "; "))
	}
	return s, nil
}

var variable = regexp.MustCompile(`\{([^{}\n]*)\}`)

// parse reads a text and says why it cannot be used.
func (s Spec) parse(kind, data string) (t text, why string) {
	first, body, _ := strings.Cut(strings.ReplaceAll(data, "\r\n", "\n"), "\n")
	subject, is := strings.CutPrefix(first, "Subject: ")
	body = strings.TrimSpace(body)
	switch {
	case data == "":
		return t, "there is no text"
	case !is || strings.TrimSpace(subject) == "":
		return t, `the first line is not "Subject: ..."`
	case body == "":
		return t, "there is nothing below the subject"
	case len(subject) > message.MaxSubjectBytes/2 || len(body) > message.MaxTextBytes/4:
		return t, "it is too long"
	}
	whole := subject + "\n" + body
	allowed, seen := append(slices.Clone(s.Needs[kind]), s.Common...), map[string]bool{}
	for _, m := range variable.FindAllStringSubmatch(whole, -1) {
		if seen[m[1]] = true; !slices.Contains(allowed, m[1]) {
			return t, "it names the variable {" + m[1] + "}; there are {" + strings.Join(allowed, "}, {") + "}"
		}
	}
	if rest := variable.ReplaceAllString(whole, ""); strings.ContainsAny(rest, "{}") {
		return t, "a brace stands alone"
	}
	for _, name := range s.Needs[kind] {
		if !seen[name] {
			return t, "it leaves out {" + name + "}"
		}
	}
	return text{strings.TrimSpace(subject), body}, ""
}

// Write writes a text in a language. Misconfigured: no such text or language, or a variable of it has no value.
func (s *Set) Write(kind, language string, v Vars) (message.Content, error) {
	t, known := s.texts[language+"/"+kind]
	if !known {
		return message.Content{}, fault.New(fault.Misconfigured, "writing to somebody: no text for %s in %q", kind, language)
	}
	missing := ""
	fill := func(in string) string {
		return variable.ReplaceAllStringFunc(in, func(m string) string {
			name := m[1 : len(m)-1]
			value := v[name]
			if strings.TrimSpace(value) == "" && !slices.Contains(s.spec.Optional, name) {
				missing = name
			}
			if slices.Contains(s.spec.Whole, name) {
				return value
			}
			return Harmless(value)
		})
	}
	c := message.Content{Subject: fill(t.subject), Text: fill(t.body) + "\n"}
	if missing != "" {
		return message.Content{}, fault.New(fault.Misconfigured, "writing to somebody: %s has no value for {%s}", kind, missing)
	}
	return c, nil
}

// Harmless keeps a value from adding lines or a link.
func Harmless(value string) string {
	value = strings.ReplaceAll(value, "://", " ")
	return strings.Join(strings.Fields(message.Harmless(value, " -_'’()+#&,.:;/§")), " ")
}
