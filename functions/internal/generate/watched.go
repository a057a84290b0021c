package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/episode"
	"ostiary.internal/shared/watch/rule"
)

// Watched is what a log sink has to let through for the rules of a policy folder, as JSON. One that is too long for a
// sink is an error: Terraform adds little to it.
func Watched(folder string) ([]byte, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("finding the policy folder: %w", err)
	}
	p, problems, err := policy.Load(os.DirFS(filepath.Dir(absolute)), filepath.Base(absolute))
	if err != nil {
		return nil, err
	}
	set, wrong := rule.Load(p)
	mappings, more := rule.Mappings(p)
	// What another control's file lacks is no matter of the sink.
	problems = slices.DeleteFunc(problems, func(p policy.Problem) bool { return p.Dangling })
	if err := policy.Refuse(slices.Concat(problems, wrong, more)); err != nil {
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
