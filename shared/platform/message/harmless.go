package message

import (
	"strings"
	"unicode"
)

// Harmless keeps a text that others chose from adding lines or a link to a message: letters, marks upon them, digits and the signs
// that are named stay, and each other character becomes a space.
func Harmless(text, signs string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(signs, r) {
			return r
		}
		return ' '
	}, text)
}
