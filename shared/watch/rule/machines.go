package rule

import (
	"slices"
	"strings"

	"ostiary.internal/shared/policy"
)

// functionNames are those of ostiary's functions: each runs as an account that is named after it, and those that
// machines alone call are called by another one.
var functionNames = []string{
	"acceptdrift", "admit", "attest", "checkdrift", "checkotp", "collectevidence", "decideerasure", "declarebreach", "deliver", "enrolotp",
	"justify", "keeppromises", "opendsr", "pairaddress", "planerasure", "purgeexpired", "registerip", "requesterasure", "revokegrants",
	"runerasure", "sealevidence", "syncallowlist", "tickbreach", "tickwatch", "trustpage", "watchallowlist", "watchaudit",
}

// Machine reports whether an address is of an account that may change what is live in a project without anybody being
// asked: one that deploys, or that of one of ostiary's own functions, as Terraform names them, in a project of the policy.
// One in a project that is not live has no say over what is.
func (w World) Machine(member, project string) bool {
	_, name := address(member)
	if slices.Contains(w.Deployers, name) {
		return true
	}
	account, domain, _ := strings.Cut(name, "@")
	home, found := strings.CutSuffix(domain, ".iam.gserviceaccount.com")
	kind, known := w.Projects[home]
	if !found || !known || kind == policy.Staging && w.Live(project) {
		return false
	}
	function, runs := strings.CutPrefix(account, "fn-")
	if !runs {
		function, runs = strings.CutPrefix(account, "in-")
	}
	return runs && slices.Contains(functionNames, function)
}
