package policy

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
)

// ContactRole is what a contact is asked for.
type ContactRole string

const (
	Privacy         ContactRole = "privacy"
	SecurityContact ContactRole = "security"
	Legal           ContactRole = "legal"
	AroundTheClock  ContactRole = "24/7"
)

// Contact is a person or a desk at a tenant.
type Contact struct {
	Role     ContactRole  `yaml:"role"`
	Email    string       `yaml:"email"`
	Language string       `yaml:"language"`
	Channels []string     `yaml:"channels"` // mail, webhook, chat, sms, in the order to try; [mail] by default
	Webhook  string       `yaml:"webhook"`  // https, of a public host; where channels has webhook
	Phone    string       `yaml:"phone"`    // E.164, such as +33123456789; where channels has sms
	Verified calendar.Day `yaml:"verified"` // when somebody last made sure of it; zero for never
	Until    calendar.Day `yaml:"until"`    // its last day; zero for no end
}

// VerifiedFor is how many days a contact counts as sure after somebody made sure of it.
const VerifiedFor = 180

// Active reports whether a contact may be written to at now: its last day is not over anywhere (it is UTC-12 that ends
// a day last).
func (c Contact) Active(now time.Time) bool {
	return c.Until.IsZero() || now.Before(c.Until.End(time.UTC).Add(12*time.Hour))
}

// Stale reports whether nobody made sure of a contact for VerifiedFor days, or ever. It is a reason to ask, and none to
// stop writing to it.
func (c Contact) Stale(now time.Time) bool {
	return c.Verified.IsZero() || !now.Before(c.Verified.End(time.UTC).AddDate(0, 0, VerifiedFor))
}

const (
	allowedContacts = "privacy, security, legal, 24/7"
	allowedChannels = "mail, webhook, chat, sms"
	allowedWebhook  = "https://HOST/PATH of a public host name in lower case, without user, password or fragment"
	allowedPhone    = "a number as in ITU-T E.164, such as +33123456789"
)

var (
	phoneForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`) // ITU-T E.164, section 6.2.1
	// inward are names that lead nowhere or inward (RFC 6761, RFC 6762, RFC 8375), and metadata.google.internal.
	inward = regexp.MustCompile(`\.(internal|local|localhost|arpa)$`)
)

// IsPhone reports whether s is an international number (ITU-T E.164): a plus sign and 7 to 15 digits.
func IsPhone(s string) bool { return phoneForm.MatchString(s) }

// IsEmail reports whether s is an address as the files of the policy have them.
func IsEmail(s string) bool {
	_, ok := splitEmail(s)
	return ok
}

// isWebhook reports whether s may be posted to as far as it can be seen from here: what its name resolves to counts when
// it is connected to. An address in place of a name, in whatever spelling, is nothing a customer's host is known by.
func isWebhook(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" || u.Opaque != "" || len(s) > 1000 {
		return false
	}
	host := u.Hostname()
	last := host[strings.LastIndexByte(host, '.')+1:]
	return isDomain(host) && strings.ContainsAny(last[:1], "abcdefghijklmnopqrstuvwxyz") && !inward.MatchString(host)
}

func (l *loading) contacts(file, tenant string, contacts []Contact) {
	for i := range contacts {
		c, key := &contacts[i], index(tenant+".contacts", i)
		if !slices.Contains(strings.Split(allowedContacts, ", "), string(c.Role)) {
			l.wrong(file, key+".role", quote(string(c.Role))+" is not a kind of contact", allowedContacts)
		}
		c.Email = strings.ToLower(c.Email)
		if !IsEmail(c.Email) {
			l.wrong(file, key+".email", "is not an e-mail address", allowedEmail)
		}
		if !isLanguage(c.Language) {
			l.wrong(file, key+".language", quote(c.Language)+" is not a language of the pages", allowedLang)
		}
		if len(c.Channels) == 0 {
			c.Channels = []string{"mail"}
		}
		for j, channel := range c.Channels {
			if !slices.Contains(strings.Split(allowedChannels, ", "), channel) {
				l.wrong(file, index(key+".channels", j), quote(channel)+" is not a channel", allowedChannels)
			}
		}
		l.reached(file, key, *c)
	}
}

// reached checks where the channels of a contact lead.
func (l *loading) reached(file, key string, c Contact) {
	for _, by := range []struct {
		channel, name, value, wrong, allowed string
		is                                   func(string) bool
	}{
		{"webhook", "webhook", c.Webhook, "is no https address of a public host", allowedWebhook, isWebhook},
		{"sms", "phone", c.Phone, "is no international number", allowedPhone, IsPhone},
	} {
		switch {
		case by.value == "" && slices.Contains(c.Channels, by.channel):
			l.wrong(file, key+"."+by.name, "is missing", by.allowed)
		case by.value != "" && !by.is(by.value):
			l.wrong(file, key+"."+by.name, by.wrong, by.allowed)
		}
	}
}
