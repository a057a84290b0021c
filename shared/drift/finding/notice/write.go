package notice

import (
	"regexp"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/staff"
)

// maxLine is how many characters of a detail a message shows, maxSubject of what is wrong its subject.
const (
	maxLine    = 400
	maxSubject = 100
)

// Write returns the text of a notice in a language; times are written in UTC and in the reader's zone. A kind without a
// text, or a change without a word for why, is Misconfigured.
func Write(n Notice, language string, zone *time.Location) (message.Content, error) {
	t, ok := texts[n.Kind][language]
	reason := causes[n.Why][language]
	if !ok || n.Kind == Changed && reason == "" {
		return message.Content{}, fault.New(fault.Misconfigured, "writing a notice: no text for %s in %q", n.Kind, language)
	}
	subject := "Ostiary: " + t.subject
	var b strings.Builder
	b.WriteString(t.body + "\n")
	if n.Kind == Changed {
		b.WriteString(reason + "\n")
	}
	if n.What != nil {
		if what := n.What(language); what != "" {
			happened, _, _ := strings.Cut(what, ". ")
			subject += staff.Colon(language) + staff.First(strings.TrimSuffix(happened, "."), maxSubject)
			b.WriteString("\n" + what + "\n")
		}
	}
	b.WriteString("\n")
	line := func(l Label, text string) { b.WriteString(labels[l][language] + staff.Colon(language) + text + "\n") }
	for _, l := range n.Lines {
		line(l.Label, said(l, language, zone))
	}
	if n.Promises != nil {
		for _, sentence := range n.Promises(language) {
			line(promise, sentence)
		}
	}
	if !n.Due.IsZero() {
		line(due, staff.Both(n.Due, zone))
	}
	b.WriteString("\n" + t.next + "\n")
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
	return harmless(l.Text)
}

// address finds what may be somebody's: a first letter and the domain tell enough to who knows her.
var address = regexp.MustCompile(`([^\s:,;<>"'@])[^\s:,;<>"'@]*@`)

// harmless keeps what a configuration says from adding lines or a link to a message: whoever may name a resource would like
// to choose what the readers click.
func harmless(text string) string {
	text = address.ReplaceAllString(strings.ReplaceAll(text, "\n", ", "), "$1***@")
	text = strings.NewReplacer(".", "[.]", "://", " ").Replace(staff.First(text, maxLine))
	return message.Harmless(text, " -_'’()[]{}\"+#&,.;:/@=*>%")
}
