package scan

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/coverage"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/self"
)

// Controls is the Place.Place of what is known of the controls themselves.
const Controls = "controls"

// mostUnsure bounds how many lines say what of the controls themselves nobody can tell.
const mostUnsure = 50

// ours says what of the controls themselves is otherwise than released; key is one asset, or "" for all of them. Where nobody
// lists the project they run in, nothing is said of them but that.
func (s *Service) ours(v *verdicts, k *known, key string) {
	if s.Self == nil || key != "" && !slices.Contains(self.Types(), kindIn(k, key)) {
		return
	}
	if v.ours = k.covers(s.Self.Project); !v.ours {
		v.unsure[""] = "its project is in no place that is listed"
		return
	}
	for _, f := range self.Compare(*s.Self, k.live, func(kind string) bool { return k.lists(kind, s.Self.Project, s.listed) }) {
		if key != "" && f.Key != key {
			continue
		}
		if why := s.unsure(k, f); why != "" {
			v.unsure[f.Key] = f.Type + ": " + why
			continue
		}
		seen := finding.Seen{Read: k.at}
		seen.Asset, seen.Class, seen.Severity, seen.Loosened = f.Key, string(f.Class), f.Severity, true
		seen.What = strings.TrimSpace(string(self.Drift) + " " + f.Field)
		seen.Want, seen.Got = clip(f.Want), clip(f.Got)
		// While something is deployed, code and names of variables are new here and old there; who may get in never is.
		seen.Urgent = urgent(f.Type) || f.Field == "iam" || f.Field == "ingress" || f.Field == "invokerIamDisabled"
		v.add(seen)
	}
}

// unsure is why nobody can tell about one of the controls' own; "" where somebody can.
func (s *Service) unsure(k *known, f diff.Finding) string {
	if f.Class != self.Drift {
		return f.Why
	}
	if at, is := k.unseen(f.Type, f.Key); is {
		return at
	}
	if project := asset.ProjectOf(f.Key); project != "" && !k.covers(project) {
		return "its project is in no place that is listed"
	}
	return ""
}

// unsaid are the lines that say what of the controls themselves nobody can tell, each with how many.
func (v *verdicts) unsaid() (lines []string) {
	for _, line := range slices.Sorted(maps.Values(v.unsure)) {
		if len(lines) == 0 || lines[len(lines)-1] != line {
			lines = append(lines, line)
		}
	}
	return lines[:min(len(lines), mostUnsure)]
}

// logged reports whether a call that changes an asset would have been told: whether the sinks of its project let the log of its
// service through to where the controls read it. Where nobody says where that is, it would. It is called with the lock.
func (s *Service) logged(k *known, a *asset.Asset) bool {
	if s.Self == nil || !google(a.Type) {
		return google(a.Type)
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(a.Key, "//"), "/")
	of := a.Project + " " + service
	if told, known := k.streams[of]; known {
		return told
	}
	project := &asset.Asset{Project: a.Project, Ancestors: a.Ancestors}
	var sinks []*asset.Asset
	k.live.Each(func(one *asset.Asset) {
		switch {
		case one.Type == coverage.Type:
			sinks = append(sinks, one)
		case one.Type == projectType && one.Project == a.Project && len(one.Ancestors) > 0:
			project = one
		}
	})
	need := `log_id("cloudaudit.googleapis.com/activity") AND protoPayload.serviceName="` + service + `"`
	verdict, _ := coverage.Of(project, sinks, func(to string) bool { return to == s.Self.Destination() }, need)
	k.streams[of] = verdict == coverage.Covered
	return k.streams[of]
}

const projectType = "cloudresourcemanager.googleapis.com/Project"

// covers reports whether what there is in a project was to be listed.
func (k *known) covers(project string) bool {
	a, there := k.live.Get(projectType, "projects/"+project)
	there = there && !a.Deleted
	return slices.ContainsFunc(k.places, func(place string) bool {
		return place == "projects/"+project || there && (slices.Contains(a.Ancestors, place) || !cloud(place) && !apart(place))
	})
}

// lists reports whether all assets of a type in a project were listed, if there are any; "" for everywhere. Where no list is
// bound to tell of every type, of one of which it tells nothing nobody knows.
func (k *known) lists(kind, project string, listed []string) bool {
	if k.head.Whole == 0 || !slices.Contains(listed, kind) || !k.kinds[kind] && !(k.clouds && google(kind)) {
		return false
	}
	at := ""
	if project != "" {
		at = "//" + strings.SplitN(kind, "/", 2)[0] + "/projects/" + project + "/"
	}
	for key, waits := range k.behind {
		if waits.kind == kind && waits.why != "" && (project == "" || asset.ProjectOf(key) == project) {
			return false
		}
	}
	return !slices.ContainsFunc(k.blinds, func(b blind) bool {
		return b.about(kind, at, nil) && (b.kinds == nil || b.kinds[kind])
	})
}
