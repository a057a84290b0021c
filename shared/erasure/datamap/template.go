package datamap

import (
	"errors"
	"slices"
	"strings"
)

// template is text with names in braces, each to be replaced by one value: "tenants/{tenant}/users".
type template []part

// part is text, or a name to be replaced.
type part struct {
	text string
	name bool
}

// Names in templates of places and selectors, beside identifiers, and of stores.
const (
	tenantName  = "tenant"  // the tenant's id
	projectName = "project" // that of the one live environment
	regionName  = "region"  // of the tenant's data
	accountName = "account" // "read" for who plans and verifies, "erase" for who erases
)

const (
	readAccount  = "read"
	eraseAccount = "erase"
)

var storeNames = []string{projectName, regionName, accountName}

// parse reads a template. A brace that opens or closes nothing is an error, and so is an empty name.
func parse(text string) (template, error) {
	var t template
	for text != "" {
		open := strings.IndexAny(text, "{}")
		if open < 0 {
			return append(t, part{text: text}), nil
		}
		if open > 0 {
			t = append(t, part{text: text[:open]})
		}
		end := strings.IndexByte(text, '}')
		if text[open] == '}' || end < 0 || !kindForm.MatchString(text[open+1:end]) {
			return nil, errors.New("braces hold no name")
		}
		t = append(t, part{text: text[open+1 : end], name: true})
		text = text[end+1:]
	}
	return t, nil
}

// names returns the names of a template in their order; one that stands twice is there twice.
func (t template) names() []string {
	var names []string
	for _, p := range t {
		if p.name {
			names = append(names, p.text)
		}
	}
	return names
}

// alone reports whether a name stands between separators, so that no value of it can be part of another's.
func (t template) alone(name, separator string) bool {
	for i, p := range t {
		if !p.name || p.text != name {
			continue
		}
		opens := i == 0 || !t[i-1].name && strings.HasSuffix(t[i-1].text, separator)
		closes := i == len(t)-1 || !t[i+1].name && strings.HasPrefix(t[i+1].text, separator)
		if !opens || !closes {
			return false
		}
	}
	return slices.Contains(t.names(), name)
}

// fill replaces the names. What a value holds is never taken for a name.
func (t template) fill(values map[string]string) string {
	var b strings.Builder
	for _, p := range t {
		if p.name {
			b.WriteString(values[p.text])
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// expand fills text known to be a template.
func expand(text string, values map[string]string) string {
	t, err := parse(text)
	if err != nil {
		return text // refused when the map was read
	}
	return t.fill(values)
}
