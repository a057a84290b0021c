package otp

import "slices"

// maxTyped bounds what is looked at, in bytes: eight digits, a hyphen, and generous spaces.
const maxTyped = 64

// Parse returns the digits of a code as somebody typed it: ASCII spaces and one hyphen between digits are
// stripped, and what is left must be bytes 0 to 9, as many as one of lengths. Everything else is malformed. A
// code is never turned into a number, so signs, underscores, leading zeros and the digits of other scripts have no
// meaning that could slip through.
func Parse(typed string, lengths ...int) (code string, ok bool) {
	if len(typed) > maxTyped {
		return "", false
	}
	var digits [MaxDigits]byte
	n, hyphens, last := 0, 0, byte(0)
	for i := range len(typed) {
		c := typed[i]
		switch {
		case c == ' ':
			continue
		case c == '-' && hyphens == 0 && n > 0: // in front of the digits it would be a sign
			hyphens++
		case c >= '0' && c <= '9' && n < MaxDigits:
			digits[n] = c
			n++
		default:
			return "", false
		}
		last = c
	}
	if last == '-' || !slices.Contains(lengths, n) {
		return "", false
	}
	return string(digits[:n]), true
}
