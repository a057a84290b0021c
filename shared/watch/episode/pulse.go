package episode

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

// HeartbeatLabel is the label of the application entry by which the path from the log to Ingest is seen to be whole. Its
// value is of NewMarker: what anybody else writes beats no heart.
const HeartbeatLabel = "ostiary-heartbeat"

// HeartbeatInterval is how often a marker is to be written, HeartbeatGrace how long it may take to come.
const (
	HeartbeatInterval = 10 * time.Minute
	HeartbeatGrace    = 5 * time.Minute
)

// stoodStill is how long the schedule may be away before it counts as having stood still: who did not listen cannot tell
// of silence.
const stoodStill = 5 * time.Minute

// Names of documents in pulses.
const (
	pulseMarker = "marker"
	pulseMarks  = "marks"
	pulseTick   = "tick"
	pulseReport = "report"
)

// pulse is when something was last seen.
type pulse struct {
	V     int       `json:"v"`
	At    time.Time `json:"at"`
	Since time.Time `json:"since,omitzero"` // of the tick: since when it has run without standing still
	Month string    `json:"month,omitempty"`
	Marks []mark    `json:"marks,omitempty"` // the newest ones, oldest first
}

// mark is what one marker is known by, and when it was made.
type mark struct {
	Value string    `json:"value"`
	At    time.Time `json:"at"`
}

// mostMarks is how many marks are known: one instance makes one in HeartbeatInterval.
const mostMarks = 16

// NewMarker returns the value of HeartbeatLabel for one marker that is written now. Errors: those of the store.
func (s *Service) NewMarker(ctx context.Context, now time.Time) (string, error) {
	value, err := s.nonce()
	if err != nil {
		return "", err
	}
	return value, s.Store.Tx(ctx, func(tx store.Tx) error {
		p, err := pulsed(tx.Get, pulseMarks)
		if err != nil {
			return err
		}
		p.V, p.At, p.Marks = Version, now, append(p.Marks, mark{value, now})
		p.Marks = p.Marks[max(len(p.Marks)-mostMarks, 0):]
		return tx.Put(pulseDocs, pulseMarks, p)
	})
}

// Marker returns a log entry that says nothing but that it came, with a value of NewMarker.
func Marker(project string, now time.Time, value string) []byte {
	data, err := json.Marshal(map[string]any{
		"logName": "projects/" + project + "/logs/" + HeartbeatLabel, "timestamp": now.UTC().Format(time.RFC3339Nano), "severity": "INFO",
		"insertId": "heartbeat-" + strconv.FormatInt(now.UnixMicro(), 10), "resource": map[string]string{"type": "global"},
		"labels": map[string]string{HeartbeatLabel: value}, "jsonPayload": map[string]string{"message": "the path is whole"},
	})
	if err != nil {
		panic(err) // there are texts only
	}
	return data
}

// beaten notes a marker, and reports whether the entry is one. It counts from when it was made, so that one that is written
// again proves nothing more; one that is older than another changes nothing.
func (s *Service) beaten(ctx context.Context, e *auditlog.Entry) (is bool, err error) {
	value := e.Labels[HeartbeatLabel]
	if e.Kind != auditlog.Application || value == "" {
		return false, nil
	}
	err = s.Store.Tx(ctx, func(tx store.Tx) error {
		known, err := pulsed(tx.Get, pulseMarks)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(known.Marks, func(m mark) bool { return m.Value == value })
		if is = i >= 0; !is {
			return nil
		}
		p, err := pulsed(tx.Get, pulseMarker)
		if at := known.Marks[i].At; err == nil && p.At.Before(at) {
			return tx.Put(pulseDocs, pulseMarker, pulse{V: Version, At: at})
		}
		return err
	})
	return is, err
}

func pulsed(get func(collection, id string, into any) error, id string) (p pulse, err error) {
	if err = get(pulseDocs, id, &p); fault.Is(err, fault.NotFound) {
		return p, nil
	}
	return p, err
}

// pulses reads when a marker came last, and how long the schedule has run.
func (s *Service) pulses(ctx context.Context) (marker, tick pulse, err error) {
	get := func(collection, id string, into any) error { return s.Store.Get(ctx, collection, id, into) }
	if marker, err = pulsed(get, pulseMarker); err == nil {
		tick, err = pulsed(get, pulseTick)
	}
	return marker, tick, err
}

// heard reports whether a marker came of late.
func heard(marker pulse, now time.Time) bool {
	return !now.After(marker.At.Add(HeartbeatInterval + HeartbeatGrace))
}

// Listened reports whether Look can say anything yet: a marker came of late, or the schedule has run for so long that one
// should have. Whoever beats waits for it: a beat stands for a quarter of an hour.
func (s *Service) Listened(ctx context.Context, now time.Time) (bool, error) {
	marker, tick, err := s.pulses(ctx)
	return err == nil && !tick.Since.IsZero() && (heard(marker, now) || heardOut(tick, now)), err
}

func heardOut(tick pulse, now time.Time) bool {
	return now.After(tick.Since.Add(HeartbeatInterval + HeartbeatGrace))
}

// silent returns since when the path is silent, zero when it is not, as far as whoever listened can tell.
func silent(marker, tick pulse, now time.Time) time.Time {
	last := marker.At
	if last.Before(tick.Since) {
		last = tick.Since
	}
	if ends := last.Add(HeartbeatInterval + HeartbeatGrace); now.After(ends) {
		return ends
	}
	return time.Time{}
}

// listen makes an alarm of silence.
func (s *Service) listen(ctx context.Context, now time.Time) error {
	var since time.Time
	if err := s.Store.Tx(ctx, func(tx store.Tx) error {
		tick, err := pulsed(tx.Get, pulseTick)
		if err != nil {
			return err
		}
		marker, err := pulsed(tx.Get, pulseMarker)
		if err != nil {
			return err
		}
		if tick.Since.IsZero() || now.Sub(tick.At) > stoodStill {
			tick.Since = now
		}
		if tick.At.Before(now) {
			tick.At = now
		}
		tick.V, since = Version, silent(marker, tick, now)
		return tx.Put(pulseDocs, pulseTick, tick)
	}); err != nil || since.IsZero() {
		return err
	}
	id := hashed(SilenceRule, since.UTC().Format(time.RFC3339Nano))
	return s.own(ctx, found{kind: Silence, Hit: rule.Hit{ID: id, Rule: SilenceRule, Time: since}}, now)
}
