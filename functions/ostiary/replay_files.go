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

// logFiles returns the files that paths stand for, and their size together; "-" is standard input.
func logFiles(paths []string) (files []string, total int64, err error) {
	add := func(path string, size int64) {
		if !slices.Contains(files, path) {
			files, total = append(files, path), total+size
		}
	}
	for _, path := range paths {
		if path == "-" {
			add(path, 0)
			continue
		}
		found := []string{path}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(path, "*?[") {
			if found, err = filepath.Glob(path); err != nil || len(found) == 0 {
				return nil, 0, fmt.Errorf("no file is called like %s", path)
			}
		}
		for _, one := range found {
			info, err := os.Stat(one)
			if err != nil {
				return nil, 0, fmt.Errorf("looking for logs: %w", err)
			}
			if !info.IsDir() {
				add(one, info.Size())
				continue
			}
			if err := filepath.WalkDir(one, func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() && isLog(path) {
					if info, err := d.Info(); err == nil {
						add(path, info.Size())
					}
				}
				return nil // a folder that cannot be listed holds back no other; what was named is told
			}); err != nil {
				return nil, 0, fmt.Errorf("looking for logs: %w", err)
			}
		}
	}
	return files, total, nil
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
