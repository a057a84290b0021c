package manifest

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// All reads the manifest of every function below root/functions, by control and name. A manifest whose name or
// control is not its folder's is an error; so is one that sweeps for what is no function of its control that writes
// evidence.
func All(root fs.FS) ([]Function, error) {
	files, err := fs.Glob(root, "functions/*/*/function.json")
	if err != nil {
		return nil, fmt.Errorf("listing manifests: %w", err)
	}
	var functions []Function
	for _, file := range files {
		data, err := fs.ReadFile(root, file)
		if err != nil {
			return nil, fmt.Errorf("reading manifest %s: %w", file, err)
		}
		f, err := Parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if folder := path.Dir(file); folder != "functions/"+f.Control+"/"+f.Name {
			return nil, fmt.Errorf("%s: names control %s and function %s", file, f.Control, f.Name)
		}
		functions = append(functions, f)
	}
	for _, f := range functions {
		for _, name := range f.Sweeps {
			if !slices.ContainsFunc(functions, func(o Function) bool { return o.Name == name && o.Control == f.Control && o.Evidence != nil }) {
				return nil, fmt.Errorf("manifest of %q: sweeps for %s, which is no function of its control that writes evidence", f.Name, name)
			}
		}
	}
	slices.SortFunc(functions, func(a, b Function) int {
		return cmp.Or(cmp.Compare(a.Control, b.Control), cmp.Compare(a.Name, b.Name))
	})
	return functions, nil
}
