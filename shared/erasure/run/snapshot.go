package run

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// snapshot is known as it is stored: under the request's id the newest, and that of each phase of a round, which stays as
// it was: what a walk searches for does not change on its way.
type snapshot struct {
	V       int           `json:"v"`
	Request string        `json:"request"`
	Rev     int64         `json:"rev"`               // counts the changes
	Round   int           `json:"round,omitempty"`   // of a phase
	Planned int           `json:"planned,omitempty"` // round of the last plan
	Known   seal.Envelope `json:"known"`
}

// snapshotID is where a phase's is: one that is searched each day takes the place of the one before.
func snapshotID(j Job, phase string) string {
	if strings.HasPrefix(phase, searching) {
		return j.Request + "." + phase
	}
	return phaseID(j, phase)
}

func phaseID(j Job, phase string) string {
	return j.Request + "." + strconv.Itoa(j.Round) + "." + phase
}

// recall returns what was kept under an id, and how it stood.
func (e *Engine) recall(ctx context.Context, j Job, id string) (k known, kept snapshot, found bool, err error) {
	if err := e.Store.Get(ctx, jobs, id, &kept); fault.Is(err, fault.NotFound) {
		return k, kept, false, nil
	} else if err != nil {
		return k, kept, false, err
	}
	plain, err := seal.Open(ctx, e.Keys, kept.Known, e.bound(j, id))
	if err != nil {
		return k, kept, false, err
	}
	defer seal.Wipe(plain)
	if err := json.Unmarshal(plain, &k); err != nil {
		return k, kept, false, fault.New(fault.Invalid, "reading identifiers: not what was kept")
	}
	return k, kept, true, nil
}

func (e *Engine) sealed(ctx context.Context, j Job, id string, k known) (seal.Envelope, error) {
	plain, err := json.Marshal(k)
	if err != nil {
		return seal.Envelope{}, fault.New(fault.Invalid, "keeping identifiers: %w", err)
	}
	defer seal.Wipe(plain)
	return seal.Seal(ctx, e.Keys, e.Random, plain, e.bound(j, id))
}

// keep puts on record what is known, as the newest and as that of a phase, and ends the task of looking it up.
func (e *Engine) keep(ctx context.Context, j Job, phase string, k known, before snapshot, task string) error {
	newest, err := e.sealed(ctx, j, j.Request, known{IDs: k.IDs, Asked: k.Asked, Missed: k.Missed, Beside: k.Beside, Mark: k.Mark})
	if err != nil {
		return err
	}
	id := snapshotID(j, phase)
	of, err := e.sealed(ctx, j, id, k)
	if err != nil {
		return err
	}
	return e.Store.Tx(ctx, func(tx store.Tx) error {
		var now snapshot
		if err := tx.Get(jobs, j.Request, &now); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if now.Rev != before.Rev {
			// Another looked them up meanwhile, maybe while the records that tell them were still there.
			return fault.New(fault.Transient, "keeping identifiers: somebody else did meanwhile")
		}
		if err := tx.Put(jobs, j.Request, snapshot{V: version, Request: j.Request, Rev: before.Rev + 1, Planned: before.Planned, Known: newest}); err != nil {
			return err
		}
		if err := tx.Put(jobs, id, snapshot{V: version, Request: j.Request, Rev: 1, Round: j.Round, Known: of}); err != nil {
			return err
		}
		return tx.Delete(tasks, task)
	})
}
