package run

import (
	"context"
	"strings"

	"ostiary.internal/shared/erasure/datamap"
)

// Known returns the identifiers of a request with those that records told when they were looked up, for whoever has to be told
// of the person by one of them.
func (e *Engine) Known(ctx context.Context, request string, given []datamap.Identifier) ([]datamap.Identifier, error) {
	k, _, _, err := e.recall(ctx, Job{Request: request}, request)
	return union(k.IDs, given), err
}

// EntryOf is the entry of a step: behind a dot stands the kind of its second and later ways of recognising.
func EntryOf(step string) string {
	entry, _, _ := strings.Cut(step, ".")
	return entry
}
