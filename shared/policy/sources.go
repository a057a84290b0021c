package policy

import (
	"context"
	"io/fs"

	"ostiary.internal/shared/platform/driver"
)

// Sources opens places that hold policy folders by URL: dir:PATH, a folder of this machine beside the one it may
// extend.
var Sources = driver.NewRegistry[Options, Folder]("policy")

// Options are what every driver receives.
type Options struct{}

// Folder is one place that holds a policy folder.
type Folder interface {
	// Files returns a file system and the policy folder's name in it, as Load wants them. Errors: Misconfigured when
	// there is no such folder, Transient when it cannot be had for the moment.
	Files(ctx context.Context) (fsys fs.FS, dir string, err error)
}

// Open loads the policy that a URL names, for a process that works by it. Dangling references do not stop it; they
// are in Policy.Dangling, to be logged. Errors: Misconfigured for any other problem, for a policy that cannot be read
// and for a URL of an unknown scheme; Transient as Folder.Files says.
func Open(ctx context.Context, url string) (*Policy, error) {
	p, problems, err := Check(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := Refuse(problems); err != nil {
		return nil, err
	}
	p.Dangling = problems
	return p, nil
}

// Check loads the policy that a URL names and returns all its problems, as Load does. Errors: those of Folder.Files
// and of Load, and Misconfigured for a URL of an unknown scheme.
func Check(ctx context.Context, url string) (*Policy, []Problem, error) {
	folder, err := Sources.Open(ctx, url, Options{})
	if err != nil {
		return nil, nil, err
	}
	fsys, dir, err := folder.Files(ctx)
	if err != nil {
		return nil, nil, err
	}
	return Load(fsys, dir)
}
