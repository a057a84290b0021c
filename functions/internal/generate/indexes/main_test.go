package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/every"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/store"
)

func function(t *testing.T, schema store.Schema) wiring.Function {
	t.Helper()
	data, err := os.ReadFile("../../../access/admit/function.json")
	if err != nil {
		t.Fatal(err)
	}
	return wiring.Function{Manifest: data, Schema: schema}
}

func TestCollections(t *testing.T) {
	t.Parallel()
	schema := store.Schema{{Name: "b", Indexes: []store.Index{{"y"}, {"x", "until"}}}, {Name: "a", Expires: true}}
	got, err := collections([]wiring.Function{function(t, schema[:1]), function(t, nil), function(t, store.Schema{schema[1], schema[0]})})
	if err != nil || fmt.Sprint(got) != "map[access:[{a true []} {b false [[x until] [y]]}]]" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := collections([]wiring.Function{function(t, schema), function(t, store.Schema{{Name: "b"}})}); err == nil || !strings.Contains(err.Error(), "admit") {
		t.Errorf("functions of one control that disagree: %v", err)
	}
	if _, err := collections([]wiring.Function{{Manifest: []byte("{")}}); err == nil {
		t.Error("an unreadable manifest passed")
	}
}

// TestEverything: every function of the tree is among those described.
func TestEverything(t *testing.T) {
	t.Parallel()
	all, err := manifest.All(os.DirFS("../../../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(every.Functions) {
		t.Errorf("%d functions are described, there are %d: run make generate", len(every.Functions), len(all))
	}
}

// TestApart: what lies in a database of its own is described for the functions that may open it.
func TestApart(t *testing.T) {
	t.Parallel()
	got, err := collections(every.Functions)
	if err != nil {
		t.Fatal(err)
	}
	for _, database := range []string{"ledger", "vault", "watchdog"} {
		if len(got[database]) == 0 {
			t.Errorf("of the database %s no collection is described", database)
		}
	}
}
