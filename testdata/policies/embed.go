// Package policies carries the sample companies as policy folders, and the starter that any company can copy. It
// promises that every folder loads without a problem. It is for commands and tests; no deployed function links it.
package policies

import (
	"embed"
	"io/fs"
)

// FS holds every folder, each beside the one it extends, as policy.Load wants them.
//
//go:embed */*
var FS embed.FS

// StarterFolder is the folder that `ostiary init` copies.
const StarterFolder = "baseline"

// Starter returns the files of the starter; os.CopyFS puts them into a new folder and overwrites nothing.
func Starter() fs.FS {
	starter, err := fs.Sub(FS, StarterFolder)
	if err != nil {
		panic(err) // the name is a constant and well formed
	}
	return starter
}
