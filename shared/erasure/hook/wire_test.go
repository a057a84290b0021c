package hook

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/web/strictjson"
)

var update = flag.Bool("update", false, "write the examples anew")

var example = erasure.Query{
	Entry: "guests", Place: "guests", Tenant: erasure.Tenant{Binding: erasure.BindField, Field: "tenant_id", ID: "hotel-7"},
	Match:  erasure.Match{Kind: erasure.MatchEquals, Field: "email", Values: []string{"ana@customer.example"}, Fold: true},
	Not:    []erasure.Match{{Kind: erasure.MatchEquals, Field: "customer_id", Values: []string{"c-1"}}},
	Action: erasure.ActionAnonymise, Changes: []erasure.Change{
		{Field: "name", Kind: erasure.ChangeSet, Value: "erased"}, {Field: "born", Kind: erasure.ChangeGeneralise, To: erasure.ToYear},
		{Field: "city", Kind: erasure.ChangeGeneralise, To: erasure.ToMap, Coarser: map[string]string{"Nantes": "France"}},
	},
	Descend: true, CreatedField: "created_at", CreatedBefore: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC),
}

// examples are the bodies of the protocol, one of each.
func examples() map[string]interface{ current() bool } {
	q := queryToWire(example)
	item := itemToWire(erasure.Item{Ref: "guest/81", Version: "7", Created: time.Date(2025, 3, 1, 10, 0, 0, 0, time.UTC), Tenant: "hotel-7", Clean: true, Held: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)})
	return map[string]interface{ current() bool }{
		"find.request":   &FindRequest{head, q, "after guest/80", 300},
		"find.answer":    &FindAnswer{head, []Item{item, {Ref: "guest/82", Tenant: "hotel-7"}}, "after guest/82"},
		"erase.request":  &EraseRequest{head, q, []Item{item, {Ref: "guest/82", Tenant: "hotel-7"}}},
		"erase.answer":   &EraseAnswer{head, []Result{{"guest/81", "held", item.Held}, {"guest/82", "erased", nil}}},
		"values.request": &ValuesRequest{head, q, "customer_id", 100},
		"values.answer":  &ValuesAnswer{head, []string{"c-1", "c-2"}},
		"group.request":  &GroupRequest{head, q, []string{"city", "born"}},
		"group.answer":   &GroupAnswer{head, 12},
		"places.request": &PlacesRequest{head, 1000},
		"places.answer":  &PlacesAnswer{head, []string{"guests", "hosts"}},
		"traces.request": &TracesRequest{head},
		"traces.answer":  &TracesAnswer{head, 604800, 0, []string{"how long the archive of invoices is kept"}},
	}
}

// TestExamples: what is written down for those who build a service is what is sent, and is read back as it was.
func TestExamples(t *testing.T) {
	t.Parallel()
	for name, body := range examples() {
		file := filepath.Join("testdata", name+".json")
		text, err := json.MarshalIndent(body, "", "  ")
		must(t, err)
		text = append(text, '\n')
		if *update {
			must(t, os.WriteFile(file, text, 0o600))
		}
		kept, err := os.ReadFile(file)
		must(t, err)
		if !bytes.Equal(kept, text) {
			t.Errorf("%s is\n%s, want\n%s", file, kept, text)
		}
		back := reflect.New(reflect.TypeOf(body).Elem()).Interface().(interface{ current() bool }) // nothing of the example is in it
		if _, err := strictjson.Decode(kept, maxDepth, back); err != nil || !back.current() {
			t.Errorf("%s: %v", file, err)
		}
		again, err := json.MarshalIndent(back, "", "  ")
		must(t, err)
		if string(append(again, '\n')) != string(text) {
			t.Errorf("%s is read as %s", file, again)
		}
	}
	if back, _ := json.Marshal(queryToWire(queryToWire(example).query())); string(back) != string(marshal(t, queryToWire(example))) {
		t.Errorf("a query comes back as %s", back)
	}
}

// TestSignature is a vector for those who build a service.
func TestSignature(t *testing.T) {
	t.Parallel()
	const want = "sha256=794122bf529e6f818af5f5a528be227262ca94948126fdc5a755f7126115b6a1"
	if got := Sign([]byte("0123456789abcdef0123456789abcdef"), "1767603600", "places", []byte(`{"v":1,"limit":1000}`)); got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	return text
}

// FuzzAnswer: whatever a service answers, what is taken keeps to what was asked.
func FuzzAnswer(f *testing.F) {
	for _, body := range examples() {
		text, err := json.Marshal(body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"v":1,"items":[{"ref":"a","tenant":"t"},{"ref":"a","tenant":"t"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		h := to(t, answering200(t, text), secret)
		q := example
		q.Tenant = erasure.Tenant{Binding: erasure.BindPath, ID: "hotel-7"}
		if page, err := h.Find(t.Context(), q, "x", 2); err == nil {
			if len(page.Items) > 2 || page.Next == "x" {
				t.Errorf("taken: %v", page)
			}
			for _, i := range page.Items {
				if i.Ref == "" || i.Tenant != "hotel-7" {
					t.Errorf("taken: %v", i)
				}
			}
		}
		items := []erasure.Item{{Ref: "guest/81"}, {Ref: "guest/82"}}
		if results, err := h.Erase(t.Context(), q, items); err == nil && (len(results) != 2 || results[0].Ref != items[0].Ref || results[1].Ref != items[1].Ref) {
			t.Errorf("taken: %v", results)
		}
		if values, err := h.Values(t.Context(), q, "id", 2); err == nil && len(values) > 2 {
			t.Errorf("taken: %q", values)
		}
	})
}
