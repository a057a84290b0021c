package baseline

import (
	"fmt"
	"regexp"
	"strings"

	"ostiary.internal/shared/drift/asset"
)

var blank = regexp.MustCompile(`\{(\w+)\}`)

// Repair is the command that would put an asset in order by an assertion as a promise wants it ("" for the defaults), with what
// is known of the asset filled in; "" where the assertion names none, or it is about the company. What is not known keeps
// its name, in capitals.
func (s *Set) Repair(assertion, promise, key string) string {
	a, _ := s.Get(assertion)
	if a.Repair == "" || key == "" {
		return ""
	}
	known := map[string]string{"name": asset.Base(key)}
	project := asset.ProjectOf(key)
	if project != "" {
		known["project"] = project
	}
	for _, part := range []string{"locations", "regions", "zones"} {
		if _, rest, found := strings.Cut(key, "/"+part+"/"); found {
			known["location"], _, _ = strings.Cut(rest, "/")
		}
	}
	for name, value := range s.params(assertion, promise) {
		known[name] = fmt.Sprint(value)
	}
	command := blank.ReplaceAllStringFunc(a.Repair, func(name string) string {
		name = strings.Trim(name, "{}")
		if value, is := known[name]; is {
			return Quoted(value)
		}
		return strings.ToUpper(name)
	})
	if project != "" && !strings.Contains(a.Repair, "--project") {
		command += " --project=" + Quoted(project)
	}
	return command
}

// params are the parameters of an assertion as a promise wants it.
func (s *Set) params(assertion, promise string) map[string]any {
	for _, c := range s.all {
		for _, v := range c.versions {
			if c.Name == assertion && v.promise == promise {
				return v.params
			}
		}
	}
	return nil
}

// Quoted is a word as a shell reads it: somebody else chose what an asset is called.
func Quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:/@=+", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
