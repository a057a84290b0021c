package configuration

import (
	"fmt"
	"strings"
)

// Parse reads the text of one file. It knows what the tree writes, HCL's native syntax; what it cannot read is an error
// that names the line.
func Parse(file, text string) (Body, error) {
	p := &parser{file: file, text: text}
	body, err := p.body(false)
	if err != nil {
		return Body{}, fmt.Errorf("%s:%d: %w", file, 1+strings.Count(text[:min(p.at, len(text))], "\n"), err)
	}
	return body, nil
}

type parser struct {
	file, text string
	at         int
}

// body reads attributes and blocks, up to the closing brace where there has to be one.
func (p *parser) body(closes bool) (Body, error) {
	b := Body{Attributes: map[string]string{}}
	for {
		p.skip(true)
		switch {
		case p.at >= len(p.text):
			if closes {
				return b, fmt.Errorf("a block is not closed")
			}
			return b, nil
		case p.text[p.at] == '}':
			if !closes {
				return b, fmt.Errorf("a brace closes nothing")
			}
			p.at++
			return b, nil
		}
		line := 1 + strings.Count(p.text[:p.at], "\n")
		name := p.word()
		if name == "" {
			return b, fmt.Errorf("a name of an attribute or a block is missing")
		}
		p.skip(false)
		if p.at < len(p.text) && p.text[p.at] == '=' {
			p.at++
			expression, err := p.expression()
			if err != nil {
				return b, fmt.Errorf("%s: %w", name, err)
			}
			b.Attributes[name] = expression
			continue
		}
		block := Block{Type: name, File: p.file, Line: line}
		if err := p.block(&block); err != nil {
			return b, err
		}
		b.Blocks = append(b.Blocks, block)
	}
}

// block reads labels and what stands between the braces.
func (p *parser) block(b *Block) error {
	for {
		p.skip(false)
		if p.at >= len(p.text) {
			return fmt.Errorf("%s: a block has no body", b.Type)
		}
		switch c := p.text[p.at]; {
		case c == '{':
			p.at++
			body, err := p.body(true)
			b.Body = body
			return err
		case c == '"':
			end, err := quoted(p.text, p.at)
			if err != nil {
				return err
			}
			b.Labels, p.at = append(b.Labels, Unquote(p.text[p.at:end])), end
		default:
			label := p.word()
			if label == "" {
				return fmt.Errorf("%s: neither a label nor a body", b.Type)
			}
			b.Labels = append(b.Labels, label)
		}
	}
}

// expression reads to the end of the line, or of the lines that its brackets span. Comments in it are left out.
func (p *parser) expression() (string, error) {
	var kept strings.Builder
	depth := 0
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case c == '"':
			end, err := quoted(p.text, p.at)
			if err != nil {
				return "", err
			}
			kept.WriteString(p.text[p.at:end])
			p.at = end
			continue
		case strings.HasPrefix(p.text[p.at:], "<<"):
			end, err := heredoc(p.text, p.at)
			if err != nil {
				return "", err
			}
			kept.WriteString(p.text[p.at:end])
			p.at = end
			continue
		case p.comment():
			kept.WriteByte(' ')
			continue
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			if depth == 0 {
				return strings.TrimSpace(kept.String()), nil
			}
			depth--
		case c == '\n' && depth == 0:
			return strings.TrimSpace(kept.String()), nil
		}
		kept.WriteByte(c)
		p.at++
	}
	if depth > 0 {
		return "", fmt.Errorf("a bracket is not closed")
	}
	return strings.TrimSpace(kept.String()), nil
}

// skip goes over space and comments, and over ends of lines where they mean nothing.
func (p *parser) skip(lines bool) {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == ' ' || c == '\t' || c == '\r' || lines && c == '\n':
			p.at++
		case !p.comment():
			return
		}
	}
}

// comment goes over one comment, and says whether there was one. The end of a line is not part of it.
func (p *parser) comment() bool {
	rest := p.text[p.at:]
	switch {
	case strings.HasPrefix(rest, "#"), strings.HasPrefix(rest, "//"):
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			p.at += end
		} else {
			p.at = len(p.text)
		}
		return true
	case strings.HasPrefix(rest, "/*"):
		if end := strings.Index(rest, "*/"); end >= 0 {
			p.at += end + 2
		} else {
			p.at = len(p.text)
		}
		return true
	}
	return false
}

func (p *parser) word() string {
	start := p.at
	for p.at < len(p.text) && letter(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at]
}

func letter(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// quoted is where the string that begins at a place ends, with the expressions in it.
func quoted(text string, at int) (int, error) {
	for i := at + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '"':
			return i + 1, nil
		case text[i] == '\n':
			return 0, fmt.Errorf("a string is not closed")
		case escaped(text, i):
			i += 2
		case opens(text, i):
			end, err := closing(text, i+2)
			if err != nil {
				return 0, err
			}
			i = end
		}
	}
	return 0, fmt.Errorf("a string is not closed")
}

// opens tells whether an expression or a directive begins inside a string here; escaped, whether only its signs stand there.
func opens(text string, i int) bool {
	return strings.HasPrefix(text[i:], "${") || strings.HasPrefix(text[i:], "%{")
}

func escaped(text string, i int) bool {
	return strings.HasPrefix(text[i:], "$${") || strings.HasPrefix(text[i:], "%%{")
}

// closing is where the brace stands that closes what begins before a place.
func closing(text string, at int) (int, error) {
	depth := 0
	for i := at; i < len(text); i++ {
		switch text[i] {
		case '"':
			end, err := quoted(text, i)
			if err != nil {
				return 0, err
			}
			i = end - 1
		case '{', '[', '(':
			depth++
		case '}', ']', ')':
			if depth == 0 {
				return i, nil
			}
			depth--
		}
	}
	return 0, fmt.Errorf("a bracket is not closed")
}

// heredoc is where a text that begins with << ends.
func heredoc(text string, at int) (int, error) {
	line, rest, found := strings.Cut(text[at:], "\n")
	marker := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "<<"), "-"))
	if !found || marker == "" {
		return 0, fmt.Errorf("a text after << has no marker")
	}
	end := at + len(line) + 1
	for rest != "" {
		line, rest, _ = strings.Cut(rest, "\n")
		if strings.TrimSpace(line) == marker {
			return end + len(line), nil
		}
		end += len(line) + 1
	}
	return 0, fmt.Errorf("the text up to %s is not closed", marker)
}
