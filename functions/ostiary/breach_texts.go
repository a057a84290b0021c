package main

import (
	"path"
	"slices"
	"strings"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/drill"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/policy"
)

// breachTexts are the problems of the company's own texts about breaches, by their files: none of them is first found when a
// notice has to go out.
func breachTexts(p *policy.Policy) (problems []policy.Problem) {
	type reading = func(read func(string) ([]byte, bool)) (*letters.Set, error)
	for _, all := range []reading{cases.Letters, notice.Read, notice.LettersStaff, drill.Letters} {
		var own []string
		_, _ = all(func(name string) ([]byte, bool) {
			data, is := p.Read(name)
			if is && !slices.Contains(own, name) {
				own = append(own, name)
			}
			return data, is
		})
		for _, name := range own {
			_, err := all(func(other string) ([]byte, bool) {
				if other != name {
					return nil, false
				}
				return p.Read(name)
			})
			if err != nil {
				_, what, _ := strings.Cut(err.Error(), name+":")
				what = strings.TrimSpace(strings.TrimPrefix(what, "1:"))
				problems = append(problems, policy.Problem{File: name, Line: 1, Column: 1, Key: "text", What: what, Allowed: `"Subject: ...", an empty line and the text, with its own variables in braces`})
			}
		}
	}
	return append(problems, breachLint(p)...)
}

// breachLint are the problems of what is said to customers and persons in the company's own words.
func breachLint(p *policy.Policy) (problems []policy.Problem) {
	for _, kind := range notice.Kinds() {
		for _, language := range letters.Languages() {
			name := path.Join("templates", language, "breach-"+string(kind)+".txt")
			data, is := p.Read(name)
			if what := notice.Lint(kind, "", string(data), ""); is && what != "" {
				problems = append(problems, policy.Problem{File: name, Line: 1, Column: 1, Key: "text", What: what, Allowed: "what may be told to whom it is sent: no link, no address of a person or a machine, no verdict on the risk"})
			}
		}
	}
	return problems
}
