package log

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden is what a Private value looks like wherever it is printed.
const hidden = "[private]"

// Private is a text about a person that must not be printed: an attribute, a field of a logged struct or a
// formatting argument of this type shows as "[private]", whatever the verb. Converting it to string reveals it.
// It is made of bytes because encoding/json prints the keys of a map as they are, and bytes cannot be a key.
type Private []byte

// LogValue hides the value from log/slog.
func (Private) LogValue() slog.Value { return slog.StringValue(hidden) }

// String hides the value.
func (Private) String() string { return hidden }

// Format hides the value from every verb of package fmt, %x and %#v included.
func (Private) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the value from encoders, encoding/json among them.
func (Private) MarshalText() ([]byte, error) { return []byte(hidden), nil }
