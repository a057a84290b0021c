// Package writers says what each function of the house may put on record: what the sequencer of the evidence log lets in.
// It is made from the manifests (make generate), so that the sequencer imports no other function.
package writers

import (
	_ "embed"
	"fmt"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/web/strictjson"
)

// Sample marks a sample life as one. It is the local mode's: no deployed account may write below its name.
const Sample = "sample"

//go:embed writers.json
var generated []byte

// depth is how far the table is nested.
const depth = 3

// All is the scope of every writer.
func All() (record.Writers, error) {
	var all record.Writers
	if _, err := strictjson.Decode(generated, depth, &all); err != nil {
		return nil, fmt.Errorf("reading what functions may put on record: %w", err)
	}
	all[Sample] = record.Scope{Controls: []string{"sample-life"}, Kinds: []record.Kind{record.Claim}}
	return all, all.Check()
}
