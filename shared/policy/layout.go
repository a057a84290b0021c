package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// Limits of a whole folder.
const (
	maxFiles      = 2000
	maxTotalBytes = 8 << 20
)

// rootFiles may stand in the folder itself; of folders, the layout knows those of isFolder.
var rootFiles = []string{
	"README.md", "access.yaml", "breach.yaml", "company.yaml", "datamap.yaml", "duties.yaml", "people.yaml",
	"services.yaml", "tenants.yaml", "watch.yaml",
}

const knownLayout = "access.yaml, breach.yaml, company.yaml, datamap.yaml, duties.yaml, people.yaml, services.yaml, " +
	"tenants.yaml, watch.yaml, README.md, promises/*.yaml, rules/*.yaml, baseline/*.yaml, templates/{en,fr,de}/*"

// isFolder reports whether the layout has a folder of that name.
func isFolder(name string) bool {
	switch name {
	case "promises", "rules", "baseline", "templates", "templates/en", "templates/fr", "templates/de":
		return true
	}
	return false
}

// isFile reports whether the layout has a file of that name.
func isFile(name string) bool {
	folder, base := path.Split(name)
	switch {
	case folder == "":
		return slices.Contains(rootFiles, name)
	case strings.HasPrefix(base, "."):
		return false
	case folder == "promises/" || folder == "rules/" || folder == "baseline/":
		return strings.HasSuffix(base, ".yaml")
	}
	return folder != "templates/" && isFolder(strings.TrimSuffix(folder, "/"))
}

// isInherited reports whether a file of the extended folder applies here.
func isInherited(name string) bool {
	return name == "duties.yaml" || strings.HasPrefix(name, "rules/") || strings.HasPrefix(name, "baseline/") ||
		strings.HasPrefix(name, "templates/")
}

// reading collects the files of one folder.
type reading struct {
	fsys     fs.FS
	dir      string
	wanted   func(name string) bool
	prefix   string // of names in problems
	files    map[string][]byte
	total    int
	problems []Problem
}

// readFolder reads every wanted file of dir. What the layout does not know is a problem; a folder that cannot be
// read is an error.
func readFolder(fsys fs.FS, dir, prefix string, wanted func(name string) bool) (map[string][]byte, []Problem, error) {
	r := &reading{fsys: fsys, dir: dir, wanted: wanted, prefix: prefix, files: map[string][]byte{}}
	if err := r.folder("."); err != nil {
		return nil, nil, err
	}
	return r.files, r.problems, nil
}

func (r *reading) folder(name string) error {
	entries, err := fs.ReadDir(r.fsys, path.Join(r.dir, name))
	if err != nil {
		return fault.New(fault.Misconfigured, "reading the policy folder %s: %w", path.Join(r.dir, name), err)
	}
	for _, entry := range entries {
		child := path.Join(name, entry.Name())
		switch {
		case entry.IsDir() && isFolder(child):
			err = r.folder(child)
		case entry.Type().IsRegular() && isFile(child):
			err = r.file(child)
		case !entry.IsDir() && !entry.Type().IsRegular():
			r.wrong(child, "is not a regular file", "regular files, no links")
		default:
			r.wrong(child, "has no place in a policy folder", knownLayout)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) file(name string) error {
	if !r.wanted(name) {
		return nil
	}
	if len(r.files) == maxFiles || r.total > maxTotalBytes {
		return fault.New(fault.Misconfigured, "reading the policy folder %s: more than %d files or %d MiB",
			r.dir, maxFiles, maxTotalBytes>>20)
	}
	full := path.Join(r.dir, name)
	f, err := r.fsys.Open(full)
	if err != nil {
		return fault.New(fault.Misconfigured, "opening the policy file %s: %w", full, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return fault.New(fault.Misconfigured, "reading the policy file %s: %w", full, err)
	}
	if len(data) > maxFileBytes {
		r.wrong(name, "is too large", fmt.Sprintf("at most %d MiB a file", maxFileBytes>>20))
		return nil
	}
	r.total += len(data)
	r.files[name] = data
	return nil
}

func (r *reading) wrong(name, what, allowed string) {
	if r.wanted(name) {
		r.problems = append(r.problems, Problem{File: r.prefix + name, Line: 1, Column: 1, Key: wholeFile, What: what, Allowed: allowed})
	}
}
