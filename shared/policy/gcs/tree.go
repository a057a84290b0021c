package gcs

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// tree is a file system in memory that is only read.
type tree struct {
	files   map[string][]byte
	folders map[string][]fs.DirEntry // sorted by name
}

var _ fs.ReadDirFS = tree{}

// grow makes a tree of files by their names. One name may not be a file and a folder, and two folders lie at the top at most.
func grow(files map[string][]byte) (tree, error) {
	t := tree{files: files, folders: map[string][]fs.DirEntry{".": nil}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		t.put(path.Dir(name), node{name: path.Base(name), size: int64(len(files[name]))})
	}
	for name := range t.folders {
		if _, file := files[name]; file {
			return tree{}, refused("%.100q is a file and a folder", name)
		}
		slices.SortFunc(t.folders[name], func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	if _, own := t.folders[ownFolder]; !own || len(t.folders["."]) > 2 {
		return tree{}, refused("it holds a folder %q and one that this extends, at most", ownFolder)
	}
	return t, nil
}

// put enters a node in its folder, and the folder in its own where it is new.
func (t tree) put(folder string, n node) {
	_, known := t.folders[folder]
	t.folders[folder] = append(t.folders[folder], fs.FileInfoToDirEntry(n))
	if !known {
		t.put(path.Dir(folder), node{name: path.Base(folder), folder: true})
	}
}

// Open implements fs.FS.
func (t tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if data, found := t.files[name]; found {
		return file{node{name: path.Base(name), size: int64(len(data))}, bytes.NewReader(data)}, nil
	}
	if entries, found := t.folders[name]; found {
		return &folder{node{name: path.Base(name), folder: true}, entries}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir implements fs.ReadDirFS.
func (t tree) ReadDir(name string) ([]fs.DirEntry, error) {
	if entries, found := t.folders[name]; found {
		return slices.Clone(entries), nil
	}
	return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
}

// node describes a file or a folder.
type node struct {
	name   string
	size   int64
	folder bool
}

func (n node) Name() string       { return n.name }
func (n node) Size() int64        { return n.size }
func (n node) IsDir() bool        { return n.folder }
func (n node) ModTime() time.Time { return time.Time{} }
func (n node) Sys() any           { return nil }

func (n node) Mode() fs.FileMode {
	if n.folder {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// file is one that is open.
type file struct {
	node
	*bytes.Reader
}

func (f file) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f file) Size() int64                { return f.node.size }
func (file) Close() error                 { return nil }

// folder is one that is open.
type folder struct {
	node
	left []fs.DirEntry
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *folder) Close() error               { return nil }

func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrInvalid}
}

func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(f.left)
	} else if len(f.left) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.left))
	entries := slices.Clone(f.left[:n])
	f.left = f.left[n:]
	return entries, nil
}
