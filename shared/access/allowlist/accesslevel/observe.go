package accesslevel

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
)

// everybody is what a list lets in that the service takes for "all addresses".
var everybody = googledoor.Everyone()

// view is what the service said of our levels.
type view struct {
	prefix string             // full name of a level of ours up to the last _
	shells []*acm.AccessLevel // NAME_00, NAME_01 and so on, by number
	ends   map[int64]string   // the expressions of the levels NAME_until_TIME
	levels int                // of the whole policy, those of others too
	digest string             // of the conditions of the shells
}

// What follows the name of a level: the number of a shell, or the end in Unix seconds.
var (
	shellForm = regexp.MustCompile(`^[0-9]{2,3}$`)
	endForm   = regexp.MustCompile(`^until_(0|[1-9][0-9]{0,11})$`)
)

// sort puts a level of the policy where it belongs. A level that was listed twice counts once.
func (v *view) sort(level *acm.AccessLevel) {
	suffix, ours := strings.CutPrefix(level.Name, v.prefix)
	switch {
	case !ours:
	case endForm.MatchString(suffix):
		until, _ := v.end(level.Name)
		v.ends[until] = ""
		if level.Custom != nil && level.Custom.Expr != nil {
			v.ends[until] = level.Custom.Expr.Expression
		}
	case shellForm.MatchString(suffix):
		if !slices.ContainsFunc(v.shells, func(s *acm.AccessLevel) bool { return s.Name == level.Name }) {
			v.shells = append(v.shells, level)
		}
	}
}

// arrange ends the reading. It orders the levels by number, which is not their order as text once there are a hundred.
func (v *view) arrange() {
	slices.SortFunc(v.shells, func(a, b *acm.AccessLevel) int {
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	v.digest = digest(v.shells)
}

// note is what the description of a level remembers of the Apply that last wrote it. The one with the highest version speaks
// for all.
type note struct {
	Version, Fence int64
	Set            string // Set.Digest
	Levels         string // digest of the conditions of all levels, as they are once everything is written
}

const noteForm = "Conditions and description are written by ostiary. version=%d fence=%d set=%s levels=%s"

func (n note) String() string { return fmt.Sprintf(noteForm, n.Version, n.Fence, n.Set, n.Levels) }

// noteOf reads a description; what is not as we write it is no note.
func noteOf(level *acm.AccessLevel) note {
	var n note
	_, err := fmt.Sscanf(level.Description, noteForm, &n.Version, &n.Fence, &n.Set, &n.Levels)
	if err != nil || n.String() != level.Description || n.Version < 1 {
		return note{}
	}
	return n
}

// newest is the note of the last Apply; the zero note where there was none.
func (v *view) newest() note {
	var last note
	for _, s := range v.shells {
		if n := noteOf(s); n.Version > last.Version {
			last = n
		}
	}
	return last
}

// fence is the highest that was ever applied.
func (v *view) fence() int64 {
	var highest int64
	for _, s := range v.shells {
		highest = max(highest, noteOf(s).Fence)
	}
	return highest
}

// digest is over the conditions of all levels.
func digest(shells []*acm.AccessLevel) string {
	h := sha256.New()
	for _, s := range shells {
		fmt.Fprintf(h, "%q %q\n", s.Name, spelled(s))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// etag is over all we read that is ours: the service has none for levels.
func (v *view) etag() string {
	h := sha256.New()
	fmt.Fprintln(h, v.digest)
	for _, s := range v.shells {
		fmt.Fprintf(h, "%q\n", s.Description)
	}
	for _, until := range slices.Sorted(maps.Keys(v.ends)) {
		fmt.Fprintf(h, "%d %q\n", until, v.ends[until])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// observed is what the levels let in. Where that cannot be told it is everybody.
func (v *view) observed() allowlist.Observed {
	in := map[netip.Prefix]bool{}
	torn := ""
	for _, s := range v.shells {
		short := strings.TrimPrefix(s.Name, v.prefix)
		for _, seen := range v.look(s) {
			for _, p := range seen.in {
				in[p] = true
			}
			if torn == "" && seen.torn != "" {
				torn = "level " + short + ": " + seen.torn
			}
		}
	}
	n := v.newest()
	switch {
	case n.Version == 0:
		torn = "never written"
	case torn == "" && n.Levels != v.digest:
		torn = "the levels are not as they were last written"
	}
	prefixes := slices.SortedFunc(maps.Keys(in), func(a, b netip.Prefix) int {
		return cmp.Or(cmp.Compare(a.Addr().BitLen(), b.Addr().BitLen()), a.Compare(b))
	})
	return allowlist.Observed{Prefixes: prefixes, Digest: n.Set, Etag: v.etag(), Fence: v.fence(), Torn: torn}
}

// sight is what one condition lets in, and why it is not one that we write.
type sight struct {
	in   []netip.Prefix
	torn string
}

// look looks at each condition of a level. Conditions that must all be met let in less than is said here; never more.
func (v *view) look(level *acm.AccessLevel) []sight {
	if level.Basic == nil || len(level.Basic.Conditions) == 0 {
		return []sight{{in: everybody, torn: "it has no list of conditions"}}
	}
	var all []sight
	for _, c := range level.Basic.Conditions {
		in := slices.DeleteFunc(named(c), func(p netip.Prefix) bool { return p == nowhere })
		if until, ok := v.required(c); ok && until == 0 && !c.Negate && v.endsByItself(c) {
			in = nil // whatever else it says, nobody meets it
		}
		all = append(all, sight{in, v.strange(c)})
	}
	if level.Basic.CombiningFunction != or {
		all = append(all, sight{torn: "its conditions must all be met"})
	}
	return all
}

// named are the prefixes that a condition lets in as long as it lasts.
func named(c *acm.Condition) []netip.Prefix {
	if c == nil || c.Negate || len(c.IpSubnetworks) == 0 {
		return slices.Clone(everybody)
	}
	var in []netip.Prefix
	for _, text := range c.IpSubnetworks {
		p, err := googledoor.Prefix(text)
		if err != nil {
			return slices.Clone(everybody)
		}
		in = append(in, p.Masked())
	}
	return in
}

// strange says what a condition has that ours have not, or lacks.
func (v *view) strange(c *acm.Condition) string {
	switch {
	case c == nil || len(c.IpSubnetworks) == 0:
		return "a condition names no address"
	case c.Negate:
		return "a condition is negated"
	case slices.ContainsFunc(c.IpSubnetworks, func(text string) bool {
		p, err := address.Parse(text)
		return err != nil || address.CheckWidth(p) != nil
	}):
		return "an address is wider than may be, or not spelled as it should be"
	case c.DevicePolicy != nil || len(c.Regions) > 0 || len(c.VpcNetworkSources) > 0:
		return "a condition asks for more than address, person and time"
	case !v.endsByItself(c):
		return "a condition does not end by itself when it should"
	case len(c.Members) > 1 || len(c.Members) == 1 && !strings.HasPrefix(c.Members[0], "user:"):
		return "a condition is for somebody who is not one person"
	}
	return ""
}

// required is the end that a condition names, which is the only level it requires.
func (v *view) required(c *acm.Condition) (until int64, ok bool) {
	if c == nil || len(c.RequiredAccessLevels) != 1 {
		return 0, false
	}
	return v.end(c.RequiredAccessLevels[0])
}

// end is the time at which a level ends, by its name.
func (v *view) end(level string) (until int64, ok bool) {
	suffix, ours := strings.CutPrefix(level, v.prefix)
	if !ours || !endForm.MatchString(suffix) {
		return 0, false
	}
	until, err := strconv.ParseInt(strings.TrimPrefix(suffix, "until_"), 10, 64)
	return until, err == nil
}

// endsByItself reports whether the level that a condition requires is there, and is what its name says.
func (v *view) endsByItself(c *acm.Condition) bool {
	until, ok := v.required(c)
	return ok && v.ends[until] == expression(until)
}

// have is what a level holds, as far as it may be ours to keep in its place.
func (v *view) have(level *acm.AccessLevel) []grant {
	if level.Basic == nil {
		return nil
	}
	var all []grant
	for _, c := range level.Basic.Conditions {
		if until, ok := v.required(c); ok && len(c.Members) <= 1 {
			all = append(all, grant{member: strings.ToLower(strings.Join(c.Members, "")), until: until})
		}
	}
	return all
}
