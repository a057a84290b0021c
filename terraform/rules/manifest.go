package rules

import (
	"encoding/json"
	"fmt"
	"io/fs"
)

// Manifest is what rules read of a function's function.json. That it is well formed is held by the package of the functions that
// reads all of it.
type Manifest struct {
	Name        string       `json:"name"`
	Control     string       `json:"control"`
	EntryPoint  string       `json:"entry_point"`
	Callers     string       `json:"callers"`
	Triggers    []Trigger    `json:"triggers"`
	MemoryMiB   int          `json:"memory_mib"`
	TimeoutS    int          `json:"timeout_s"`
	Concurrency int          `json:"concurrency"`
	Instances   int          `json:"max_instances"`
	Permissions []Permission `json:"permissions"`
	Environment []string     `json:"environment"`
	Secrets     []string     `json:"secrets"`
	Freshness   string       `json:"freshness"`
	Sweeps      []string     `json:"sweeps"`
}

// Trigger is one way a function is woken.
type Trigger struct {
	Kind   string `json:"kind"`
	Topic  string `json:"topic"`
	Filter string `json:"filter"`
	Cron   string `json:"cron"`
}

// Permission is a permission on a resource, in the words of manifests: database:access.
type Permission struct {
	Permission string `json:"permission"`
	Resource   string `json:"resource"`
}

// woken are the triggers of a kind.
func (m Manifest) woken(kind string) []Trigger {
	var all []Trigger
	for _, t := range m.Triggers {
		if t.Kind == kind {
			all = append(all, t)
		}
	}
	return all
}

// Manifests reads those of all functions below the top of the repository.
func Manifests(tree fs.FS) ([]Manifest, error) {
	files, err := fs.Glob(tree, "functions/*/*/function.json")
	if err != nil {
		return nil, fmt.Errorf("listing manifests: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no manifest below functions: give the top of the repository")
	}
	var all []Manifest
	for _, file := range files {
		text, err := fs.ReadFile(tree, file)
		if err != nil {
			return nil, fmt.Errorf("reading a manifest: %w", err)
		}
		var m Manifest
		if err := json.Unmarshal(text, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, m)
	}
	return all, nil
}
