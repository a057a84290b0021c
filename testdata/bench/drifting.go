package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
)

// drifting holds an export of assets against the whole of the starter's baseline and against a state of Terraform, on one
// core, beside reading the same bytes with encoding/json and doing nothing with them.
func (b *bench) drifting(context.Context) error {
	set, err := starter()
	if err != nil {
		return err
	}
	assets, state, resources := estate(b.assets)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	bare, err := decoding(assets, state)
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	from := time.Now()
	v := asset.NewInventory()
	for a, err := range asset.Decode(bytes.NewReader(assets), from, v.Names()) {
		if err != nil {
			return err
		}
		v.Add(a)
	}
	v.Settle()
	live := &baseline.Live{Inventory: v, Now: from, Read: func(string) bool { return true }}
	judged := len(set.Scan(live))
	desired, err := diff.Read(bytes.NewReader(state))
	if err != nil {
		return err
	}
	found := diff.Compare(desired, v, diff.Options{Salt: make([]byte, 16)})
	took := time.Since(from)
	if judged < b.assets || len(desired.Resources) != resources || len(found.Findings) != resources/50 {
		return fmt.Errorf("%d judgements of %d assets, %d of %d resources, %d findings", judged, b.assets, len(desired.Resources), resources, len(found.Findings))
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.rows = append(b.rows, row{
		fmt.Sprintf("hold %d assets against %d assertions and %d resources", b.assets, len(set.Names()), resources),
		fmt.Sprintf("%s, %d MB of heap before it is collected", short(took), m.HeapAlloc>>20), short(bare), "`encoding/json` of the same bytes", float64(took) / float64(bare),
	})
	one := v.All()[0]
	return b.compare("judge one asset that changed", func() error {
		if len(set.Judge(one, &baseline.Live{Inventory: v, Now: from})) == 0 {
			return fmt.Errorf("nobody judges %s", one.Type)
		}
		return nil
	}, func() error { _, err := json.Marshal(one.Data); return err }, "`encoding/json` of the asset")
}
