package log

import (
	"log/slog"
	"slices"
)

// Labels is an attribute that becomes the labels of the log entry itself, by which sinks and filters find it. It counts
// outside of groups only; of several the last one.
type Labels map[string]string

// LabelsOf returns the labels a record carries, or nil.
func LabelsOf(r slog.Record) Labels {
	var found Labels
	r.Attrs(func(a slog.Attr) bool {
		if labels, ok := a.Value.Any().(Labels); ok {
			found = labels
		}
		return true
	})
	return found
}

// labelled splits the labels from other attributes.
func labelled(attrs []slog.Attr) ([]slog.Attr, Labels) {
	var found Labels
	rest := slices.DeleteFunc(slices.Clone(attrs), func(a slog.Attr) bool {
		labels, ok := a.Value.Any().(Labels)
		if ok {
			found = labels
		}
		return ok
	})
	return rest, found
}
