package auditlog

import (
	"bufio"
	"errors"
	"io"
)

// splitter cuts a stream into its outermost objects, by braces and quotes only.
type splitter struct {
	r     *bufio.Reader
	line  int
	start bool // at the beginning of a line
	last  int  // length of the last object: the next is likely alike
	open  int  // arrays around the objects that have begun and not ended
	told  bool // something broken was told of, which may have held the end of an array
}

// next returns the bytes of the next object, its own copy, and its line. Errors: errBroken for what is none.
func (s *splitter) next() (object []byte, number int, err error) {
	b, err := s.seek()
	if err == io.EOF && s.open != 0 && !s.told {
		s.told = true
		return nil, s.line, errCut
	}
	if err != nil {
		return nil, s.line, err
	}
	number = s.line
	if b != '{' {
		return nil, number, s.skipLine()
	}
	object = make([]byte, 0, s.last+s.last/4)
	var o outline
	s.start = false
	for {
		chunk, err := s.buffered()
		if err == io.EOF {
			s.told = true
			return nil, number, errBroken
		}
		if err != nil {
			return nil, number, err
		}
		n := s.scan(&o, chunk)
		object = append(object, chunk[:n]...)
		if _, err := s.r.Discard(n); err != nil {
			return nil, number, err
		}
		switch {
		case o.broken:
			s.told = true
			return nil, number, errBroken
		case len(object) > MaxSize:
			return nil, number, s.skipLine()
		case o.done:
			s.last = len(object)
			return object, number, nil
		}
	}
}

// outline is how far an object is read.
type outline struct {
	depth           int
	quoted, escaped bool
	done, broken    bool
}

// scan goes over the bytes up to the end of the object, or to where it turns out broken, and returns how many those
// are.
func (s *splitter) scan(o *outline, chunk []byte) int {
	for i, b := range chunk {
		if b == '\n' {
			s.line++
			s.start = true
			if o.quoted {
				o.broken = true // no string goes over a line
				return i + 1
			}
			continue
		}
		if s.start {
			s.start = false
			if b == '{' && o.depth > 0 {
				s.start, o.broken = true, true // the next entry begins here
				return i
			}
		}
		switch {
		case o.escaped:
			o.escaped = false
		case o.quoted:
			o.escaped, o.quoted = b == '\\', b != '"'
		case b == '"':
			o.quoted = true
		case b == '{' || b == '[':
			o.depth++
		case b == '}' || b == ']':
			if o.depth--; o.depth == 0 {
				o.done = true
				return i + 1
			}
		}
	}
	return len(chunk)
}

// buffered returns what is read already, at least one byte.
func (s *splitter) buffered() ([]byte, error) {
	if _, err := s.r.Peek(1); err != nil {
		return nil, err
	}
	return s.r.Peek(s.r.Buffered())
}

// seek goes to the next byte that is not between objects, and leaves it unread.
func (s *splitter) seek() (byte, error) {
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch b {
		case '\n':
			s.line++
			continue
		case '[':
			s.open++
			continue
		case ']':
			s.open--
			continue
		case ' ', '\t', '\r', ',', 0xEF, 0xBB, 0xBF: // with the byte order mark some exports begin with
			continue
		}
		return b, s.r.UnreadByte()
	}
}

// skipLine drops the rest of a line that holds no entry.
func (s *splitter) skipLine() error {
	s.told = true
	for {
		_, err := s.r.ReadSlice('\n')
		switch {
		case err == nil:
			s.line++
			return errBroken
		case err == io.EOF:
			return errBroken
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}
