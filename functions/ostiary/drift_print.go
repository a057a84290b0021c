package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/policy"
)

// print writes the report: as JSON, or for people with what is worst first.
func (r *driftReport) print(t terminal, asJSON bool) error {
	if asJSON {
		return printJSON(t.out, r.identified())
	}
	p := &driftPrinter{paint: paintOn(t.out), r: r}
	for _, j := range r.Judgements {
		if j.Verdict == baseline.OutOfOrder {
			p.judgement(j)
		}
	}
	for _, f := range r.Findings {
		if f.Class != diff.Undetermined {
			p.finding(f)
		}
	}
	p.untold()
	p.rest()
	_, err := io.WriteString(t.out, p.String())
	return err
}

// identified is the report with the id of each finding and judgement, the same at every run and everywhere else.
func (r *driftReport) identified() any {
	type named struct {
		ID string `json:"id"`
		diff.Finding
	}
	type judged struct {
		ID string `json:"id"`
		baseline.Judgement
		driftValue
	}
	findings, judgements := []named{}, []judged{}
	for _, f := range r.Findings {
		findings = append(findings, named{idOf(f), f})
	}
	for _, j := range r.Judgements {
		judgements = append(judgements, judged{judgedID(j), j, r.told[judgedID(j)]})
	}
	return struct {
		*driftReport
		Findings   []named  `json:"findings"`
		Judgements []judged `json:"judgements"`
	}{r, findings, judgements}
}

// paint colours a word by its severity; nothing where nobody sees colours, or somebody asked for none (no-color.org).
type paint func(s policy.Severity, text string) string

func paintOn(w io.Writer) paint {
	f, is := w.(*os.File)
	if is {
		info, err := f.Stat()
		is = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if !is || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return func(_ policy.Severity, text string) string { return text }
	}
	return func(s policy.Severity, text string) string {
		codes := map[policy.Severity]string{policy.Critical: "1;31", policy.High: "31", policy.Medium: "33", policy.Low: "36"}
		if codes[s] == "" {
			return text
		}
		return "\x1b[" + codes[s] + "m" + text + "\x1b[0m"
	}
}

type driftPrinter struct {
	strings.Builder
	paint paint
	r     *driftReport
}

func (p *driftPrinter) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// head is the first line of something found.
func (p *driftPrinter) head(s policy.Severity, what, where string) {
	p.line("%s  %s", p.paint(s, fmt.Sprintf("%-8s", s)), strings.TrimSpace(what+"  "+printable(where)))
}

// under is a line below it.
func (p *driftPrinter) under(name, text string) {
	if text != "" {
		p.line("          %-9s %s", name, printable(text))
	}
}

func (p *driftPrinter) judgement(j baseline.Judgement) {
	a, _ := p.r.set.Get(j.Assertion)
	p.head(j.Severity, j.Assertion, about(j))
	p.under("wrong", a.What.EN)
	if j.Which > 0 {
		p.beside(diff.Finding{Severity: j.Severity, Want: p.r.told[judgedID(j)].Want, Got: p.r.told[judgedID(j)].Got})
	}
	p.under("because", j.Why)
	p.under("holds", holdings[j.Data])
	p.under("promises", p.promises(j))
	p.under("repair", p.r.repair(j))
	p.line("")
}

// holdings say for what a resource weighs one step more.
var holdings = map[string]string{baseline.Personal: "data of people: one step graver", baseline.Secret: "secrets: one step graver"}

func about(j baseline.Judgement) string {
	if j.Key == "" {
		return "the company"
	}
	return j.Key
}

func (p *driftPrinter) promises(j baseline.Judgement) string {
	if j.Promise != "" {
		return j.Promise
	}
	return strings.Join(p.r.by[j.Assertion], ", ")
}

func (p *driftPrinter) finding(f diff.Finding) {
	where := f.Address
	if where == "" {
		where = f.Key
	}
	switch f.Class {
	case diff.Missing, diff.Unmanaged:
		p.head(f.Severity, string(f.Class), where)
	case diff.StaleDesired:
		p.head(f.Severity, string(f.Class), where+"  "+f.Field)
		if f.Want != f.Got {
			p.beside(f)
		}
		p.under("because", "the code wants it otherwise, and was not applied")
	default:
		p.head(f.Severity, string(f.Direction), where+"  "+f.Field)
		p.beside(f)
	}
	p.under("holds", holdings[f.Data])
	if f.Address != "" {
		p.under("is called", strings.TrimPrefix(f.Key, "//"))
		p.under("repair", "terraform apply -target="+baseline.Quoted(f.Address))
	}
	p.line("")
}

// untold lists what could not be told, a line each and why below.
func (p *driftPrinter) untold() {
	var lines []string
	for _, j := range p.r.Judgements {
		if j.Verdict == baseline.Undetermined {
			name := j.Assertion
			if ids := p.promises(j); ids != "" {
				name += " (" + ids + ")"
			}
			lines = append(lines, "  "+printable(name+", "+about(j)), "    "+printable(j.Why))
		}
	}
	for _, f := range p.r.Findings {
		if f.Class == diff.Undetermined {
			lines = append(lines, "  "+printable(strings.TrimSpace(f.Address+" "+f.Key+" "+f.Field)), "    "+printable(f.Reason()))
		}
	}
	if len(lines) > 0 {
		p.line("Could not tell:")
		p.line("%s\n", strings.Join(lines, "\n"))
	}
}

// beside writes what is wanted and what there is side by side, a member a line where there are several.
func (p *driftPrinter) beside(f diff.Finding) {
	left, right := sides(f.Want), sides(f.Got)
	width := len("wanted")
	for _, s := range left {
		width = max(width, min(len([]rune(s)), 48))
	}
	p.line("          %-*s | %s", width, "wanted", "there is")
	for i := range max(len(left), len(right)) {
		l, r := cell(left, i, right), cell(right, i, left)
		if len([]rune(l.text)) > width {
			p.line("          %s", p.tone(f, l))
			l.text = ""
		}
		p.line("          %s%s | %s", p.tone(f, l), strings.Repeat(" ", width-len([]rune(l.text))), p.tone(f, r))
	}
}

type side struct {
	text  string
	other bool // the other side has no such line
}

func (p *driftPrinter) tone(f diff.Finding, s side) string {
	if !s.other {
		return s.text
	}
	return p.paint(f.Severity, s.text)
}

func cell(all []string, i int, others []string) side {
	if i >= len(all) {
		return side{}
	}
	for _, o := range others {
		if o == all[i] {
			return side{text: all[i]}
		}
	}
	return side{all[i], true}
}

func sides(s string) []string {
	if s == "" {
		return []string{"nothing"}
	}
	all := strings.Split(s, "\n")
	for i := range all {
		all[i] = printable(all[i])
	}
	return all
}

// rest says what could not be read or compared, and what was counted.
func (p *driftPrinter) rest() {
	for _, line := range p.r.Unread {
		p.line("not read: %s", printable(line))
	}
	if more := p.r.Counts["unread"] - len(p.r.Unread); more > 0 {
		p.line("not read: %d more", more)
	}
	for _, g := range p.r.Gaps {
		if g.Field == "" {
			p.line("not compared: %s, a type nobody compares yet (%d)", g.Type, g.Count)
		} else {
			p.line("not compared: %s %s (%d)", g.Type, g.Field, g.Count)
		}
	}
	c := p.r.Counts
	p.line("%d assets, %d resources of Terraform compared", p.r.Assets, p.r.Compared)
	if p.r.Policy {
		p.line("assertions: %d in order, %d out of order, %d could not be told, %d exempt", c["assertions in_order"], c["assertions out_of_order"], c["assertions undetermined"], c["assertions exempt"])
	}
	switch p.r.code() {
	case exitGood:
		p.line("no drift")
	case exitUnclear:
		p.line("no drift was found, and not all could be told")
	}
}

// printable is a text on one line that cannot command a terminal: what an asset is called, somebody else chose.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}
