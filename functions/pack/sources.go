package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/manifest"
)

// framework is what registers a function, and starter what the buildpack's main program runs it with. The buildpack looks for
// the import of the first in the root package, and for the folder of the second among the packages of others.
const (
	framework = "github.com/GoogleCloudPlatform/functions-framework-go/functions"
	starter   = "github.com/GoogleCloudPlatform/functions-framework-go/funcframework"
)

// part is one package that a function consists of, as go list says it.
type part struct {
	ImportPath, Dir string
	Standard        bool
	Module          *module
	Imports         []string

	GoFiles, CgoFiles, CFiles, CXXFiles, HFiles, SFiles, SysoFiles, EmbedFiles []string
}

// module is the module of a package.
type module struct {
	Path, Version, Dir, GoVersion string
	Main                          bool
	Replace                       *module
}

func (p *part) files() []string {
	return slices.Concat(p.GoFiles, p.CgoFiles, p.CFiles, p.CXXFiles, p.HFiles, p.SFiles, p.SysoFiles, p.EmbedFiles)
}

// sources is everything that any function is made of.
type sources struct {
	root      string // top of the repository
	module    string // its module path
	functions []manifest.Function
	parts     map[string]*part // by import path, without Go's own
	required  map[string]string
	goVersion string // of the go command, such as go1.26.8
	mod, sum  []byte // go.mod, go.sum
}

// read lists what the functions of a tree consist of.
func read(ctx context.Context, root string) (*sources, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("finding the sources: %w", err)
	}
	s := &sources{root: root, parts: map[string]*part{}}
	if s.functions, err = manifest.All(os.DirFS(root)); err != nil {
		return nil, err
	}
	if len(s.functions) == 0 {
		return nil, fmt.Errorf("%s holds no function: run in the top folder of the repository", root)
	}
	if err := s.readModule(); err != nil {
		return nil, err
	}
	roots := []string{framework, starter}
	for _, f := range s.functions {
		roots = append(roots, s.packageOf(f))
	}
	version, err := s.golang(ctx, "1", "env", "GOVERSION")
	if err != nil {
		return nil, err
	}
	s.goVersion = strings.TrimSpace(string(version))
	// Whether the builder's machine has a C compiler is its own matter: both kinds of build find their files.
	for _, cgo := range []string{"0", "1"} {
		listed, err := s.golang(ctx, cgo, append([]string{"list", "-deps", "-json=ImportPath,Dir,Standard,Module,Imports,GoFiles,CgoFiles,CFiles,CXXFiles,HFiles,SFiles,SysoFiles,EmbedFiles", "--"}, roots...)...)
		if err != nil {
			return nil, err
		}
		if err := s.add(listed); err != nil {
			return nil, err
		}
	}
	return s, s.unaltered()
}

// packageOf is the import path of a function's package.
func (s *sources) packageOf(f manifest.Function) string {
	return path.Join(s.module, "functions", f.Control, f.Name)
}

// settings are those of the go command by which other files are found: whatever whoever packs has set, in her environment or with
// go env -w, they are these. The comma is a list of no experiment: what is empty, go env -w would fill in.
var settings = []string{"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOEXPERIMENT=,", "GOFLAGS=-mod=readonly", "GOWORK=off"}

// golang runs the go command as the builder of Cloud Functions would: for Linux on amd64, with what go.mod says and no workspace.
func (s *sources) golang(ctx context.Context, cgo string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = s.root
	cmd.Env = append(append(os.Environ(), settings...), "CGO_ENABLED="+cgo)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, said.Bytes())
	}
	return out, nil
}

// add takes in what go list printed. A package that is known already may have more files and imports by another kind of build.
func (s *sources) add(listed []byte) error {
	for d := json.NewDecoder(bytes.NewReader(listed)); ; {
		var p part
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading what go list says: %w", err)
		}
		switch known := s.parts[p.ImportPath]; {
		case p.Standard:
			continue
		case p.Module == nil:
			return fmt.Errorf("%s is of no module", p.ImportPath)
		case p.Module.Replace != nil:
			return fmt.Errorf("go.mod replaces %s: what is packed has to be what go.sum names", p.Module.Path)
		case known == nil:
			s.parts[p.ImportPath] = &p
		default:
			known.Imports = append(known.Imports, p.Imports...)
			known.EmbedFiles = append(known.EmbedFiles, p.files()...)
		}
	}
}

// closure is every package a function needs, sorted by import path, that of the function included.
func (s *sources) closure(f manifest.Function) []*part {
	seen := map[string]bool{}
	next := []string{s.packageOf(f), framework, starter}
	var all []*part
	for len(next) > 0 {
		name := next[len(next)-1]
		next = next[:len(next)-1]
		p := s.parts[name]
		if seen[name] || p == nil { // one of Go's own
			continue
		}
		seen[name] = true
		all = append(all, p)
		next = append(next, p.Imports...)
	}
	slices.SortFunc(all, func(a, b *part) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return all
}
