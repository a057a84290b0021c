package request

import (
	"slices"
	"strings"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
)

// notes are what else has to be said with an answer, each a paragraph: what rests on people's word, what is left to the person herself,
// what others may have copied, and an address that is not searched for.
func notes(r Request, language string) (text string) {
	if said := r.Said(); len(said) > 0 && r.State.Answered() {
		text += "\n" + letter.Phrase("words", language) + "\n"
		for _, a := range said {
			text += strings.TrimSpace("- "+letter.Harmless(a.Entry)+letter.Phrase("colon", language)+letter.Phrase(a.Why, language)+" "+a.Reference) + "\n"
		}
	}
	if r.Proof == ByTenant && r.State.Answered() {
		text += "\n" + letter.Phrase("apart", language) + "\n"
	}
	if len(r.Outcome.Public) > 0 && r.State.Answered() {
		text += "\n" + letter.Phrase("public", language) + "\n"
		for _, where := range r.Outcome.Public {
			text += "- " + letter.Harmless(where) + "\n"
		}
	}
	switch {
	case r.Unsearched && r.State.Answered():
		text += "\n" + letter.Phrase("unsearched", language) + "\n"
	case r.Unsearched:
		text += "\n" + letter.Phrase("beside", language) + "\n"
	}
	return text
}

// open lists what could not be erased yet.
func open(r Request, language string) string {
	var lines []string
	for _, o := range r.Outcome.Open {
		if line := "- " + letter.Harmless(o.Entry); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "- "+letter.Phrase("rest", language))
	}
	return strings.Join(lines, "\n")
}

// kept lists what stays, why and until when: from the last search, and what two people hold.
func kept(r Request, language string) (string, error) {
	var lines []string
	add := func(entry string, fields []string, g Ground, citation string, until calendar.Day) error {
		why, err := letter.Ground(string(g), citation, language)
		if err != nil {
			return err
		}
		what := entry
		if len(fields) > 0 {
			what += " (" + strings.Join(fields, ", ") + ")"
		}
		end := letter.Phrase("open", language)
		if !until.IsZero() {
			end = letter.Phrase("until", language) + " " + letter.Date(until, language)
		}
		lines = append(lines, "- "+letter.Harmless(what)+letter.Phrase("colon", language)+why+"; "+end)
		return nil
	}
	listed := map[Kept]bool{}
	for _, k := range r.Outcome.Kept {
		listed[Kept{Entry: k.Entry, Ground: k.Ground, Until: k.Until}] = true
		if err := add(k.Entry, nil, k.Ground, k.Citation, k.Until); err != nil {
			return "", err
		}
	}
	for _, h := range r.Holds {
		if listed[Kept{Entry: h.Entry, Ground: h.Ground, Until: h.Until}] {
			continue
		}
		if err := add(h.Entry, h.Fields, h.Ground, h.Citation, h.Until); err != nil {
			return "", err
		}
	}
	return strings.Join(lines, "\n"), nil
}

// backups lists when each class of backups has forgotten.
func backups(all []Tail, language string) string {
	if len(all) == 0 {
		return letter.Phrase("none", language)
	}
	var lines []string
	for _, one := range all {
		lines = append(lines, "- "+letter.Harmless(one.Class)+letter.Phrase("colon", language)+letter.Phrase("gone", language)+" "+letter.Date(one.By, language))
	}
	return strings.Join(lines, "\n")
}
