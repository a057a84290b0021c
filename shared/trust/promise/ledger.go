package promise

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Names of controls that are not checks of promises.
const (
	PageControl      = "trust-page" // writes page records
	LogControl       = log.Control  // writes run records of the log itself
	StatementControl = "statement"  // writes attestations of statements
	WaiverControl    = "waiver"     // writes what two people agreed
)

// Ledger is everything State needs, folded from records in log order, and bounded whatever the log holds. Add needs
// exclusive use; State and Snap may run together.
type Ledger struct {
	register Register
	digest   string // of the register
	heads    heads
	entries  map[string]*entry // by promise id; evidence lies at the root of the equal sentences
	changed  map[string]bool   // names of pieces

	// What follows from the register.
	index  map[string]int             // place of a promise
	root   map[string]string          // the promise whose evidence counts
	family map[string][]int           // by root: places of the promise and all that say the same
	refs   map[string]map[string]bool // by root: places whose evidence is kept
	shared map[string]bool            // places whose records may name no promise
	maxAge map[string]calendar.Period
	duties map[string]calendar.Period
	people map[string]bool // duties that each person owes
}

// heads is what belongs to no single promise.
type heads struct {
	V        int              `json:"v"`
	Register string           `json:"register"`
	Size     int64            `json:"size"`
	Controls map[string]*runs `json:"controls"` // by place
	Proofs   map[string]proof `json:"proofs"`   // by place and kind: records that name no promise
	Closed   map[string]int64 `json:"closed"`   // by key of the finding or waiver: index of the closing leaf
	Gaps     Gaps             `json:"gaps"`
	Sealed   sealed           `json:"sealed"`
}

// sealed is the last sign of life of the log: its run of the highest number, whatever clock dated it.
type sealed struct {
	Run int64 `json:"run"`
	At  int64 `json:"t"` // of that run
}

// entry is what belongs to one promise.
type entry struct {
	V        int                `json:"v"`
	ID       string             `json:"id"`
	Proofs   map[string]proof   `json:"proofs,omitempty"` // by place and kind
	Drills   map[string]proof   `json:"drills,omitempty"` // by control; "" for all that keep other promises
	Open     map[string]finding `json:"open,omitempty"`   // by key
	Overflow bool               `json:"overflow,omitempty"`
	Waivers  map[string]waiver  `json:"waivers,omitempty"` // by key
	Lost     int64              `json:"lost,omitempty"`    // time of the newest gap record about it
	Mark     *mark              `json:"mark,omitempty"`
	Days     []day              `json:"days,omitempty"`
}

// shape is the version of what is stored; another one is folded anew.
const shape = 5

// Bounds of what a hostile or broken control can make the ledger hold.
const (
	maxOpen    = 10_000 // findings per promise; beyond them it stays broken
	maxClosed  = 10_000
	maxWaivers = 256
)

// NewLedger returns the ledger of an empty log.
func NewLedger(r Register) *Ledger {
	l := &Ledger{
		register: r, digest: r.Digest(),
		entries: map[string]*entry{}, changed: map[string]bool{headsPiece: true},
		index: map[string]int{}, root: map[string]string{}, family: map[string][]int{}, refs: map[string]map[string]bool{},
		shared: map[string]bool{}, maxAge: map[string]calendar.Period{}, duties: map[string]calendar.Period{}, people: map[string]bool{},
	}
	l.heads = heads{V: shape, Register: l.digest, Controls: map[string]*runs{}, Proofs: map[string]proof{}, Closed: map[string]int64{}}
	for i, p := range r.Promises {
		root := p.ID
		if p.SameAs != "" {
			root = p.SameAs
		}
		l.index[p.ID], l.root[p.ID], l.family[root] = i, root, append(l.family[root], i)
		l.entries[p.ID] = &entry{V: shape, ID: p.ID}
		l.changed[piece(p.ID)] = true
		l.maxAge[p.ID], _ = period(p.MaxAge) // a register that was read or made has valid ones
		l.referTo(root, p.KeptBy)
	}
	for _, d := range r.Duties {
		l.duties[d.ID], _ = period(d.Every)
		l.people[d.ID] = d.Personal
	}
	return l
}

// referTo notes whose evidence counts for a promise.
func (l *Ledger) referTo(root string, keepers []Keeper) {
	if l.refs[root] == nil {
		l.refs[root] = map[string]bool{}
	}
	for _, k := range keepers {
		switch k.Mechanism {
		case policy.Rollup:
		case policy.Statement:
			l.refs[root][place(k.Mechanism, StatementControl)] = true
		default:
			for _, ref := range k.Refs {
				l.refs[root][place(k.Mechanism, ref)] = true
				l.shared[place(k.Mechanism, ref)] = true
			}
		}
	}
}

// Register returns the register the states are computed for.
func (l *Ledger) Register() Register { return l.register }

// Size returns the number of leaves folded: the index Add expects next.
func (l *Ledger) Size() int64 { return l.heads.Size }

// Add folds the record of leaf index. Leaves come in order and without omission: Conflict otherwise, and nothing is
// changed. The same record again (an id may enter the log twice) changes nothing but the size. A page record also
// notes the states at its time in the history.
func (l *Ledger) Add(index int64, r record.Record) error {
	if index != l.heads.Size {
		return fault.New(fault.Conflict, "folding the evidence log: leaf %d instead of %d", index, l.heads.Size)
	}
	l.heads.Size++
	l.changed[headsPiece] = true
	p := proofOf(index, r)
	l.addShared(p, r)
	for _, root := range l.roots(r.Promises) {
		l.addTo(root, p, r)
	}
	if p.by == policy.Statement {
		l.addStatements(p, r)
	}
	l.close(index, p, r)
	switch {
	case r.Kind == record.Run && p.by == policy.Records && r.Control == LogControl && r.Run > l.heads.Sealed.Run:
		l.heads.Sealed = sealed{r.Run, p.At}
	case r.Kind == record.Page && r.Control == PageControl && p.At <= l.heads.Sealed.end()+allowedSkew.Milliseconds():
		l.mark(p.At) // one dated further ahead is passed over: it would keep those that follow out of the history
	}
	return nil
}

// roots returns whom a record concerns: each family once, in the record's order.
func (l *Ledger) roots(ids []string) []string {
	var roots []string
	for _, id := range ids {
		if root, known := l.root[id]; known && !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	return roots
}

// addShared folds what concerns a control as a whole.
func (l *Ledger) addShared(p proof, r record.Record) {
	at := place(p.by, r.Control)
	switch {
	case r.Kind == record.Gap:
		l.addGap(p, r)
	case !l.shared[at]:
	case r.Kind == record.Run && r.Run > 0:
		l.runsOf(at).add(r.Run, p)
	}
	if len(r.Promises) == 0 && l.shared[at] && counts(r.Kind) {
		keep(&l.heads.Proofs, key(at, string(r.Kind)), p)
	}
}

// addGap folds that something was lost. Nobody knows which mechanism of the name it was of, so it tells against each.
func (l *Ledger) addGap(p proof, r record.Record) {
	known := false
	for _, m := range separate {
		if at := place(m, r.Control); l.shared[at] {
			known = true
			l.runsOf(at).missed(span{At: p.At})
		}
	}
	if !known && len(r.Promises) == 0 {
		l.heads.Gaps.Count++
		l.heads.Gaps.Last = p.evidence()
	}
}

func (l *Ledger) runsOf(place string) *runs {
	if l.heads.Controls[place] == nil {
		l.heads.Controls[place] = &runs{}
	}
	return l.heads.Controls[place]
}

// counts reports whether the newest record of a kind decides about a mechanism.
func counts(k record.Kind) bool {
	return k == record.Run || k == record.Observation || k == record.Review || k == record.Attestation
}

// addTo folds what concerns one promise.
func (l *Ledger) addTo(root string, p proof, r record.Record) {
	e := l.entries[root]
	if e == nil {
		return // a register that names a root it does not hold
	}
	l.changed[piece(root)] = true
	at := place(p.by, r.Control)
	switch {
	case r.Kind == record.Finding:
		l.open(e, key(r.Control, p.ID), p)
	case r.Kind == record.Waiver:
		if _, ended := l.heads.Closed[key(r.Control, p.ID)]; !ended {
			e.waive(p, r)
		}
	case r.Kind == record.Drill:
		control := r.Control
		if !slices.ContainsFunc(separate, func(m policy.Mechanism) bool { return l.refs[root][place(m, control)] }) {
			control = ""
		}
		keep(&e.Drills, control, p)
	case r.Kind == record.Gap:
		e.Lost = max(e.Lost, p.At) // evidence about this promise was lost: nobody knows what it said
	case l.refs[root][at] && counts(r.Kind) && p.by != policy.Statement:
		keep(&e.Proofs, key(at, string(r.Kind)), p)
	}
}

// addStatements keeps statements under the very sentence they were signed for. One by a role that the promise does not
// ask for is kept apart: it only explains why there is none.
func (l *Ledger) addStatements(p proof, r record.Record) {
	p.Hash, p.Role = r.PromiseText, policy.Role(r.Facts["role"])
	for _, id := range r.Promises {
		e := l.entries[id]
		if e == nil {
			continue
		}
		place := StatementControl
		if slices.Contains(l.register.Promises[l.index[id]].signers(), r.Facts["role"]) {
			place = key(StatementControl, r.Facts["role"])
		}
		keep(&e.Proofs, place, p)
		l.changed[piece(id)] = true
	}
}

// key is the place of a finding or waiver: who wrote it belongs to it, for nobody else closes it. Controls are words: none
// has a space.
func key(control, id string) string { return control + " " + id }

// idOf undoes key.
func idOf(key string) string {
	_, id, _ := strings.Cut(key, " ")
	return id
}

// at returns a stored time.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
