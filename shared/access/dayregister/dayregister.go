// Package dayregister is the register of a day: who could come in from where, on which proof, from when until when. It is made of
// the leases as they are kept, for those who audit.
//
// It promises one row for each lease that began on a day, failed ones too, and that it says no more of a proof than is known.
// Leases are kept for lease.Retention after their day, all of a date as long; what is older is in the evidence alone, under the
// commitment that each row names, and is refused rather than shown as a day on which nobody came. At most the rows of one day
// are held at a time. It names people, so it is shown to those whose office it is, and nowhere published.
package dayregister

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/network"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/table"
)

// MaxDays is the longest stretch that is read at once.
const MaxDays = 31

// What kind of device a row is about.
const (
	Own     = "own"     // the code was typed on it
	Another = "another" // the code was typed on another device of the person
	Paired  = "paired"  // the other address of a device, without a code of its own
)

// What is known of 2-step verification at the sign-in.
const (
	Used     = "used"
	Enforced = "enforced" // on the account; whether it was used is not said
)

// Who saw that the person came in.
const (
	ByDoor   = "door"
	ByDevice = "device" // by its own word alone
)

// Row is one lease.
type Row struct {
	Date       string       `json:"date"` // in the person's zone
	Person     string       `json:"person"`
	Name       string       `json:"name,omitempty"` // "" for somebody the policy no longer knows
	Address    string       `json:"address"`
	Family     string       `json:"family"`
	Network    network.Kind `json:"network,omitempty"` // where a list knows it
	Registered time.Time    `json:"registered"`
	Ends       time.Time    `json:"ends"` // as promised
	Zone       string       `json:"zone"`
	TwoStep    string       `json:"two_step"`              // Used or Enforced
	Factors    string       `json:"factors"`               // the same, and the rest of the proof, in words
	Device     string       `json:"device"`                // Own, Another or Paired
	PairedWith string       `json:"paired_with,omitempty"` // the commitment of the lease the code was for
	State      string       `json:"state"`
	Applied    time.Time    `json:"applied,omitzero"`  // first read back from every door
	Lost       bool         `json:"lost,omitempty"`    // since then a door lost it, and did not get it back
	Working    time.Time    `json:"working,omitzero"`  // first seen to come in
	SeenBy     string       `json:"seen_by,omitempty"` // ByDoor or ByDevice
	Ended      time.Time    `json:"ended,omitzero"`
	Why        string       `json:"why,omitempty"`
	Removed    time.Time    `json:"removed,omitzero"` // read back: no door counts it any more
	Commitment string       `json:"commitment"`       // under which the evidence speaks of it
}

// Factors says on which proof a lease stands, and no more than is known.
func Factors(l lease.Lease) string {
	twoStep := "2-step verification was enforced on the account (whether it was used at this sign-in is not said)"
	if l.TwoStep == Used {
		twoStep = "2-step verification was used at this sign-in"
	}
	said := "Google sign-in; " + twoStep + "; one-time password accepted"
	if l.Root != "" {
		said += " for the device's first address, and none for this one"
	}
	return said
}

// Rows returns a row for each lease, in their order. name is what a person is called, or "".
func Rows(leases []lease.Lease, name func(person string) string) []Row {
	marks := map[string]string{}
	for _, l := range leases {
		marks[l.ID] = l.Marks.Lease
	}
	rows := []Row{}
	for _, l := range leases {
		r := Row{Date: l.Date, Person: l.Person, Name: name(l.Person), Address: l.Prefix.String(), Family: string(l.Family), Network: l.Network,
			Registered: l.Started, Ends: l.Ends, Zone: l.Zone, TwoStep: Enforced, Factors: Factors(l), Device: Own, State: string(l.State), Applied: l.FirstConfirmed,
			Lost: !l.FirstConfirmed.IsZero() && l.ConfirmedAt.IsZero(), Working: l.FirstWorking, Ended: l.EndedAt, Why: string(l.Why), Removed: l.RemovedAt, Commitment: l.Marks.Lease}
		switch {
		case l.Root != "":
			r.Device, r.PairedWith = Paired, marks[l.Root]
		case l.Elsewhere:
			r.Device = Another
		}
		if l.TwoStep == Used {
			r.TwoStep = Used
		}
		switch {
		case l.FirstWorking.IsZero():
		case l.FirstTested:
			r.SeenBy = ByDevice
		default:
			r.SeenBy = ByDoor
		}
		rows = append(rows, r)
	}
	return rows
}

// Days reads a stretch of days, both included; to may be left out for one day. earliest is the first one that is kept. Invalid
// with code dates_invalid; NotFound with code days_gone: some of them are kept no longer.
func Days(from, to string, earliest calendar.Day) ([]calendar.Day, error) {
	if to == "" {
		to = from
	}
	first, err := calendar.ParseDay(from)
	if err != nil {
		return nil, badDates()
	}
	last, err := calendar.ParseDay(to)
	if err != nil {
		return nil, badDates()
	}
	days := []calendar.Day{}
	for day := first; ; day = calendar.AddDays(day, 1) {
		if len(days) == MaxDays || last.Before(day) {
			return nil, badDates()
		}
		if days = append(days, day); day == last {
			break
		}
	}
	if first.Before(earliest) {
		e := fault.Refuse(fault.NotFound, "days_gone", "Addresses of these days are kept no longer. That says nothing of who came.",
			"Choose days from "+earliest.String()+" on; what is older stands in the evidence alone.")
		e.Status = 410
		return nil, e
	}
	return days, nil
}

func badDates() error {
	e := fault.Refuse(fault.Invalid, "dates_invalid", "The days are missing, are no dates, or are too many.", "Give from and to as YYYY-MM-DD, the earlier first, at most 31 days.")
	e.Status = 400
	return e
}

// Read yields the rows of days, a day at a time, oldest first; an error ends it.
func Read(ctx context.Context, days []calendar.Day, leases func(ctx context.Context, date string) ([]lease.Lease, error), name func(person string) string) iter.Seq2[[]Row, error] {
	return func(yield func([]Row, error) bool) {
		for _, day := range days {
			found, err := leases(ctx, day.String())
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(Rows(found, name), nil) {
				return
			}
		}
	}
}

// columns are those of the CSV, in order.
var columns = []struct {
	name string
	of   func(Row) string
}{
	{"date", func(r Row) string { return r.Date }},
	{"person", func(r Row) string { return r.Person }},
	{"name", func(r Row) string { return r.Name }},
	{"address", func(r Row) string { return r.Address }},
	{"family", func(r Row) string { return r.Family }},
	{"network", func(r Row) string { return string(r.Network) }},
	{"registered", func(r Row) string { return moment(r.Registered) }},
	{"ends", func(r Row) string { return moment(r.Ends) }},
	{"zone", func(r Row) string { return r.Zone }},
	{"factors", func(r Row) string { return r.Factors }},
	{"device", func(r Row) string { return r.Device }},
	{"paired_with", func(r Row) string { return r.PairedWith }},
	{"state", func(r Row) string { return r.State }},
	{"applied", func(r Row) string { return moment(r.Applied) }},
	{"lost", func(r Row) string { return map[bool]string{true: "lost"}[r.Lost] }},
	{"working", func(r Row) string { return moment(r.Working) }},
	{"seen_by", func(r Row) string { return r.SeenBy }},
	{"ended", func(r Row) string { return moment(r.Ended) }},
	{"why", func(r Row) string { return r.Why }},
	{"removed", func(r Row) string { return moment(r.Removed) }},
	{"commitment", func(r Row) string { return r.Commitment }},
}

// moment is a time of RFC 3339 in UTC, to the second; "" for one that has not come.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// CSV writes rows with a header line, as package table does: no cell is a formula. Nothing is written before the first day was
// read. Errors are those of w, and of the rows.
func CSV(w io.Writer, days iter.Seq2[[]Row, error]) error {
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	begun := false
	for rows, err := range days {
		if err != nil {
			return err
		}
		if !begun {
			if err := table.Begin(w, cells); err != nil {
				return err
			}
		}
		begun = true
		for _, r := range rows {
			for i, c := range columns {
				cells[i] = c.of(r)
			}
			if err := table.Line(w, cells); err != nil {
				return err
			}
		}
	}
	return nil
}

// JSON writes rows as one object with the keys from, to and rows. Nothing is written before the first day was read. Errors are
// those of w, and of the rows.
func JSON(w io.Writer, from, to calendar.Day, days iter.Seq2[[]Row, error]) error {
	before := `{"from":"` + from.String() + `","to":"` + to.String() + `","rows":[`
	begun := false
	for rows, err := range days {
		if err != nil {
			return err
		}
		if !begun {
			if _, err := io.WriteString(w, before); err != nil {
				return err
			}
			before = "\n"
		}
		begun = true
		for _, r := range rows {
			text, err := json.Marshal(r)
			if err != nil {
				return fmt.Errorf("writing the register: %w", err)
			}
			if _, err := io.WriteString(w, before+string(text)); err != nil {
				return err
			}
			before = ",\n"
		}
	}
	_, err := io.WriteString(w, "]}\n")
	return err
}
