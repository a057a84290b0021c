package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/ostiary/internal/soak/world"
)

// TestMain is the process that is soaked too: a test starts itself again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worldArgument {
		os.Exit(world.Main(context.Background(), os.Args[2:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestShort is a soak of some seconds with some kills: everything holds, and everybody had something to do. Then the log
// is changed behind its back, which the oracle sees.
func TestShort(t *testing.T) {
	t.Parallel()
	o := options{length: 8 * time.Second, round: 4 * time.Second, kill: 2 * time.Second, on: "bolt", seed: 1, people: 5, faults: 1,
		dir: t.TempDir(), sample: filepath.Join("..", "..", "..", "..", "testdata", "policies", "sharedcontacts")}
	r, err := newRun(o, "")
	if err != nil {
		t.Fatal(err)
	}
	r.oracle.quiet = true
	shown := remember(r.log)
	err = r.all(t.Context())
	for i, broken := range r.oracle.broken {
		for _, b := range broken {
			t.Errorf("%s: %s", invariantTexts[i], b)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.child.kills == 0 || len(r.meter.names()) < 10 || len(r.log.records) == 0 {
		t.Errorf("%d kills, load of %v, %d records", r.child.kills, r.meter.names(), len(r.log.records))
	}
	for i, n := range r.oracle.checks {
		if n == 0 {
			t.Errorf("nobody looked whether %s", invariantTexts[i])
		}
	}
	tampered(t, r, shown)
}

// remember keeps what the trust page showed of pages and registers, for whoever looks at the log when the process is gone.
func remember(j *journal) map[string]answer {
	shown, get := map[string]answer{}, j.get
	j.get = func(ctx context.Context, path string) (answer, error) {
		a, err := get(ctx, path)
		shown[path] = a
		return a, err
	}
	return shown
}

// tampered changes what the process left, in one way after another; the oracle sees each.
func tampered(t *testing.T, r *run, shown map[string]answer) {
	look := func(change func(dir string) error) *oracle {
		dir, o := t.TempDir(), &oracle{quiet: true}
		if err := os.CopyFS(filepath.Join(dir, "evidence"), os.DirFS(filepath.Join(r.data(), "evidence"))); err != nil {
			t.Fatal(err)
		}
		if err := change(filepath.Join(dir, "evidence")); err != nil {
			t.Fatal(err)
		}
		j := newJournal(dir, nil, o)
		j.get = func(_ context.Context, path string) (answer, error) { return shown[path], nil }
		if err := j.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		return o
	}
	if o := look(func(string) error { return nil }); o.violations() > 0 || o.checks[statesFollow] == 0 {
		t.Errorf("of what nobody changed: %v", o.broken)
	}
	for what, change := range map[string]func(dir string) error{
		"a changed record": func(dir string) error { return changeOne(filepath.Join(dir, "tiles", "tile", "entries")) },
		"a changed hash":   func(dir string) error { return changeOne(filepath.Join(dir, "tiles", "tile", "0")) },
		"a lost record":    func(dir string) error { return os.RemoveAll(filepath.Join(dir, "tiles", "tile", "entries")) },
	} {
		if o := look(change); len(o.broken[logWhole]) == 0 {
			t.Errorf("%s was not seen", what)
		}
	}
	for path, a := range shown {
		if strings.HasPrefix(path, "/trustpage/v1/pages/") {
			a.body = bytes.Replace(a.body, []byte(`"state":"kept"`), []byte(`"state":"broken"`), 1)
			shown[path] = a
		}
	}
	if o := look(func(string) error { return nil }); len(o.broken[statesFollow])+len(o.broken[logWhole]) == 0 {
		t.Error("a page that says something else than the log was not seen")
	}
}

// changeOne changes a byte of the first file of a folder.
func changeOne(dir string) error {
	done := errors.New("done")
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		data[len(data)/2] ^= 1
		return cmp.Or(os.WriteFile(path, data, 0o600), done)
	})
	if errors.Is(err, done) {
		return nil
	}
	return cmp.Or(err, errors.New("there was nothing to change"))
}
