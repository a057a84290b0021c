package episode

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// Changed is the payload of TopicChanged: an asset may have changed. It is a hint; whoever gets it looks for herself. Who called
// is no address: Person and Chain are ids of people.yaml, service:ID of services.yaml, or kinds of callers. What was asked for
// may name a member, as the policy of the asset does. Version 1 ended with Entry.
type Changed struct {
	V       int       `json:"v"`
	Asset   string    `json:"asset"` // full name, as package auditlog has it
	Service string    `json:"service"`
	Method  string    `json:"method"`
	Project string    `json:"project,omitempty"`
	Actor   string    `json:"actor_kind"` // of who called last
	At      time.Time `json:"at"`
	Entry   string    `json:"entry"`

	Person    string   `json:"person,omitempty"`     // who began, where the policy knows her
	Chain     []string `json:"chain,omitempty"`      // everybody the call went through, who began first
	Deployer  bool     `json:"deployer,omitempty"`   // an account that deploys was one of them
	Agent     string   `json:"user_agent,omitempty"` // one word, such as gcloud/480.0.0; the caller wrote it
	Ticket    string   `json:"ticket,omitempty"`     // that the caller named
	Operation string   `json:"operation,omitempty"`  // of a call that did not end at once: the same for its two entries
	Ends      bool     `json:"ends,omitempty"`       // the second of them
	Outcome   string   `json:"outcome"`              // ok or partial; failed only of the end of an operation
	Request   *Call    `json:"request,omitempty"`    // what was asked for; nil where the log does not say
}

const changedVersion = 2

func done(e *auditlog.Entry) bool {
	return e.Outcome.Result == auditlog.OK || e.Outcome.Result == auditlog.Partial
}

// changes reports whether an entry may tell of an asset that changed. The activity stream holds what changes something, the
// stream of Google's own systems too. What was refused changed nothing; but whoever heard that an operation began hears of
// its end, however that was.
func (s *Service) changes(e *auditlog.Entry) bool {
	ended := done(e) || e.Operation.Last && !e.Operation.First
	return ended && (e.Stream == auditlog.Activity || e.Stream == auditlog.SystemEvent) && e.Asset != "" && len(e.Asset) <= maxKey && slices.Contains(s.Assets, e.Service)
}

func (s *Service) changed(e *auditlog.Entry) Changed {
	c := Changed{V: changedVersion, Asset: e.Asset, Service: e.Service, Method: clip(e.Method), Project: clip(e.Project), Actor: string(e.Actor.Kind), At: e.Time, Entry: e.ID,
		Agent: tool(e.Agent), Ticket: ticket(e), Outcome: "ok", Request: requested(e)}
	switch e.Outcome.Result {
	case auditlog.OK:
	case auditlog.Partial:
		c.Outcome = "partial"
	default:
		c.Outcome = "failed"
	}
	if key := e.OperationKey(); key != "" {
		sum := sha256.Sum256([]byte(key))
		c.Operation, c.Ends = hex.EncodeToString(sum[:16]), e.Operation.Last
	}
	for i, link := range e.Actor.All() {
		name, person, deploys := s.caller(link)
		if i == 0 && person {
			c.Person = name
		}
		if c.Deployer = c.Deployer || deploys; len(c.Chain) < maxValues {
			c.Chain = append(c.Chain, name)
		}
	}
	return c
}

// caller names somebody a call went through without an address.
func (s *Service) caller(link auditlog.Identity) (name string, person, deploys bool) {
	if p, known := s.Policy.Person(link.Email); known && link.Email != "" {
		return p.ID, true, false
	}
	if one, known := s.Policy.Service(link.Email); known && link.Email != "" {
		return "service:" + one.ID, false, one.Deploys
	}
	return string(link.Kind), false, false
}

// product is how programs name themselves (RFC 9110, section 10.1.5), as far as no one hides an address in it.
var product = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._+-]{0,39}(/[0-9][0-9A-Za-z._+-]{0,19})?$`)

// tool is one word of a user agent: the first with a version, or the first.
func tool(agent string) string {
	first := ""
	for _, word := range strings.Fields(agent) {
		switch {
		case !product.MatchString(word):
		case strings.Contains(word, "/"):
			return word
		case first == "":
			first = word
		}
	}
	return first
}

// referred is how people write a ticket among other words.
var referred = regexp.MustCompile(`^(#[0-9]{1,10}|[A-Z][A-Z0-9]{1,9}-[0-9]{1,10})$`)

// ticket is what the entry names: of an application's log by its mapping, else among the words by which the caller gave a
// reason.
func ticket(e *auditlog.Entry) string {
	if ticketForm.MatchString(e.App.Ticket) {
		return e.App.Ticket
	}
	for _, word := range strings.Fields(e.Reason) {
		if word = strings.Trim(word, ".,:;()[]"); referred.MatchString(word) {
			return word
		}
	}
	return ""
}
