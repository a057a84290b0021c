package accesslevel

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/fault"
)

// or is how the conditions of a level combine: one of them is enough. The service's own default is AND.
const or = "OR"

// nowhere is an address nobody comes from (RFC 5737): what is in a list that would otherwise be empty.
var nowhere = netip.MustParsePrefix("192.0.2.1/32")

// grant is one condition: a member, or at a fixed site anybody, from these prefixes until then.
type grant struct {
	member   string // user:EMAIL; "" at a fixed site
	until    int64  // Unix seconds; the first instant that is too late
	chunk    int    // counts the conditions of one member and end, of mostItems prefixes each
	prefixes []netip.Prefix
}

// key is by what a grant is found again in a level.
func (g grant) key() string {
	return g.member + " " + strconv.FormatInt(g.until, 10) + " " + strconv.Itoa(g.chunk)
}

// mail is what the service takes as the address of a person; it need not be more than what cannot be mistaken for anything else.
var mail = regexp.MustCompile(`^[^\s@:/"]{1,64}@[a-z0-9.-]{1,190}$`)

// member is who a person is to the service; false when her sign-in address is not known.
func (t *Target) member(person string) (member string, known bool) {
	email, ok := t.options.Account(person)
	email = strings.ToLower(email)
	return "user:" + email, ok && mail.MatchString(email)
}

// holdings are who may come from where, and until when: at a site, anybody. Nobody holds the address of another: two people at
// one address are two holdings. Invalid: the sign-in address of somebody is not known.
func (t *Target) holdings(s allowlist.Set) (map[holding]int64, error) {
	if t.options.Account == nil {
		return nil, fault.New(fault.Misconfigured, "applying to %s: nobody tells the sign-in addresses of people", t.name)
	}
	held := map[holding]int64{}
	hold := func(member string, p netip.Prefix, until time.Time) {
		h := holding{member, p}
		held[h] = max(held[h], ending(until))
	}
	unknown := map[string]bool{}
	for _, e := range s.Entries() {
		if e.Prefix == nowhere {
			return nil, fault.New(fault.Invalid, "applying to %s: the set holds %s, which stands for nobody", t.name, nowhere)
		}
		if e.Site != "" {
			hold("", e.Prefix, e.SiteUntil)
		}
		for _, h := range e.Holders {
			member, known := t.member(h.Person)
			if !known {
				unknown[h.Person] = true
				continue
			}
			hold(member, e.Prefix, h.Until)
		}
	}
	if len(unknown) > 0 {
		return nil, fault.New(fault.Invalid, "applying to %s: the sign-in address of %d people in the set is not known", t.name, len(unknown))
	}
	return held, nil
}

// ending is the end of a condition that is asked for until then: the whole minute, never later. A level for each second at which
// somebody registered would use up the writes of a morning, and the levels of an organization.
func ending(until time.Time) int64 { return until.Truncate(time.Minute).Unix() }

// holding is who may come from where.
type holding struct {
	member string
	prefix netip.Prefix
}

// owner is whose addresses go together.
type owner struct {
	member string
	until  int64
}

// together makes the conditions of what one member holds until the same time, mostItems prefixes to each.
func together(held map[holding]int64) []grant {
	of := map[owner][]netip.Prefix{}
	for h, until := range held {
		o := owner{h.member, until}
		of[o] = append(of[o], h.prefix)
	}
	var all []grant
	for o, prefixes := range of {
		slices.SortFunc(prefixes, netip.Prefix.Compare)
		i := 0
		for chunk := range slices.Chunk(prefixes, mostItems) {
			all = append(all, grant{member: o.member, until: o.until, chunk: i, prefixes: chunk})
			i++
		}
	}
	return all
}

// basic is the level that holds these grants: never one without a condition. Nobody meets the one it has then: it is for an
// address nobody comes from, after an end that was always over. It names no made-up member, for were that one refused the door
// could not be shut.
func (t *Target) basic(grants []grant) *acm.BasicLevel {
	level := &acm.BasicLevel{CombiningFunction: or}
	for _, g := range grants {
		c := &acm.Condition{RequiredAccessLevels: []string{t.end(g.until)}}
		for _, p := range g.prefixes {
			c.IpSubnetworks = append(c.IpSubnetworks, p.String())
		}
		if g.member != "" {
			c.Members = []string{g.member}
		}
		level.Conditions = append(level.Conditions, c)
	}
	if len(grants) == 0 {
		level.Conditions = []*acm.Condition{{IpSubnetworks: []string{nowhere.String()}, RequiredAccessLevels: []string{t.end(0)}}}
	}
	return level
}

// sound is the last look at what is about to be sent: what it refuses would let in more than anybody asked for.
func sound(level *acm.BasicLevel) error {
	if level.CombiningFunction != or || len(level.Conditions) == 0 || len(level.Conditions) > mostConditions {
		return fmt.Errorf("%d conditions, combined by %q", len(level.Conditions), level.CombiningFunction)
	}
	for _, c := range level.Conditions {
		if c == nil || c.Negate || len(c.IpSubnetworks) == 0 || len(c.IpSubnetworks) > mostItems {
			return errors.New("a condition is negated, or its addresses are none or too many")
		}
		var last netip.Prefix
		for _, text := range c.IpSubnetworks {
			p, err := address.Parse(text)
			if err == nil {
				err = address.CheckWidth(p)
			}
			if err != nil {
				return err
			}
			if last.IsValid() && last.Compare(p) >= 0 {
				return errors.New("addresses are out of order or there twice")
			}
			last = p
		}
		if len(c.RequiredAccessLevels) != 1 || len(c.Members) > 1 {
			return errors.New("a condition has no end, or more than one holder")
		}
	}
	return nil
}

// end is the full name of the level that ends at a time, in Unix seconds; 0 has always ended.
func (t *Target) end(until int64) string { return fmt.Sprintf("%s%d", t.full("until_"), until) }

// full is the full name of a level of ours.
func (t *Target) full(suffix string) string {
	return t.policy + "/accessLevels/" + t.name + "_" + suffix
}

// expression is true before a time and at no other (https://cloud.google.com/access-context-manager/docs/time-and-date-conditions:
// from the first instant, up to the second and without it).
func expression(until int64) string {
	return fmt.Sprintf("request.time.between('1970-01-01T00:00:00Z', '%s')", time.Unix(until, 0).UTC().Format(time.RFC3339))
}

// canonical spells a condition in one way, whatever order the service keeps its lists in. Two that let in different people are
// never spelled alike.
func canonical(c *acm.Condition) string {
	if c == nil {
		return "none"
	}
	members := make([]string, len(c.Members))
	for i, m := range c.Members {
		members[i] = strings.ToLower(m)
	}
	var more []byte
	if c.DevicePolicy != nil || len(c.VpcNetworkSources) > 0 {
		var err error
		if more, err = json.Marshal([]any{c.DevicePolicy, c.VpcNetworkSources}); err != nil {
			more = []byte("unreadable") // ours have neither, so it differs from them all the same
		}
	}
	return fmt.Sprintf("%q %q %q %q %t %s", sorted(c.IpSubnetworks), sorted(members), sorted(c.RequiredAccessLevels), sorted(c.Regions), c.Negate, more)
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// spelled is a whole level in one spelling.
func spelled(level *acm.AccessLevel) string {
	if level.Basic == nil {
		return "no conditions"
	}
	var all []string
	for _, c := range level.Basic.Conditions {
		all = append(all, canonical(c))
	}
	slices.Sort(all)
	return level.Basic.CombiningFunction + "\n" + strings.Join(all, "\n")
}
