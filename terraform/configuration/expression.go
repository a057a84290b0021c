package configuration

import (
	"slices"
	"strings"
)

// Reference is what an expression refers to: google_pubsub_topic.dead[0].id has the root google_pubsub_topic and three steps.
type Reference struct {
	Root  string
	Steps []Step
}

// Step is one step of a reference: a name after a dot, or an index as written. A splat is the index *.
type Step struct{ Name, Index string }

// roots are what references begin with, beside types of resources.
var roots = []string{"var", "local", "each", "count", "module"}

// References are all an expression refers to, in the order of the text, those in strings and in indexes included. Names that
// the expression binds itself, as those of a for, are none.
func References(expression string) []Reference {
	var all []Reference
	visit(expression, func(r Reference, _, _ int) { all = append(all, r) })
	return all
}

// Single is the reference that an expression is, where it is nothing but one.
func Single(expression string) (Reference, bool) {
	text := strings.TrimSpace(expression)
	var found Reference
	whole := false
	visit(text, func(r Reference, start, end int) {
		if start == 0 && end == len(text) {
			found, whole = r, true
		}
	})
	return found, whole
}

// visit goes over the references of an expression, with the places where each begins and ends; those inside strings and indexes
// have none.
func visit(text string, found func(r Reference, start, end int)) {
	inner := func(part string) { visit(part, func(r Reference, _, _ int) { found(r, -1, -1) }) }
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			end, err := quoted(text, i)
			if err != nil {
				return
			}
			templates(text[i+1:end-1], inner)
			i = end
		case strings.HasPrefix(text[i:], "<<"):
			end, err := heredoc(text, i)
			if err != nil {
				return
			}
			templates(text[i:end], inner)
			i = end
		case letter(c):
			start := i
			for i < len(text) && letter(text[i]) {
				i++
			}
			root := text[start:i]
			bound := start > 0 && text[start-1] == '.'
			if bound || !slices.Contains(roots, root) && !strings.HasPrefix(root, "google_") {
				continue
			}
			steps, end := walk(text, i, inner)
			if i = end; len(steps) > 0 {
				found(Reference{root, steps}, start, end)
			}
		default:
			i++
		}
	}
}

// walk reads the steps after a root.
func walk(text string, i int, inner func(string)) ([]Step, int) {
	var steps []Step
	for i < len(text) {
		switch {
		case text[i] == '.' && i+1 < len(text) && (letter(text[i+1]) || text[i+1] == '*'):
			start := i + 1
			for i = start; i < len(text) && (letter(text[i]) || text[i] == '*'); {
				i++
			}
			if name := text[start:i]; name == "*" {
				steps = append(steps, Step{Index: name})
			} else {
				steps = append(steps, Step{Name: name})
			}
		case text[i] == '[':
			end, err := closing(text, i+1)
			if err != nil {
				return steps, len(text)
			}
			index := strings.TrimSpace(text[i+1 : end])
			inner(index)
			steps, i = append(steps, Step{Index: index}), end+1
		default:
			return steps, i
		}
	}
	return steps, i
}

// templates visits each expression inside the text of a string.
func templates(text string, visit func(string)) {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case escaped(text, i):
			i += 2
		case opens(text, i):
			end, err := closing(text, i+2)
			if err != nil {
				return
			}
			visit(text[i+2 : end])
			i = end
		}
	}
}

// Entry is one entry of an object as written.
type Entry struct{ Key, Value string }

// Object are the entries of an expression that is an object written out, and not one that a for makes.
func Object(expression string) ([]Entry, bool) {
	text := strings.TrimSpace(expression)
	if !strings.HasPrefix(text, "{") || !strings.HasSuffix(text, "}") {
		return nil, false
	}
	inside := strings.TrimSpace(text[1 : len(text)-1])
	if word, _, _ := strings.Cut(inside, " "); word == "for" {
		return nil, false
	}
	var entries []Entry
	for _, part := range split(inside, ",\n") {
		key, value, found := cutKey(part)
		if !found {
			return nil, false
		}
		entries = append(entries, Entry{Unquote(strings.Trim(key, "() ")), value})
	}
	return entries, true
}

// cutKey cuts an entry at the sign between key and value.
func cutKey(part string) (key, value string, found bool) {
	at := 0
	if strings.HasPrefix(part, `"`) {
		end, err := quoted(part, 0)
		if err != nil {
			return "", "", false
		}
		at = end
	}
	i := strings.IndexAny(part[at:], "=:")
	if i < 0 {
		return "", "", false
	}
	return strings.TrimSpace(part[:at+i]), strings.TrimSpace(part[at+i+1:]), true
}

// Call are the arguments of an expression that is one call of a function.
func Call(expression, function string) ([]string, bool) {
	text := strings.TrimSpace(expression)
	if !strings.HasPrefix(text, function+"(") {
		return nil, false
	}
	end, err := closing(text, len(function)+1)
	if err != nil || end != len(text)-1 {
		return nil, false
	}
	return split(text[len(function)+1:end], ","), true
}

// split cuts an expression at separators that stand in no bracket and no string. Empty parts are left out.
func split(text, separators string) []string {
	var parts []string
	start, depth := 0, 0
	add := func(end int) {
		if part := strings.TrimSpace(text[start:end]); part != "" {
			parts = append(parts, part)
		}
		start = end + 1
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			end, err := quoted(text, i)
			if err != nil {
				return nil
			}
			i = end - 1
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case depth == 0 && strings.IndexByte(separators, c) >= 0:
			add(i)
		}
	}
	add(len(text))
	return parts
}
