package policy

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/calendar"
)

// Severity says how bad it is when a promise is broken.
type Severity string

const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

// Less is one step less, of what is found where only tests run; low and info stay.
func (s Severity) Less() Severity {
	switch s {
	case Critical:
		return High
	case High:
		return Medium
	case Medium:
		return Low
	}
	return s
}

// More is one step more, of what is found where much is at stake; critical stays.
func (s Severity) More() Severity {
	switch s {
	case Info:
		return Low
	case Low:
		return Medium
	case Medium:
		return High
	case High:
		return Critical
	}
	return s
}

const allowedSeverities = "critical, high, medium, low, info"

// Promise is one sentence of the published policy. Its ID never changes, and is never given to another sentence.
type Promise struct {
	ID string `yaml:"id"`
	// SameAs is the ID of the promise that says the same, in another document or language. Where KeptBy or MaxAge
	// are left out, that promise's are filled in.
	SameAs   string           `yaml:"same_as"`
	Text     Text             `yaml:"text"`
	Source   Origin           `yaml:"source"`
	Check    string           `yaml:"check"` // the mechanism that keeps it, such as otp-gate
	Severity Severity         `yaml:"severity"`
	Params   map[string]Param `yaml:"params"`
	KeptBy   []Keeper         `yaml:"kept_by"`
	MaxAge   calendar.Period  `yaml:"max_age"` // how long a proof counts; zero: as the mechanism says

	file, key string // where it stands
	filled    bool   // KeptBy comes from SameAs
}

// Origin is where a sentence was published.
type Origin struct {
	File    string `yaml:"file"`
	Section string `yaml:"section"`
}

// Text is a sentence in the languages it was published in.
type Text struct {
	EN string `yaml:"en"`
	FR string `yaml:"fr"`
	DE string `yaml:"de"`
}

// In returns the sentence in a language (en, fr, de), "" where it was not published in that one.
func (t Text) In(language string) string {
	switch language {
	case "en":
		return t.EN
	case "fr":
		return t.FR
	case "de":
		return t.DE
	}
	return ""
}

func (l *loading) promises() {
	var stand []Promise
	var files []string
	for _, file := range slices.Sorted(maps.Keys(l.docs)) {
		if !strings.HasPrefix(file, "promises/") {
			continue
		}
		files = append(files, file)
		var doc struct {
			Promises []Promise `yaml:"promises"`
		}
		if !l.decode(file, false, &doc) {
			continue
		}
		if len(doc.Promises) == 0 {
			l.wrong(file, "promises", "holds no promise", "at least one promise a file")
		}
		for i, p := range doc.Promises {
			p.file, p.key = file, index("promises", i)
			stand = append(stand, p)
		}
	}
	if len(files) == 0 {
		l.add(Problem{File: "promises", Line: 1, Column: 1, Key: wholeFile, What: "holds no file", Allowed: "promises/*.yaml, at least one"})
	}
	l.policy.Promises = stand
	l.policy.promises = indexed(stand, func(p Promise) string { return p.ID })
	for i := range stand {
		l.promise(i)
	}
	for i := range stand {
		l.sameAs(i)
	}
	l.rollups()
}

// promise checks what one promise says about itself.
func (l *loading) promise(i int) {
	p := &l.policy.Promises[i]
	wrong := func(key, what, allowed string) { l.wrong(p.file, p.key+"."+key, what, allowed) }
	if !promiseForm.MatchString(p.ID) {
		wrong("id", quote(p.ID)+" is not the id of a promise", "a letter, then letters, digits and hyphens, at most 32, such as F03")
	} else if first := l.policy.promises[p.ID]; first != i {
		wrong("id", quote(p.ID)+" is the id of another promise, in "+l.policy.Promises[first].file, "each once")
	}
	l.text(p)
	if !isID(p.Check) {
		wrong("check", quote(p.Check)+" is not the name of a check", "lower-case letters, digits and hyphens, such as otp-gate")
	}
	if severities := strings.Split(allowedSeverities, ", "); !slices.Contains(severities, string(p.Severity)) {
		wrong("severity", quote(string(p.Severity))+" is not a severity"+Meant(string(p.Severity), severities), allowedSeverities)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Params)) {
		if !paramForm.MatchString(name) {
			wrong("params."+name, "is not the name of a parameter", "lower-case letters, digits and underscores")
		}
	}
	if len(p.KeptBy) == 0 && p.SameAs == "" {
		wrong("kept_by", "names no mechanism", "at least one of "+allowedMechanisms)
	}
}

func (l *loading) text(p *Promise) {
	key := p.key + ".text"
	published := false
	for _, language := range l.policy.Company.Languages {
		published = published || p.Text.In(language) != ""
	}
	if !published && len(l.policy.Company.Languages) > 0 {
		l.wrong(p.file, key, "is in none of the company's languages", "text in one of "+strings.Join(l.policy.Company.Languages, ", "))
	}
	for _, language := range []string{"en", "fr", "de"} {
		if text := p.Text.In(language); strings.TrimSpace(text) != text || len(text) > maxText {
			l.wrong(p.file, key+"."+language, "begins or ends with a space, or is too long", "one sentence, at most 4000 bytes")
		}
	}
}

// maxText is the length of a promise's text in bytes.
const maxText = 4000

// sameAs checks that an equal promise exists and stands for itself, and fills in what is left to it.
func (l *loading) sameAs(i int) {
	p := &l.policy.Promises[i]
	if p.SameAs == "" {
		return
	}
	key := p.key + ".same_as"
	j, exists := l.policy.promises[p.SameAs]
	switch {
	case !exists:
		what, allowed := l.noPromise(p.SameAs)
		l.wrong(p.file, key, what, allowed)
	case j == i:
		l.wrong(p.file, key, "is the promise itself", "the id of another promise")
	case l.policy.Promises[j].SameAs != "":
		l.wrong(p.file, key, quote(p.SameAs)+" is the same as yet another", "the id of a promise without same_as")
	default:
		same := l.policy.Promises[j]
		if len(p.KeptBy) == 0 {
			p.KeptBy, p.filled = same.KeptBy, true
		}
		if p.MaxAge.IsZero() {
			p.MaxAge = same.MaxAge
		}
	}
}

// rollups checks that the promises a promise is made of exist, and that none is made of itself.
func (l *loading) rollups() {
	state := make([]int, len(l.policy.Promises)) // 0 unseen, 1 on the way, 2 done
	var visit func(i int)
	visit = func(i int) {
		state[i] = 1
		p := l.policy.Promises[i]
		for k, keeper := range p.KeptBy {
			if keeper.Mechanism != Rollup {
				continue
			}
			key := index(p.key+".kept_by", k) + ".rollup"
			for _, id := range keeper.Refs {
				j, exists := l.policy.promises[id]
				switch {
				case !exists:
					what, allowed := l.noPromise(id)
					l.dangling(p.file, key, what, allowed)
				case state[j] == 1:
					l.wrong(p.file, key, "the promise is made of itself by way of "+quote(id), "promises that lead elsewhere")
				case state[j] == 0:
					visit(j)
				}
			}
		}
		state[i] = 2
	}
	for i := range state {
		if state[i] == 0 {
			visit(i)
		}
	}
}
