package baseline

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/policy"
)

//go:embed types.txt
var typesText string

// knownTypes are the types of assets of types.txt.
func knownTypes() (all []string) {
	for line := range strings.Lines(typesText) {
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(line, "#") {
			for _, name := range words[1:] {
				all = append(all, words[0]+"/"+name)
			}
		}
	}
	return all
}

// Remarks tells what assertions say that is allowed and most likely not meant: a type of asset that nobody knows, and a blank in the
// command that repairs which nothing fills.
func Remarks(p *policy.Policy) []policy.Problem {
	s, _ := Load(p)
	var remarks []policy.Problem
	known := knownTypes()
	kind := func(file, key, name string) {
		if !slices.Contains(known, name) {
			remarks = append(remarks, p.Remark(file, key, fmt.Sprintf("%.80q is no type of asset that is known here", name)+policy.Meant(name, known),
				"a type of https://cloud.google.com/asset-inventory/docs/asset-types: nothing is found of any other"))
		}
	}
	for _, c := range s.all {
		for i, one := range c.Asset {
			kind(c.File, fmt.Sprintf("asset[%d]", i), one)
		}
		for _, one := range c.needs {
			kind(c.File, "assert", one)
		}
		filled := append([]string{"name", "project", "location"}, slices.Sorted(maps.Keys(c.Params))...)
		for _, found := range blank.FindAllStringSubmatch(c.Repair, -1) {
			if !slices.Contains(filled, found[1]) {
				remarks = append(remarks, p.Remark(c.File, "repair", fmt.Sprintf("nothing fills %s%s, so it is shown as %s", found[0], policy.Meant(found[1], filled), strings.ToUpper(found[1])),
					"{"+strings.Join(filled, "}, {")+"}"))
			}
		}
	}
	return policy.Sort(remarks)
}
