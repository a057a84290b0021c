package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	replaying "ostiary.internal/shared/watch/rule/replay"
)

// logEndings are what logs in a folder are called; a file that is named by itself may be called anything.
var logEndings = []string{".json", ".jsonl", ".ndjson", ".log"}

// logSet is the files to read, and what of the folders is not read.
type logSet struct {
	files   []string
	total   int64 // bytes
	skipped []string
	lost    bool // something of what is skipped may hold entries that were asked for
}

// logFiles returns the files that paths stand for; "-" is standard input. A link within a folder is not followed: it may
// lead anywhere, or round in a circle.
func logFiles(paths []string) (*logSet, error) {
	found := &logSet{}
	for _, path := range paths {
		if path == "-" {
			found.add(path, 0)
			continue
		}
		named := []string{path}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(path, "*?[") {
			if named, err = filepath.Glob(path); err != nil || len(named) == 0 {
				return nil, fmt.Errorf("no file is called like %s", path)
			}
		}
		for _, one := range named {
			info, err := os.Stat(one)
			if err != nil {
				return nil, fmt.Errorf("looking for logs: %w", err)
			}
			if !info.IsDir() {
				found.add(one, info.Size())
				continue
			}
			// With the separator a folder that is named by a link is walked too.
			if err := filepath.WalkDir(strings.TrimRight(one, string(filepath.Separator))+string(filepath.Separator), found.walk); err != nil {
				return nil, fmt.Errorf("looking for logs: %w", err)
			}
		}
	}
	return found, nil
}

func (l *logSet) add(path string, size int64) {
	if !slices.Contains(l.files, path) {
		l.files, l.total = append(l.files, path), l.total+size
	}
}

func (l *logSet) skip(path, why string, lost bool) {
	l.skipped = append(l.skipped, path+": "+why)
	l.lost = l.lost || lost
}

// walk takes one file of a folder. What cannot be read holds back no other; it is named.
func (l *logSet) walk(path string, d fs.DirEntry, err error) error {
	switch {
	case err != nil:
		l.skip(path, "it cannot be listed", true)
	case d.IsDir():
	case d.Type()&fs.ModeSymlink != 0:
		to, err := os.Stat(path)
		l.skip(path, "it is a link; name it by itself to have it read", err != nil || to.IsDir() || isLog(path))
	case !isLog(path):
		l.skip(path, "its name is none of a log; name it by itself to have it read", false)
	case !d.Type().IsRegular():
		l.skip(path, "it is no file", true)
	default:
		info, err := d.Info()
		if err != nil {
			l.skip(path, "it cannot be looked at", true)
			return nil
		}
		l.add(path, info.Size())
	}
	return nil
}

// mostSkipped is how many of those that are not read are named.
const mostSkipped = 50

// tell names what is not read.
func (l *logSet) tell(w io.Writer) {
	for i, one := range l.skipped {
		if i == mostSkipped {
			fmt.Fprintf(w, "not read: %d more\n", len(l.skipped)-i)
			return
		}
		fmt.Fprintf(w, "not read: %s\n", one)
	}
}

func isLog(path string) bool {
	name := strings.TrimSuffix(strings.ToLower(path), ".gz")
	return slices.Contains(logEndings, filepath.Ext(name))
}

// sourcesOf makes sources of files; bar hears of every byte that is read.
func sourcesOf(files []string, bar *progress) []replaying.Source {
	var sources []replaying.Source
	for _, file := range files {
		sources = append(sources, replaying.Source{Name: file, Once: file == "-", Open: func() (io.ReadCloser, error) { return openLog(file, bar) }})
	}
	return sources
}

// Bounds of what a gzip file may grow to: exported logs shrink to a thirtieth at most, a bomb to a thousandth.
const (
	bombFree  = 64 << 20
	bombRatio = 400
)

// openLog opens a file, unpacked when it begins as gzip does, whatever it is called.
func openLog(file string, bar *progress) (io.ReadCloser, error) {
	from := os.Stdin
	if file != "-" {
		// A pipe that nobody writes to would hold everything up.
		info, err := os.Stat(file)
		if err == nil && !info.Mode().IsRegular() && info.Mode()&os.ModeNamedPipe == 0 && info.Mode()&os.ModeCharDevice == 0 {
			err = errors.New("it is no file")
		}
		if err != nil {
			return nil, fmt.Errorf("opening a log: %w", err)
		}
		if from, err = os.Open(file); err != nil {
			return nil, fmt.Errorf("opening a log: %w", err)
		}
	}
	raw := &counted{r: from, bar: bar}
	buffered := bufio.NewReaderSize(raw, 256<<10)
	if magic, _ := buffered.Peek(2); len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b {
		return closing{buffered, from}, nil
	}
	unpacked, err := gzip.NewReader(buffered)
	if err != nil {
		_ = from.Close()
		return nil, fmt.Errorf("unpacking a log: %w", err)
	}
	return closing{&bounded{r: unpacked, packed: raw}, from}, nil
}

type closing struct {
	io.Reader
	io.Closer
}

// counted counts what is read.
type counted struct {
	r   io.Reader
	n   int64
	bar *progress
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.bar.read(int64(n))
	return n, err
}

// bounded ends a file that grows as no log does.
type bounded struct {
	r      io.Reader
	n      int64
	packed *counted
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.n > bombFree && b.n/bombRatio > b.packed.n {
		return 0, errors.New("it unpacks to more than four hundred times its size")
	}
	n, err := b.r.Read(p)
	b.n += int64(n)
	return n, err
}
