package episode

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

// take makes episodes of hits. Watermark is the time by which entries and judgements are known to have come: now for an
// entry, when the first of them was due for what rules judge later.
func (t *turn) take(hits []found, watermark time.Time) error {
	byGroup := map[string][]found{}
	var groups []string
	for _, f := range hits {
		if _, seen := byGroup[f.group]; !seen {
			groups = append(groups, f.group)
		}
		byGroup[f.group] = append(byGroup[f.group], f)
	}
	for _, group := range groups {
		all := byGroup[group]
		slices.SortStableFunc(all, func(a, b found) int { return int(a.at - b.at) })
		near, err := t.around(group, all[0].at, all[len(all)-1].at)
		if err != nil {
			return err
		}
		for _, f := range all {
			if near, err = t.takeOne(f, near, watermark); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeOne makes one hit a member of an episode, and returns the neighbours with it.
func (t *turn) takeOne(f found, near neighbours, watermark time.Time) (neighbours, error) {
	if known, err := t.known(f.ID, near); known || err != nil {
		return near, err
	}
	detail, err := t.detail(f)
	if err != nil {
		return near, err
	}
	if covered, err := t.excepted(f, detail); covered || err != nil {
		return near, err
	}
	before, after := near.next(f.at)
	p := place(f.at, before, after, f.gap, f.reach, watermark)
	w, err := t.episode(p.join)
	if err != nil {
		return near, err
	}
	ordinal := 1
	if w == nil { // it begins one, or what it would join was forgotten long ago
		w = t.begin(f, detail, p.hold)
	} else {
		if err := t.merge(w, p.merge); err != nil {
			return near, err
		}
		for _, d := range []*dot{before, after} {
			if d != nil {
				ordinal = max(ordinal, d.ordinal+1)
			}
		}
	}
	return t.admit(w, f, detail, ordinal, near)
}

// known reports whether a hit is a member already.
func (t *turn) known(id string, near neighbours) (bool, error) {
	if slices.ContainsFunc(near, func(d dot) bool { return d.id == id }) {
		return true, nil
	}
	var m member
	err := t.tx.Get(members, id, &m)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// begin makes a new episode, whose alarm goes out now unless it is held.
func (t *turn) begin(f found, d Detail, hold time.Time) *working {
	first := time.UnixMicro(f.at).UTC()
	e := Episode{
		V: Version, ID: hashed(f.group, first.Format(time.RFC3339Nano)), Kind: f.kind, State: Held, Rule: f.Rule, Key: f.Key, Group: f.group,
		Severity: f.Subject.Severity, Promises: f.promises, Asks: f.asks, Shadow: f.shadow, Actor: clip(f.Subject.Actor),
		ActorKind: f.Subject.ActorKind, First: first, Gap: f.gap, Reach: f.reach, Within: f.within(f.Subject.Severity), Round: 1,
	}
	e.Nonce = hashed(t.seed, e.ID)
	e.Person, e.Involved = t.s.who(d, t.now)
	w := &working{Episode: e}
	t.episodes[e.ID] = w
	if !hold.IsZero() {
		w.Quiet = hold.Add(time.Microsecond)
		w.Episode = w.schedule()
		t.touch(w)
		return w
	}
	w.Quiet = first.Add(f.gap + f.reach)
	w.Episode = w.alarmed(t.now)
	t.touch(w, began)
	return w
}

// merge makes an episode that had no alarm yet part of another one.
func (t *turn) merge(w *working, id string) error {
	if id == "" {
		return nil
	}
	other, err := t.episode(id)
	if err != nil || other == nil || other.ID == w.ID || other.State != Held {
		return err // both had their alarms: they stay
	}
	other.State, other.Into, other.Closed = Joined, w.ID, t.now
	other.Episode = other.schedule()
	t.touch(other)
	w.Parts = append(slices.Clone(w.Parts), other.ID)
	w.seen = append(w.seen, other.seen...)
	var steps []step
	w.Episode, steps = w.raised(other.Severity, other.Within, t.now)
	w.Crowded = w.Crowded || other.Crowded
	w.involve(other.Involved)
	w.concern(other.Tenants)
	t.touch(w, steps...)
	var more []step
	w.Episode, _, more = w.joined(other.First, t.now)
	t.touch(w, more...)
	return nil
}

func (w *working) involve(people []string) (changed bool) {
	for _, id := range people {
		if !slices.Contains(w.Involved, id) {
			w.Involved, changed = append(slices.Clone(w.Involved), id), true
		}
	}
	return changed
}

func (w *working) concern(tenants []string) (changed bool) {
	for _, id := range tenants {
		if len(w.Tenants) < MaxTenants && !slices.Contains(w.Tenants, id) {
			w.Tenants, changed = append(slices.Clone(w.Tenants), id), true
		}
	}
	return changed
}

// admit makes a hit a member. The episode itself is written only where something about it changes: a burst of hits is a
// burst of small documents.
func (t *turn) admit(w *working, f found, d Detail, ordinal int, near neighbours) (neighbours, error) {
	was, id := w.Episode, f.ID
	_, involved := t.s.who(d, t.now)
	changed := w.involve(involved)
	changed = w.concern(t.s.tenants(f)) || changed
	full := ordinal > t.s.most
	if (full || f.Crowded) && !w.Crowded {
		w.Crowded, changed = true, true
	}
	if full {
		step := max(w.Gap.Microseconds()/16, 1)
		id = hashed(w.ID, "step", time.UnixMicro(f.at/step*step).UTC().Format(time.RFC3339Nano))
		if known, err := t.known(id, near); known || err != nil {
			if changed {
				t.touch(w)
			}
			return near, err
		}
	}
	after, round, steps := w.joined(time.UnixMicro(f.at).UTC(), t.now)
	w.Episode = after
	var graver []step
	w.Episode, graver = w.raised(f.Subject.Severity, f.within(f.Subject.Severity), t.now)
	if steps = append(steps, graver...); changed || len(steps) > 0 || w.State != was.State || w.Severity != was.Severity || w.More != was.More || !w.Closed.Equal(was.Closed) {
		t.touch(w, steps...)
	}
	t.later(members, id, member{V: Version, Group: f.group, Episode: w.ID, At: f.at, Ordinal: ordinal, Round: round, Crowded: f.Crowded || full, Expires: t.now.Add(kept)})
	if !full {
		t.later(details, id, d)
	}
	w.seen = append(w.seen, Listed{ID: id, At: time.UnixMicro(f.at).UTC(), Round: round, Detail: d})
	return near.with(dot{id, f.at, w.ID, ordinal}), nil
}

// detail is what messages and pages tell of a hit.
func (t *turn) detail(f found) (Detail, error) {
	origin, err := t.origin(f.Subject.Entry)
	if err != nil {
		return Detail{}, err
	}
	d := Detail{V: Version, Subject: clipped(f.Subject), Origin: origin, Why: f.Why, Count: f.Count, Expires: t.now.Add(keptPersonal)}
	for _, m := range f.Members {
		if v := clip(m.Value); v != "" && !slices.Contains(d.Values, v) && len(d.Values) < maxValues {
			d.Values = append(d.Values, v)
		}
	}
	return d, nil
}

// Bounds of what is kept of one hit.
const (
	maxText   = 300 // bytes of one field
	maxValues = 50
	maxDelta  = 20
)

// clip bounds what an entry says.
func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}

func clipped(s rule.Subject) rule.Subject {
	s.Actor, s.Service, s.Method, s.Resource, s.Tenant, s.Project, s.Because = clip(s.Actor), clip(s.Service), clip(s.Method), clip(s.Resource), clip(s.Tenant), clip(s.Project), clip(s.Because)
	group := make([]string, min(len(s.Group), maxValues))
	for i := range group {
		group[i] = clip(s.Group[i])
	}
	s.Group = group
	return s
}

// originOf reads what an entry tells beside its subject; before is the policy that stood before it, nil for none known.
func originOf(e *auditlog.Entry, before *rule.Standing) Origin {
	o := Origin{IP: clip(e.IP), Agent: clip(e.Agent), Email: clip(e.Actor.Email), Log: clip(e.LogName)}
	for _, i := range e.Actor.All() {
		name := i.Email
		if name == "" {
			name = i.Subject
		}
		if name != "" && len(o.Chain) < maxValues {
			o.Chain = append(o.Chain, clip(name))
		}
	}
	delta, _ := before.Change(e)
	added := "+ "
	if delta.Full {
		added = "= "
	}
	add := func(sign string, bindings []auditlog.Binding) {
		for _, b := range bindings {
			if len(o.Delta) < maxDelta {
				o.Delta = append(o.Delta, clip(strings.TrimSpace(sign+b.Role+" "+b.Member+" "+b.Condition)))
			}
		}
	}
	add(added, delta.Added)
	add("- ", delta.Removed)
	return o
}
