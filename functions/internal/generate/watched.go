package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/policy/dir"
	"ostiary.internal/shared/watch/episode"
	"ostiary.internal/shared/watch/rule"
)

// Watched is what a log sink has to let through for the rules of a policy folder, as JSON. One that is too long for a
// sink is an error: Terraform adds little to it.
func Watched(folder string) ([]byte, error) {
	p, err := policy.Open(context.Background(), dir.URL(folder))
	if err != nil {
		return nil, err
	}
	set, wrong := rule.Load(p)
	mappings, more := rule.Mappings(p)
	if err := policy.Refuse(slices.Concat(wrong, more)); err != nil {
		return nil, err
	}
	f := set.Filter(mappings, episode.Derived()...)
	size := len(f.Audit)
	for _, part := range f.DataAccess {
		size += len(part)
	}
	if size > rule.MaxFilter*9/10 {
		return nil, fmt.Errorf("the filter of the log sink has %d characters, and a sink takes %d: name fewer methods, or whole services", size, rule.MaxFilter)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(f); err != nil {
		return nil, fmt.Errorf("writing the filter: %w", err)
	}
	return b.Bytes(), nil
}
