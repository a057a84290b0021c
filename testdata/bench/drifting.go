package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
)

// The files of an estate.
const (
	assetsFile = "assets.jsonl"
	stateFile  = "state.json"
)

// held is how much of an estate was held against what.
type held struct {
	assets, judged, resources, findings int
}

// drifting holds an export of assets against the whole of the starter's baseline and against a state of Terraform, on one
// core, beside decoding the same files with encoding/json and doing nothing with them; each is a program of its own, by the time it
// had of the processor and the most memory it held.
func (b *bench) drifting(ctx context.Context) error {
	set, err := starter()
	if err != nil {
		return err
	}
	assets, state, resources := estate(b.assets)
	dir := filepath.Join(b.dir, "estate")
	if err := write(dir, assets, state); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var ours, beside []spending
	for range b.readings {
		x, err := spent(ctx, self, "-hold", dir)
		if err != nil {
			return err
		}
		y, err := spent(ctx, self, "-decode", dir)
		if err != nil {
			return err
		}
		ours, beside = append(ours, x), append(beside, y)
	}
	b.add(row{measured: fmt.Sprintf("hold %d assets against %d assertions and %d resources, one core", b.assets, len(set.Names()), resources),
		ours: midst(ours).worked(), beside: midst(beside).worked(), what: "`encoding/json` of the same files", ratio: through(each(ours, spending.work), each(beside, spending.work))})
	v, err := listed(bytes.NewReader(assets), time.Now())
	if err != nil {
		return err
	}
	one := v.All()[0]
	return b.compare("judge one asset that changed", func() error {
		if len(set.Judge(one, &baseline.Live{Inventory: v, Now: time.Now()})) == 0 {
			return fmt.Errorf("nobody judges %s", one.Type)
		}
		return nil
	}, func() error { _, err := json.Marshal(one.Data); return err }, "`encoding/json` of the asset")
}

// worked writes the time of the processors, and the most memory that was held.
func (s spending) worked() string {
	return spending{Took: s.Work, Peak: s.Peak}.String() + map[bool]string{true: " at most"}[s.Peak > 0]
}

func write(dir string, assets, state []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, assetsFile), assets, 0o600), os.WriteFile(filepath.Join(dir, stateFile), state, 0o600))
}

// listed reads an export.
func listed(from io.Reader, now time.Time) (*asset.Inventory, error) {
	v := asset.NewInventory()
	for a, err := range asset.Decode(from, now, v.Names()) {
		if err != nil {
			return nil, err
		}
		v.Add(a)
	}
	v.Settle()
	return v, nil
}

// holdFolder holds an estate that was written against the starter, on one core, and fails where it is not what it should be.
func holdFolder(dir string) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	set, err := starter()
	if err != nil {
		return err
	}
	is, err := hold(set, dir)
	if err == nil && (is.assets == 0 || is.judged < is.assets || is.resources == 0 || is.findings != is.resources/50) {
		err = fmt.Errorf("what was held is %+v", is)
	}
	return err
}

func hold(set *baseline.Set, dir string) (is held, err error) {
	export, err := os.Open(filepath.Join(dir, assetsFile))
	if err != nil {
		return is, err
	}
	defer export.Close()
	now := time.Now()
	v, err := listed(export, now)
	if err != nil {
		return is, err
	}
	is.assets, is.judged = v.Len(), len(set.Scan(&baseline.Live{Inventory: v, Now: now, Read: func(string) bool { return true }}))
	state, err := os.Open(filepath.Join(dir, stateFile))
	if err != nil {
		return is, err
	}
	defer state.Close()
	desired, err := diff.Read(state)
	if err != nil {
		return is, err
	}
	is.resources, is.findings = len(desired.Resources), len(diff.Compare(desired, v, diff.Options{Salt: make([]byte, 16)}).Findings)
	return is, nil
}

// decodeFolder reads the JSON of an estate that was written, on one core.
func decodeFolder(dir string) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, name := range []string{assetsFile, stateFile} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer f.Close()
		for d := json.NewDecoder(f); d.More(); {
			var v map[string]any
			if err := d.Decode(&v); err != nil {
				return err
			}
		}
	}
	return nil
}
