// Package dayregister is the register of a day: who could come in from where, on which proof, from when until when. It is made of
// the leases as they are kept, for those who audit.
//
// It promises one row for each lease that began on a day, failed ones too, and that it says no more of a proof than is known.
// Leases are kept for lease.Retention after their day; what is older is in the evidence alone, under the commitment that each
// row names. It names people, so it is shown to those whose office it is, and nowhere published.
package dayregister

import (
	"context"
	"io"
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
	Applied    time.Time    `json:"applied,omitzero"`  // read back from every door
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
			Registered: l.Started, Ends: l.Ends, Zone: l.Zone, TwoStep: Enforced, Factors: Factors(l), Device: Own, State: string(l.State), Applied: l.ConfirmedAt,
			Working: l.WorkingAt, Ended: l.EndedAt, Why: string(l.Why), Removed: l.RemovedAt, Commitment: l.Marks.Lease}
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
		case l.WorkingAt.IsZero():
		case l.Tested:
			r.SeenBy = ByDevice
		default:
			r.SeenBy = ByDoor
		}
		rows = append(rows, r)
	}
	return rows
}

// Days reads a stretch of days, both included; to may be left out for one day. Invalid with code dates_invalid.
func Days(from, to string) ([]calendar.Day, error) {
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
		if len(days) == MaxDays || day.String() > last.String() {
			return nil, badDates()
		}
		if days = append(days, day); day == last {
			return days, nil
		}
	}
}

func badDates() error {
	e := fault.Refuse(fault.Invalid, "dates_invalid", "The days are missing, are no dates, or are too many.", "Give from and to as YYYY-MM-DD, the earlier first, at most 31 days.")
	e.Status = 400
	return e
}

// Read returns the rows of days, oldest first.
func Read(ctx context.Context, days []calendar.Day, leases func(ctx context.Context, date string) ([]lease.Lease, error), name func(person string) string) ([]Row, error) {
	rows := []Row{}
	for _, day := range days {
		found, err := leases(ctx, day.String())
		if err != nil {
			return nil, err
		}
		rows = append(rows, Rows(found, name)...)
	}
	return rows, nil
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

// CSV writes rows with a header line, as package table does: no cell is a formula. Errors are those of w.
func CSV(w io.Writer, rows []Row) error {
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	if err := table.Line(w, cells); err != nil {
		return err
	}
	for _, r := range rows {
		for i, c := range columns {
			cells[i] = c.of(r)
		}
		if err := table.Line(w, cells); err != nil {
			return err
		}
	}
	return nil
}
