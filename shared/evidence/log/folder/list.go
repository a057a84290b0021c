package folder

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/platform/fault"
)

// List returns objects by name. It reads every one it lists, for their generation.
func (o *Objects) List(ctx context.Context, prefix, after string, limit int) ([]log.Listed, error) {
	q := &query{Objects: o, ctx: ctx, prefix: prefix, after: after, limit: limit}
	if err := q.walk(""); err != nil {
		return nil, fault.New(fault.Transient, "listing objects: %w", err)
	}
	return q.found, nil
}

type query struct {
	*Objects
	ctx           context.Context
	prefix, after string
	limit         int
	found         []log.Listed
}

// walk adds the objects below a folder; its name ends with a slash, that of the top is empty.
func (q *query) walk(folder string) error {
	entries, err := os.ReadDir(q.path(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// A folder stands where the names in it do, behind "a-b" and before "a0" if it is called "a".
	full := func(e fs.DirEntry) string {
		if e.IsDir() {
			return folder + e.Name() + "/"
		}
		return folder + e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(full(a), full(b)) })
	for _, e := range entries {
		if err := q.ctx.Err(); err != nil {
			return err
		}
		name := full(e)
		switch {
		case len(q.found) == q.limit:
			return nil
		case e.Name()[0] == '.':
		case e.IsDir():
			within := strings.HasPrefix(name, q.prefix) || strings.HasPrefix(q.prefix, name)
			if within && (name > q.after || strings.HasPrefix(q.after, name)) {
				err = q.walk(name)
			}
		case e.Type().IsRegular() && strings.HasPrefix(name, q.prefix) && name > q.after:
			err = q.add(name)
		}
		if err != nil {
			return err
		}
	}
	return q.ctx.Err()
}

func (q *query) add(name string) error {
	l, err := q.look(name)
	if errors.Is(err, fs.ErrNotExist) { // deleted since the folder was read
		return nil
	}
	if err == nil {
		q.found = append(q.found, l)
	}
	return err
}

// look describes an object without holding it in memory, however large it is.
func (o *Objects) look(name string) (log.Listed, error) {
	f, err := os.Open(o.path(name))
	if err != nil {
		return log.Listed{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return log.Listed{}, err
	}
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	return log.Listed{Name: name, Generation: generation(sum.Sum(nil)), Size: size, Created: info.ModTime().UTC()}, err
}
