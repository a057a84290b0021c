// Package page holds the pages of the erasure control: where somebody asks to be forgotten and follows what becomes of it,
// and the desk of the people who look after requests. It knows what a page shows; the functions know where that comes from.
package page

import (
	"embed"

	"ostiary.internal/functions/internal/shell"
)

//go:embed ask/templates ask/texts ask/assets
var ask embed.FS

//go:embed desk/templates desk/texts desk/assets
var desk embed.FS

// NewAsk returns the pages for everybody as the given function serves them.
func NewAsk(function string) *shell.Shell { return shell.In(function, ask, "ask") }

// NewDesk returns the pages of the desk as the given function serves them.
func NewDesk(function string) *shell.Shell { return shell.In(function, desk, "desk") }

// Choice is one entry of a list. Label is a key, or text where the field says so.
type Choice struct {
	Value, Label string
}

// Group writes a number or a code in groups of four, as people read and type it.
func Group(s string) string {
	grouped := make([]byte, 0, len(s)+len(s)/4)
	for i := range len(s) {
		if i > 0 && i%4 == 0 {
			grouped = append(grouped, '-')
		}
		grouped = append(grouped, s[i])
	}
	return string(grouped)
}
