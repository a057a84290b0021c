package diff

import (
	"slices"
	"strings"

	"ostiary.internal/shared/platform/veil"
)

// shown writes a value of a field so that nothing is told that may be secret, and that another value stays another one; nil: it is told as
// it is. What Terraform calls sensitive is a mark, and so is what package veil knows by what the service calls it.
func (c *comparison) shown(r Resource, f field) func(string) string {
	v, path := veil.Veil{Salt: c.o.Salt}, f.paths()[0]
	switch {
	case r.secret(f.want):
		return v.Mark
	case veil.Sensitive(path):
		return func(value string) string { return entries(v, path, value) }
	case f.address:
		return func(value string) string {
			if !strings.Contains(value, "://") {
				return v.Mark(value)
			}
			return v.Address(value)
		}
	}
	return nil
}

// entries leaves of each line what it is called. A variable of a container is written as an object with its name first.
func entries(v veil.Veil, path, lines string) string {
	all := strings.Split(lines, "\n")
	for i, line := range all {
		if rest, is := strings.CutPrefix(line, "name="); is && path == container+"env" {
			name, value, _ := strings.Cut(rest, " ")
			all[i] = strings.TrimSpace(name + " " + v.Mark(value))
			continue
		}
		all[i] = v.Line(path, line)
	}
	return strings.Join(all, "\n")
}

// paths are where the service writes a field.
func (f field) paths() []string { return strings.Split(f.got, "|") }

// secret reports whether a field's value may not be seen: its path, or several with "|" between.
func (r Resource) secret(field string) bool {
	return slices.ContainsFunc(strings.Split(field, "|"), func(f string) bool {
		return slices.ContainsFunc(r.Sensitive, func(p string) bool {
			return p == f || strings.HasPrefix(f, p+".") || strings.HasPrefix(p, f+".")
		})
	})
}

// Secrets are the paths, with dots and through lists without a number, of what Terraform calls sensitive of a resource: as its provider
// writes them, and as the service does where a field is compared.
func (r Resource) Secrets() []string {
	all := slices.Clone(r.Sensitive)
	for _, f := range kinds[r.Type].fields {
		if r.secret(f.want) {
			all = append(all, f.paths()...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
