package finding

import (
	"context"
	"strconv"
	"time"

	"ostiary.internal/shared/drift/finding/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Of messages that need nobody's answer at most Burst go out in BurstTime; the first look at a company may find hundreds.
// What is beyond is counted, and told together within SumUp. What is critical is never held back when it opens.
const (
	Burst     = 20
	BurstTime = 15 * time.Minute
	SumUp     = 5 * time.Minute
)

// pace is how many messages went out, as it is stored.
type pace struct {
	V     int       `json:"v"`
	Since time.Time `json:"since"` // of Sent
	Sent  int       `json:"sent"`
	Held  int       `json:"held"`
	From  time.Time `json:"from,omitzero"` // of Held
	High  bool      `json:"high,omitempty"`
}

const paceID = "messages"

func paced(tx store.Tx) (p pace, err error) {
	if err = tx.Get(paces, paceID, &p); fault.Is(err, fault.NotFound) {
		return pace{V: version}, nil
	}
	return p, err
}

// hold counts a message, and reports whether it is told with others later.
func (t *turn) hold(kind notice.Kind) (bool, error) {
	if kind == notice.Asked || kind == notice.Ending {
		return false, nil
	}
	p, err := paced(t.tx)
	if err != nil {
		return false, err
	}
	if !t.now.Before(p.Since.Add(BurstTime)) {
		p.Since, p.Sent = t.now, 0
	}
	held := p.Sent >= Burst && !(kind == notice.Opened && t.f.Severity == policy.Critical)
	if p.Sent++; held {
		if p.Held++; p.From.IsZero() {
			p.From = t.now
		}
		p.High = p.High || high(t.f)
	}
	t.pace = &p
	return held, nil
}

// sumUp tells of what was held back.
func (s *Service) sumUp(ctx context.Context, now time.Time) error {
	nonce, err := s.nonce()
	if err != nil {
		return err
	}
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		p, err := paced(tx)
		if err != nil || p.Held == 0 || now.Before(p.From.Add(SumUp)) {
			return err
		}
		n := notice.Notice{Kind: notice.Many, Key: nonce, To: s.watchers(now, p.High), Lines: []notice.Line{{Label: notice.Number, Text: strconv.Itoa(p.Held)}, {Label: notice.When, At: p.From}}}
		if s.Link != "" {
			n.Link = s.Link + "/acceptdrift/"
		}
		p.Held, p.From, p.High = 0, time.Time{}, false
		if err := tx.Put(paces, paceID, p); err != nil {
			return err
		}
		return s.Notify(batch, n)
	})
}
