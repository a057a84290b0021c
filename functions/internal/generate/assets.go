package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/policy/dir"
)

// unfed are types of which a feed tells nothing: of those below a name before a slash, or of one. It would refuse them.
var unfed = []string{"osconfig.googleapis.com/", "recommender.googleapis.com/"}

// Assets are the types of assets that have to be told of when they change, for the assertions of a policy folder, for the comparison
// with Terraform and for the look at the controls themselves, as JSON.
func Assets(folder string) ([]byte, error) {
	p, err := policy.Open(context.Background(), dir.URL(folder))
	if err != nil {
		return nil, err
	}
	set, wrong := baseline.Load(p)
	if err := policy.Refuse(wrong); err != nil {
		return nil, err
	}
	var all []string
	for _, kind := range slices.Concat(set.Promised().Types(), diff.Types(), self.Types()) {
		service, _, _ := strings.Cut(kind, "/")
		if strings.HasSuffix(service, ".googleapis.com") && !slices.ContainsFunc(unfed, func(begin string) bool { return strings.HasPrefix(kind, begin) }) {
			all = append(all, kind)
		}
	}
	slices.Sort(all)
	text, err := json.MarshalIndent(slices.Compact(all), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("listing types of assets: %w", err)
	}
	return append(text, '\n'), nil
}
