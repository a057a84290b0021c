package erasure

import (
	"slices"
	"strings"
	"time"
)

// Of returns what stands in a field after the change, and whether the field goes altogether. A field that is absent is
// for no change to fill, so a store does not ask for it; one that is nil stays nil. old is text, a time.Time or
// anything else the store keeps; a date that cannot be read as one becomes "", for nothing of it may stay.
func (c Change) Of(old any) (value any, gone bool) {
	switch {
	case c.Kind == ChangeDelete || c.Kind == ChangeAggregate:
		return nil, true
	case old == nil || c.Kind == ChangeDetach:
		return nil, false
	case c.Kind == ChangeSet:
		return c.Value, false
	case c.To == ToMap:
		text, _ := old.(string)
		return c.coarser(text), false
	}
	switch v := old.(type) {
	case time.Time:
		return c.first(v), false
	case string:
		for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
			if t, err := time.Parse(layout, v); err == nil {
				return c.first(t).Format(layout), false
			}
		}
	}
	return "", false
}

// coarser is idempotent: what it returned before stays.
func (c Change) coarser(text string) string {
	if to, known := c.Coarser[text]; known {
		return to
	}
	for _, to := range c.Coarser {
		if to == text {
			return to
		}
	}
	return ""
}

func (c Change) first(t time.Time) time.Time {
	month := t.Month()
	if c.To == ToYear {
		month = time.January
	}
	return time.Date(t.Year(), month, 1, 0, 0, 0, 0, t.Location())
}

// Moment reads the value of Query.CreatedField: a time.Time, RFC 3339 text, a date, or microseconds since 1970. Zero
// where it cannot be told.
func Moment(value any) time.Time {
	switch v := value.(type) {
	case time.Time:
		return v.UTC()
	case int64:
		return time.UnixMicro(v).UTC()
	case string:
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
			if t, err := time.Parse(layout, v); err == nil {
				return t.UTC()
			}
		}
	}
	return time.Time{}
}

// At returns what stands at a dotted path of a document.
func At(document map[string]any, path string) (value any, found bool) {
	first, rest, deeper := strings.Cut(path, ".")
	value, found = document[first]
	if !deeper || !found {
		return value, found
	}
	inner, isMap := value.(map[string]any)
	if !isMap {
		return nil, false
	}
	return At(inner, rest)
}

// TakesOut reports that erasing does not delete the item but takes the subject out of a list or a map in it.
func (q Query) TakesOut() bool {
	return q.Action == ActionDelete && (q.Match.Kind == MatchContains || q.Match.Kind == MatchMapKey)
}

// Before reports whether an item made at created belongs to the query.
func (q Query) Before(created time.Time) bool {
	return q.CreatedBefore.IsZero() || created.IsZero() || created.Before(q.CreatedBefore)
}

// Told is what stands in a field once the changes are made, by the text that Show has of it now: dates are written in one way.
// told is false where the text does not tell, as there is none, or no date that can be read.
func (q Query) Told(field, text string) (value string, told bool) {
	told = text != ""
	if at := slices.IndexFunc(q.Changes, func(c Change) bool { return c.Field == field }); at >= 0 && told {
		c := q.Changes[at]
		made, _ := c.Of(text)
		text, _ = made.(string)
		told = c.Kind != ChangeGeneralise || c.To == ToMap || text != ""
	}
	if at := Moment(text); !at.IsZero() {
		text = at.Format(time.RFC3339Nano)
	}
	return text, told
}
