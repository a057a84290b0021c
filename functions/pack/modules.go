package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/sync/errgroup"
)

// readModule reads go.mod and go.sum.
func (s *sources) readModule() error {
	var err error
	if s.mod, err = os.ReadFile(filepath.Join(s.root, "go.mod")); err != nil {
		return fmt.Errorf("reading go.mod: %w", err)
	}
	if s.sum, err = os.ReadFile(filepath.Join(s.root, "go.sum")); err != nil {
		return fmt.Errorf("reading go.sum: %w", err)
	}
	f, err := modfile.Parse("go.mod", s.mod, nil)
	if err != nil {
		return fmt.Errorf("reading go.mod: %w", err)
	}
	if f.Module == nil || !strings.Contains(strings.Split(f.Module.Mod.Path, "/")[0], ".") {
		return errors.New("go.mod: the first element of the module's path has no dot: the buildpack refuses it")
	}
	s.module, s.required = f.Module.Mod.Path, map[string]string{}
	for _, r := range f.Require {
		s.required[r.Mod.Path] = r.Mod.Version
	}
	return nil
}

// used are the modules of others that any of some packages is of, sorted by path.
func used(parts []*part) []*module {
	byPath := map[string]*module{}
	for _, p := range parts {
		if !p.Module.Main {
			byPath[p.Module.Path] = p.Module
		}
	}
	var all []*module
	for _, m := range byPath {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *module) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// hashes are what go.sum names of whole modules, by PATH@VERSION.
func (s *sources) hashes() map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(string(s.sum)) {
		if fields := strings.Fields(line); len(fields) == 3 && !strings.HasSuffix(fields[1], "/go.mod") {
			all[fields[0]+"@"+fields[1]] = fields[2]
		}
	}
	return all
}

// unaltered compares the whole folder of each module in the module cache with go.sum: the cache is a folder of whoever packs,
// and what it holds is what will run.
func (s *sources) unaltered() error {
	want := s.hashes()
	var all []*part
	for _, p := range s.parts {
		all = append(all, p)
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, m := range used(all) {
		group.Go(func() error {
			name := m.Path + "@" + m.Version
			have, err := dirhash.HashDir(m.Dir, name, dirhash.Hash1)
			switch {
			case err != nil:
				return fmt.Errorf("looking at the module %s: %w", name, err)
			case s.required[m.Path] != m.Version:
				return fmt.Errorf("go.mod does not require %s: run go mod tidy", name)
			case want[name] != have:
				return fmt.Errorf("%s in the module cache is not what go.sum names: run go clean -modcache, and find out who changed it", name)
			}
			return nil
		})
	}
	return group.Wait()
}

// modulesText is vendor/modules.txt for some packages: which module and version each is of, by which the go command finds it
// and chooses the version of the language (https://go.dev/ref/mod#vendoring). It names every module that go.mod requires, or
// the go command takes the folder for stale.
func (s *sources) modulesText(parts []*part) []byte {
	packages, versions := map[string][]string{}, map[string]string{}
	for _, p := range parts {
		if !p.Module.Main {
			packages[p.Module.Path] = append(packages[p.Module.Path], p.ImportPath)
			versions[p.Module.Path] = p.Module.GoVersion
		}
	}
	var names []string
	for name := range s.required {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(strings.Compare(a, b), strings.Compare(s.required[a], s.required[b]))
	})
	var text strings.Builder
	for _, name := range names {
		fmt.Fprintf(&text, "# %s %s\n## explicit", name, s.required[name])
		if versions[name] != "" {
			fmt.Fprintf(&text, "; go %s", versions[name])
		}
		text.WriteString("\n")
		for _, p := range slices.Sorted(slices.Values(packages[name])) {
			text.WriteString(p + "\n")
		}
	}
	return []byte(text.String())
}

// licences are the files by which a module's author lets others pass its sources on: they go wherever the sources go.
func licences(m *module) ([]string, error) {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return nil, fmt.Errorf("looking at the module %s: %w", m.Path, err)
	}
	var names []string
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if e.Type().IsRegular() && slices.ContainsFunc([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "PATENTS"}, func(p string) bool { return strings.HasPrefix(name, p) }) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
