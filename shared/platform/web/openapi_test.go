package web_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/platform/web"
)

type base struct {
	Created time.Time `json:"created"`
}

type node struct {
	base     `json:"-"`
	Children []node           `json:"children"`
	Parent   *node            `json:"parent,omitempty"`
	Counts   map[string]int   `json:"counts"`
	Address  netip.Addr       `json:"address"`
	Any      any              `json:"any,omitempty"`
	Raw      json.RawMessage  `json:"raw,omitempty"`
	Bytes    []byte           `json:"bytes"`
	State    string           `json:"state" enum:"open,closed" doc:"How it stands."`
	Flags    []string         `json:"flags" enum:"a,b"`
	Maybe    *string          `json:"maybe" enum:"x"`
	Inline   struct{ N uint } `json:"inline"`
	Rate     float64          `json:"rate"`
	Secret   string           `json:"-"`
	Fixed    [2]bool          `json:"fixed"`
}

type answer struct {
	base
	Node node `json:"node"`
}

func described() []web.Function {
	none := func(http.ResponseWriter, *http.Request) error { return nil }
	return []web.Function{
		{Name: "one", Summary: "The first.", Routes: []web.Route{
			{Method: "GET", Path: "/", Summary: "A page.", Page: true, Handle: none},
			{Method: "POST", Path: "/v1/nodes", Summary: "Adds a node.", Body: request{}, Answers: map[int]any{201: answer{}, 204: nil},
				Problems: []string{"otp_wrong", "capacity_full"}, Params: []web.Param{{Name: "Idempotency-Key", In: "header", Doc: "For repeating."}}, Handle: none},
			{Method: "GET", Path: "/v1/nodes/{id}", Answers: map[int]any{200: &answer{}}, Handle: none},
			{Method: "DELETE", Path: "/v1/nodes/{id}", Answers: map[int]any{204: nil}, Handle: none},
			{Method: "GET", Path: "/assets/{file...}", Answers: map[int]any{200: web.Media("*/*")}, Handle: none},
		}},
		{Name: "two", Routes: []web.Route{
			{Method: "POST", Path: "/v1/nodes", Body: node{}, Answers: map[int]any{200: []node{}}, Handle: none},
			{Method: "GET", Path: "/v1/table", Answers: map[int]any{200: web.Media("text/csv")}, Handle: none},
		}},
	}
}

func load(t *testing.T, data []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	return doc
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	functions := described()
	joined := web.OpenAPI(functions...)
	doc := load(t, joined)
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %s", doc.OpenAPI)
	}
	if !bytes.Equal(joined, web.OpenAPI(functions...)) {
		t.Error("two descriptions of the same table differ")
	}
	var operations []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			operations = append(operations, method+" "+path)
		}
	}
	slices.Sort(operations)
	want := []string{
		"DELETE /one/v1/nodes/{id}", "GET /one/", "GET /one/assets/{file}", "GET /one/v1/nodes/{id}", "GET /two/v1/table",
		"POST /one/v1/nodes", "POST /two/v1/nodes",
	}
	if diff := cmp.Diff(want, operations); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	add := doc.Paths.Value("/one/v1/nodes").Post
	if add.Parameters.GetByInAndName("header", "Idempotency-Key") == nil || add.RequestBody == nil {
		t.Errorf("operation %+v", add)
	}
	if text := *add.Responses.Value("default").Value.Description; text != "A problem; beside the general ones its code is one of capacity_full, otp_wrong." {
		t.Errorf("problems: %s", text)
	}
	body := doc.Components.Schemas["web_test.request.body"].Value
	if diff := cmp.Diff([]string{"code"}, body.Required); diff != "" {
		t.Errorf("required of the body (-want +got):\n%s", diff)
	}
	if got := doc.Components.Schemas["web_test.answer"].Value.Required; !slices.Equal(got, []string{"created", "node"}) {
		t.Errorf("required of the answer: %v", got)
	}
	n := doc.Components.Schemas["web_test.node"].Value
	if n.Properties["Secret"] != nil || n.Properties["state"].Value.Description != "How it stands." || len(n.Properties["flags"].Value.Items.Value.Enum) != 2 {
		t.Errorf("node: %+v", n.Properties)
	}
}

// TestOpenAPIHolds sends what the description was made from through its own schema.
func TestOpenAPIHolds(t *testing.T) {
	t.Parallel()
	doc := load(t, web.OpenAPI(described()...))
	schema := doc.Components.Schemas["web_test.answer"].Value
	x := "x"
	whole := answer{Node: node{Children: []node{}, Counts: map[string]int{"a": 1}, Address: netip.MustParseAddr("81.2.69.142"), Bytes: []byte{1},
		State: "open", Flags: []string{"a"}, Maybe: &x, Parent: nil}}
	check := func(v any) error {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var plain any
		if err := json.Unmarshal(data, &plain); err != nil {
			t.Fatal(err)
		}
		return schema.VisitJSON(plain, openapi3.EnableJSONSchema2020())
	}
	if err := check(whole); err != nil {
		t.Errorf("a whole answer: %v", err)
	}
	whole.Node.Maybe = nil
	if err := check(whole); err != nil {
		t.Errorf("an answer with null: %v", err)
	}
	whole.Node.State = "ajar"
	if check(whole) == nil {
		t.Error("a value outside the enumeration passes")
	}
	if check(map[string]any{"created": "2026-11-21T09:58:41Z"}) == nil {
		t.Error("an answer without a node passes")
	}
}

func TestOpenAPIServed(t *testing.T) {
	t.Parallel()
	f, _ := sample(t)
	_, body := ask(t, serve(t, f), "GET", "/sample/openapi.json", "")
	doc := load(t, []byte(body))
	if doc.Info.Title != "Ostiary: sample" || doc.Info.Summary != "A sample." {
		t.Errorf("info %+v", doc.Info)
	}
	paths := doc.Paths.InMatchingOrder()
	for _, route := range f.Routes {
		if item := doc.Paths.Find("/sample" + route.Path); item == nil || item.GetOperation(route.Method) == nil {
			t.Errorf("%s %s is not described: %v", route.Method, route.Path, paths)
		}
	}
}
