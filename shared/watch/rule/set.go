package rule

import "ostiary.internal/shared/watch/auditlog"

// Set are the rules of a policy made ready. It never changes and is safe for concurrent use.
type Set struct {
	rules  []compiled
	byName map[string]int
	index  index
	facts  Facts
	home   bool // World.Home

	tickets bool // World.Tickets
	regions bool // World.Regions has one
}

// With returns the set with facts to ask. Without them a rule that asks is undetermined.
func (s *Set) With(facts Facts) *Set {
	set := *s
	set.facts = facts
	return &set
}

// Only returns the set of those rules that are wanted.
func (s *Set) Only(want func(Rule) bool) *Set {
	some := &Set{byName: map[string]int{}, index: index{}, facts: s.facts, home: s.home, tickets: s.tickets, regions: s.regions}
	for _, r := range s.rules {
		if want(r.Rule) {
			some.put(r)
		}
	}
	return some
}

// put adds a rule to a set that nobody uses yet.
func (s *Set) put(r compiled) {
	b := branch{rule: len(s.rules)}
	s.index.add(b, r.own)
	if r.Window.Other != nil {
		b.other = true
		s.index.add(b, r.other)
	}
	s.byName[r.Name] = len(s.rules)
	s.rules = append(s.rules, r)
}

// Rules returns the rules, by name.
func (s *Set) Rules() []Rule {
	rules := make([]Rule, len(s.rules))
	for i, r := range s.rules {
		rules[i] = r.Rule
	}
	return rules
}

// Rule returns the rule with a name.
func (s *Set) Rule(name string) (Rule, bool) {
	i, ok := s.byName[name]
	if !ok {
		return Rule{}, false
	}
	return s.rules[i].Rule, true
}

// Believing returns the rules, by name, for which a reference to a ticket that nobody closed is an open ticket: no log of
// the company says which tickets are.
func (s *Set) Believing() (names []string) {
	for _, r := range s.rules {
		if r.asksTicket && !s.tickets {
			names = append(names, r.Name)
		}
	}
	return names
}

// Anywhere returns the rules, by name, that ask where resources may be made and find nothing, because the policy does not
// say: without a list of regions it may be anywhere.
func (s *Set) Anywhere() (names []string) {
	for _, r := range s.rules {
		if !s.regions && r.asks(asksRegion) {
			names = append(names, r.Name)
		}
	}
	return names
}

// Concerns reports whether a rule may want an entry, as far as its service and its method tell: of a part of an entry, of
// which all else may be in another part.
func (s *Set) Concerns(e *auditlog.Entry) bool {
	var buffer [16]branch
	return e.Service == "" || e.Method == "" || e.Resource == "" || len(s.index.candidates(e, buffer[:0])) > 0
}
