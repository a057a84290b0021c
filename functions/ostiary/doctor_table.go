package main

import (
	"fmt"
	"io"
	"strings"

	"ostiary.internal/functions/ostiary/internal/checkup"
	"ostiary.internal/shared/policy"
)

// mostNamed is how many subjects are named of which the same is said.
const mostNamed = 3

// headings of the parts of the table, in the order in which a report has them.
var headings = map[checkup.State]string{checkup.Wrong: "WRONG", checkup.Undetermined: "COULD NOT TELL", checkup.Told: "TO KNOW", checkup.OK: "OK"}

// colours of the headings, where somebody looks.
var colours = map[checkup.State]policy.Severity{checkup.Wrong: policy.High, checkup.Undetermined: policy.Medium, checkup.Told: policy.Low}

// printExamination writes what was found: as JSON, or as a table with what is wrong first. Of what is said of many alike only some are
// named there: the JSON has all of them.
func printExamination(w io.Writer, found checkup.Report, asJSON bool) error {
	if asJSON {
		return printJSON(w, found)
	}
	var b strings.Builder
	paint, counts, headed := paintOn(w), map[checkup.State]int{}, checkup.State("")
	for _, group := range grouped(found.Checks) {
		first := group[0]
		if counts[first.State] += len(group); first.State != headed {
			if headed != "" {
				b.WriteString("\n")
			}
			headed = first.State
			fmt.Fprintln(&b, paint(colours[headed], headings[headed]))
		}
		fmt.Fprintf(&b, "  %-10s %s: %s\n", first.Area, subjects(group), first.Found)
		if first.Next != "" {
			fmt.Fprintf(&b, "  %-10s   %s\n", "", first.Next)
		}
	}
	for i, why := range found.Unasked {
		if i == 0 {
			b.WriteString("\nNOT LOOKED AT\n")
		}
		fmt.Fprintf(&b, "  %s\n", why)
	}
	fmt.Fprintf(&b, "\n%s: %d wrong, %d undetermined, %d ok, by %d requests.\n", found.Project, counts[checkup.Wrong], counts[checkup.Undetermined], counts[checkup.OK], found.Asked)
	_, err := io.WriteString(w, b.String())
	return err
}

// grouped puts together of which the same is said, where the first of them stands.
func grouped(checks []checkup.Check) (all [][]checkup.Check) {
	at := map[checkup.Check]int{}
	for _, c := range checks {
		same := c
		same.Subject = ""
		i, known := at[same]
		if !known {
			i, all = len(all), append(all, nil)
			at[same] = i
		}
		all[i] = append(all[i], c)
	}
	return all
}

// subjects names what a group is about.
func subjects(group []checkup.Check) string {
	names := make([]string, 0, mostNamed)
	for _, c := range group[:min(len(group), mostNamed)] {
		names = append(names, c.Subject)
	}
	text := strings.Join(names, ", ")
	if more := len(group) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
