package datamap

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Normalise says how a kind of identifier is written. Nothing else is changed of what was given.
type Normalise string

// AsEmail takes off white space at both ends and makes the letters A to Z small. Nothing else about an address is
// certain to reach the same person.
const AsEmail Normalise = "email"

// Codes of what Guard refuses.
const (
	// CodeRefused: the value means nobody, or more than somebody. Nothing is searched with it.
	CodeRefused = "identifier_refused"
	// CodeDoubtful: a person looks at it before anything is erased.
	CodeDoubtful = "identifier_doubtful"
)

// maxValue is the longest identifier, in bytes: that of a Firestore document's name.
const maxValue = 1500

// Guard refuses what must not become part of a query. into is the way of recognising it is for, "" where that is not
// known yet: a value that becomes part of a path holds no separator. Errors: Invalid with CodeRefused for what is never
// used, Denied with CodeDoubtful for what a person has to approve: a wildcard, letters of several scripts, an address
// that is not plain ASCII. No error holds the value.
func Guard(value string, into erasure.MatchKind) error {
	if why := unusable(value); why != "" {
		return fault.Refuse(fault.Invalid, CodeRefused, "This identifier "+why+".", "Give the identifier as the product shows it.")
	}
	path := into == erasure.MatchDocument || into == erasure.MatchPrefix
	if path && (strings.ContainsAny(value, `/\`) || strings.HasPrefix(value, "__") && strings.HasSuffix(value, "__")) {
		return fault.Refuse(fault.Invalid, CodeRefused, "This identifier would be a path.", "Give the identifier as the product shows it.")
	}
	if why := doubtful(value); why != "" {
		return fault.Refuse(fault.Denied, CodeDoubtful, "This identifier "+why+".", "A person of the desk has to approve it.")
	}
	return nil
}

// refused is Guard without the doubts.
func refused(value string, into erasure.MatchKind) error {
	if err := Guard(value, into); fault.CodeOf(err) == CodeRefused {
		return err
	}
	return nil
}

// nobody are words that programs write where they know nobody: whatever carries them belongs to many.
var nobody = []string{"null", "nil", "none", "undefined", "nan", "true", "false", "unknown", "anonymous", "n/a", "0"}

func unusable(value string) string {
	switch {
	case value == "":
		return "is empty"
	case len(value) > maxValue:
		return "is too long"
	case !utf8.ValidString(value) || strings.ContainsFunc(value, isControl):
		return "holds what cannot be shown"
	case strings.TrimSpace(value) != value:
		return "begins or ends with a space"
	case !strings.ContainsFunc(value, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
		return "holds neither a letter nor a digit"
	case slices.Contains(nobody, strings.ToLower(value)):
		return "is a word for nobody"
	}
	return ""
}

// isControl holds for what is not seen and may turn the sense of what is: control and format characters, line and
// paragraph separators, and what is no character at all.
func isControl(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) || r == unicode.ReplacementChar
}

func doubtful(value string) string {
	_, domain, address := strings.Cut(value, "@")
	switch {
	case strings.ContainsAny(value, "*?%"):
		return "holds a wildcard"
	case len(value) == 1:
		return "is a single character"
	case !norm.NFKC.IsNormalString(value):
		return "can be written in more than one way"
	case address && strings.ContainsFunc(value, func(r rune) bool { return r > unicode.MaxASCII }):
		return "is an address with letters beyond ASCII"
	case address && (strings.HasPrefix(domain, "xn--") || strings.Contains(domain, ".xn--")):
		return "is an address whose domain stands for other letters"
	case address && strings.Count(value, "@") != 1:
		return "holds more than one @"
	case scripts(value) > 1:
		return "mixes letters of several scripts"
	}
	return ""
}

// scripts counts the scripts of the letters of a value. Those that are written together in one language count as one.
func scripts(value string) int {
	seen := map[string]bool{}
	for _, r := range value {
		switch {
		case !unicode.IsLetter(r):
			continue
		case r <= unicode.MaxASCII:
			seen["Latin"] = true
			continue
		}
		for name, table := range unicode.Scripts {
			if unicode.Is(table, r) {
				if name == "Hiragana" || name == "Katakana" || name == "Bopomofo" || name == "Hangul" {
					name = "Han"
				}
				if name != "Common" && name != "Inherited" {
					seen[name] = true
				}
			}
		}
	}
	return len(seen)
}

// shared are the parts before the @ that several people read (RFC 2142 names many of them).
var shared = []string{
	"abuse", "accounting", "accounts", "admin", "administrator", "all", "billing", "bookings", "bonjour", "buchhaltung", "careers", "commercial",
	"compta", "comptabilite", "contact", "contacts", "customerservice", "data", "datenschutz", "donotreply", "enquiries", "everyone", "facturation",
	"feedback", "finance", "hallo", "hello", "help", "helpdesk", "hostmaster", "hr", "info", "information", "infos", "invoices", "it", "jobs", "kontakt", "legal",
	"mail", "mailer-daemon", "marketing", "media", "news", "newsletter", "no-reply", "nobody", "noc", "noreply", "notifications", "office", "orders", "personal",
	"postmaster", "press", "presse", "privacy", "rechnung", "reception", "recrutement", "rh", "root", "sales", "secretariat", "security", "service",
	"services", "shop", "spam", "staff", "support", "team", "test", "ventes", "vertrieb", "webmaster", "welcome", "zentrale",
}

// Shared reports whether an address is one that several people read, so that what it proves about one of them is for a
// person to say. What follows a plus sign does not count.
func Shared(address string) bool {
	local, _, found := strings.Cut(strings.ToLower(strings.TrimSpace(address)), "@")
	local, _, _ = strings.Cut(local, "+")
	plain := strings.NewReplacer(".", "", "_", "", "-", "").Replace(local)
	_, listed := slices.BinarySearch(shared, local)
	return found && (listed || slices.ContainsFunc(shared, func(s string) bool { return strings.ReplaceAll(s, "-", "") == plain }))
}

// of returns an identifier as its kind writes it.
func (n Normalise) of(value string) string {
	if n != AsEmail {
		return value
	}
	return erasure.Lower(strings.TrimSpace(value))
}

// given is an identifier as it is used where its letters count.
func (n Normalise) given(value string) string {
	if n != AsEmail {
		return value
	}
	return strings.TrimSpace(value)
}
