package baseline

import (
	"strings"

	"ostiary.internal/shared/policy"
)

// foreign reports whether an agent of Google's acts for a project that is not the company's: whoever works there has it do what she
// wants. Its address tells the project's number. Of a number nobody knows it is so where the numbers of all the company's are known.
func (c company) foreign(member string) bool {
	_, who, _ := strings.Cut(member, ":")
	local, _, _ := strings.Cut(who, "@")
	number := strings.TrimPrefix(local, "service-")
	if number == "" || strings.Trim(number, "0123456789") != "" || c.owns(number) {
		return false
	}
	if c.names.ID(number) != number {
		return true
	}
	return c.unnumbered(policy.Live, policy.Staging) == ""
}
