// Package writers says what each function of the house may put on record: what the sequencer of the evidence log lets in.
// It is made from the manifests (make generate), so that the sequencer imports no other function.
//
// A record is held to the scope of the function whose transaction made it, also where the control's schedule handed it in
// after a crash. That keeps controls apart for good. Functions of one control share a database: one that fell into wrong
// hands could leave an entry there in another's name, which says no more than that other may say. Functions of different
// controls cannot speak for each other.
package writers

import (
	_ "embed"
	"fmt"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/web/strictjson"
	"ostiary.internal/shared/policy"
)

// Sample marks a sample life as one. It is the local mode's: no deployed account may write below its name.
const Sample = "sample"

//go:embed writers.json
var generated []byte

// depth is how far the table is nested.
const depth = 4

// Names are the checks that a policy binds, by mechanism.
func Names(p *policy.Policy) record.Names {
	bound := record.Names{}
	for _, promise := range p.Promises {
		for _, k := range promise.KeptBy {
			if k.Mechanism != policy.Statement && k.Mechanism != policy.Rollup { // they refer to roles and promises
				bound[string(k.Mechanism)] = append(bound[string(k.Mechanism)], k.Refs...)
			}
		}
	}
	return bound
}

// All is the scope of every writer.
func All() (record.Writers, error) {
	var all record.Writers
	if _, err := strictjson.Decode(generated, depth, &all); err != nil {
		return nil, fmt.Errorf("reading what functions may put on record: %w", err)
	}
	all[Sample] = record.Scope{Controls: map[string][]record.Kind{"sample-life": {record.Claim}}}
	return all, all.Check()
}
