package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"ostiary.internal/shared/drift/asset/assettest"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/policy"
)

// TestSARIFSchema holds what is written against the published schema of SARIF 2.1.0, with everything in it that may be: what is
// out of order, what nobody can tell, what was not read or compared, names somebody else chose; and nothing at all.
func TestSARIFSchema(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../../testdata/sarif/sarif-2.1.0-rtm.5.json")
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
	full := listing(t, assettest.NewCloud(t, assettest.Things()), "projects/company-live")
	for class := range classes {
		full.Findings = append(full.Findings, diff.Finding{Key: "//x/ä b%\u202e\"", Address: `google_x.y["ü"]`, Class: class, Field: "f", Want: "1", Got: "\x00", Direction: diff.Loosened, Severity: policy.Critical, Why: "so"})
	}
	full.Gaps, full.Unread = []diff.Gap{{Type: "google_x", Field: "f", Count: 2}, {Type: "google_y", Count: 1}}, []string{"a b: c", ""}
	var written []byte
	for name, r := range map[string]*driftReport{"full": full, "nothing": {Counts: map[string]int{}}} {
		file := filepath.Join(t.TempDir(), "found.sarif")
		if err := r.sarif(file, "a folder/ä state.tfstate"); err != nil {
			t.Fatal(err)
		}
		if written, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
		if err := check(written); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name != "full" {
			continue
		}
		for old, other := range map[string]string{`"kind": "open"`: `"kind": "maybe"`, `"level": "error"`: `"level": "grave"`, `"version": "2.1.0"`: `"version": "2.0"`, `"ruleIndex"`: `"ruleNumber"`, `"text": `: `"words": `} {
			changed := bytes.Replace(written, []byte(old), []byte(other), 1)
			if bytes.Equal(changed, written) || check(changed) == nil {
				t.Errorf("%s instead of %s passes", other, old)
			}
		}
	}
}
