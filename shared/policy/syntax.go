package policy

import (
	"regexp"
	"slices"
	"strings"
)

// What names may look like. Identifiers become document ids and file names, so they are short, plain and cannot
// be mistaken for a path.
var (
	idForm       = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	promiseForm  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,31}$`)
	paramForm    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	functionForm = regexp.MustCompile(`^[a-z]{1,63}$`)
	projectForm  = regexp.MustCompile(`^[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	secretForm   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	headerForm   = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$") // RFC 9110, section 5.6.2
	labelForm    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	localForm    = regexp.MustCompile("^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$") // RFC 5322, dot-atom
)

// Texts of what is allowed, where several files share one.
const (
	allowedID      = "lower-case letters, digits and hyphens, at most 63, such as anna or eu-west"
	allowedEmail   = "an ASCII address such as anna@company.example"
	allowedDomain  = "a domain such as company.example, in lower case"
	allowedCountry = "an ISO 3166 alpha-2 code such as FR"
	allowedZone    = "an IANA name such as Europe/Paris"
	allowedLang    = "en, fr, de"
	maxName        = 200 // characters of a name or a title
)

func isID(s string) bool { return idForm.MatchString(s) }

// isDomain reports whether s is a host name of at least two labels in lower-case ASCII (RFC 1123, section 2.1).
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	return len(s) <= 253 && len(labels) >= 2 && !slices.ContainsFunc(labels, func(l string) bool { return !labelForm.MatchString(l) })
}

// splitEmail reports whether s is an address in lower-case ASCII, and its domain (RFC 5321, section 4.5.3.1, for
// the lengths). Quoted local parts and address literals are not accepted.
func splitEmail(s string) (domain string, ok bool) {
	local, domain, found := strings.Cut(s, "@")
	return domain, found && len(local) <= 64 && localForm.MatchString(local) && isDomain(domain)
}

// isCountry reports whether s is one of the 249 codes that ISO 3166-1 assigns officially (as of 2025).
func isCountry(s string) bool {
	return len(s) == 2 && s[0] != ' ' && s[1] != ' ' && strings.Contains(countries, s) && strings.Index(countries, s)%3 == 0
}

const countries = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT " +
	"BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET " +
	"FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN " +
	"IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF " +
	"MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH " +
	"PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ " +
	"TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"

// isLanguage reports whether pages and messages exist in a language.
func isLanguage(s string) bool { return s == "en" || s == "fr" || s == "de" }

// isName reports whether s is text of one line, neither empty nor endless.
func isName(s string) bool {
	return s != "" && strings.TrimSpace(s) == s && len([]rune(s)) <= maxName &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
