package manifest

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// All reads the manifest of every function below root/functions, by control and name. A manifest whose name or
// control is not its folder's is an error.
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
	slices.SortFunc(functions, func(a, b Function) int {
		return cmp.Or(cmp.Compare(a.Control, b.Control), cmp.Compare(a.Name, b.Name))
	})
	return functions, nil
}
