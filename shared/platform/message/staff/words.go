package staff

import "time"

// Colon is what stands between a label and what it is of.
func Colon(language string) string {
	if language == "fr" {
		return " : "
	}
	return ": "
}

// Both writes a time in UTC and in a zone.
func Both(at time.Time, zone *time.Location) string {
	return at.UTC().Format("2006-01-02 15:04:05 UTC") + " (" + at.In(zone).Format("2006-01-02 15:04:05 MST") + ")"
}

// First is the beginning of a text, of so many characters.
func First(text string, characters int) string {
	runes := []rune(text)
	return string(runes[:min(characters, len(runes))])
}

// Severity is what a severity of the policy, such as "high", is called in a language.
func Severity(severity, language string) (word string, known bool) {
	words, known := severities[severity]
	return words[language], known
}

var severities = map[string]map[string]string{
	"info":     {"en": "for information", "fr": "pour information", "de": "zur Kenntnis"},
	"low":      {"en": "low", "fr": "faible", "de": "gering"},
	"medium":   {"en": "medium", "fr": "moyenne", "de": "mittel"},
	"high":     {"en": "high", "fr": "élevée", "de": "hoch"},
	"critical": {"en": "critical", "fr": "critique", "de": "kritisch"},
}
