package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/platform/fault"
)

// severityArgs is what follows "ostiary severity".
const severityArgs = "--input FILE [--json]"

// scoreBreach scores a breach by ENISA's method. It needs neither a policy nor data.
func scoreBreach(_ context.Context, t terminal, args []string) int {
	file := t.flags.String("input", "", "JSON file of what is known: dpc, ei, cb, people, unintelligible, key_compromised, facts, evidence; - for standard input")
	asJSON := t.flags.Bool("json", false, "print the score as JSON")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	if *file == "" {
		t.flags.Usage()
		return exitUsage
	}
	data, err := limited(*file, severity.MaxInput+1)
	if err != nil {
		return t.usage("--input: %v", err)
	}
	in, err := severity.Read(data)
	if refused, ok := errors.AsType[*fault.Error](err); ok {
		return t.usage("%s\n%s", refused.Detail, refused.Next)
	} else if err != nil {
		return t.fail(err)
	}
	score := severity.Of(in)
	if *asJSON {
		encoder := json.NewEncoder(t.out)
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(score)
	} else {
		_, err = io.WriteString(t.out, tellScore(in, score))
	}
	if err != nil {
		return t.fail(err)
	}
	return exitGood
}

// limited reads at most so many bytes of a file, or of standard input where its name is "-".
func limited(name string, most int64) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, most))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// tellScore says the score, how it came about, what speaks for which notice, and where a second look is worth it.
func tellScore(in severity.Input, s severity.Score) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("SE %s, %s: %s", s.SE, spelled(string(s.Level)), s.Level.Means())
	line("")
	line("  DPC %-5s the highest of %s", s.DPC, listed(in.DPC, func(r severity.Rating) string { return r.Value.String() }))
	line("  EI  %-5s the highest of %s", s.EI, listed(in.EI, severity.Quarters.String))
	if in.Raised != nil {
		line("            raised to %s by what they tell together", in.Raised.Value)
	}
	line("  CB  %-5s confidentiality %s, integrity %s, availability %s, bad intent %s", s.CB, in.CB.Confidentiality, in.CB.Integrity, in.CB.Availability, in.CB.Malicious)
	for _, f := range s.Flags {
		line("  flag      %s", spelled(string(f)))
	}
	for _, name := range s.Unproven {
		line("  unproven  %s: said without evidence; attach it in evidence.%s", spelled(name), name)
	}
	line("")
	line("Supervisory authority: %s", presumed(s.Presumption.Authority))
	line("Persons:               %s", presumed(s.Presumption.Persons))
	if w := s.Without; w != nil {
		line("  Without what is unproven: authority %s, persons %s. Nobody can decide not to tell before it is proven.", yes(w.Authority), yes(w.Persons))
	}
	for _, one := range s.Triggers {
		line("  trigger   %-24s asks for the %s: %s", one.ID, one.Asks, one.Why)
	}
	c := s.Closest
	line("")
	line("Closest example of the EDPB: case %s, %s; told: authority %s, persons %s", c.Case, c.Title, yes(c.Authority), yes(c.Persons))
	if len(c.Differs) > 0 {
		line("  it differs in %s", strings.Join(c.Differs, ", "))
	}
	if len(s.Flips) > 0 {
		line("")
		line("One other answer would change this:")
	}
	for _, f := range s.Flips {
		line("  %-32s %8s -> %-8s SE %s, %s; authority %s, persons %s", f.Input, f.From, f.To, f.SE, spelled(string(f.Level)), yes(f.Presumption.Authority), yes(f.Presumption.Persons))
	}
	line("")
	line("By %s.", severity.Source())
	line("Triggers are Ostiary's own. A score advises; it is not legal advice. Unless two people put on record why no risk is")
	line("likely, the authority is told (GDPR, article 33(1)).")
	return b.String()
}

func listed[K ~string, V any](all map[K]V, text func(V) string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, string(k)+" "+text(all[k]))
	}
	return strings.Join(parts, ", ")
}

func presumed(notice bool) string {
	if notice {
		return "to be told"
	}
	return "nothing here asks for it; say why no risk is likely, or tell"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func spelled(name string) string { return strings.ReplaceAll(name, "_", " ") }
