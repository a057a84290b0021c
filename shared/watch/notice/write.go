package notice

import (
	"strings"
	"time"
	"unicode"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// maxLine is how many characters of a detail a message shows, maxSubject of what was seen its subject.
const (
	maxLine    = 400
	maxSubject = 100
)

// Write returns the text of a notice in a language; times are written in UTC and in the reader's zone. A kind without a
// text is Misconfigured.
func Write(n Notice, language string, zone *time.Location) (message.Content, error) {
	t, ok := texts[n.Kind][language]
	if !ok {
		return message.Content{}, fault.New(fault.Misconfigured, "writing a notice: no text for %s in %q", n.Kind, language)
	}
	subject := "Ostiary: " + t.subject
	var b strings.Builder
	b.WriteString(t.body + "\n")
	if n.What != nil {
		if what := n.What(language); what != "" {
			happened, _, _ := strings.Cut(what, ". ")
			subject += colon(language) + first(strings.TrimSuffix(happened, "."), maxSubject)
			b.WriteString("\n" + what + "\n")
		}
	}
	b.WriteString("\n")
	for _, l := range n.Lines {
		b.WriteString(labels[l.Label][language] + colon(language) + said(l, language, zone) + "\n")
	}
	if n.Why != "" && n.Kind == Suspicion {
		b.WriteString(labels[why][language] + colon(language) + causes[n.Why][language] + "\n")
	}
	if n.Promises != nil {
		for _, sentence := range n.Promises(language) {
			b.WriteString(labels[promise][language] + colon(language) + sentence + "\n")
		}
	}
	if !n.Due.IsZero() {
		b.WriteString(labels[due][language] + colon(language) + both(n.Due, zone) + "\n")
	}
	next := t.next
	if n.Kind == Suspicion && n.Why == "not_me" {
		next += " " + revoke[language]
	}
	b.WriteString("\n" + next + "\n")
	if n.Link != "" {
		b.WriteString(n.Link + "\n")
	}
	return message.Content{Subject: subject, Text: b.String() + "\n--\n" + signature[language] + "\n"}, nil
}

// colon is what stands between a label and what it is of.
func colon(language string) string {
	if language == "fr" {
		return " : "
	}
	return ": "
}

// both writes a time in UTC and in a zone.
func both(at time.Time, zone *time.Location) string {
	return at.UTC().Format("2006-01-02 15:04:05 UTC") + " (" + at.In(zone).Format("2006-01-02 15:04:05 MST") + ")"
}

// said is what a line says.
func said(l Line, language string, zone *time.Location) string {
	if !l.At.IsZero() {
		return both(l.At, zone)
	}
	if word, known := severities[l.Text]; known && l.Label == Severity {
		return word[language]
	}
	text := l.Text
	if l.Sensitive {
		items := strings.Split(text, ", ")
		for i, item := range items {
			items[i] = masked(item)
		}
		text = strings.Join(items, ", ")
	}
	return harmless(text)
}

// masked keeps enough of a text for who knows it to recognise it: of an address the first letter and the domain, of
// anything else the first half.
func masked(text string) string {
	if local, domain, is := strings.Cut(text, "@"); is {
		return first(local, 1) + "***@" + domain
	}
	return first(text, (len([]rune(text))+1)/2) + "***"
}

func first(text string, n int) string {
	runes := []rune(text)
	return string(runes[:min(n, len(runes))])
}

// harmless keeps what an entry says from adding lines or a link to a message: whoever writes to a log would like to choose
// what its readers click.
func harmless(text string) string {
	text = strings.NewReplacer(".", "[.]", "://", " ").Replace(first(text, maxLine))
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(" -_'’()[]+#&,.;:/@=*>%", r) {
			return r
		}
		return ' '
	}, text)
}
