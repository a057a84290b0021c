package intake

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web/strictjson"
)

// sample is a good event of a type, as it is sent.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// members reads an object, to be changed.
func members(t testing.TB, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func encoded(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSamples: the policy's list of types is ours, and each has a sample that is accepted and fills every member.
func TestSamples(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".json"); ok {
			names = append(names, name)
		}
	}
	if !slices.Equal(names, Types()) || len(names) != 13 {
		t.Errorf("samples of %v, types %v", names, Types())
	}
	for _, name := range Types() {
		into := kinds[name].data()
		if err := decode(sample(t, name), into); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range strictjson.Fields(reflect.TypeOf(into).Elem()) {
			if _, there := members(t, sample(t, name))[f.Name]; !there && f.Name != "promises" && f.Name != "request" {
				t.Errorf("%s: the sample lacks %s", name, f.Name)
			}
		}
	}
}

// TestTags: every member's tags can be read, and no text is without a form.
func TestTags(t *testing.T) {
	t.Parallel()
	var check func(name string, typ reflect.Type)
	check = func(name string, typ reflect.Type) {
		for _, f := range strictjson.Fields(typ) {
			elem := f.Type
			if elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice {
				elem = elem.Elem()
			}
			_, formed := forms[f.Tag.Get("form")]
			switch low, high := items(f.Tag); {
			case elem.Kind() == reflect.String && formed == (f.Tag.Get("enum") != ""):
				t.Errorf("%s.%s: neither form nor enum, or both", name, f.Name)
			case f.Type.Kind() == reflect.Slice && (high < 1 || low > high):
				t.Errorf("%s.%s: no bound of its items", name, f.Name)
			case (f.Type.Kind() == reflect.Pointer || f.Type.Kind() == reflect.Slice && elem.Kind() == reflect.String) == (f.Tag.Get("required") == "true"):
				t.Errorf("%s.%s: what may be left out is a pointer or a list of names, and nothing else", name, f.Name)
			case f.Type.Kind() == reflect.Slice && elem.Kind() == reflect.Struct:
				check(name+"."+f.Name, elem)
			}
			if least, most := bounds(f.Tag); f.Tag.Get("range") != "" && (least >= most || most > maxInteger) {
				t.Errorf("%s.%s: range %q", name, f.Name, f.Tag.Get("range"))
			}
		}
	}
	for name, k := range kinds {
		check(name, reflect.TypeOf(k.data()).Elem())
	}
}

// mistakes are values of which most fit no member, and some fit some.
var mistakes = []any{
	nil, "", " ", "A", "A+", "live", "x y", "anna.kowalska", "Anna Kowalska", "anna@example.org", "sha256:", "sha256:" + strings.Repeat("a", 64), strings.Repeat("a", 40),
	strings.Repeat("a", 300), "a\nb", "2026-03-03T08:00:00Z", "2026-03-03", "2026-03-03T25:00:00Z", "true", true, false, json.Number("0"), json.Number("-1"), json.Number("7"),
	json.Number("1.5"), json.Number("9007199254740992"), json.Number("99999999999999999999"), []any{}, []any{"F15"}, []any{"Anna Kowalska"}, []any{json.Number("1")},
	slices.Repeat([]any{"F15"}, 65), map[string]any{}, map[string]any{"x": "y"}, []any{map[string]any{}},
}

// TestSchemasSayWhatIsChecked puts each mistake into each member of each sample, leaves each member out and adds one:
// our decoder and a reader of the published schema agree each time, and no refusal repeats what was sent.
func TestSchemasSayWhatIsChecked(t *testing.T) {
	t.Parallel()
	for _, name := range Types() {
		var schema map[string]any
		if err := json.Unmarshal(Schema(name), &schema); err != nil {
			t.Fatal(err)
		}
		refused := 0
		agree := func(what string, v any) {
			t.Helper()
			err := decode(encoded(t, v), kinds[name].data())
			if want := fits(schema, v); want != (err == nil) {
				t.Errorf("%s, %s: the schema says %t, we say %v", name, what, want, err)
			}
			if err == nil {
				return
			}
			refused++
			var f *fault.Error
			if f, _ = err.(*fault.Error); f == nil || f.Code != "event_invalid" || strings.Contains(strings.ToLower(f.Detail), "kowalska") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		var spoil func(path string, within map[string]any, whole any)
		spoil = func(path string, within map[string]any, whole any) {
			for key, good := range within {
				for _, bad := range mistakes {
					within[key] = bad
					agree(path+key, whole)
				}
				delete(within, key)
				agree(path+key+" left out", whole)
				within[key] = good
				if list, ok := good.([]any); ok {
					if first, ok := list[0].(map[string]any); ok {
						spoil(path+key+"[0].", first, whole)
					}
				}
			}
			within["Anna Kowalska"] = "x"
			agree(path+"a member more", whole)
			delete(within, "Anna Kowalska")
		}
		whole := members(t, sample(t, name))
		whole["promises"] = nil
		for _, bad := range mistakes {
			whole["promises"] = bad
			agree("promises", whole)
		}
		delete(whole, "promises")
		spoil("", whole, whole)
		agree("a list", []any{whole})
		agree("nothing", nil)
		if refused < 50 {
			t.Errorf("%s: only %d were refused", name, refused)
		}
	}
}

// fits reads as much of JSON Schema as our schemas use.
func fits(schema map[string]any, v any) bool {
	types, _ := schema["type"].([]any)
	if one, ok := schema["type"].(string); ok {
		types = []any{one}
	}
	if v == nil {
		return slices.Contains(types, any("null"))
	}
	switch v := v.(type) {
	case string:
		if list, closed := schema["enum"].([]any); closed && !slices.Contains(list, any(v)) {
			return false
		}
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			return false
		}
		if schema["format"] == "date-time" {
			if _, err := time.Parse(time.RFC3339, v); err != nil {
				return false
			}
		}
		return slices.Contains(types, any("string"))
	case bool:
		return slices.Contains(types, any("boolean"))
	case json.Number:
		n, err := v.Int64()
		return err == nil && slices.Contains(types, any("integer")) && float64(n) >= schema["minimum"].(float64) && float64(n) <= schema["maximum"].(float64)
	case []any:
		if !slices.Contains(types, any("array")) || float64(len(v)) < schema["minItems"].(float64) || float64(len(v)) > schema["maxItems"].(float64) {
			return false
		}
		return !slices.ContainsFunc(v, func(item any) bool { return !fits(schema["items"].(map[string]any), item) })
	case map[string]any:
		return slices.Contains(types, any("object")) && fitsObject(schema, v)
	}
	return false
}

func fitsObject(schema, v map[string]any) bool {
	properties, _ := schema["properties"].(map[string]any)
	for name, value := range v {
		property, known := properties[name].(map[string]any)
		if !known || !fits(property, value) {
			return false
		}
	}
	required, _ := schema["required"].([]any)
	return !slices.ContainsFunc(required, func(name any) bool { _, there := v[name.(string)]; return !there })
}

// FuzzDecode: whatever is sent, decoding neither panics nor accepts what the schema refuses.
func FuzzDecode(f *testing.F) {
	for i, name := range Types() {
		f.Add(i, sample(f, name))
	}
	for _, bad := range []string{``, `null`, `{"commit":"\ud800"}`, `{"tests":1e2}`, `{"tests":1,"tests":2}`, "{\"suite\":\"a\x00\"}", `[[[[[[[[]]]]]]]]`} {
		f.Add(0, []byte(bad))
	}
	schemas := map[string]map[string]any{}
	for _, name := range Types() {
		var schema map[string]any
		if err := json.Unmarshal(Schema(name), &schema); err != nil {
			f.Fatal(err)
		}
		schemas[name] = schema
	}
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		name := Types()[uint(which)%uint(len(kinds))]
		into := kinds[name].data()
		if decode(data, into) != nil {
			return
		}
		if !fits(schemas[name], members(t, data)) {
			t.Errorf("%s: accepted %s", name, data)
		}
		r, err := into.report(time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC))
		if err == nil {
			judge(r, nil)
		}
	})
}
