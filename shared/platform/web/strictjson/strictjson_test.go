package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ostiary.internal/shared/platform/web/strictjson"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := strictjson.Parse([]byte(` {"a" : [1.50, "x\u00e9\n\ud83d\ude00\\u", {}], "":null , "b":true} `), 3)
	if err != nil {
		t.Fatal(err)
	}
	want := strictjson.Value{Kind: strictjson.Object, Members: []strictjson.Member{
		{Name: "a", Value: strictjson.Value{Kind: strictjson.Array, Items: []strictjson.Value{
			{Kind: strictjson.Number, Text: "1.50"}, {Kind: strictjson.String, Text: "xé\n😀\\u"}, {Kind: strictjson.Object},
		}}},
		{Name: "", Value: strictjson.Value{Kind: strictjson.Null, Text: "null"}},
		{Name: "b", Value: strictjson.Value{Kind: strictjson.Bool, Text: "true"}},
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(strictjson.Value{})); diff != "" {
		t.Errorf("value (-want +got):\n%s", diff)
	}
}

func TestErrorPlaces(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`{"a":[{"b":1,"b":2}]}`:      "a[0].b occurs twice",
		`{"a":{"b":{"c":"\u0000"}}}`: "a.b.c holds a NUL",
		`[[1,"\ud800"]]`:             "[0][1] holds half a surrogate pair",
		`[[[[1]]]]`:                  "[0][0][0] is nested deeper than 3",
		`{"a":1,}`:                   "the text is not JSON, at byte 8",
		` `:                          "the text is not JSON, at byte 1",
	}
	for in, want := range cases {
		_, err := strictjson.Parse([]byte(in), 3)
		if e, ok := errors.AsType[*strictjson.Error](err); !ok || e.Error() != want {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}

func TestDecodeShapes(t *testing.T) {
	t.Parallel()
	type inner struct {
		X uint8 `json:"x"`
	}
	type shape struct {
		inner
		Bytes  []byte          `json:"bytes"`
		Pair   [2]int          `json:"pair"`
		Raw    json.RawMessage `json:"raw"`
		Any    any             `json:"any"`
		Inner  *inner          `json:"in"`
		hidden int
		Plain  string
		Off    string `json:"-"`
		Minus  string `json:"-,"`
	}
	var got shape
	if _, err := strictjson.Decode([]byte(`{"x":255,"bytes":"AQI=","pair":[1,2],"raw":{"k":[1]},"any":12345678901234567890,"in":null,"Plain":"p","-":"m"}`), 5, &got); err != nil {
		t.Fatal(err)
	}
	want := shape{inner: inner{255}, Bytes: []byte{1, 2}, Pair: [2]int{1, 2}, Raw: json.RawMessage(`{"k":[1]}`), Any: json.Number("12345678901234567890"), Plain: "p", Minus: "m"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for in, want := range map[string]string{
		`{"x":256}`: "x is not a number of the expected range", `{"x":-1}`: "x is not a number of the expected range",
		`{"bytes":"!"}`: "bytes is not base64", `{"bytes":[1]}`: "bytes is of type array instead of string",
		`{"pair":[1]}`: "pair does not hold 2 items", `{"in":{"x":"1"}}`: "in.x is of type string instead of number",
		`{"hidden":1}`: "hidden is not known here", `{"plain":"p"}`: "plain is not known here", `{"Off":"p"}`: "Off is not known here",
		`{"inner":{}}`: "inner is not known here",
	} {
		if _, err := strictjson.Decode([]byte(in), 5, new(shape)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}

// FuzzParse: what is accepted, the standard library reads as the same tree.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{}`, `[1,2]`, `{"a":{"a":[]}}`, `"\ud83d\ude00"`, `{"a":1,"a":2}`, ` -0.0e1 `, "\"\xff\"", `"\u0000"`, `[[],{"":""}]`, `"\\ud800"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := strictjson.Parse(data, 8)
		if err != nil {
			if _, ok := errors.AsType[*strictjson.Error](err); !ok {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		var library any
		if err := decoder.Decode(&library); err != nil {
			t.Fatalf("the library refuses %q: %v", data, err)
		}
		if got := plain(v); !reflect.DeepEqual(got, library) {
			t.Fatalf("%q reads as %#v, in the library as %#v", data, got, library)
		}
		if strings.Contains(string(data), `\ufffd`) || bytes.Contains(data, []byte("\ufffd")) {
			return
		}
		if again, err := json.Marshal(library); err != nil || bytes.Contains(again, []byte("\ufffd")) {
			t.Fatalf("%q loses a character: %s, %v", data, again, err)
		}
	})
}

// plain turns a tree into what encoding/json makes of the text.
func plain(v strictjson.Value) any {
	switch v.Kind {
	case strictjson.Object:
		m := map[string]any{}
		for _, member := range v.Members {
			m[member.Name] = plain(member.Value)
		}
		return m
	case strictjson.Array:
		list := []any{}
		for _, item := range v.Items {
			list = append(list, plain(item))
		}
		return list
	case strictjson.Number:
		return json.Number(v.Text)
	case strictjson.Bool:
		return v.Text == "true"
	case strictjson.Null:
		return nil
	}
	return v.Text
}
