package mailbox

import (
	"regexp"
	"strings"
)

var (
	link = regexp.MustCompile(`https?://[^\s<>"]+`)

	// A code stands on a line of its own: digits, groups of digits, or groups of equal case joined by hyphens.
	digits = regexp.MustCompile(`^[0-9]{6,10}$|^[0-9]{3,4}( [0-9]{3,4})+$`)
	groups = regexp.MustCompile(`^[A-Z0-9]{4,8}(-[A-Z0-9]{4,8})+$|^[a-z0-9]{4,8}(-[a-z0-9]{4,8})+$`)
	word   = regexp.MustCompile(`^[A-Z0-9]{8,64}$|^[a-z0-9]{8,64}$`)
)

// links returns the http and https addresses in text, in order, without the punctuation that ends a sentence.
func links(text string) []string {
	found := []string{}
	for _, l := range link.FindAllString(text, -1) {
		l = strings.TrimRight(l, `.,;:!?'*_`)
		if strings.HasSuffix(l, ")") && !strings.Contains(l, "(") {
			l = strings.TrimRight(l, ").,")
		}
		found = append(found, l)
	}
	return found
}

// codes returns the lines of text that are a code to type, as they stand there.
func codes(text string) []string {
	found := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); isCode(line) {
			found = append(found, line)
		}
	}
	return found
}

func isCode(line string) bool {
	hasDigit := strings.ContainsAny(line, "0123456789")
	switch {
	case digits.MatchString(line):
		return true
	case groups.MatchString(line):
		// Joined words are no code: one has a digit, capitals, or at least three groups of one length.
		return hasDigit || strings.ToUpper(line) == line || evenGroups(line)
	}
	return hasDigit && word.MatchString(line)
}

func evenGroups(line string) bool {
	parts := strings.Split(line, "-")
	for _, part := range parts {
		if len(part) != len(parts[0]) {
			return false
		}
	}
	return len(parts) >= 3
}
