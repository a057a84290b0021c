// Package dir opens policy folders of this machine: dir:PATH, absolute or relative to the working directory. It
// never leaves the folder that holds PATH, not even by a link.
package dir

import (
	"context"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

func init() { policy.Sources.Register("dir", open) }

// URL returns the URL that opens the folder path.
func URL(path string) string { return driver.URL("dir", path) }

func open(_ context.Context, u *url.URL, _ policy.Options) (policy.Folder, error) {
	path, _, err := driver.Path(u)
	if err != nil {
		return nil, err
	}
	return folder(path), nil
}

type folder string

// Files implements policy.Folder.
func (f folder) Files(context.Context) (fs.FS, string, error) {
	path, err := filepath.Abs(string(f))
	if err != nil {
		return nil, "", fault.New(fault.Misconfigured, "finding the policy folder %s: %w", string(f), err)
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, "", fault.New(fault.Misconfigured, "opening the folder around the policy: %w", err)
	}
	return root.FS(), filepath.Base(path), nil
}
