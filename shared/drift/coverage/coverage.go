// Package coverage says whether log sinks let through what somebody needs of the logs, by reading their filters.
//
// # What it promises
//
// A sink that is switched off, one that leaves out children, one whose filter or whose exclusions take away some of what is
// needed, and one whose entries a sink above it takes for itself, does not cover it: each is told with its reason. Covered
// means that every entry that is needed passes, by one sink or by several together. Of what no rule here can tell, such as a
// function or a comparison of times, it says that it cannot: never that it is covered.
//
// # What it does not do
//
// It reads the part of the query language of Cloud Logging that sinks are written in. It does not look whether the
// destination is there, lets the sink write, or keeps what it gets.
package coverage

import (
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
)

// Verdict says whether what is needed passes.
type Verdict string

// The verdicts.
const (
	Covered      Verdict = "covered"
	NotCovered   Verdict = "not_covered"
	Undetermined Verdict = "undetermined"
)

// Why says why something does not pass, or why nobody can tell.
type Why string

// The reasons.
const (
	NoSink      Why = "no_sink"     // nothing leads there
	Disabled    Why = "disabled"    // what leads there is switched off
	Children    Why = "children"    // a sink of a folder or the organization leaves out what is below it
	Intercepted Why = "intercepted" // a sink above takes the entries for itself
	Excluded    Why = "excluded"    // by an exclusion
	Narrowed    Why = "narrowed"    // by the filter
	Unread      Why = "unread"      // a sink, or what a project belongs to, was not read
	Syntax      Why = "syntax"      // nobody here can read a filter, or all of it
)

// Type is the type of a sink.
const Type = "logging.googleapis.com/LogSink"

// Lets says whether a filter lets through all that is needed.
func Lets(filter, need string) Verdict {
	pass, err1 := parse(filter)
	wanted, err2 := parse(need)
	if err1 != nil || err2 != nil {
		return Undetermined
	}
	return within(wanted, pass, nil)
}

// Of says whether the sinks let through what is needed of the logs of a project, to a destination that is right; nil for any
// destination. Sinks are all there are, of whatever projects and folders. The reason is empty where it is covered.
func Of(project *asset.Asset, sinks []*asset.Asset, right func(destination string) bool, need string) (Verdict, Why) {
	wanted, err := parse(need)
	if err != nil {
		return Undetermined, Syntax
	}
	j := judging{project: project, sinks: sinks, parent: []literal{{atom: atom{"parent", "=", "projects/" + strings.ToLower(project.Project)}}}}
	j.collect(right)
	switch verdict := j.judge(wanted, whole); {
	case verdict == Covered:
		return Covered, ""
	case verdict == Undetermined:
		return Undetermined, j.doubt()
	case len(j.lead) == 0:
		return NotCovered, j.missing
	case j.judge(wanted, unhindered) == Covered:
		return NotCovered, Intercepted
	case j.judge(wanted, filterOnly) == Covered:
		return NotCovered, Excluded
	}
	return NotCovered, Narrowed
}

// sink is one that concerns the project and leads to a right destination.
type sink struct {
	level      int // 0 of the project, higher above it
	filter     *expr
	exclusions []*expr
}

type judging struct {
	project *asset.Asset
	sinks   []*asset.Asset
	parent  []literal
	lead    []sink
	above   []sink // that take entries from those below them
	missing Why    // why none leads there
	unread  bool
	syntax  bool
}

// collect sorts the sinks that concern the project.
func (j *judging) collect(right func(string) bool) {
	j.missing = NoSink
	for _, s := range j.sinks {
		level, concerns := j.level(s)
		if s.Deleted || !concerns {
			continue
		}
		if s.Data == nil {
			j.unread = true
			continue
		}
		destination, _ := s.Data["destination"].(string)
		leads := right == nil || right(destination)
		takes := s.Data["interceptChildren"] == true && level > 0
		switch {
		case s.Data["disabled"] == true:
			if leads {
				j.missing = Disabled
			}
			continue
		case level > 0 && s.Data["includeChildren"] != true:
			if leads && j.missing == NoSink {
				j.missing = Children
			}
			continue
		case !leads && !takes:
			continue
		}
		one := j.read(level, s)
		if leads {
			j.lead = append(j.lead, one)
		}
		if takes {
			j.above = append(j.above, one)
		}
	}
}

// level is how far above the project a sink is.
func (j *judging) level(s *asset.Asset) (int, bool) {
	of, _, is := strings.Cut(strings.TrimPrefix(s.Key, "//logging.googleapis.com/"), "/sinks/")
	switch {
	case !is:
		return 0, false
	case strings.HasPrefix(of, "projects/"):
		return 0, of == "projects/"+j.project.Project || slices.Contains(j.project.Ancestors, of)
	case len(j.project.Ancestors) == 0: // it may be above, or not
		j.unread = true
		return 0, false
	}
	at := slices.Index(j.project.Ancestors, of)
	return at + 1, at >= 0
}

func (j *judging) read(level int, s *asset.Asset) sink {
	one := sink{level: level, filter: j.expr(s.Data["filter"], s.Key)}
	exclusions, _ := s.Data["exclusions"].([]any)
	for _, e := range exclusions {
		m, _ := e.(asset.Object)
		if m["disabled"] != true {
			one.exclusions = append(one.exclusions, j.expr(m["filter"], s.Key))
		}
	}
	return one
}

// expr reads a filter; of one that cannot be read nobody knows what it lets through.
func (j *judging) expr(v any, key string) *expr {
	filter, text := v.(string)
	e, err := parse(filter)
	if err != nil || v != nil && !text {
		j.syntax = true
		return said(atom{op: "filter", value: key + "\x00" + filter})
	}
	return e
}

func (j *judging) doubt() Why {
	if j.unread {
		return Unread
	}
	return Syntax
}

// How much of a sink is looked at.
type part int

const (
	whole      part = iota
	unhindered      // without what sinks above take
	filterOnly      // without exclusions too
)

func (j *judging) judge(wanted *expr, p part) Verdict {
	var passes []*expr
	for _, s := range j.lead {
		args := []*expr{s.passes(p)}
		for _, a := range j.above {
			if p == whole && a.level > s.level {
				args = append(args, negated(a.passes(whole)))
			}
		}
		passes = append(passes, joined(all, args))
	}
	verdict := within(wanted, joined(any_, passes), j.parent)
	if verdict == NotCovered && j.unread {
		return Undetermined
	}
	return verdict
}

func (s sink) passes(p part) *expr {
	args := []*expr{s.filter}
	for _, e := range s.exclusions {
		if p != filterOnly {
			args = append(args, negated(e))
		}
	}
	return joined(all, args)
}
