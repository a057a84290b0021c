// Command indexes prints, as JSON by control, which collections the functions of the house keep and which indexes their
// queries use: what Terraform provisions in each control's database.
//
//	go run ./functions/internal/generate/indexes
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"ostiary.internal/functions/internal/every"
	"ostiary.internal/shared/platform/store"
)

func main() {
	schemas, err := every.Schemas(every.Functions)
	if err == nil {
		err = write(collections(schemas))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "indexes:", err)
		os.Exit(1)
	}
}

func write(controls map[string][]collection) error {
	text, err := json.MarshalIndent(controls, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	_, err = os.Stdout.Write(append(text, '\n'))
	return err
}

// collection is one collection of a control's database. An index names the fields compared for equality first, and at
// last the one it ranges over; Firestore makes those of one field by itself.
type collection struct {
	Name    string     `json:"collection"`
	Expires bool       `json:"expires"` // its documents end by the field "expires": it needs a time-to-live policy
	Indexes [][]string `json:"indexes"`
}

// collections returns what is kept, by control, by name.
func collections(schemas map[string]store.Schema) map[string][]collection {
	controls := map[string][]collection{}
	for name, schema := range schemas {
		controls[name] = described(schema)
	}
	return controls
}

func described(schema store.Schema) []collection {
	kept := []collection{}
	for _, c := range schema {
		d := collection{Name: c.Name, Expires: c.Expires, Indexes: [][]string{}}
		for _, index := range c.Indexes {
			d.Indexes = append(d.Indexes, index)
		}
		slices.SortFunc(d.Indexes, slices.Compare[[]string])
		kept = append(kept, d)
	}
	slices.SortFunc(kept, func(a, b collection) int { return cmp.Compare(a.Name, b.Name) })
	return kept
}
