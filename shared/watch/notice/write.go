package notice

import (
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/staff"
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
			subject += staff.Colon(language) + staff.First(strings.TrimSuffix(happened, "."), maxSubject)
			b.WriteString("\n" + what + "\n")
		}
	}
	b.WriteString("\n")
	for _, l := range n.Lines {
		b.WriteString(labels[l.Label][language] + staff.Colon(language) + said(l, language, zone) + "\n")
	}
	if n.Why != "" && n.Kind == Suspicion {
		b.WriteString(labels[why][language] + staff.Colon(language) + causes[n.Why][language] + "\n")
	}
	if n.Promises != nil {
		for _, sentence := range n.Promises(language) {
			b.WriteString(labels[promise][language] + staff.Colon(language) + sentence + "\n")
		}
	}
	if !n.Due.IsZero() {
		b.WriteString(labels[due][language] + staff.Colon(language) + staff.Both(n.Due, zone) + "\n")
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

// said is what a line says.
func said(l Line, language string, zone *time.Location) string {
	if !l.At.IsZero() {
		return staff.Both(l.At, zone)
	}
	if word, known := staff.Severity(l.Text, language); known && l.Label == Severity {
		return word
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
		return staff.First(local, 1) + "***@" + domain
	}
	return staff.First(text, (len([]rune(text))+1)/2) + "***"
}

// harmless keeps what an entry says from adding lines or a link to a message: whoever writes to a log would like to choose
// what its readers click.
func harmless(text string) string {
	text = strings.NewReplacer(".", "[.]", "://", " ").Replace(staff.First(text, maxLine))
	return message.Harmless(text, " -_'’()[]+#&,.;:/@=*>%")
}
