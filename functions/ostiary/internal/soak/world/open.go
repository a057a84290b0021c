package world

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
)

// open are the deliveries that follow from what was published and were not acknowledged yet, over kills: each line of its
// file adds one or takes one away. What was published in the instant of a kill may be missing in it, and what was
// acknowledged then may be there once more than it comes; the first is not waited for, the second comes again.
type open struct {
	mu   sync.Mutex
	left map[string]bool
	last int // number of a publication
	file *os.File
}

// unwritten is more than the publications that can be under way at once.
const unwritten = 1000

// openOpen reads what an earlier process left, and begins the file anew with it.
func openOpen(path string) (*open, error) {
	o := &open{left: map[string]bool{}}
	gone := map[string]bool{}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading which deliveries are open: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if key, done := strings.CutPrefix(line, "-"); done { // it may stand before what it takes away
			gone[key] = true
		} else if key, added := strings.CutPrefix(line, "+"); added {
			o.left[key] = true
			number, _, _ := strings.Cut(key, " ")
			n, _ := strconv.Atoi(number)
			o.last = max(o.last, n)
		}
	}
	for key := range gone {
		delete(o.left, key)
	}
	o.last += unwritten
	return o, o.rewrite(path)
}

func (o *open) rewrite(path string) error {
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		o.file = file
		out := bufio.NewWriter(file)
		for key := range o.left {
			fmt.Fprintf(out, "+%s\n", key)
		}
		err = out.Flush()
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("keeping which deliveries are open: %w", err)
	}
	return nil
}

// number returns the number of a publication. Numbers of an earlier process whose publication no line tells of are left out.
func (o *open) number() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	return strconv.Itoa(o.last)
}

// during adds deliveries before a publication, for they may come before it returns, and takes them away again when it failed.
func (o *open) during(deliveries []string, publish func() error) error {
	o.set(deliveries, true)
	if err := publish(); err != nil {
		o.set(deliveries, false)
		return err
	}
	var lines strings.Builder
	for _, key := range deliveries {
		lines.WriteString("+" + key + "\n")
	}
	return o.write(lines.String())
}

func (o *open) set(deliveries []string, there bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, key := range deliveries {
		if there {
			o.left[key] = true
		} else {
			delete(o.left, key)
		}
	}
}

func (o *open) write(lines string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.file.WriteString(lines); err != nil {
		return fmt.Errorf("keeping which deliveries are open: %w", err)
	}
	return nil
}

// done takes a delivery away.
func (o *open) done(key string) {
	o.set([]string{key}, false)
	_ = o.write("-" + key + "\n") // one that stays is waited for until it comes again
}

func (o *open) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.left)
}

// Close lets the file go.
func (o *open) Close() error { return o.file.Close() }
