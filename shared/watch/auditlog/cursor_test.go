package auditlog

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func valid(data []byte) bool {
	c := newCursor(data)
	c.skip()
	c.end()
	return c.err == nil
}

// FuzzCursor holds the cursor to encoding/json: both take the same documents, but for what is not UTF-8 or too deep.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, ` {"a":[1,-0.5e+3,"\u00e9\n",true,false,null]} `, `{"a":1,}`, `[1,]`, `01`, `-`, `1.`, `1e`,
		`"\ud800"`, `"\x"`, "\"\x01\"", `nul`, `{"a" 1}`, `{1:2}`, `[1 2]`, ``, `""x`, "\"\x7f\"", `{"\u0061":1}`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := newCursor(data)
		c.skip()
		c.end()
		if c.err != nil && c.err.Error() == "nested too deep" {
			return
		}
		if got, want := c.err == nil, json.Valid(data) && utf8.Valid(data); got != want {
			t.Fatalf("%q: %v, want %v", data, got, want)
		}
	})
}

func TestDepth(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if !valid(nested(maxDepth)) || valid(nested(maxDepth+1)) || valid(nested(1_000_000)) {
		t.Error("depth is not bounded where it should be")
	}
}

func TestManyNames(t *testing.T) {
	t.Parallel()
	var s names
	for i := range 1000 {
		if s.add(strings.Repeat("x", i)) {
			t.Fatal("new name taken for an old one")
		}
	}
	for i := range 1000 {
		if !s.add(strings.Repeat("x", i)) {
			t.Fatal("old name taken for a new one")
		}
	}
}

func TestFirstErrorSticks(t *testing.T) {
	t.Parallel()
	c := newCursor([]byte(`{"a":1}`))
	c.object("x", func(string) { c.text("a"); c.fail(errors.New("later")) })
	if c.err == nil || c.err.Error() != "a is of the wrong type" {
		t.Error(c.err)
	}
}
