package opendsr

import "strings"

// Identity is one identifier of the person, as the controller gives it.
type Identity struct {
	Type   IdentityType `json:"identity_type"`
	Format Format       `json:"identity_format"`
	Value  string       `json:"identity_value"`
}

// wrong says what is the matter with an identity of a known type.
func (i Identity) wrong() string {
	if i.Value == "" || len(i.Value) > MaxValueBytes || strings.ContainsFunc(i.Value, control) {
		return "is empty, longer than 1500 bytes or holds a control character"
	}
	return ""
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
