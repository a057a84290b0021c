// Package attribution says who may have made a difference: it joins what the watch told of calls that name an asset to the
// time in which the asset went out of order.
//
// # What it promises
//
// Every call of that time is named, the likeliest first; one operation is one call. A call of the deployer that Terraform
// wanted is planned, one that Terraform knows nothing of is suspicious. Where nobody can be named, why is said: the log is
// not written, the asset was not known to be in order since hints are kept, the log hides who it was, or there was no call.
// The order of the hints and doubles of them change nothing.
//
// # What it does not do
//
// It proves nothing: a hint says who called and what was asked for, not what came of it. Who called is an id, never an address;
// what was asked for may name a member as the policy of the asset does, and no value that may be a secret.
package attribution

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/fault"
)

// Reasons for which nobody is named. They are stored, as finding.Actor.Why.
const (
	StreamOff       = "stream_off"       // the log that would say it is not known to be written
	BeforeRetention = "before_retention" // it was not known to be in order since hints are kept
	NoEntry         = "no_entry"         // nobody called, as far as the log says
	Hidden          = "hidden"           // somebody did, and the log does not say who
)

// Slack is by how much clocks of a service and of its log may differ, Kept how long hints are worth keeping: as long as
// somebody may look at a finding of a month, and at what came before. Most is how many calls are named who may have done it.
const (
	Slack = 2 * time.Minute
	Kept  = 40 * 24 * time.Hour
	Most  = 5
)

// maxPayload bounds a message of the watch's, in bytes.
const maxPayload = 64 << 10

// Hint is a call that named an asset. Person and Chain hold ids of people.yaml, service:ID of services.yaml, or kinds of
// callers; never an address. Asked is filled in by whoever knows what the asset was before.
type Hint struct {
	Asset     string    `json:"asset"`            // its key
	Person    string    `json:"person,omitempty"` // who began, where she is known
	Chain     []string  `json:"chain,omitempty"`  // who began first, who called last
	Kind      string    `json:"kind"`             // of who began, as package auditlog has them
	Method    string    `json:"method,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	Ticket    string    `json:"ticket,omitempty"`
	Entry     string    `json:"entry"`
	Operation string    `json:"operation,omitempty"` // the same for its beginning and its end
	Running   bool      `json:"running,omitempty"`   // the operation had not ended
	Failed    bool      `json:"failed,omitempty"`    // it ended, and nothing came of it
	Deployer  bool      `json:"deployer,omitempty"`
	At        time.Time `json:"at"`

	Request *Request         `json:"-"` // what it asked for; it is held against what was, and not kept
	Asked   []finding.Change `json:"asked,omitempty"`
	Unasked string           `json:"unasked,omitempty"` // why there is nothing, or not all, of Asked
}

// Read reads a message of topic asset.changed, of version 1 or 2 or a later one, and writes the asset by its key. Invalid: it
// names no asset, no entry or no time.
func Read(data []byte, names *asset.Names) (Hint, error) {
	var m struct {
		Hint
		Actor   string   `json:"actor_kind"`
		Ends    bool     `json:"ends"`
		Outcome string   `json:"outcome"`
		Request *Request `json:"request"`
	}
	if len(data) > maxPayload || json.Unmarshal(data, &m) != nil || m.Asset == "" || m.Entry == "" || m.At.IsZero() {
		return Hint{}, fault.New(fault.Invalid, "reading a message that an asset changed: not one")
	}
	h := m.Hint
	h.Request, h.Asked, h.Unasked = m.Request, nil, ""
	h.Asset, h.At = names.Key("", h.Asset), h.At.UTC()
	h.Running, h.Failed = h.Operation != "" && !m.Ends, m.Outcome == "failed"
	switch {
	case h.Person != "":
		h.Kind = "human"
	case len(h.Chain) == 0:
		h.Kind = m.Actor
	case strings.HasPrefix(h.Chain[0], "service:"):
		h.Kind = "service"
	default:
		h.Kind = h.Chain[0]
	}
	return h, nil
}

// Question is a difference somebody wants to know the maker of.
type Question struct {
	Asset     string    // "" for the company
	Beside    []string  // other assets that it rests on: who changed one of them may have made it
	Good      time.Time // when it was known to be in order last; zero for never
	Seen      time.Time // when it was seen out of order first
	Terraform bool      // its state was read, and knows the asset
	Desired   bool      // Terraform wants it as it is by now
	Applying  bool      // Terraform is applying: what it wants is not written down yet
	Stream    bool      // the log of such calls is known to be written
	Since     time.Time // hints are kept since then
}

// Rank names who may have made a difference, likeliest first, [Most] calls and everybody else of the people; never nobody: where none can be named, or
// somebody before hints are kept may have been, there is one of kind unknown who says why.
func Rank(q Question, hints []Hint) []finding.Actor {
	var calls []Hint
	for _, h := range folded(hints) {
		if h.Asset != "" && (h.Asset == q.Asset || slices.Contains(q.Beside, h.Asset)) && !h.Failed && !h.At.After(q.Seen.Add(Slack)) && !h.At.Before(q.Good.Add(-Slack)) {
			calls = append(calls, h)
		}
	}
	slices.SortFunc(calls, q.compare)
	var actors []finding.Actor
	for i, h := range calls {
		// Many calls hide nobody: whoever of the people may have done it is named.
		if i < Most || h.Person != "" && !slices.ContainsFunc(actors, func(a finding.Actor) bool { return a.Person == h.Person }) {
			a := q.actor(h)
			if i >= Most {
				a.Asked, a.Unasked = nil, "" // so many would not fit into what is kept of a finding
			}
			actors = append(actors, a)
		}
	}
	before := q.Good.Before(q.Since)
	if len(actors) > 0 && (!before || len(actors) >= Most) {
		return actors
	}
	nobody := finding.Actor{Kind: "unknown", Why: NoEntry}
	switch {
	case !q.Stream && len(actors) == 0:
		nobody.Why = StreamOff
	case before:
		nobody.Why = BeforeRetention
	}
	return append(actors, nobody)
}

// compare puts the likelier first: a call after it was in order, that changes something, by somebody who is no machinery of
// Google's, which acts for others. Of those the last one, since it left the asset as it is.
func (q Question) compare(a, b Hint) int {
	for _, less := range []func(Hint) bool{
		func(h Hint) bool { return h.At.Before(q.Good) },
		func(h Hint) bool { return !changes(h.Method) },
		func(h Hint) bool { return kind(h.Kind) == "agent" },
	} {
		if x, y := less(a), less(b); x != y {
			if x {
				return 1
			}
			return -1
		}
	}
	return cmp.Or(b.At.Compare(a.At), strings.Compare(a.Entry, b.Entry))
}

func (q Question) actor(h Hint) finding.Actor {
	a := finding.Actor{Person: h.Person, Chain: h.Chain, Kind: kind(h.Kind), Method: h.Method, UserAgent: h.UserAgent, Ticket: h.Ticket, At: h.At.UTC(), Entry: h.Entry, Asked: h.Asked, Unasked: h.Unasked}
	a.Planned = h.Deployer && q.Desired
	a.Suspicious = h.Deployer && q.Terraform && !q.Desired && !q.Applying
	if a.Kind == "unknown" {
		a.Why = Hidden
	}
	return a
}

// kind is the kind of who may have done it, of the kind of a caller.
func kind(caller string) string {
	switch caller {
	case "human", "service", "agent":
		return caller
	case "system":
		return "agent"
	case "federated":
		return "service"
	}
	return "unknown"
}

// reading are the beginnings of verbs that change nothing; Google writes a few of them to the log of activity.
var reading = []string{"get", "list", "search", "query", "test", "check", "read", "fetch", "export", "connect", "generate", "sign"}

// changes reports whether a method may change what it names.
func changes(method string) bool {
	verb := strings.ToLower(method[strings.LastIndexAny(method, "./")+1:])
	return !slices.ContainsFunc(reading, func(r string) bool { return strings.HasPrefix(verb, r) })
}

// Running reports whether an operation on an asset had not ended by the hints, at now: a difference may be half of it. One that
// began longer ago than an hour counts as over: its end was lost.
func Running(asset string, hints []Hint, now time.Time) bool {
	return slices.ContainsFunc(folded(hints), func(h Hint) bool {
		return h.Asset == asset && h.Running && !h.At.After(now.Add(Slack)) && h.At.After(now.Add(-time.Hour))
	})
}

// folded makes one hint of the beginning and the end of an operation: by whom it began, at the time it ended. What else is
// there twice is there once.
func folded(hints []Hint) []Hint {
	sorted := slices.Clone(hints)
	slices.SortFunc(sorted, func(a, b Hint) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Entry, b.Entry)) })
	var all []Hint
	for _, h := range sorted {
		at := slices.IndexFunc(all, func(o Hint) bool {
			return o.Asset == h.Asset && (o.Entry == h.Entry || h.Operation != "" && o.Operation == h.Operation)
		})
		if at < 0 {
			all = append(all, h)
			continue
		}
		all[at] = all[at].with(h)
	}
	return all
}

// with adds what a later entry of the same operation says.
func (h Hint) with(end Hint) Hint {
	whole := h
	if h.Person == "" && (end.Person != "" || kind(h.Kind) == "unknown") {
		whole = end
	}
	whole.At, whole.Running, whole.Failed = end.At, h.Running && end.Running, h.Failed || end.Failed
	whole.Deployer = h.Deployer || end.Deployer
	if whole.Asked, whole.Unasked = h.Asked, h.Unasked; len(h.Asked) == 0 && (len(end.Asked) > 0 || h.Unasked == NotLogged && end.Unasked != "") {
		whole.Asked, whole.Unasked = end.Asked, end.Unasked
	}
	whole.UserAgent, whole.Ticket = cmp.Or(h.UserAgent, end.UserAgent), cmp.Or(h.Ticket, end.Ticket)
	return whole
}
