package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// assetTypes are the files a page may bring. The table of the machine is not asked: it differs.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png",
	".ico": "image/x-icon", ".webmanifest": "application/manifest+json",
}

// Assets are the fixed files of a function's pages. Their URLs hold a hash of their content, so browsers may keep
// them for ever (RFC 8246) and never see an old one beside a new page.
type Assets struct {
	prefix string
	urls   map[string]string // by name
	files  map[string]asset  // by the last part of the URL
}

// asset is one file.
type asset struct {
	data      []byte
	mediaType string
	etag      string
}

// NewAssets reads all files of the layers, such as an embed.FS each, for the function of that name; a later layer's
// file stands in for an earlier one's. A file of a type that is not in the table is an error: it would be served as
// something it is not.
func NewAssets(function string, layers ...fs.FS) (*Assets, error) {
	a := &Assets{prefix: "/" + function + "/assets/", urls: map[string]string{}, files: map[string]asset{}}
	for _, layer := range layers {
		err := fs.WalkDir(layer, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			return a.add(layer, name)
		})
		if err != nil {
			return nil, fmt.Errorf("reading assets of %s: %w", function, err)
		}
	}
	return a, nil
}

func (a *Assets) add(layer fs.FS, name string) error {
	extension := path.Ext(name)
	mediaType, known := assetTypes[extension]
	if !known {
		return fault.New(fault.Misconfigured, "asset %s: files of this type are not served", name)
	}
	data, err := fs.ReadFile(layer, name)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:10])
	hashed := strings.TrimSuffix(name, extension) + "." + hash + extension
	a.urls[name] = a.prefix + hashed
	a.files[hashed] = asset{data, mediaType, `"` + hash + `"`}
	return nil
}

// URL returns the address of a file by its name in the file system; templates call it. An unknown name is an error.
func (a *Assets) URL(name string) (string, error) {
	url, known := a.urls[name]
	if !known {
		return "", fault.New(fault.Misconfigured, "asset %s does not exist", name)
	}
	return url, nil
}

// Route serves the files.
func (a *Assets) Route() Route {
	return Route{
		Method: http.MethodGet, Path: "/assets/{file...}", Summary: "A style sheet, script or picture of the pages.",
		Answers: map[int]any{http.StatusOK: Media("*/*")}, Problems: []string{"not_found"}, Handle: a.serve,
	}
}

func (a *Assets) serve(w http.ResponseWriter, r *http.Request) error {
	file, known := a.files[r.PathValue("file")]
	if !known {
		return fault.Refuse(fault.NotFound, "not_found", "There is no such file.", "Load the page again.")
	}
	h := w.Header()
	h.Set("Content-Type", file.mediaType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Etag", file.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.data))
	return nil
}
