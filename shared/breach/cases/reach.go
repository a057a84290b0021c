package cases

import (
	"slices"
	"strings"

	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/policy"
)

// reach has people find somebody to be told at the tenants where nobody is named, once each: nothing else tells them that a
// notice leaves those out.
func (d *deciding) reach() {
	if d.State != Open {
		return
	}
	settled, found := d.settled(), false
	for i := range d.Tracks {
		t := &d.Tracks[i]
		no := settled[t.ID] != nil && !settled[t.ID].Yes
		missing := t.Role == Processor && t.Told.IsZero() && !no && slices.Contains(d.e.Nobody, t.ID)
		found = found || missing && !t.Unreached
		t.Unreached = missing
	}
	if found {
		d.record("nobody_named")
		d.effects = append(d.effects, Effect{Do: DoReach})
	}
}

// nobodyAt are the tenants of a case, and of what happens to it, at which nobody is named to be told now.
func (t *turn) nobodyAt() (tenants []string) {
	if t.s.Reaches == nil {
		return nil
	}
	compromised := t.before.Compromised
	if t.event.What == Channel {
		compromised = t.event.Channels
	}
	for _, track := range slices.Concat(t.before.Tracks, t.event.Tracks) {
		if track.Role == Processor && !t.s.Reaches(track.ID, compromised, t.now) {
			tenants = append(tenants, track.ID)
		}
	}
	return tenants
}

// mostNamed is how many tenants a message names.
const mostNamed = 10

// reach calls those who decide and the first step of the ladder, by its channels.
func (t *turn) reach() error {
	var names []string
	for _, track := range t.after.Tracks {
		if !track.Unreached {
			continue
		}
		if len(names) == mostNamed {
			names = append(names, "…")
			break
		}
		name := track.ID
		if tenant, known := t.s.Policy.Tenant(track.ID); known {
			name = tenant.Name
		}
		names = append(names, name)
	}
	first := t.s.Rules.Ladder[0]
	to := t.deciders("")
	for _, p := range t.of(first.ID) {
		if !slices.ContainsFunc(to, func(o policy.Person) bool { return o.ID == p.ID }) {
			to = append(to, p)
		}
	}
	return t.sayBy(first.Channels, sayReach, "reach", to, letters.Vars{"tenants": strings.Join(names, ", ")})
}
