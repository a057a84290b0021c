package policy

import (
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// Twins returns the ids of the others in people.yaml who are, or look like, the same human as a person: one declares the
// other's address in also, or they declare the same one; they bear the same name; or their addresses differ by their domain
// or by what follows a plus sign (RFC 5233) alone. Where two people decide together, two of these are one. It errs on the
// side of one: two who bear the same name are told apart by names that differ.
func (p *Policy) Twins(person Person) (ids []string) {
	for _, other := range p.People {
		if other.ID != person.ID && (declared(person, other) || alike(person, other)) {
			ids = append(ids, other.ID)
		}
	}
	return ids
}

// declared reports whether people.yaml says that two of its entries are one human.
func declared(a, b Person) bool {
	return slices.Contains(a.Also, b.Email) || slices.Contains(b.Also, a.Email) || slices.ContainsFunc(a.Also, func(address string) bool { return slices.Contains(b.Also, address) })
}

// alike reports whether two entries look like one human's.
func alike(a, b Person) bool {
	if name := sameName(a.Name); name != "" && name == sameName(b.Name) {
		return true
	}
	addresses := append([]string{b.Email}, b.Also...)
	return slices.ContainsFunc(append([]string{a.Email}, a.Also...), func(one string) bool {
		return slices.ContainsFunc(addresses, func(other string) bool { return mailbox(one) != "" && mailbox(one) == mailbox(other) })
	})
}

// sameName is a name without case, spaces and the order of its words.
func sameName(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" .,-'’", r) })
	slices.Sort(words)
	return strings.Join(words, " ")
}

// mailbox is the local part of an address without what follows a plus sign.
func mailbox(address string) string {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	local, _, _ = strings.Cut(local, "+")
	return local
}

// decides are the roles of which two people decide together.
var decides = []Role{Security, DPO, Owner}

// twins points at entries of people who decide, and who look like one human without being declared as one: the two of them
// would agree in vain.
func (l *loading) twins(file string) {
	people := l.policy.People
	deciding := func(p Person) bool { return slices.ContainsFunc(decides, p.Has) }
	for i, p := range people {
		for j, other := range people[:i] {
			if deciding(p) && deciding(other) && alike(p, other) && !declared(p, other) && p.ID != other.ID {
				l.dangling(file, index("people", i)+".email", "looks like "+quote(other.ID)+", "+index("people", j)+", under a second address: the two count as one where two people decide",
					"the other address in also, where it is the same person; names and addresses that differ, where it is not")
			}
		}
	}
}

// Apart refuses, code same_person, the word of a person about what somebody else did who is, or looks like, the same human.
// What she may not do under one id is not refused here.
func (p *Policy) Apart(person Person, id string) error {
	if id != "" && slices.Contains(p.Twins(person), id) {
		return SamePerson()
	}
	return nil
}

// SamePerson refuses the word of somebody who had her say under another address; code same_person.
func SamePerson() error {
	return fault.Refuse(fault.Denied, "same_person", "You and whoever it is about, or who said so first, are or look like one person under two addresses: two people decide.",
		"Ask somebody else; where you are two, have names and addresses in people.yaml that tell you apart.")
}
