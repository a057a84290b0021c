package episode

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

// How the entry is known by which the path from the log to Ingest is seen to be whole: the end of its log name, or a label
// of any application entry, for a program that cannot choose its log.
const (
	HeartbeatLog   = "ostiary-heartbeat"
	HeartbeatLabel = "ostiary-heartbeat"
)

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
	pulseTick   = "tick"
	pulseReport = "report"
)

// pulse is when something was last seen.
type pulse struct {
	V     int       `json:"v"`
	At    time.Time `json:"at"`
	Since time.Time `json:"since,omitzero"` // of the tick: since when it has run without standing still
	Month string    `json:"month,omitempty"`
}

// Marker returns a log entry that says nothing but that it came.
func Marker(project string, now time.Time) []byte {
	data, err := json.Marshal(map[string]any{
		"logName": "projects/" + project + "/logs/" + HeartbeatLog, "timestamp": now.UTC().Format(time.RFC3339Nano), "severity": "INFO",
		"insertId": "heartbeat-" + strconv.FormatInt(now.UnixMicro(), 10), "resource": map[string]string{"type": "global"},
		"labels": map[string]string{HeartbeatLabel: "1"}, "jsonPayload": map[string]string{"message": "the path is whole"},
	})
	if err != nil {
		panic(err) // there are texts only
	}
	return data
}

// isMarker reports whether an entry is a marker.
func isMarker(e *auditlog.Entry) bool {
	return e.Kind == auditlog.Application && (strings.HasSuffix(e.LogName, "/logs/"+HeartbeatLog) || e.Labels[HeartbeatLabel] != "")
}

// beaten notes a marker. One that is older than another changes nothing.
func (s *Service) beaten(ctx context.Context, e *auditlog.Entry, now time.Time) error {
	at := e.Time
	if at.IsZero() || at.After(now) {
		at = now
	}
	return s.Store.Tx(ctx, func(tx store.Tx) error {
		p, err := pulsed(tx.Get, pulseMarker)
		if err != nil || !p.At.Before(at) {
			return err
		}
		return tx.Put(pulseDocs, pulseMarker, pulse{V: Version, At: at})
	})
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
