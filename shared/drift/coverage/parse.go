package coverage

import (
	"errors"
	"strings"
)

// Bounds of a filter: Google's is 20,000 characters for a sink; how deep brackets may nest is ours.
const (
	maxFilter = 20_000
	maxDepth  = 100
)

var errSyntax = errors.New("a filter of a syntax that is not known")

// expr is a filter: one atom, or several expressions joined. Both joinings of none are what is always, or never, true.
type expr struct {
	op   op
	atom atom
	args []*expr
}

type op int

const (
	all  op = iota // AND
	any_           // OR
	not            // of args[0]
	is             // the atom
)

var always = &expr{op: all}

func negated(e *expr) *expr { return &expr{op: not, args: []*expr{e}} }

func joined(o op, args []*expr) *expr {
	if len(args) == 1 {
		return args[0]
	}
	return &expr{op: o, args: args}
}

// parse reads the part of the query language of Cloud Logging that sinks are written in. NOT binds tightest, then OR, then AND,
// and what stands side by side is joined by AND (Google Cloud, "Logging query language", boolean operators).
func parse(filter string) (*expr, error) {
	tokens, err := scan(filter)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 0 {
		return always, nil
	}
	p := &parser{tokens: tokens}
	e, err := p.and(0, p.term)
	if err == nil && p.at < len(p.tokens) {
		err = errSyntax
	}
	return e, err
}

// token is a word, a text in quotes, or a sign.
type token struct {
	text   string
	quoted bool
	sign   bool
	glued  bool // to what is before it
}

const signs = "()=<>!~:,"

func scan(s string) ([]token, error) {
	if len(s) > maxFilter {
		return nil, errSyntax
	}
	var tokens []token
	for i := 0; i < len(s); {
		glued := i > 0 && !strings.ContainsRune(" \t\r\n", rune(s[i-1]))
		switch c := s[i]; {
		case strings.ContainsRune(" \t\r\n", rune(c)):
			i++
		case strings.HasPrefix(s[i:], "--"):
			for i < len(s) && s[i] != '\n' {
				i++
			}
		case c == '"' || c == '\'':
			text, n, err := quoted(s[i:])
			if err != nil {
				return nil, err
			}
			tokens, i = append(tokens, token{text: text, quoted: true, glued: glued}), i+n
		case strings.ContainsRune(signs, rune(c)):
			n := 1
			for _, two := range []string{"=~", "!~", "!=", "<=", ">="} {
				if strings.HasPrefix(s[i:], two) {
					n = 2
				}
			}
			tokens, i = append(tokens, token{text: s[i : i+n], sign: true, glued: glued}), i+n
		case c == '-':
			tokens, i = append(tokens, token{text: "-", sign: true, glued: glued}), i+1
		default:
			n := strings.IndexAny(s[i:], " \t\r\n\"'"+signs)
			if n < 0 {
				n = len(s) - i
			}
			tokens, i = append(tokens, token{text: s[i : i+n], glued: glued}), i+n
		}
	}
	return tokens, nil
}

// quoted reads a text in quotes, and says how long it is with them.
func quoted(s string) (string, int, error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return b.String(), i + 1, nil
		case s[i] != '\\':
			b.WriteByte(s[i])
		case i+1 == len(s):
		default:
			i++
			switch s[i] {
			case '\\', '"', '\'':
			case 'n', 't', 'r', 'u', 'x', '0':
				return "", 0, errSyntax // no sink has one, and a guess would be worse
			default:
				b.WriteByte('\\') // of a regular expression
			}
			b.WriteByte(s[i])
		}
	}
	return "", 0, errSyntax
}

type parser struct {
	tokens []token
	at     int
}

func (p *parser) peek() (token, bool) {
	if p.at == len(p.tokens) {
		return token{}, false
	}
	return p.tokens[p.at], true
}

// take takes a sign, or a word that joins.
func (p *parser) take(text string) bool {
	t, more := p.peek()
	if !more || t.quoted || t.text != text {
		return false
	}
	p.at++
	return true
}

// item reads what is joined: a comparison, or one of the values it compares with.
type item func(depth int) (*expr, error)

func (p *parser) and(depth int, one item) (*expr, error) {
	var args []*expr
	for {
		e, err := p.or(depth, one)
		if err != nil {
			return nil, err
		}
		args = append(args, e)
		explicit := p.take("AND")
		t, more := p.peek()
		if end := !more || t.sign && t.text == ")"; end {
			if explicit {
				return nil, errSyntax
			}
			return joined(all, args), nil
		}
	}
}

func (p *parser) or(depth int, one item) (*expr, error) {
	var args []*expr
	for {
		e, err := p.not(depth, one)
		if err != nil {
			return nil, err
		}
		if args = append(args, e); !p.take("OR") {
			return joined(any_, args), nil
		}
	}
}

func (p *parser) not(depth int, one item) (*expr, error) {
	if depth > maxDepth {
		return nil, errSyntax
	}
	if p.take("NOT") || p.take("-") {
		e, err := p.not(depth+1, one)
		return negated(e), err
	}
	if !p.take("(") {
		return one(depth)
	}
	e, err := p.and(depth+1, one)
	if err == nil && !p.take(")") {
		err = errSyntax
	}
	return e, err
}

// term is a comparison, a call of a function, or a text that is looked for everywhere.
func (p *parser) term(depth int) (*expr, error) {
	first, more := p.peek()
	if !more || first.sign || !first.quoted && (first.text == "AND" || first.text == "OR") {
		return nil, errSyntax
	}
	p.at++
	path := first.text
	// A part of a path may stand in quotes: labels."ostiary-heartbeat".
	for !first.quoted {
		t, more := p.peek()
		if !more || t.sign && t.text != "-" || !t.glued {
			break
		}
		path += t.text
		p.at++
	}
	if p.take("(") {
		return p.call(path)
	}
	t, more := p.peek()
	if !more || !t.sign || !compares[t.text] {
		return said(atom{op: "text", value: path}), nil
	}
	p.at++
	value := func(int) (*expr, error) { return p.value(path, t.text) }
	if p.take("(") {
		e, err := p.and(depth+1, value)
		if err == nil && !p.take(")") {
			err = errSyntax
		}
		return e, err
	}
	return value(depth)
}

var compares = map[string]bool{"=": true, "!=": true, ":": true, "=~": true, "!~": true, "<": true, "<=": true, ">": true, ">=": true}

// value is one value a path is compared with.
func (p *parser) value(path, op string) (*expr, error) {
	minus := p.take("-")
	t, more := p.peek()
	if !more || t.sign {
		return nil, errSyntax
	}
	p.at++
	text := t.text
	// What is not in quotes may hold signs of its own, such as 2026-03-03 or a:b.
	for !t.quoted {
		next, more := p.peek()
		if !more || !next.glued || next.quoted || next.sign && next.text != "-" && next.text != ":" {
			break
		}
		text += next.text
		p.at++
	}
	if minus {
		text = "-" + text
	}
	return compare(path, op, text, t.quoted), nil
}

// call is a call of a function; only of log_id and sample is known what they do.
func (p *parser) call(name string) (*expr, error) {
	var args []string
	for !p.take(")") {
		t, more := p.peek()
		if !more || t.sign && t.text != "," && t.text != "-" {
			return nil, errSyntax
		}
		if p.at++; t.text != "," || t.quoted {
			args = append(args, t.text)
		}
	}
	switch {
	case strings.EqualFold(name, "log_id") && len(args) == 1:
		return compare(logID, "=", args[0], true), nil
	case name == "sample" && len(args) == 2:
		if strings.Trim(args[1], "0.") == "1" && args[1][0] == '1' {
			return always, nil
		}
		return said(atom{field: "sample", op: "=", value: strings.Join(args, ",")}), nil
	}
	return said(atom{op: "call", value: name + "(" + strings.Join(args, ",") + ")"}), nil
}

func said(a atom) *expr { return &expr{op: is, atom: a} }
