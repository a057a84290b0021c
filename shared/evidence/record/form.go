package record

import "strings"

// form is the shape of a text: a beginning, and then so many bytes of an alphabet, of which the first may have one of its
// own. A log holds tens of thousands of records with a dozen texts each, and most of the time of reading one would go into
// regular expressions.
type form struct {
	begins      string
	first, rest string // alphabets
	least, most int    // bytes after the beginning
}

// MatchString reports whether a text is of the form, from its first byte to its last.
func (f form) MatchString(s string) bool {
	s, found := strings.CutPrefix(s, f.begins)
	if !found || len(s) < f.least || len(s) > f.most || strings.IndexByte(f.first, s[0]) < 0 {
		return false
	}
	for i := 1; i < len(s); i++ {
		if strings.IndexByte(f.rest, s[i]) < 0 {
			return false
		}
	}
	return true
}

const (
	digits  = "0123456789"
	small   = "abcdefghijklmnopqrstuvwxyz"
	capital = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	hexa    = digits + "abcdef"
	coded   = small + "234567"
)

// Forms of what a record holds.
var (
	digestForm     = form{"sha256:", hexa, hexa, 64, 64}
	commitmentForm = form{"hmac:", coded, coded, 52, 52}
	idForm         = form{"", coded, coded, 32, 32}
	nameForm       = form{"", digits + small, digits + small + "_-", 1, 128}
	factNameForm   = form{"", small, small + digits + "_", 1, 32}
	wordForm       = form{"", digits + small + capital, digits + small + capital + "._/+:-", 1, 128}
)
