package diff

import (
	"slices"
	"strings"
)

// ofContainers writes a field of several containers, each below its name: which came first means nothing. Of one alone it says the
// field is written as if there were no list; of one of several that has no name, or the name of another, that nobody can tell.
func ofContainers(from map[string]any, path string, is canon) (written string, several bool, err error) {
	field, inside := strings.CutPrefix(path, container)
	if !inside {
		return "", false, nil
	}
	v, err := at(from, strings.TrimSuffix(container, "."))
	all, list := v.([]any)
	if err != nil || !list || len(all) < 2 {
		return "", false, nil
	}
	var lines, names []string
	for _, one := range all {
		name, err := at(one, "name")
		if err != nil {
			return "", true, err
		}
		called, named := name.(string)
		inner, err := at(one, field)
		if err != nil || !named || called == "" || slices.Contains(names, called) {
			return "", true, errShape
		}
		s, err := is(inner)
		if err != nil {
			return "", true, err
		}
		names = append(names, called)
		for _, line := range strings.Split(s, "\n") {
			if line != "" {
				lines = append(lines, called+": "+line)
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b string) int {
		of := func(s string) string { name, _, _ := strings.Cut(s, ": "); return name }
		return strings.Compare(of(a), of(b))
	})
	return strings.Join(lines, "\n"), true, nil
}
