package parts

import (
	"slices"
	"strings"
	"testing"
)

// A key of marks is kept as it is; several stand on lines, the newest in front.
func TestMarkKeys(t *testing.T) {
	t.Parallel()
	one, two := strings.Repeat("a", 32), strings.Repeat("b", 40)
	for text, want := range map[string][]string{
		one: {one}, one + "\n": {one + "\n"}, two + "\n" + one: {two, one}, two + "\r\n" + one + "\n": {two, one},
		two + "\nshort": {two + "\nshort"}, "\x00\x01" + one + "\n" + two: {"\x00\x01" + one + "\n" + two}, "": {""},
	} {
		var got []string
		for _, key := range markKeys([]byte(text)) {
			got = append(got, string(key))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d bytes: %d keys, want %d", len(text), len(got), len(want))
		}
	}
}
