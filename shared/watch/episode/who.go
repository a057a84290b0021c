package episode

import (
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// who returns the person that is asked about a hit and everybody of the policy the call went through. Who used a program
// is asked for what it did; a person who has left is not.
func (s *Service) who(d Detail, now time.Time) (person string, involved []string) {
	chain := d.Origin.Chain
	if len(chain) == 0 { // the origin is not known any more
		_, name, _ := strings.Cut(d.Subject.Actor, ":")
		chain = []string{name}
	}
	for i, name := range chain {
		p, known := s.Policy.Person(name)
		if !known {
			continue
		}
		if !slices.Contains(involved, p.ID) {
			involved = append(involved, p.ID)
		}
		itself := i == len(chain)-1
		if program := d.Subject.ActorKind == string(auditlog.Service); p.Active(now) && (itself || person == "" && program) {
			person = p.ID
		}
	}
	return person, involved
}

// tenants are the ids of the customers that a hit, or what it was counted from, is about.
func (s *Service) tenants(f found) (ids []string) {
	named := map[string]bool{f.Subject.Tenant: true, f.Subject.Resource: true}
	for _, m := range f.Members {
		named[m.Subject.Tenant], named[m.Subject.Resource] = true, true
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		t, known := s.Policy.Tenant(name)
		if !known {
			t, known = s.Policy.TenantOf(name)
		}
		if known && !slices.Contains(ids, t.ID) {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// deciders are the roles that decide about what concerns everybody.
var deciders = []policy.Role{policy.Security, policy.DPO, policy.Owner}

func decides(p policy.Person) bool {
	return slices.ContainsFunc(deciders, p.Has)
}

// manages reports whether a person is the manager of another one.
func (s *Service) manages(who policy.Person, id string) bool {
	p, known := s.Policy.PersonByID(id)
	return known && who.ID != "" && p.Manager == who.ID
}

// concerns reports whether an episode is a person's own matter.
func (e Episode) concerns(who policy.Person) bool {
	return e.Person == who.ID || slices.Contains(e.Involved, who.ID)
}

// twin reports whether an episode is the matter of the same human under another address, or was answered by her.
func (s *Service) twin(e Episode, who policy.Person) bool {
	return slices.ContainsFunc(s.Policy.Twins(who), func(id string) bool {
		return e.concerns(policy.Person{ID: id}) || e.State == Answered && e.AnsweredBy == id
	})
}

// MayLook reports whether a person may look at the episode: whoever is asked and her manager; security, dpo, owner and
// auditors; and who is on call, of what she is told about.
func (s *Service) MayLook(e Episode, who policy.Person, now time.Time) bool {
	if who.ID == "" || !who.Active(now) || e.State == Held || e.State == Joined {
		return false
	}
	told := !e.Escalated.IsZero() || !e.Asks && !graver(policy.High, e.Severity)
	return e.Asks && !e.Shadow && (e.Person == who.ID || s.manages(who, e.Person)) || decides(who) || who.Has(policy.Auditor) || who.Has(policy.OnCall) && told
}

// MayAnswer reports whether a person may justify the episode as it stands: who is asked or her manager; security where
// nobody of the policy can be asked, or where it has become a suspicion, and then not about herself.
func (s *Service) MayAnswer(e Episode, who policy.Person, now time.Time) bool {
	if !s.MayLook(e, who, now) || e.State != Asked && e.State != Told && e.State != Escalated {
		return false
	}
	return s.answers(e, who)
}

func (s *Service) answers(e Episode, who policy.Person) bool {
	if e.Asks && e.Person != "" && (e.Person == who.ID || s.manages(who, e.Person)) {
		return true
	}
	if e.concerns(who) {
		return false
	}
	return e.Person == "" && who.Has(policy.Security) || (e.State == Escalated || !e.Asks) && decides(who)
}

// MayReview reports whether a person may review the episode as it stands: the manager of who is asked, or security, dpo
// or owner; never who answered, nor anybody the call went through. A suspicion takes more than the manager.
func (s *Service) MayReview(e Episode, who policy.Person, now time.Time) bool {
	if !s.MayLook(e, who, now) || e.State != Answered && !e.alone() {
		return false
	}
	return s.reviews(e, who) && who.ID != e.AnsweredBy && !s.twin(e, who)
}

func (s *Service) reviews(e Episode, who policy.Person) bool {
	if e.concerns(who) {
		return false
	}
	return decides(who) || s.manages(who, e.Person) && e.Escalated.IsZero() && e.Asks
}

// holders returns the ids of those who have one of the roles, but for some. Where nobody is left it goes on with security,
// owner, dpo, on-call and managers, whoever comes first: somebody has to be told.
func (s *Service) holders(now time.Time, but []string, roles ...policy.Role) []string {
	some := func(roles ...policy.Role) (ids []string) {
		for _, p := range s.Policy.People {
			if p.Active(now) && slices.ContainsFunc(roles, p.Has) && !slices.Contains(but, p.ID) {
				ids = append(ids, p.ID)
			}
		}
		return ids
	}
	ids := some(roles...)
	for _, next := range []policy.Role{policy.Security, policy.Owner, policy.DPO, policy.OnCall, policy.Manager} {
		if len(ids) == 0 {
			ids = some(next)
		}
	}
	return ids
}
