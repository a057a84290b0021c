package functiontest

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// Twice returns a setup in which somebody of the sample company has a second entry in people.yaml, with an id and roles such
// as "employee, owner". Its address is id@sharedcontacts.example, and it says that the other one is hers too.
func Twice(t testing.TB, s Setup, address, id, roles string) Setup {
	t.Helper()
	people, is := s.Policy["people.yaml"]
	if !is {
		read, _ := New(t, s).Policy.Read("people.yaml")
		people = string(read)
	}
	s.Policy = maps.Clone(s.Policy)
	if s.Policy == nil {
		s.Policy = map[string]string{}
	}
	s.Policy["people.yaml"] = fmt.Sprintf("%s\n  - {id: %s, email: %s@sharedcontacts.example, also: [%s], name: Second %s, roles: [%s], zone: Europe/Paris, language: fr}\n",
		strings.TrimSpace(people), id, id, address, id, roles)
	return s
}
