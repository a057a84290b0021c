package auditlog

// skip goes over the value that is next and returns its bytes, valid JSON.
func (c *cursor) skip() []byte {
	first := c.peek()
	start := c.pos
	if c.err != nil {
		return nil
	}
	switch first {
	case '{':
		c.skipObject()
	case '[':
		c.array("", func() { c.skip() })
	case '"':
		c.quoted()
	case 't':
		c.literal("true")
	case 'f':
		c.literal("false")
	case 'n':
		c.literal("null")
	default:
		c.skipNumber()
	}
	if c.err != nil {
		return nil
	}
	return c.data[start:c.pos]
}

// skipObject does not look for equal names: what is skipped is read later, by a cursor that visits all of them.
func (c *cursor) skipObject() {
	c.pos++
	c.enter()
	for first := true; c.err == nil; first = false {
		b := c.peek()
		if b == '}' && first {
			break
		}
		if b != '"' {
			c.fail(errSyntax)
			return
		}
		c.quoted()
		c.expect(':')
		c.skip()
		if c.peek() != ',' {
			break
		}
		c.pos++
	}
	c.expect('}')
	c.depth--
}

// quoted goes over the string that is next, quotes included, and reports whether it holds an escape.
func (c *cursor) quoted() (raw []byte, escaped bool) {
	start := c.pos
	for i := c.pos + 1; i < len(c.data); i++ {
		b := c.data[i]
		if b > '\\' || b > '"' && b < '\\' {
			continue // most of a log; the rest is looked at closer
		}
		switch {
		case b == '"':
			c.pos = i + 1
			return c.data[start:c.pos], escaped
		case b == '\\':
			n := escapeLength(c.data[i:])
			if n == 0 {
				c.fail(errSyntax)
				return nil, false
			}
			escaped = true
			i += n - 1
		case b < ' ':
			c.fail(errSyntax)
			return nil, false
		}
	}
	c.fail(errSyntax)
	return nil, false
}

// escapeLength returns how long the escape is that begins here, 0 when it is none (RFC 8259, section 7).
func escapeLength(at []byte) int {
	if len(at) < 2 {
		return 0
	}
	switch at[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(at) < 6 {
			return 0
		}
		for _, h := range at[2:6] {
			if !isDigit(h) && (h < 'a' || h > 'f') && (h < 'A' || h > 'F') {
				return 0
			}
		}
		return 6
	}
	return 0
}

// skipNumber goes over a number (RFC 8259, section 6).
func (c *cursor) skipNumber() {
	at := func() byte {
		if c.pos < len(c.data) {
			return c.data[c.pos]
		}
		return 0
	}
	digits := func() {
		if !isDigit(at()) {
			c.fail(errSyntax)
		}
		for isDigit(at()) {
			c.pos++
		}
	}
	if at() == '-' {
		c.pos++
	}
	if at() == '0' {
		c.pos++
	} else {
		digits()
	}
	if at() == '.' {
		c.pos++
		digits()
	}
	if b := at(); b == 'e' || b == 'E' {
		c.pos++
		if b := at(); b == '+' || b == '-' {
			c.pos++
		}
		digits()
	}
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
