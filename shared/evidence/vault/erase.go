package vault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Ground is the legal ground of an erasure; a record shows it.
type Ground string

// Grounds of GDPR article 17(1), and the end of what the company itself allows.
const (
	NotNeeded  Ground = "gdpr-17-1-a" // no longer necessary for its purpose
	Withdrawn  Ground = "gdpr-17-1-b" // consent withdrawn
	Objected   Ground = "gdpr-17-1-c" // objection to the processing
	Unlawful   Ground = "gdpr-17-1-d" // processed unlawfully
	LegalDuty  Ground = "gdpr-17-1-e" // a law demands it
	ChildsData Ground = "gdpr-17-1-f" // collected from a child for a service
	Outlived   Ground = "retention"   // the time it may be kept is over
)

var grounds = []Ground{NotNeeded, Withdrawn, Objected, Unlawful, LegalDuty, ChildsData, Outlived}

// State is how far an erasure has come.
type State string

const (
	Nothing State = "nothing" // nothing was kept of the subject
	Waiting State = "waiting" // a legal hold stands before it
	Erasing State = "erasing" // the key is gone; documents are being removed
	Pending State = "pending" // backups may still hold the wrapped key
	Final   State = "final"
)

// Erasure is one erasure as it stands.
type Erasure struct {
	ID    string // random; it names nobody. Empty where nothing was kept
	State State
	Until time.Time // Waiting: when the last hold ends; Erasing, Pending: when the erasure is final, unless the sweep is late
}

// erasureDoc is an erasure's life. What links it to the subject goes when it is final.
type erasureDoc struct {
	V          int        `json:"v"`
	Subject    string     `json:"subject,omitempty"`
	Generation string     `json:"generation,omitempty"`
	Ground     Ground     `json:"ground"`
	State      State      `json:"state"`
	Due        int64      `json:"due,omitempty"`   // microseconds: when Tick looks at it; none when final
	Until      int64      `json:"until,omitempty"` // microseconds
	Parts      []string   `json:"parts,omitempty"` // records that said it is pending
	Expires    *time.Time `json:"expires,omitempty"`
}

func (d erasureDoc) view(id string) Erasure {
	return Erasure{ID: id, State: d.State, Until: time.UnixMicro(d.Until).UTC()}
}

// Erase makes everything worthless that is kept of a subject: salts, so that no record's commitment can be traced to
// it, and payloads. The wrapped data key goes first, in one transaction; then what it sealed. Records say so by the
// ids of the records that had a payload, the ground and the time, and once more after Config.Horizon. Under a legal hold
// the erasure waits for its end. Called again it returns the erasure under way. After Transient call it again; an
// erasure that was begun goes on by itself with Tick.
func (v *Vault) Erase(ctx context.Context, s Subject, ground Ground, now time.Time) (Erasure, error) {
	key, err := s.key()
	if err != nil {
		return Erasure{}, err
	}
	if !slices.Contains(grounds, ground) {
		return Erasure{}, fault.New(fault.Invalid, "erasing a subject: no such legal ground")
	}
	name, err := v.name()
	if err != nil {
		return Erasure{}, err
	}
	id := ""
	err = v.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		id = ""
		var doc subjectDoc
		err := tx.Get(subjects, key, &doc)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if id = doc.Erasure; id != "" {
			return nil
		}
		id = name
		return v.asked(tx, batch, id, key, doc, ground, now)
	})
	switch {
	case err != nil:
		return Erasure{}, err
	case id == "":
		return Erasure{State: Nothing}, nil
	}
	return v.advance(ctx, id, now)
}

// asked begins an erasure, or has it wait for a hold to end.
func (v *Vault) asked(tx store.Tx, batch *outbox.Batch, id, key string, doc subjectDoc, ground Ground, now time.Time) error {
	e := erasureDoc{V: version, Subject: key, Generation: doc.Generation, Ground: ground, State: Waiting}
	held := doc.heldUntil(now)
	if held.IsZero() {
		return v.destroy(tx, id, e, now)
	}
	e.Due, e.Until = held.UnixMicro(), held.UnixMicro()
	doc.Erasure = id
	if err := tx.Put(subjects, key, doc); err != nil {
		return err
	}
	if err := tx.Put(erasures, id, e); err != nil {
		return err
	}
	r := v.begun(id+"#waiting", now)
	r.Result.State = record.Exempt
	r.Facts = map[string]string{"step": string(Waiting), "ground": string(ground), "until": day(held)}
	return r.Put(batch)
}

// destroy takes the key away: from here on nothing the subject's key sealed can be opened from the database.
func (v *Vault) destroy(tx store.Tx, id string, e erasureDoc, now time.Time) error {
	until := now.Add(v.Horizon).UTC()
	e.State, e.Due, e.Until = Erasing, now.UnixMicro(), until.UnixMicro()
	if err := tx.Put(subjects, e.Subject, subjectDoc{V: version, Erasure: id, Expires: &until}); err != nil {
		return err
	}
	return tx.Put(erasures, id, e)
}

// perTransaction is how many payloads one transaction removes: each read of one may be MaxPayload.
const perTransaction = 25

// remove takes away one lot of what the erased key sealed, and records which records lost their payload. With the last
// lot the erasure is pending.
func (v *Vault) remove(tx store.Tx, batch *outbox.Batch, id string, e erasureDoc, now time.Time) error {
	sealed := func(collection string) store.Query {
		return store.Query{Collection: collection, Equal: []store.Field{{Name: "generation", Value: e.Generation}}, Limit: perTransaction}
	}
	lost, err := tx.Query(sealed(payloads))
	if err != nil {
		return err
	}
	worthless, err := tx.Query(sealed(salts))
	if err != nil {
		return err
	}
	r := v.begun(fmt.Sprintf("%s#pending#%d", id, len(e.Parts)), now)
	until := time.UnixMicro(e.Until).UTC()
	for _, d := range lost {
		var doc payloadDoc
		if err := d.Decode(&doc); err != nil {
			return err
		}
		r.Refs = append(r.Refs, record.Ref{Rel: "erases", ID: doc.Leaf})
		if err := tx.Put(payloads, d.ID, payloadDoc{V: version, Expires: &until}); err != nil {
			return err
		}
	}
	for _, d := range worthless {
		if err := tx.Delete(salts, d.ID); err != nil {
			return err
		}
	}
	slices.SortFunc(r.Refs, func(a, b record.Ref) int { return compare(a.ID, b.ID) })
	r.Result.State = record.Pass
	r.Facts = map[string]string{"step": string(Pending), "ground": string(e.Ground), "until": day(until)}
	if len(lost) > 0 || len(e.Parts) == 0 {
		if err := r.Put(batch); err != nil {
			return err
		}
		e.Parts = append(e.Parts, r.ID())
	}
	if len(lost) < perTransaction && len(worthless) < perTransaction {
		e.State, e.Due = Pending, e.Until
	}
	return tx.Put(erasures, id, e)
}

// perRecord is how many records one record refers to, so that it stays small.
const perRecord = 500

// finish says that no backup holds the key any more, and forgets what linked the erasure to a subject.
func (v *Vault) finish(tx store.Tx, batch *outbox.Batch, id string, e erasureDoc, now time.Time) error {
	n := 0
	for parts := range slices.Chunk(e.Parts, perRecord) {
		r := v.begun(fmt.Sprintf("%s#final#%d", id, n), now)
		for _, part := range parts {
			r.Refs = append(r.Refs, record.Ref{Rel: "finalises", ID: part})
		}
		r.Result.State = record.Pass
		r.Facts = map[string]string{"step": string(Final), "ground": string(e.Ground)}
		if err := r.Put(batch); err != nil {
			return err
		}
		n++
	}
	forgotten := now.Add(MaxHold).UTC()
	return tx.Put(erasures, id, erasureDoc{V: version, Ground: e.Ground, State: Final, Until: now.UnixMicro(), Expires: &forgotten})
}
