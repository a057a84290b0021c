package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/policy"
)

// onCallTurn is one turn as --json prints it.
type onCallTurn struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	People []string  `json:"people"` // ids
	Gap    bool      `json:"gap"`    // the table names nobody: everybody with the role is called
}

const maxDays = 366

// onCall says who is on call, from the policy alone: neither a server nor data is needed.
func (c *connection) onCall(t terminal, args []string) int {
	when := t.flags.String("at", "", "instant to ask of, RFC 3339 with its offset (default: now)")
	days := t.flags.Int("days", 14, "how many days of turns to list after it, 0 to 366")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	at, err := instant("at", *when)
	if err != nil || *days < 0 || *days > maxDays {
		return t.usage("--at: an instant such as 2026-03-03T08:55:00Z; --days: 0 to %d", maxDays)
	}
	if at.IsZero() {
		at = clock.System{}.Now()
	}
	p, err := readPolicy(c.policy)
	if err != nil {
		return t.fail(err)
	}
	b, problems := breach.Read(p)
	if err := policy.Refuse(problems); err != nil {
		return t.fail(err)
	}
	if !b.On {
		return t.fail(fmt.Errorf("%s has no %s: nobody is called", c.policy, breach.File))
	}
	now, turns := b.OnCall.At(at), []onCallTurn{}
	for _, turn := range b.OnCall.Turns(at, at.AddDate(0, 0, *days)) {
		turns = append(turns, onCallTurn{turn.From.UTC(), turn.To.UTC(), append([]string{}, turn.People...), turn.Gap})
	}
	if c.asJSON {
		err = printJSON(t.out, map[string]any{"at": at.UTC(), "people": append([]string{}, now...), "table": b.OnCall.Set(), "turns": turns})
	} else {
		err = tellOnCall(t, p, b, at, turns)
	}
	if err != nil {
		return t.fail(err)
	}
	return exitGood
}

// tellOnCall prints turns in the company's zone.
func tellOnCall(t terminal, p *policy.Policy, b breach.Policy, at time.Time, turns []onCallTurn) error {
	zone, form := p.Company.Location(), "Mon 2006-01-02 15:04 -07:00"
	names := func(ids []string, gap bool) string {
		var all []string
		for _, id := range ids {
			person, _ := p.PersonByID(id)
			all = append(all, person.Name+" ("+id+")")
		}
		text := dash(strings.Join(all, ", "))
		if gap && b.OnCall.Set() {
			text += "  nobody by the table: all who have the role"
		}
		return text
	}
	gap := len(turns) > 0 && turns[0].Gap
	fmt.Fprintf(t.out, "%s: %s\n", at.In(zone).Format(form), names(b.OnCall.At(at), gap))
	if !b.OnCall.Set() {
		fmt.Fprintln(t.out, "There is no table: everybody with the role oncall is called. Write one as oncall: in breach.yaml.")
		return nil
	}
	if len(turns) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FROM\tTO\tON CALL")
	for _, turn := range turns {
		fmt.Fprintf(w, "%s\t%s\t%s\n", turn.From.In(zone).Format(form), turn.To.In(zone).Format(form), names(turn.People, turn.Gap))
	}
	return w.Flush()
}
