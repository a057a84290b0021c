package request

import (
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Session is what a product's issuer says of who is signed in, as the function verified it.
type Session struct {
	UID    string
	Email  string
	Tenant string
	Role   Requester // Subject, TenantAdmin or TenantOwner
	At     time.Time // when she last proved who she is
}

// fresh reports whether the proof is recent enough to be one (5 minutes).
func (s *Session) fresh(now time.Time) bool {
	return s != nil && !s.At.IsZero() && now.Sub(s.At) <= Fresh && !s.At.After(now.Add(time.Minute))
}

// whom says whose data a request is about, as seen by who asks.
type whom string

const (
	herself whom = "herself"
	another whom = "another" // person of the tenant, who is no owner of it
	owner   whom = "owner"   // another person, who is one
	tenant  whom = "tenant"  // the account with everything in it
)

// mayAsk is who may ask for what. What is not here nobody may.
var mayAsk = map[Requester]map[whom]bool{
	Subject:     {herself: true},
	TenantOwner: {herself: true, another: true, owner: true, tenant: true},
	TenantAdmin: {herself: true, another: true},
	Agent:       {another: true, owner: true}, // the subject confirms
	Controller:  {another: true, owner: true}, // of its own tenant, and of what it answers for alone
}

// oversteps reports whether a plan is about an owner whom the requester may not have erased. Only the search tells who is
// one, long after whoever asked has her answer. A subject asks for herself, an administrator who does so too.
func (r Request) oversteps(p Plan) bool {
	return p.Owner && r.Requester != Subject && !mayAsk[r.Requester][owner]
}

// May reports whether a requester may ask for what a request is about. Who is not signed in asks in her own name, or as
// an agent with a mandate; that she closes an account, or asks for an owner, is checked by the search before anything is done. Denied,
// code not_allowed: she may not; code other_tenant: it is not her tenant.
func May(a Ask) error {
	role, about := Subject, herself
	switch s := a.Session; {
	case s != nil && s.Tenant != a.Tenant:
		return fault.Refuse(fault.Denied, "other_tenant", "This is not the tenant you are signed in to.", "Sign in there, or ask whoever looks after it.")
	case s != nil:
		role = s.Role
		if a.Email != "" && a.Email != s.Email || a.UID != "" && a.UID != s.UID {
			about = another
		}
	case a.Mandate != "":
		role, about = Agent, another
	case a.Kind == Account:
		role = TenantOwner
	}
	if a.Kind == Account {
		about = tenant
	}
	if !mayAsk[role][about] {
		return fault.Refuse(fault.Denied, "not_allowed", "You may not ask for this.", "Ask in your own name, or ask an owner of the account.")
	}
	return nil
}

// capacity is in what capacity somebody asks.
func (a Ask) capacity() Requester {
	switch {
	case a.Session != nil:
		if a.Session.Role != Subject && a.Kind == Person && (a.Email == "" || a.Email == a.Session.Email) && (a.UID == "" || a.UID == a.Session.UID) {
			return Subject // an owner who goes herself
		}
		return a.Session.Role
	case a.Mandate != "":
		return Agent
	case a.Kind == Account:
		return TenantOwner
	}
	return Subject
}
