package every

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/store"
)

func function(t *testing.T, schema store.Schema) wiring.Function {
	t.Helper()
	data, err := os.ReadFile("../../access/admit/function.json")
	if err != nil {
		t.Fatal(err)
	}
	return wiring.Function{Manifest: data, Schema: schema}
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	schema := store.Schema{{Name: "b", Indexes: []store.Index{{"y"}, {"x", "until"}}}, {Name: "a", Expires: true}}
	again := store.Schema{{Name: "b", Indexes: []store.Index{{"x", "until"}, {"y"}}}} // the same in another order
	got, err := Schemas([]wiring.Function{function(t, schema[:1]), function(t, nil), function(t, schema), function(t, again)})
	if err != nil || !reflect.DeepEqual(got, map[string]store.Schema{"access": schema}) {
		t.Errorf("%v, %v", got, err)
	}
	for name, other := range map[string]store.Collection{
		"other indexes": {Name: "b"}, "an index more": {Name: "b", Indexes: []store.Index{{"y"}, {"x", "until"}, {"z"}}}, "an end": {Name: "a"},
	} {
		if _, err := Schemas([]wiring.Function{function(t, schema), function(t, store.Schema{other})}); err == nil || !strings.Contains(err.Error(), "admit") {
			t.Errorf("functions of one control that disagree, %s: %v", name, err)
		}
	}
	if _, err := Schemas([]wiring.Function{{Manifest: []byte("{")}}); err == nil {
		t.Error("an unreadable manifest passed")
	}
}

// TestEverything: every function of the tree is among those listed.
func TestEverything(t *testing.T) {
	t.Parallel()
	all, err := manifest.All(os.DirFS("../../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(Functions) {
		t.Errorf("%d functions are listed, there are %d: run make generate", len(Functions), len(all))
	}
}

// TestApart: what lies in a database of its own is listed for the functions that may open it.
func TestApart(t *testing.T) {
	t.Parallel()
	got, err := Schemas(Functions)
	if err != nil {
		t.Fatal(err)
	}
	for _, database := range []string{"ledger", "vault", "watchdog"} {
		if len(got[database]) == 0 {
			t.Errorf("of the database %s no collection is listed", database)
		}
	}
}
