package notice

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode"
)

var (
	// A domain with a path or a query is one as well: programs make it one, and it may say who follows it.
	bare     = regexp.MustCompile(`\b[\p{L}0-9-]+(\.[\p{L}0-9-]+)*\.([a-z]{2,24}|[A-Z]{2,24})(:[0-9]+)?[/?#][^\s]`)
	link     = regexp.MustCompile(`(?i)://|\bwww\.|\bhref\b|<[a-z!/]`)
	address  = regexp.MustCompile(`[^\s,;:<>()]+@[^\s,;:<>()]+`)
	internal = regexp.MustCompile(`(?i)\b[a-z0-9-]+(\.[a-z0-9-]+)*\.(internal|local|localhost|corp|intranet|lan|home\.arpa)\b|\b(metadata|localhost)\b`)
	numbers  = regexp.MustCompile(`[0-9A-Fa-f:.]{7,45}`)
	verdict  = regexp.MustCompile(`(?i)\bno (high )?risk\b|\blow risk\b|\bhigh risk\b|\bunlikely to result\b|\bnot (need|have) to notify\b|\bmust notify\b|` +
		`\baucun risque\b|\bpas de risque\b|\brisque (faible|élevé)|\brisque n.est pas\b|\bdevez notifier\b|` +
		`\bkein (hohes )?Risiko\b|\b(geringes|hohes) Risiko\b|\bvoraussichtlich nicht zu einem Risiko\b|\bmüssen .{0,20}melden\b`)
)

// Lint says what is wrong with what people wrote for a variable, beside the names of other tenants; "" for nothing. contact
// is whom to ask, whose own address may stand there. It is a check of words, and no substitute for reading.
func Lint(k Kind, name, text, contact string) string {
	if at := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Cf, r) }); at >= 0 {
		return "holds a character nobody sees"
	}
	if link.MatchString(text) || bare.MatchString(text) {
		return "holds a link"
	}
	for _, one := range address.FindAllString(text, -1) {
		if name != "contact" && !strings.Contains(contact, one) {
			return "holds the address of a person"
		}
	}
	if internal.MatchString(text) {
		return "names a machine of ours"
	}
	for _, one := range numbers.FindAllString(text, -1) {
		one = strings.Trim(one, ".:")
		_, alone := netip.ParseAddr(one)
		if _, withPort := netip.ParseAddrPort(one); alone == nil || withPort == nil {
			return "holds the address of a machine"
		}
	}
	if k != Persons && verdict.MatchString(text) {
		return "judges the risk, which is for the controller to do"
	}
	return ""
}
