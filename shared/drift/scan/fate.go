package scan

import (
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/self"
)

// fate says what becomes of each finding after a look: nothing of one that is out of order as before; one that nobody wants
// otherwise any more is not healed, and neither is one of which nobody can tell. What no list tells of any more is asked for by
// itself: that it is deleted is an answer, and that it is not told of is none. lost may be nil: all could be looked at.
func (s *Service) fate(v *verdicts, lost func(finding.Finding) bool) func(finding.Finding) finding.What {
	return func(f finding.Finding) finding.What {
		if _, out := v.at[f.ID]; out {
			return ""
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case !s.promised(f):
			return finding.Drop
		case lost != nil && lost(f):
			return finding.Lost
		case v.doubt[f.ID]:
			return ""
		}
		return s.vanished(v.known, f)
	}
}

// vanished is what becomes of a finding that was not found again: it is in order, unless what it is about is not known any more. It
// is called with the lock.
func (s *Service) vanished(k *known, f finding.Finding) finding.What {
	_, there := k.live.Get("", f.Asset)
	if f.Asset == "" || there || f.Class == string(diff.Missing) || f.Class == string(self.Drift) {
		return finding.In
	}
	kind := kindOf(f.Asset, s.listed)
	switch {
	case !k.reaches(f.Asset):
		return finding.Drop
	case kind == "":
		return finding.Lost
	case k.behind[f.Asset] == nil:
		k.behind[f.Asset] = &waiting{kind: kind, why: "vanished"}
	}
	return ""
}

// reaches reports whether an asset may lie in one of the places that are listed.
func (k *known) reaches(key string) bool {
	project := asset.ProjectOf(key)
	return project == "" || slices.ContainsFunc(k.places, func(place string) bool {
		of, is := strings.CutPrefix(place, "projects/")
		return !apart(place) && (!is || k.live.Names().ID(of) == project)
	})
}

// promised reports whether what a finding is about is still judged: an assertion some promise is kept by, a resource that
// Terraform wants. It is called with the lock.
func (s *Service) promised(f finding.Finding) bool {
	switch f.Class {
	case finding.Forbidden:
		return s.Set.Judges(f.Asset, f.What)
	case string(self.Drift):
		return true
	}
	address, _ := diff.Place(f.What)
	switch {
	case len(s.States) == 0:
		return false
	case !strings.Contains(address, "google_") || !s.want.whole():
		return true
	}
	return s.want.addresses[address]
}
