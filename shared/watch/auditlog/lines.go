package auditlog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"

	"ostiary.internal/shared/platform/fault"
)

// Line is one entry of an export, and where it stood.
type Line struct {
	Number  int // of the line it begins on, from 1
	Entries []Entry
}

// Lines reads an export: JSON lines, objects over several lines one after another, or one array, in any envelope. It
// holds one entry at a time, of up to MaxSize bytes. An entry that cannot be read comes with an error of kind Invalid
// and its line; reading goes on with the next. A line that begins with an open brace begins an entry, so that a
// broken one takes no other with it; an array that is cut is an error at the end, even between two objects. An error of the reader itself, of kind Transient, ends it.
func Lines(r io.Reader, m ...Mapping) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		s := &splitter{r: bufio.NewReaderSize(r, 64<<10), line: 1}
		for {
			chunk, number, err := s.next()
			switch {
			case err == io.EOF:
				return
			case errors.Is(err, errBroken):
				if !yield(Line{Number: number}, fault.New(fault.Invalid, "reading a log entry: %w", err)) {
					return
				}
			case err != nil:
				yield(Line{Number: number}, fault.New(fault.Transient, "reading the log: %w", err))
				return
			default:
				entries, err := Decode(chunk, m...)
				if !yield(Line{Number: number, Entries: entries}, err) {
					return
				}
			}
		}
	}
}

var (
	errBroken = errors.New("not a whole JSON object")
	errCut    = fmt.Errorf("%w: an array has no beginning, or no end", errBroken)
)
