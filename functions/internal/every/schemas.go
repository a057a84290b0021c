package every

import (
	"fmt"
	"reflect"
	"slices"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/watchdog"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Schemas returns what the databases of functions keep, by their names: those of the controls, and, where one of the functions
// opens them, the vault, the ledger and the watchdog's. A function may use part of its control's collections; an error where
// those that use the same one do not agree about it.
func Schemas(functions []wiring.Function) (map[string]store.Schema, error) {
	all := map[string]store.Schema{}
	for _, f := range functions {
		m, err := manifest.Parse(f.Manifest)
		if err != nil {
			return nil, err
		}
		if all[m.Control], err = merged(all[m.Control], f.Schema); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		if m.Reads(wiring.EnvVault) {
			all["vault"] = vault.Collection()
		}
		if m.Reads(wiring.EnvLedger) {
			all["ledger"] = store.Schema{ledger.Collection()}
		}
		if m.Reads(wiring.EnvWatchdog) {
			all["watchdog"] = append(store.Schema{outbox.Collection()}, watchdog.Collection()...) // it sends its own
		}
	}
	return all, nil
}

// merged adds to the collections of a control those of one more function.
func merged(known, more store.Schema) (store.Schema, error) {
	all := slices.Clone(known)
	for _, c := range more {
		i := slices.IndexFunc(known, func(k store.Collection) bool { return k.Name == c.Name })
		switch {
		case i < 0:
			all = append(all, c)
		case known[i].Expires != c.Expires || !reflect.DeepEqual(ordered(known[i]), ordered(c)):
			return nil, fmt.Errorf("collection %s is kept otherwise than by the functions before it", c.Name)
		}
	}
	return all, nil
}

// ordered are the indexes of a collection in one order, however they were declared.
func ordered(c store.Collection) []store.Index {
	return slices.SortedFunc(slices.Values(c.Indexes), slices.Compare[store.Index])
}
