package severity_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSchema checks the method's file against its schema, as somebody would who writes another, and that the schema
// refuses what the method cannot hold.
func TestSchema(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("enisa-2013.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("enisa-2013.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(data []byte) error {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	if err := check(file); err != nil {
		t.Error(err)
	}
	for old, other := range map[string]string{
		`"0.75": "the number`: `"0.6": "the number`, `"base": 3`: `"base": 5`, `"level": "high"`: `"level": "grave"`, `"integrity": {`: `"honesty": {`,
	} {
		changed := bytes.Replace(file, []byte(old), []byte(other), 1)
		if bytes.Equal(changed, file) || check(changed) == nil {
			t.Errorf("%s instead of %s passes", other, old)
		}
	}
}
