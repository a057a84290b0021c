package baseline

import (
	"regexp"
	"strings"
)

// What functions look at of the data of assets, though an expression does not name it.
var (
	firewallFields = []string{"direction", "priority", "disabled", "allowed", "denied", "sourceRanges", "destinationRanges", "sourceTags", "sourceServiceAccounts", "targetTags", "targetServiceAccounts", "network", "logConfig", "rules", "associations"}
	sinkFields     = []string{"filter", "exclusions", "disabled", "destination", "includeChildren", "interceptChildren"}
	lockFields     = []string{"locked", "retentionDays", "retentionPolicy"}
)

// ruled finds the data rules are read from, of the asset that is judged or of another; kept an expression that asks for how long
// logs are kept.
var (
	ruled = regexp.MustCompile(`\brules\((\w+\.)?data\)`)
	kept  = regexp.MustCompile(`\bcovered\([^()]*,[^()]*\)`)
)

// Reads tells the fields of data that the functions of an expression look at, of the asset that is judged and of others, and the
// expression without what they are read from: what else it looks at it names itself.
func Reads(expression string) (rest string, own, others []string) {
	for _, found := range ruled.FindAllStringSubmatch(expression, -1) {
		if found[1] == "" {
			own = firewallFields
		} else {
			others = firewallFields
		}
	}
	if strings.Contains(expression, "covered(") {
		others = append(others[:len(others):len(others)], sinkFields...)
	}
	if kept.MatchString(expression) {
		others = append(others, lockFields...)
	}
	return ruled.ReplaceAllString(expression, "rules()"), own, others
}
