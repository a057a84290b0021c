package replay

import (
	"context"
	"slices"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/rule"
)

// tracking is a memory that tells which entries wait to be judged.
type tracking struct {
	*rule.Local
	members map[string]string // entry of each member that waits
	entries map[string]int    // how many members of an entry wait
	done    []string          // entries of which none waits any more
}

func newTracking() *tracking {
	return &tracking{Local: rule.NewLocal(), members: map[string]string{}, entries: map[string]int{}}
}

// Add implements rule.Memory.
func (t *tracking) Add(ctx context.Context, members ...rule.Member) error {
	for _, m := range members {
		if !m.Due.IsZero() && !t.Knows(m.ID) {
			t.members[m.ID] = m.Subject.Entry
			t.entries[m.Subject.Entry]++
		}
	}
	return t.Local.Add(ctx, members...)
}

// Done implements rule.Memory.
func (t *tracking) Done(ctx context.Context, members ...rule.Member) error {
	for _, m := range members {
		entry, waits := t.members[m.ID]
		if !waits {
			continue
		}
		delete(t.members, m.ID)
		if t.entries[entry]--; t.entries[entry] == 0 {
			delete(t.entries, entry)
			t.done = append(t.done, entry)
		}
	}
	return t.Local.Done(ctx, members...)
}

func (t *tracking) waits(entry string) bool { return t.entries[entry] > 0 }

// settled returns the entries that have been judged since it was last asked.
func (t *tracking) settled() []string {
	done := t.done
	t.done = nil
	return done
}

// maxRows is how many rows wait in order for one before them; beyond that those that are judged go first.
const maxRows = 50_000

// listing holds rows until they are judged.
type listing struct {
	write   func(Row) error
	rows    []*Row
	byEntry map[string][]*Row // of rows that are not written
	crowd   int               // rows from which those that are judged go first
}

func (l *listing) add(row Row) error {
	if l.write == nil {
		return nil
	}
	if l.byEntry == nil {
		l.byEntry = map[string][]*Row{}
	}
	l.rows = append(l.rows, &row)
	if row.Entry == "" {
		return l.drain()
	}
	l.byEntry[row.Entry] = append(l.byEntry[row.Entry], &row)
	return nil
}

// rank orders severities, the worst first.
var rank = []policy.Severity{policy.Critical, policy.High, policy.Medium, policy.Low, policy.Info}

// mark makes the rows of a hit's entry alarms; of several hits of one entry the worst is told, of equal ones the first.
func (l *listing) mark(h rule.Hit, class string) {
	for _, row := range l.byEntry[h.Subject.Entry] {
		if row.Alarm && slices.Index(rank, row.Severity) <= slices.Index(rank, h.Subject.Severity) {
			continue
		}
		row.Alarm, row.Rule, row.Class, row.Severity, row.Why = true, h.Rule, class, h.Subject.Severity, h.Why
	}
}

func (l *listing) settled(entry string) {
	for _, row := range l.byEntry[entry] {
		row.waits = false
	}
}

// judged tells the rows of an entry what sort of entry it is, and whether more is to be judged of it.
func (l *listing) judged(entry, class string, waits bool) {
	for _, row := range l.byEntry[entry] {
		if row.waits = waits; !row.Alarm {
			row.Class = class
		}
	}
}

// unread makes the rows of an entry such as cannot be read.
func (l *listing) unread(entry string) {
	for _, row := range l.byEntry[entry] {
		row.waits, row.Alarm, row.Class, row.Severity, row.Why = false, true, Undecodable, policy.High, rule.PartsMissing
	}
}

// drain writes what no row before it holds up.
func (l *listing) drain() error {
	n := 0
	for n < len(l.rows) && !l.rows[n].waits {
		if err := l.out(l.rows[n]); err != nil {
			return err
		}
		n++
	}
	l.rows = slices.Delete(l.rows, 0, n)
	if len(l.rows) <= max(maxRows, l.crowd) {
		return nil
	}
	kept := l.rows[:0]
	for _, row := range l.rows {
		if row.waits {
			kept = append(kept, row)
		} else if err := l.out(row); err != nil {
			return err
		}
	}
	clear(l.rows[len(kept):])
	l.rows, l.crowd = kept, 2*len(kept)
	return nil
}

// flush writes everything that is left.
func (l *listing) flush() error {
	for _, row := range l.rows {
		row.waits = false
	}
	return l.drain()
}

func (l *listing) out(row *Row) error {
	delete(l.byEntry, row.Entry)
	return l.write(*row)
}
