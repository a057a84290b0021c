package main_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// claim is one thing a status line says of the answer: PATH=VALUE, PATH!=VALUE, PATH~REGEXP, PATH! (absent),
// PATH (present), PATH->NAME (keep it as $NAME); Header:part. A path is names and numbers joined by dots, "*" for
// any element and "len" for their number; an empty one is the whole body as text.
var claim = regexp.MustCompile(`^([a-z_0-9.*]*)(?:(->|!=|=|~|!)((?s).*))?$`)

// expect looks at the last answer.
func (s *session) expect(ts *testscript.TestScript, status int, args []string) error {
	if !s.unseen && s.asked == "" {
		return fmt.Errorf("nothing was asked")
	}
	s.unseen = false
	if s.answer.status != status {
		return fmt.Errorf("%s answered %s", s.asked, s.answer)
	}
	for _, arg := range args {
		if name, part, ok := strings.Cut(arg, ":"); ok && name != "" && name[0] >= 'A' && name[0] <= 'Z' {
			if have := s.answer.header.Get(name); !strings.Contains(have, part) {
				return fmt.Errorf("%s answered with %s: %s", s.asked, name, have)
			}
			continue
		}
		found := claim.FindStringSubmatch(arg)
		if found == nil {
			return fmt.Errorf("%q says nothing of an answer", arg)
		}
		values := s.answer.find(found[1])
		if found[2] == "->" && len(values) > 0 {
			ts.Setenv(found[3], values[0])
			continue
		}
		if !holds(values, found[2], found[3]) {
			return fmt.Errorf("%s answered %s\nbut not %s: there is %q", s.asked, s.answer, arg, values)
		}
	}
	return nil
}

func holds(values []string, operator, want string) bool {
	switch operator {
	case "":
		return len(values) > 0
	case "!":
		return len(values) == 0
	case "!=":
		return !slices.Contains(values, want)
	case "~":
		return slices.ContainsFunc(values, regexp.MustCompile(want).MatchString)
	}
	return slices.Contains(values, want)
}

// find returns all values at a path, as texts.
func (a answer) find(path string) []string {
	if path == "" {
		return []string{string(a.body)}
	}
	found := []any{a.value}
	for name := range strings.SplitSeq(path, ".") {
		var next []any
		for _, value := range found {
			next = append(next, below(value, name)...)
		}
		found = next
	}
	var texts []string
	for _, value := range found {
		if text, ok := value.(string); ok {
			texts = append(texts, text)
			continue
		}
		data, _ := json.Marshal(value)
		texts = append(texts, string(data))
	}
	return texts
}

// below is what a value holds under a name.
func below(value any, name string) []any {
	switch value := value.(type) {
	case map[string]any:
		if member, ok := value[name]; ok {
			return []any{member}
		}
	case []any:
		switch at, err := strconv.Atoi(name); {
		case name == "*":
			return value
		case name == "len":
			return []any{len(value)}
		case err == nil && at < len(value):
			return []any{value[at]}
		}
	}
	return nil
}
