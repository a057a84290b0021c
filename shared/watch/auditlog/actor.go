package auditlog

import (
	"encoding/json"
	"strings"
)

// ActorKind says what sort of caller acted. Kinds are stored, hence strings.
type ActorKind string

const (
	Human     ActorKind = "human"     // an account of a person
	Service   ActorKind = "service"   // a service account a company owns, default ones included
	Agent     ActorKind = "agent"     // a service agent: an account Google owns and runs
	System    ActorKind = "system"    // Google's or a cluster's own machinery, no account
	Anonymous ActorKind = "anonymous" // nobody signed in
	Redacted  ActorKind = "redacted"  // somebody, but the log hides who
	Federated ActorKind = "federated" // an identity of another provider, by a pool
	Unknown   ActorKind = "unknown"
)

// Actor is who acted: the identity the permissions were checked for.
type Actor struct {
	Kind    ActorKind
	Email   string // small letters; "" where there is none
	Subject string // principalSubject as logged, such as principal://iam.googleapis.com/...
	Key     string // the same for all entries of one actor; holds the address for one nobody names
	KeyName string // resource name of the service account key used, or ""
	Client  string // OAuth client, or ""

	// Chain is by whom a service account was used, the first caller first, the actor not included; nil when it acted
	// by itself. An empty item, which Google logs now and then, is left out. The person is not always the last.
	Chain []Identity

	// ThirdParty are the claims of a third-party principal, not decoded; nil where there are none.
	ThirdParty json.RawMessage
}

// Identity is one link of a delegation chain.
type Identity struct {
	Kind    ActorKind
	Email   string
	Subject string
}

// First returns who began: the first of the chain, or the actor.
func (a Actor) First() Identity {
	if len(a.Chain) > 0 {
		return a.Chain[0]
	}
	return Identity{Kind: a.Kind, Email: a.Email, Subject: a.Subject}
}

// All returns the chain with the actor at its end.
func (a Actor) All() []Identity {
	all := make([]Identity, 0, len(a.Chain)+1)
	return append(append(all, a.Chain...), Identity{Kind: a.Kind, Email: a.Email, Subject: a.Subject})
}

// key names the actor so that all entries of one actor share it. An actor nobody names is told by the address.
func (a Actor) key(ip string) string {
	switch {
	case a.Email != "":
		return string(a.Kind) + ":" + a.Email
	case a.Subject != "":
		return string(a.Kind) + ":" + a.Subject
	case ip != "":
		return string(a.Kind) + "@" + ip
	}
	return string(a.Kind)
}

// actor settles who acted.
func (f *fields) actor(e *Entry) {
	a := &e.Actor
	who := f.principal.identity()
	a.Kind, a.Email, a.Subject = who.Kind, who.Email, who.Subject
	a.ThirdParty = f.thirdParty
	for _, p := range f.delegates {
		if p != (principal{}) {
			a.Chain = append(a.Chain, p.identity())
		}
	}
	if a.Kind == Unknown && a.Email == "" && a.Subject == "" {
		a.Kind = nobody(e, f.thirdParty != nil)
		if a.Kind == Federated {
			a.Subject = claimedSubject(f.thirdParty)
		}
	}
	a.Key = a.key(e.IP)
}

// nobody says why an entry names no caller. Google hides people on refused reads, BigQuery hides callers from
// outside, its own systems and federated callers have no address.
func nobody(e *Entry, thirdParty bool) ActorKind {
	switch {
	case e.Stream == SystemEvent:
		return System
	case e.Stream == AccessTransparency:
		return Agent
	case thirdParty:
		return Federated
	case e.Outcome.Code == codeUnauthenticated:
		return Anonymous
	case e.Outcome.Result == Denied || e.Stream == PolicyDenied || e.Service == "bigquery.googleapis.com":
		return Redacted
	}
	return Unknown
}

// identity tells an account by its address, and by its subject where it has none: user:, serviceAccount:,
// principal: and so on (IAM's principal identifiers).
func (p principal) identity() Identity {
	i := Identity{Kind: Unknown, Email: Small(p.email), Subject: p.subject}
	name := strings.TrimPrefix(p.subject, "deleted:")
	kind, value, _ := strings.Cut(name, ":")
	value, _, _ = strings.Cut(value, "?uid=")
	switch {
	case i.Email != "":
		i.Kind = emailKind(i.Email)
	case name == "":
	case kind == "principal" || kind == "principalSet" || kind == "sub" || strings.Contains(value, ".svc.id.goog["):
		i.Kind = Federated
	case (kind == "user" || kind == "serviceAccount") && strings.Contains(value, "@"):
		i.Email = Small(value)
		i.Kind = emailKind(i.Email)
	}
	return i
}
