package accesslevel

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/fault"
)

const (
	home, cafe, office = "81.2.69.142/32", "92.40.1.7/32", "81.2.70.0/24"
	six                = "2a02:8109:9340:1234::/64"
)

// TestBound asks as who may, and as everybody who may not: another person, from another address, after the end.
func TestBound(t *testing.T) {
	t.Parallel()
	f := newFake(t, 3)
	// Ana and ben are at home together, ben an hour longer; ana has an IPv6 network and cy a café. The office lies open to
	// everybody for two hours.
	mustApply(t, f.open(2), set(t, "ana "+home, "ben "+home+" 1", "ana "+six, "cy "+cafe+" 3", "! "+office+" 2"), 1)
	atHome, atSix, inCafe, inOffice := netip.MustParseAddr("81.2.69.142"), netip.MustParseAddr("2a02:8109:9340:1234::7"), netip.MustParseAddr("92.40.1.7"), netip.MustParseAddr("81.2.70.9")
	now, end := morning, targettest.Until
	for _, r := range []struct {
		who  string
		from netip.Addr
		at   time.Time
		want bool
	}{
		{"ana", atHome, now, true}, {"ana", atSix, now, true}, {"ben", atHome, now, true}, {"cy", inCafe, now, true},
		{"ana", atHome, end.Add(-time.Second), true}, {"ana", atHome, end, false}, {"ana", atSix, end, false}, {"ben", atHome, end, true}, {"ben", atHome, end.Add(time.Hour), false},
		{"cy", atHome, now, false}, {"", atHome, now, false}, {"ben", atSix, now, false}, {"ana", inCafe, now, false}, {"", inCafe, now, false},
		{"ana", netip.MustParseAddr("81.2.69.143"), now, false}, {"ana", netip.MustParseAddr("2a02:8109:9340:1235::7"), now, false},
		{"", inOffice, now, true}, {"zoe", inOffice, end.Add(2*time.Hour - time.Second), true}, {"zoe", inOffice, end.Add(2 * time.Hour), false},
		{"", netip.MustParseAddr("192.0.2.1"), now, false}, {"ana", netip.MustParseAddr("192.0.2.1"), now, false},
	} {
		who := r.who
		if who != "" {
			who += "@x.example"
		}
		if got := f.admits(request{who, r.from, r.at}); got != r.want {
			t.Errorf("%q from %s at %s: admitted %t", r.who, r.from, r.at.Format(time.RFC3339), got)
		}
	}
}

// TestSiteAndHolder: a site that ends before the lease of somebody at its address ends for everybody else.
func TestSiteAndHolder(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	mustApply(t, f.open(2), set(t, "cy "+cafe+" 4", "! "+cafe+" 1"), 1)
	from, end := netip.MustParseAddr("92.40.1.7"), targettest.Until.Add(time.Hour)
	if !f.admits(request{"", from, end.Add(-time.Second)}) || f.admits(request{"zoe@x.example", from, end}) || !f.admits(request{"cy@x.example", from, end}) {
		t.Error("the end of the site and the end of the lease are not kept apart")
	}
	target, shorter := f.open(2), set(t, "cy "+cafe+" 4", "! "+cafe+" 0")
	mustApply(t, target, shorter, 2) // nothing else of the entry changed
	if f.admits(request{"zoe@x.example", from, targettest.Until}) || !f.admits(request{"cy@x.example", from, targettest.Until}) {
		t.Error("the new end of the site is not in force")
	}
}

// TestEndsByItself: nothing is written, and at the end the door is shut; it reads as before, for nobody wrote. The levels that
// said so go with the next Apply, unless somebody else requires them.
func TestEndsByItself(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(2)
	mustApply(t, target, set(t, "ana "+home, "ben "+cafe+" 2"), 1)
	mustApply(t, target, set(t, "ana "+home), 1)
	if f.Levels[target.end(targettest.Until.Add(2*time.Hour).Unix())] == nil {
		t.Error("a level that has not ended was deleted")
	}
	before, err := target.Read(t.Context())
	must(t, err)
	must(t, f.Clock.Set(targettest.Until))
	seen, err := target.Read(t.Context())
	if err != nil || !reflect.DeepEqual(seen, before) {
		t.Fatalf("after the end: %+v, %v; before %+v", seen, err, before)
	}
	if f.admits(request{"ana@x.example", netip.MustParseAddr("81.2.69.142"), f.Clock.Now()}) {
		t.Error("let in after the end")
	}
	writes := len(f.Sent)
	if mustApply(t, target, set(t, "ana "+home), 1); len(f.Sent) != writes {
		t.Error("a level that is still required was to be deleted")
	}
	must(t, f.Clock.Set(targettest.Until.Add(-time.Second+time.Hour*26)))
	mustApply(t, target, allowlist.Set{}, 2)
	f.edit("edge_until_0", func(*acm.AccessLevel) {}) // it is there for good
	for _, end := range []time.Time{targettest.Until, targettest.Until.Add(2 * time.Hour)} {
		if f.Levels[target.end(end.Unix())] != nil {
			t.Errorf("the level that ended at %s is still there", end)
		}
	}
	f.Levels[policy+"/accessLevels/theirs"] = &acm.AccessLevel{Name: policy + "/accessLevels/theirs"}
	f.Levels[target.end(5)] = &acm.AccessLevel{Name: target.end(5), Custom: custom("true")}
	f.Levels[target.end(7)] = &acm.AccessLevel{Name: target.end(7), Custom: custom(expression(7))}
	f.edit("theirs", func(level *acm.AccessLevel) {
		level.Basic = &acm.BasicLevel{Conditions: []*acm.Condition{{RequiredAccessLevels: []string{target.end(7)}}}}
	})
	must(t, target.Apply(t.Context(), set(t, "ana "+home+" 48"), write(t, target, 3)))
	if f.Levels[target.end(5)] == nil || f.Levels[target.end(7)] == nil {
		t.Error("a level that is not ours, or that others require, was deleted")
	}
}

func custom(text string) *acm.CustomLevel {
	return &acm.CustomLevel{Expr: &acm.Expr{Expression: text}}
}

func write(t testing.TB, target *Target, fence int64) allowlist.Write {
	t.Helper()
	seen, err := target.Read(t.Context())
	must(t, err)
	return allowlist.Write{Fence: fence, Etag: seen.Etag}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTwoLeases: two leases of one person at one address are one condition, up to the later end.
func TestTwoLeases(t *testing.T) {
	t.Parallel()
	f := newFake(t, 1)
	mustApply(t, f.open(2), set(t, "ana "+home+" 1", "ana "+home), 1)
	from := netip.MustParseAddr("81.2.69.142")
	if !f.admits(request{"ana@x.example", from, targettest.Until}) || f.admits(request{"ana@x.example", from, targettest.Until.Add(time.Hour)}) {
		t.Error("she is let in until another time than the later end")
	}
}

// TestHolders: who holds an address is part of what is held, though the addresses are the same.
func TestHolders(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(2)
	alone, both := set(t, "ana "+home), set(t, "ana "+home, "ben "+home)
	mustApply(t, target, alone, 1)
	if seen, err := target.Read(t.Context()); err != nil || seen.Holds(both) {
		t.Fatalf("reads as if ben were there: %v", err)
	}
	mustApply(t, target, both, 2)
	mustApply(t, target, set(t, "ben "+home), 3)
	if from := netip.MustParseAddr("81.2.69.142"); f.admits(request{"ana@x.example", from, morning}) || !f.admits(request{"ben@x.example", from, morning}) {
		t.Error("the address did not pass from her to him")
	}
	before := len(f.Sent)
	renewed := set(t, "ben "+home)
	renewed.V4[0].Holders[0].Lease = "another"
	mustApply(t, target, renewed, 4)
	if n := len(f.Sent) - before; n != 1 {
		t.Errorf("the same condition for another lease took %d writes", n)
	}
	before = len(f.Sent)
	mustApply(t, target, renewed, 4)
	if n := len(f.Sent) - before; n != 0 {
		t.Errorf("nothing new took %d writes", n)
	}
}

// TestUnknownPeople: whoever has no sign-in address cannot be bound to anything. Nothing is written and nobody named.
func TestUnknownPeople(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(2)
	mustApply(t, target, set(t, "ana "+home), 1)
	before := len(f.Sent)
	err := apply(t, target, set(t, "ben "+cafe, "nora "+home, "noah "+home, "nora "+six), 2)
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "2 people") || strings.Contains(err.Error(), "nora") || len(f.Sent) != before {
		t.Errorf("%v, %d writes", err, len(f.Sent)-before)
	}
	for _, email := range []string{"", "ana", "ana@", "@x.example", "ana@x.example ", "ana@x.example\nuser:eve@x.example", "user:ana@x.example", "a b@x.example", "allUsers"} {
		target.options.Account = func(string) (string, bool) { return email, true }
		if err := apply(t, target, set(t, "ben "+cafe), 2); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is taken for a sign-in address: %v", email, err)
		}
	}
	target.options.Account = func(string) (string, bool) { return "Ana.B+c@X.Example", true }
	mustApply(t, target, set(t, "ben "+cafe), 2)
	if !f.admits(request{"ana.b+c@x.example", netip.MustParseAddr("92.40.1.7"), morning}) {
		t.Error("an address in capitals is not hers")
	}
	target.options.Account = nil
	if err := apply(t, target, set(t, "ben "+cafe), 3); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("nobody to ask: %v", err)
	}
	if err := apply(t, f.open(2), set(t, "! 192.0.2.1/32"), 3); !fault.Is(err, fault.Invalid) {
		t.Errorf("the address that stands for nobody, in a set: %v", err)
	}
}

// TestPayloads looks at everything that was sent: no list is empty, each condition ends, and lists are in one order.
func TestPayloads(t *testing.T) {
	t.Parallel()
	f := newFake(t, 3)
	target := f.open(2)
	full := set(t, "ana "+home, "ana "+six, "ana "+cafe, "ben "+home, "cy "+cafe+" 3", "! "+office+" 5", "! 81.2.71.0/24 5")
	for i, s := range []allowlist.Set{{}, full, set(t, "ben "+home), {}, full} {
		mustApply(t, target, s, int64(i+1))
		must(t, f.Clock.Set(f.Clock.Now().Add(time.Minute)))
	}
	must(t, target.Remove(t.Context(), full.Prefixes()))
	basics := 0
	for _, s := range f.Sent {
		switch {
		case s.Level.Basic != nil:
			basics++
			if (s.Mask != "basic,description" && s.Mask != "basic") || s.Level.Basic.CombiningFunction != "OR" || len(s.Level.Basic.Conditions) == 0 || strings.Contains(s.Raw, "[]") {
				t.Errorf("%s with mask %q: %s", s.Name, s.Mask, s.Raw)
			}
			for _, c := range s.Level.Basic.Conditions {
				sorted := slices.IsSortedFunc(c.IpSubnetworks, func(a, b string) int { return netip.MustParsePrefix(a).Compare(netip.MustParsePrefix(b)) })
				if len(c.IpSubnetworks) == 0 || len(c.RequiredAccessLevels) != 1 || !strings.Contains(c.RequiredAccessLevels[0], "/edge_until_") || !sorted || c.Negate {
					t.Errorf("%s: condition %+v", s.Name, c)
				}
			}
		case s.Level.Custom != nil:
			if s.Method != "POST" || s.Level.Title == "" || !strings.HasPrefix(s.Level.Custom.Expr.Expression, "request.time.between('1970-01-01T00:00:00Z', '") {
				t.Errorf("%s %s: %s", s.Method, s.Name, s.Raw)
			}
		case s.Method != "DELETE":
			t.Errorf("%s %s: %s", s.Method, s.Name, s.Raw)
		}
	}
	if basics < 6 {
		t.Errorf("looked at %d lists of conditions", basics)
	}
}

// TestSound: what would let in more than was asked for is not sent, whatever made it.
func TestSound(t *testing.T) {
	t.Parallel()
	good := func() *acm.Condition {
		return &acm.Condition{IpSubnetworks: []string{cafe}, RequiredAccessLevels: []string{"x"}, Members: []string{"user:a@x.example"}}
	}
	for name, spoil := range map[string]func(c *acm.Condition, level *acm.BasicLevel){
		"no address":      func(c *acm.Condition, _ *acm.BasicLevel) { c.IpSubnetworks = nil },
		"everybody":       func(c *acm.Condition, _ *acm.BasicLevel) { c.IpSubnetworks = []string{"0.0.0.0/0"} },
		"wide":            func(c *acm.Condition, _ *acm.BasicLevel) { c.IpSubnetworks = []string{"81.2.0.0/16"} },
		"host bits":       func(c *acm.Condition, _ *acm.BasicLevel) { c.IpSubnetworks = []string{"81.2.69.1/24"} },
		"no mask":         func(c *acm.Condition, _ *acm.BasicLevel) { c.IpSubnetworks = []string{"81.2.69.1"} },
		"order":           func(c *acm.Condition, _ *acm.BasicLevel) { c.IpSubnetworks = []string{cafe, home} },
		"twice":           func(c *acm.Condition, _ *acm.BasicLevel) { c.IpSubnetworks = []string{cafe, cafe} },
		"too many":        func(c *acm.Condition, _ *acm.BasicLevel) { c.IpSubnetworks = addresses(201) },
		"negated":         func(c *acm.Condition, _ *acm.BasicLevel) { c.Negate = true },
		"no end":          func(c *acm.Condition, _ *acm.BasicLevel) { c.RequiredAccessLevels = nil },
		"two people":      func(c *acm.Condition, _ *acm.BasicLevel) { c.Members = append(c.Members, "user:b@x.example") },
		"no condition":    func(_ *acm.Condition, level *acm.BasicLevel) { level.Conditions = nil },
		"nil":             func(_ *acm.Condition, level *acm.BasicLevel) { level.Conditions = []*acm.Condition{nil} },
		"all must be met": func(_ *acm.Condition, level *acm.BasicLevel) { level.CombiningFunction = "AND" },
		"forty conditions": func(c *acm.Condition, level *acm.BasicLevel) {
			level.Conditions = slices.Repeat([]*acm.Condition{c}, 41)
		},
	} {
		c := good()
		level := &acm.BasicLevel{CombiningFunction: or, Conditions: []*acm.Condition{c}}
		must(t, sound(level))
		if spoil(c, level); sound(level) == nil {
			t.Errorf("%s: would be sent", name)
		}
	}
}

func addresses(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("81.2.%d.%d/32", 64+i>>8, i&255))
	}
	return all
}
