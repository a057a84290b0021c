package local

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/erasure"
)

// finds reports whether a document is such as the query looks for, and no other search.
func finds(q erasure.Query, name string, d document) bool {
	return recognises(q, q.Match, name, d) && !slices.ContainsFunc(q.Not, func(m erasure.Match) bool { return recognises(q, m, name, d) })
}

// recognises reports whether a document is such as a match recognises.
func recognises(q erasure.Query, m erasure.Match, name string, d document) bool {
	value, _ := erasure.At(d.Fields, m.Field)
	in := func(v any) bool {
		id, is := text(v)
		return is && m.Is(id)
	}
	switch m.Kind {
	case erasure.MatchRef:
		return slices.Contains(m.Values, reference(q, name))
	case erasure.MatchDocument:
		return slices.Contains(m.Values, name)
	case erasure.MatchPrefix:
		return slices.ContainsFunc(m.Values, func(v string) bool { return strings.HasPrefix(name, v) })
	case erasure.MatchEquals, erasure.MatchMetadata:
		return in(value)
	case erasure.MatchContains:
		list, _ := value.([]any)
		return slices.ContainsFunc(list, in)
	case erasure.MatchMapKey:
		keys, _ := value.(map[string]any)
		return slices.ContainsFunc(slices.Collect(maps.Keys(keys)), m.Is)
	}
	return tenant(q, d) == q.Tenant.ID
}
