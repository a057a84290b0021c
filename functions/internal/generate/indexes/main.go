// Command indexes prints, as JSON by control, which collections the functions of the house keep and which indexes their
// queries use: what Terraform provisions in each control's database. A function may use part of its control's
// collections; those that use the same one must agree about it.
//
//	go run ./functions/internal/generate/indexes
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"

	"ostiary.internal/functions/internal/every"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/watchdog"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

func main() {
	controls, err := collections(every.Functions)
	if err == nil {
		err = write(controls)
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
func collections(functions []wiring.Function) (map[string][]collection, error) {
	controls := map[string][]collection{}
	for _, f := range functions {
		m, err := manifest.Parse(f.Manifest)
		if err != nil {
			return nil, err
		}
		if controls[m.Control], err = merged(controls[m.Control], described(f.Schema)); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		if m.Reads(wiring.EnvVault) {
			controls["vault"] = described(vault.Collection())
		}
		if m.Reads(wiring.EnvLedger) {
			controls["ledger"] = described(store.Schema{ledger.Collection()})
		}
		if m.Reads(wiring.EnvWatchdog) {
			controls["watchdog"] = described(append(store.Schema{outbox.Collection()}, watchdog.Collection()...)) // it sends its own
		}
	}
	return controls, nil
}

// merged adds to the collections of a control those of one more function.
func merged(known, more []collection) ([]collection, error) {
	all := slices.Clone(known)
	for _, c := range more {
		i := slices.IndexFunc(known, func(k collection) bool { return k.Name == c.Name })
		switch {
		case i < 0:
			all = append(all, c)
		case !reflect.DeepEqual(known[i], c):
			return nil, fmt.Errorf("collection %s is kept otherwise than by the functions before it", c.Name)
		}
	}
	slices.SortFunc(all, func(a, b collection) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
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
