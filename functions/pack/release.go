package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"ostiary.internal/functions/internal/manifest"
)

// Names in the folder of archives; sbomName is another.
const (
	listName   = "archives.json"
	tfvarsName = "archives.tfvars.json"
)

// release is archives.json. The SHA-256 of its bytes names the release.
type release struct {
	Go        string              `json:"go"` // release of Go that packed: another may compress otherwise
	Functions map[string]packaged `json:"functions"`
}

// packaged is the archive of one function.
type packaged struct {
	Object   string `json:"object"`   // FUNCTION-SHA256.zip: the object's name in the bucket
	Digest   string `json:"digest"`   // sha256:... of the archive, as records name it
	Size     int64  `json:"size"`     // bytes
	Manifest string `json:"manifest"` // sha256:... of function.json: what Terraform gives the function has to be what it asks for
}

// encode is the list as it is kept.
func (r release) encode() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}

// made packs every function of a tree. The archives are by their objects' names.
func (s *sources) made() (release, map[string][]byte, error) {
	list := release{Go: s.goVersion, Functions: map[string]packaged{}}
	all := make([]map[string]entry, len(s.functions))
	for i, f := range s.functions {
		var err error
		if all[i], err = s.entries(f); err != nil {
			return release{}, nil, err
		}
	}
	files, err := squeezed(all)
	if err != nil {
		return release{}, nil, err
	}
	archives := map[string][]byte{}
	for i, f := range s.functions {
		data, err := bundle(all[i], files)
		if err != nil {
			return release{}, nil, fmt.Errorf("packing %s: %w", f.Name, err)
		}
		p := packaged{Digest: "sha256:" + digest(data), Size: int64(len(data)), Object: f.Name + "-" + digest(data) + ".zip"}
		if p.Manifest, err = manifestDigest(s.root, f); err != nil {
			return release{}, nil, err
		}
		list.Functions[f.Name], archives[p.Object] = p, data
	}
	return list, archives, nil
}

func manifestDigest(root string, f manifest.Function) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "functions", f.Control, f.Name, "function.json"))
	if err != nil {
		return "", fmt.Errorf("reading the manifest of %s: %w", f.Name, err)
	}
	return "sha256:" + digest(text), nil
}

// pack writes the archives and their lists, and takes away archives of earlier sources.
func (o *options) pack(ctx context.Context) error {
	s, err := read(ctx, o.root)
	if err != nil {
		return err
	}
	list, archives, err := s.made()
	if err != nil {
		return err
	}
	text, err := list.encode()
	if err != nil {
		return err
	}
	parts, err := s.billOf(list, text)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return fmt.Errorf("making the folder of archives: %w", err)
	}
	for name, data := range archives {
		if err := put(filepath.Join(o.out, name), data); err != nil {
			return err
		}
	}
	if err := o.sweep(archives); err != nil {
		return err
	}
	bill, err := parts.encode()
	if err != nil {
		return err
	}
	return errors.Join(put(filepath.Join(o.out, sbomName), bill), o.writeLists(list, text), o.tell(list, text))
}

// writeLists writes archives.json as it is given, and archives.tfvars.json.
func (o *options) writeLists(list release, text []byte) error {
	objects := map[string]string{}
	for name, p := range list.Functions {
		objects[name] = p.Object
	}
	archives := map[string]any{"objects": objects}
	if o.bucket != "" {
		archives["bucket"] = o.bucket
	}
	values, err := json.MarshalIndent(map[string]any{"archives": archives}, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(put(filepath.Join(o.out, listName), text), put(filepath.Join(o.out, tfvarsName), append(values, '\n')))
}

// put writes a file whole, or not at all.
func put(path string, data []byte) error {
	next := path + ".part"
	if err := os.WriteFile(next, data, 0o666); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

var archiveForm = regexp.MustCompile(`^[a-z]+-[0-9a-f]{64}\.zip$`)

// sweep removes archives that are not of this release: whoever uploads by hand takes no old one along.
func (o *options) sweep(archives map[string][]byte) error {
	entries, err := os.ReadDir(o.out)
	if err != nil {
		return fmt.Errorf("looking for old archives: %w", err)
	}
	for _, e := range entries {
		if _, new := archives[e.Name()]; !new && e.Type().IsRegular() && archiveForm.MatchString(e.Name()) {
			if err := os.Remove(filepath.Join(o.out, e.Name())); err != nil {
				return fmt.Errorf("removing an old archive: %w", err)
			}
		}
	}
	return nil
}

// tell prints what was packed, and the release's name alone on the last line.
func (o *options) tell(list release, text []byte) error {
	var total int64
	w := tabwriter.NewWriter(o.stdout, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(list.Functions)) {
		p := list.Functions[name]
		total += p.Size
		fmt.Fprintf(w, "%s\t%d\t%s\n", name, p.Size, p.Digest)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(o.stdout, "%d archives, %.1f MB, packed by %s\nrelease sha256:%s\n", len(list.Functions), float64(total)/1e6, list.Go, digest(text))
	return err
}

// listed reads archives.json of the folder of archives.
func (o *options) listed() (release, []byte, error) {
	text, err := os.ReadFile(filepath.Join(o.out, listName))
	if errors.Is(err, fs.ErrNotExist) {
		return release{}, nil, fmt.Errorf("%s holds no %s: run make dist first", o.out, listName)
	}
	if err != nil {
		return release{}, nil, fmt.Errorf("reading the list of archives: %w", err)
	}
	list, err := parse(text)
	return list, text, err
}

// parse reads archives.json strictly: what it says is deployed.
func parse(text []byte) (release, error) {
	var list release
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return release{}, fmt.Errorf("reading %s: %w", listName, err)
	}
	for name, p := range list.Functions {
		sum, _ := strings.CutPrefix(p.Digest, "sha256:")
		if p.Object != name+"-"+sum+".zip" || !archiveForm.MatchString(p.Object) || p.Size <= 0 || p.Size > maxArchive {
			return release{}, fmt.Errorf("reading %s: the archive of %s is not named by its function and its digest", listName, name)
		}
	}
	if len(list.Functions) == 0 {
		return release{}, fmt.Errorf("reading %s: it lists no function", listName)
	}
	return list, nil
}

// compare packs again and says which archives the sources no longer give.
func (o *options) compare(ctx context.Context) error {
	was, _, err := o.listed()
	if err != nil {
		return err
	}
	s, err := read(ctx, o.root)
	if err != nil {
		return err
	}
	is, _, err := s.made()
	if err != nil {
		return err
	}
	if diff := differences(was, is, func(p packaged) string { return p.Digest }); len(diff) > 0 {
		by := ""
		if was.Go != is.Go {
			by = fmt.Sprintf("; they were packed by %s, and this is %s, which may compress otherwise", was.Go, is.Go)
		}
		return fmt.Errorf("the sources give other archives of %s%s", strings.Join(diff, ", "), by)
	}
	_, err = fmt.Fprintf(o.stdout, "%d archives are what the sources give\n", len(is.Functions))
	return err
}

// differences are the functions that only one of two releases has, or that differ in something, sorted.
func differences(a, b release, in func(packaged) string) (names []string) {
	for name := range a.Functions {
		if other, both := b.Functions[name]; !both || in(other) != in(a.Functions[name]) {
			names = append(names, name)
		}
	}
	for name := range b.Functions {
		if _, both := a.Functions[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
