package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth is how deep claims may nest.
const maxDepth = 16

var errClaims = errors.New("claims are not one JSON object with unique names")

// decode reads a claims set. A name that occurs twice is refused (RFC 7519 section 4), and so are two top-level
// names that differ in case only: encoding/json, which the OpenID library uses, takes them for one.
// Numbers stay json.Number.
func decode(payload []byte) (map[string]any, error) {
	if !utf8.Valid(payload) {
		return nil, errClaims
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	v, err := value(d, 0)
	if err != nil {
		return nil, errClaims
	}
	claims, ok := v.(map[string]any)
	if _, err := d.Token(); !ok || !errors.Is(err, io.EOF) {
		return nil, errClaims
	}
	folded := map[string]bool{}
	for name := range claims {
		if name = strings.Map(fold, name); folded[name] {
			return nil, errClaims
		}
		folded[name] = true
	}
	return claims, nil
}

func value(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errClaims
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return object(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return token, nil
}

func object(d *json.Decoder, depth int) (any, error) {
	fields := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if _, twice := fields[name]; twice || !ok {
			return nil, errClaims
		}
		if fields[name], err = value(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return fields, err
}

// fold maps a letter to the least of those that differ from it in case only, as encoding/json does.
func fold(r rune) rune {
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}
