package main

import (
	"fmt"
	"testing"

	"ostiary.internal/shared/platform/store"
)

func TestCollections(t *testing.T) {
	t.Parallel()
	got := collections(map[string]store.Schema{"access": {{Name: "b", Indexes: []store.Index{{"y"}, {"x", "until"}}}, {Name: "a", Expires: true}}})
	if fmt.Sprint(got) != "map[access:[{a true []} {b false [[x until] [y]]}]]" {
		t.Errorf("%v", got)
	}
}
