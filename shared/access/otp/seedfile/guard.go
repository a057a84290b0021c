package seedfile

import "encoding/xml"

// Limits of an XML file, so that no part of it needs more memory than a key does.
const (
	maxDepth      = 24
	maxAttributes = 32
	maxText       = 16 << 10 // bytes between two tags, and of one attribute
)

// guard hands on the tokens of an XML file unless they can only be meant ill: document types, which bring entities,
// instructions, and what is too deep or too long.
type guard struct {
	xml   *xml.Decoder
	depth int
	inner bool // past the declaration
}

// Token returns the next token, as xml.TokenReader wants it.
func (g *guard) Token() (xml.Token, error) {
	token, err := g.xml.RawToken()
	if err != nil {
		return token, err
	}
	line, _ := g.xml.InputPos()
	switch t := token.(type) {
	case xml.Directive:
		return nil, invalid("Line %d declares a document type, which is not accepted.", line)
	case xml.ProcInst:
		if t.Target != "xml" || g.inner {
			return nil, invalid("Line %d holds an instruction for programs, which is not accepted.", line)
		}
	case xml.CharData:
		if len(t) > maxText {
			return nil, invalid("Line %d: a text is longer than %d bytes.", line, maxText)
		}
	case xml.EndElement:
		g.depth--
	case xml.StartElement:
		if g.depth++; g.depth > maxDepth || len(t.Attr) > maxAttributes {
			return nil, invalid("Line %d: elements in more than %d others, or with more than %d attributes.", line, maxDepth, maxAttributes)
		}
		for _, a := range t.Attr {
			if len(a.Value) > maxText {
				return nil, invalid("Line %d: an attribute is longer than %d bytes.", line, maxText)
			}
		}
	}
	g.inner = true
	return token, nil
}
