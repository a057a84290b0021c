// Package folder reads what a company has on Google Cloud from files in a folder: exports and lists as gcloud writes them.
//
// It promises that a file that changed is read anew, that facts are as old as their file and never from the future, and that nothing is called gone while
// a file of the folder cannot be read. In a sandbox the files are no exports: they are what there is, whenever it is looked at. It is for local mode, for tests, and where somebody else makes exports; who may change the
// files may say anything. A page is the whole folder: it is for as much as fits in memory.
package folder

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

// mostBytes bounds a file, unpacked.
const mostBytes = 1 << 30

// scope is the only one.
const scope = "folder"

var endings = []string{".json", ".jsonl", ".ndjson", ".gz"}

func init() {
	for scheme, sandbox := range map[string]bool{"folder": false, "sandbox": true} {
		asset.Sources.Register(scheme, func(_ context.Context, u *url.URL, o asset.Options) (asset.Source, error) {
			dir, _, err := driver.Path(u)
			if err != nil {
				return nil, err
			}
			s := New(dir, o.Clock)
			s.sandbox = sandbox
			return s, nil
		})
	}
}

// Source reads one folder.
type Source struct {
	dir     string
	clock   clock.Clock
	sandbox bool // its facts are true when they are read

	mu     sync.Mutex
	seen   string // names, times and lengths of the files
	known  *asset.Inventory
	unread []string
	read   time.Time // of the newest file
}

var _ asset.Source = (*Source)(nil)

// New returns a source of the files of a folder that end in .json, .jsonl, .ndjson or .gz; folders in it are passed over.
func New(dir string, now clock.Clock) *Source { return &Source{dir: dir, clock: now} }

// Scopes implements asset.Source.
func (s *Source) Scopes() []string { return []string{scope} }

// Close implements asset.Source.
func (s *Source) Close() error { return nil }

// List implements asset.Source.
func (s *Source) List(ctx context.Context, of string, what asset.Content, kinds []string, page string) (asset.Page, error) {
	if of != scope || page != "" || !slices.Contains(asset.Contents(), what) {
		return asset.Page{}, fault.New(fault.Misconfigured, "listing assets: a folder is one scope and one page")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(ctx); err != nil {
		return asset.Page{}, err
	}
	p := asset.Page{Unread: slices.Clone(s.unread), Read: s.read}
	if s.sandbox {
		p.Read = s.clock.Now().UTC()
	}
	for _, known := range s.known.All() {
		a := s.dated(*known)
		if !slices.Contains(kinds, a.Type) || what == asset.Resources && a.Data == nil || what == asset.Policies && a.IAM == nil {
			continue
		}
		if what == asset.Resources {
			a.IAM = nil
		} else {
			a.Data = nil
		}
		p.Assets = append(p.Assets, a)
	}
	return p, nil
}

// Get implements asset.Source. What no file tells of is gone where all could be read and others of its type are told of.
func (s *Source) Get(ctx context.Context, kind, key string) (asset.Asset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(ctx); err != nil {
		return asset.Asset{}, err
	}
	if a, there := s.known.Get(kind, key); there {
		return s.dated(*a), nil
	}
	switch {
	case len(s.unread) > 0:
		return asset.Asset{}, fault.New(fault.Transient, "reading a %s: not all files of the folder can be read", kind)
	case s.known.Kinds()[kind] == 0:
		return asset.Asset{}, fault.New(fault.NotFound, "reading a %s: no file tells of any", kind)
	}
	return s.dated(asset.Asset{Key: key, Type: kind, Project: asset.ProjectOf(key), Deleted: true, Read: s.read}), nil
}

// dated is an asset with when its facts were true.
func (s *Source) dated(a asset.Asset) asset.Asset {
	if !s.sandbox {
		return a
	}
	a.Read = s.clock.Now().UTC()
	if a.IAM != nil {
		users := *a.IAM
		users.Read, a.IAM = a.Read, &users
	}
	return a
}

// load reads the folder where it is another than it was. The lock is held.
func (s *Source) load(ctx context.Context) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fault.New(kindOf(err), "listing the folder of assets: it cannot be read")
	}
	var seen strings.Builder
	var files []fs.FileInfo
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !slices.Contains(endings, filepath.Ext(entry.Name())) {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return fault.New(fault.Transient, "listing the folder of assets: it changes while it is read")
		}
		files = append(files, info)
		seen.WriteString(info.Name() + " " + strconv.FormatInt(info.Size(), 10) + " " + info.ModTime().String() + "\n")
	}
	if s.known != nil && s.seen == seen.String() {
		return nil
	}
	s.known, s.unread, s.read = asset.NewInventory(), nil, time.Time{}
	now := s.clock.Now().UTC()
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			s.known = nil
			return fault.New(fault.Transient, "reading the folder of assets: %w", err)
		}
		// A clock that is behind the disk's, or was moved, would have the file tell of later than it is asked.
		read := file.ModTime().UTC()
		if read.After(now) {
			read = now
		}
		for _, a := range s.file(file.Name(), read) {
			s.known.Add(a)
		}
	}
	s.known.Settle()
	s.seen = seen.String()
	return nil
}

// file returns what a file tells.
func (s *Source) file(name string, read time.Time) (all []asset.Asset) {
	if read.After(s.read) {
		s.read = read
	}
	from, err := open(filepath.Join(s.dir, name))
	if err != nil {
		s.miss(name + ": it cannot be opened")
		return nil
	}
	defer func() { _ = from.Close() }()
	for a, err := range asset.Decode(io.LimitReader(from, mostBytes), read, s.known.Names()) {
		if err != nil {
			s.miss(name + ": " + err.Error())
			continue
		}
		all = append(all, a)
	}
	return all
}

func (s *Source) miss(why string) {
	if len(s.unread) < asset.MaxUnread {
		s.unread = append(s.unread, why)
	}
}

func open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil || filepath.Ext(path) != ".gz" {
		return f, err
	}
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{unpacked, f}, nil
}

func kindOf(err error) fault.Kind {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.Misconfigured
	case errors.Is(err, fs.ErrPermission):
		return fault.Denied
	}
	return fault.Transient
}
