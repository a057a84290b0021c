package cloudarmor

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/compute/v1"
)

// decode reads a policy as the client does.
func decode(t testing.TB, text string) *compute.SecurityPolicy {
	t.Helper()
	p := &compute.SecurityPolicy{}
	if err := json.Unmarshal([]byte(text), p); err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	closed  = `{"priority":2147483647,"action":"deny(403)","match":{"versionedExpr":"SRC_IPS_V1","config":{"srcIpRanges":["*"]}}}`
	regular = `{"priority":1000,"action":"allow","match":{"versionedExpr":"SRC_IPS_V1","config":{"srcIpRanges":["81.2.69.142/32"]}}}`
)

// one is a rule by addresses.
func one(priority int, action string, rest string, ranges ...string) string {
	list, _ := json.Marshal(ranges)
	return fmt.Sprintf(`{"priority":%d,"action":%q,"match":{"versionedExpr":"SRC_IPS_V1","config":{"srcIpRanges":%s}}%s}`, priority, action, list, rest)
}

// expression is a rule by anything else.
func expression(priority int, action string) string {
	return fmt.Sprintf(`{"priority":%d,"action":%q,"match":{"expr":{"expression":"origin.region_code == 'FR'"}}}`, priority, action)
}

// TestRead: what a policy lets in through our rules is read as what it is, and whatever is not as we write it is torn.
func TestRead(t *testing.T) {
	t.Parallel()
	const all = "[0.0.0.0/0 ::/0]"
	for name, row := range map[string]struct{ rules, prefixes, torn string }{
		"shut":                       {closed, "[]", ""},
		"one rule":                   {regular + "," + closed, "[81.2.69.142/32]", ""},
		"both families, sorted":      {one(1001, "allow", "", "2a02::/64", "2a01::/64") + "," + one(1002, "allow", "", "9.9.9.9/32", "8.8.8.8/32") + "," + closed, "[8.8.8.8/32 9.9.9.9/32 2a01::/64 2a02::/64]", ""},
		"one prefix in two rules":    {regular + "," + one(1001, "allow", "", "81.2.69.142/32") + "," + closed, "[81.2.69.142/32]", ""},
		"bare addresses, host bits":  {one(1000, "allow", "", "81.2.69.142", "81.2.70.9/24") + "," + one(1001, "allow", "", "2a02::1") + "," + closed, "[81.2.69.142/32 81.2.70.0/24 2a02::1/128]", ""},
		"not enforced, said":         {one(1000, "allow", `,"preview":false`, "81.2.69.142/32") + "," + closed, "[81.2.69.142/32]", ""},
		"no rules":                   {"", all, "the policy has no default rule"},
		"default allows":             {regular + "," + one(lastPriority, "allow", "", "*"), all, "the default rule does not deny"},
		"default throttles":          {one(lastPriority, "throttle", "", "*"), all, "the default rule does not deny"},
		"default redirects":          {one(lastPriority, "redirect", "", "*"), all, "the default rule does not deny"},
		"default denies nothing":     {one(lastPriority, "deny", "", "*"), all, "the default rule does not deny"},
		"default is a preview":       {one(lastPriority, "deny(403)", `,"preview":true`, "*"), all, "the default rule does not deny"},
		"everybody":                  {one(1003, "allow", "", "*") + "," + closed, all, "rule 1003 lets in by more than addresses"},
		"everybody of one family":    {one(1003, "allow", "", "0.0.0.0/0") + "," + closed, "[0.0.0.0/0]", ""},
		"an empty list":              {one(1003, "allow", "") + "," + closed, all, "rule 1003 lets in by more than addresses"},
		"no list":                    {`{"priority":1003,"action":"allow","match":{"versionedExpr":"SRC_IPS_V1","config":{}}},` + closed, all, "rule 1003 lets in by more than addresses"},
		"no match":                   {`{"priority":1003,"action":"allow"},` + closed, all, "rule 1003 lets in by more than addresses"},
		"an expression":              {expression(1003, "allow") + "," + closed, all, "rule 1003 lets in by more than addresses"},
		"an expression beside":       {`{"priority":1003,"action":"allow","match":{"versionedExpr":"SRC_IPS_V1","config":{"srcIpRanges":["9.9.9.9/32"]},"expr":{"expression":"true"}}},` + closed, all, "rule 1003 lets in by more than addresses"},
		"another version":            {`{"priority":1003,"action":"allow","match":{"versionedExpr":"FIREWALL","config":{"srcIpRanges":["9.9.9.9/32"]}}},` + closed, all, "rule 1003 lets in by more than addresses"},
		"a packet match":             {`{"priority":1003,"action":"allow","networkMatch":{"srcIpRanges":["9.9.9.9/32"]},"match":{"versionedExpr":"SRC_IPS_V1","config":{"srcIpRanges":["9.9.9.9/32"]}}},` + closed, all, "rule 1003 lets in by more than addresses"},
		"no address":                 {one(1003, "allow", "", "9.9.9.9/32", "elsewhere") + "," + closed, all, "rule 1003 lets in by more than addresses"},
		"a preview of ours":          {regular + "," + one(1003, "allow", `,"preview":true`, "9.9.9.9/32") + "," + closed, "[81.2.69.142/32]", "rule 1003 is a preview and not enforced"},
		"a denial among ours":        {regular + "," + one(1003, "deny(403)", "", "9.9.9.9/32") + "," + closed, "[81.2.69.142/32]", "rule 1003 denies"},
		"a throttle among ours":      {regular + "," + one(1003, "throttle", "", "9.9.9.9/32") + "," + closed, "[9.9.9.9/32 81.2.69.142/32]", "rule 1003 does not simply allow"},
		"a ban among ours":           {one(1003, "rate_based_ban", "", "*") + "," + closed, all, "rule 1003 does not simply allow"},
		"families mixed":             {one(1003, "allow", "", "9.9.9.9/32", "2a02::/64") + "," + closed, "[9.9.9.9/32 2a02::/64]", "rule 1003 mixes the families"},
		"mapped":                     {one(1003, "allow", "", "::ffff:9.9.9.9/128") + "," + closed, "[::ffff:9.9.9.9/128]", ""},
		"eleven":                     {one(1003, "allow", "", "9.9.9.0/32", "9.9.9.1/32", "9.9.9.2/32", "9.9.9.3/32", "9.9.9.4/32", "9.9.9.5/32", "9.9.9.6/32", "9.9.9.7/32", "9.9.9.8/32", "9.9.9.9/32", "9.9.9.10/32") + "," + closed, "[9.9.9.0/32 9.9.9.1/32 9.9.9.2/32 9.9.9.3/32 9.9.9.4/32 9.9.9.5/32 9.9.9.6/32 9.9.9.7/32 9.9.9.8/32 9.9.9.9/32 9.9.9.10/32]", "rule 1003 holds too many addresses"},
		"headers":                    {one(1003, "allow", `,"headerAction":{"requestHeadersToAdds":[{"headerName":"x","headerValue":"y"}]}`, "9.9.9.9/32") + "," + closed, "[9.9.9.9/32]", "rule 1003 adds headers"},
		"no headers":                 {one(1003, "allow", `,"headerAction":{}`, "9.9.9.9/32") + "," + closed, "[9.9.9.9/32]", ""},
		"just outside, both sides":   {one(999, "allow", "", "9.9.9.9/32") + "," + one(1010, "allow", "", "8.8.8.8/32") + "," + closed, "[]", ""},
		"the lowest and the highest": {one(1000, "allow", "", "9.9.9.9/32") + "," + one(1009, "allow", "", "8.8.8.8/32") + "," + closed, "[8.8.8.8/32 9.9.9.9/32]", ""},
	} {
		o := read(decode(t, `{"fingerprint":"f","rules":[`+row.rules+`]}`), span{1000, 1009}).observed()
		if fmt.Sprint(o.Prefixes) != row.prefixes || o.Torn != row.torn || o.Digest != "" || o.Fence != 0 {
			t.Errorf("%s: reads %v, torn %q; want %s, %q", name, o.Prefixes, o.Torn, row.prefixes, row.torn)
		}
	}
}

// TestWider names the rules of others that let anybody in past ours, and those that may shut out what ours let in.
func TestWider(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ rules, want string }{
		"nobody else":              {regular, "[]"},
		"before":                   {regular + "," + one(10, "allow", "", "81.2.69.0/24"), "[allow 10]"},
		"after":                    {regular + "," + one(5000, "allow", "", "81.2.69.0/24"), "[allow 5000]"},
		"while ours has it too":    {regular + "," + one(10, "allow", "", "81.2.69.142/32"), "[allow 10]"},
		"an expression":            {regular + "," + expression(10, "allow"), "[allow 10]"},
		"what it does not limit":   {regular + "," + one(10, "throttle", "", "*") + "," + one(11, "rate_based_ban", "", "*"), "[rate_based_ban 11 throttle 10]"},
		"a preview":                {regular + "," + one(10, "allow", `,"preview":true`, "*") + "," + one(11, "deny(403)", `,"preview":true`, "*"), "[]"},
		"a denial before":          {regular + "," + one(10, "deny(404)", "", "81.2.0.0/16"), "[deny 10]"},
		"a denial within":          {one(1000, "allow", "", "81.2.69.0/24") + "," + one(10, "deny(404)", "", "81.2.69.142/32"), "[deny 10]"},
		"a denial of others":       {regular + "," + one(10, "deny(404)", "", "9.9.9.9/32"), "[]"},
		"a denial that may":        {regular + "," + expression(10, "deny(403)"), "[deny 10]"},
		"the same, nobody in":      {expression(10, "deny(403)"), "[deny 10]"},
		"a denial after":           {regular + "," + one(5000, "deny(403)", "", "81.2.0.0/16") + "," + expression(5001, "deny(403)"), "[]"},
		"a denial of everybody":    {one(10, "deny(404)", "", "*"), "[deny 10]"},
		"behind a wall":            {regular + "," + one(5001, "allow", "", "*") + "," + one(5000, "deny(403)", "", "*"), "[]"},
		"before a wall":            {regular + "," + one(5000, "deny(403)", "", "*") + "," + one(4999, "allow", "", "*"), "[allow 4999]"},
		"a wall of one kind":       {regular + "," + expression(5000, "deny(403)") + "," + one(5001, "allow", "", "*"), "[allow 5001]"},
		"a wall of an address":     {regular + "," + one(5000, "deny(403)", "", "9.9.9.9/32") + "," + one(5001, "allow", "", "*"), "[allow 5001]"},
		"a wall that is a preview": {regular + "," + one(5000, "deny(403)", `,"preview":true`, "*") + "," + one(5001, "allow", "", "*"), "[allow 5001]"},
	} {
		o := read(decode(t, `{"fingerprint":"f","rules":[`+row.rules+","+closed+`]}`), span{1000, 1009}).observed()
		if fmt.Sprint(o.Wider) != row.want {
			t.Errorf("%s: %v, want %s", name, o.Wider, row.want)
		}
	}
}

// TestEtag: it moves with every change, whoever made it, and with nothing else.
func TestEtag(t *testing.T) {
	t.Parallel()
	etag := func(fingerprint, rules string) string {
		return read(decode(t, `{"fingerprint":"`+fingerprint+`","rules":[`+rules+`]}`), span{1000, 1009}).etag
	}
	base := etag("f", regular+","+closed)
	if etag("f", closed+","+regular) != base {
		t.Error("the order in which rules are said moves it")
	}
	for name, other := range map[string]string{
		"fingerprint": etag("g", regular+","+closed), "a rule less": etag("f", closed), "priority": etag("f", strings.Replace(regular, "1000", "1001", 1)+","+closed),
		"address": etag("f", strings.Replace(regular, "142", "143", 1)+","+closed), "preview": etag("f", strings.Replace(regular, `"action"`, `"preview":true,"action"`, 1)+","+closed),
		"a rule of others": etag("f", regular+","+closed+","+one(5, "deny(403)", "", "9.9.9.9/32")), "the default": etag("f", regular+","+strings.Replace(closed, "403", "404", 1)),
	} {
		if other == base || other == "" {
			t.Errorf("%s does not move it", name)
		}
	}
}

// TestNothingIsLetInUnseen makes policies at random and asks a load balancer about addresses: whoever comes in is in what is
// read, unless a rule of others is named; and where nothing is torn and nobody named, whoever is in it comes in.
func TestNothingIsLetInUnseen(t *testing.T) {
	t.Parallel()
	addrs := []string{"81.2.69.142", "81.2.69.9", "9.9.9.9", "2a02::1", "2a02:8109::1"}
	ranges := []string{"81.2.69.142/32", "81.2.69.0/24", "81.2.69.142", "9.9.9.9/32", "2a02::/64", "2a02::/16", "*", "0.0.0.0/0", "nonsense"}
	actions := []string{"allow", "allow", "allow", "deny(403)", "deny(502)", "throttle", "redirect"}
	in, shut, named := 0, 0, 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 5))
		rules := []string{}
		for _, priority := range r.Perm(8)[:r.IntN(6)] {
			rest, list := "", []string{}
			if r.IntN(6) == 0 {
				rest = `,"preview":true`
			}
			for range r.IntN(3) {
				list = append(list, ranges[r.IntN(len(ranges)-3+3*r.IntN(2))])
			}
			rules = append(rules, one(998+priority, actions[r.IntN(len(actions))], rest, list...))
		}
		if r.IntN(8) > 0 {
			rules = append(rules, closed)
		}
		p := decode(t, `{"fingerprint":"f","rules":[`+strings.Join(rules, ",")+`]}`)
		o := read(p, span{1000, 1003}).observed()
		for _, text := range addrs {
			addr := netip.MustParseAddr(text)
			said := slices.ContainsFunc(o.Prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
			switch admitted := admits(p, addr); {
			case len(o.Wider) > 0 && said != admitted:
				named++
			case admitted && !said:
				t.Fatalf("%s comes in unseen: %+v of %s", text, o, rules)
			case said && !admitted && o.Torn == "":
				t.Fatalf("%s is kept out and nothing says so: %+v of %s", text, o, rules)
			case admitted:
				in++
			default:
				shut++
			}
		}
	}
	if in < 200 || shut < 200 || named < 100 {
		t.Errorf("the policies say little: %d in, %d shut out, %d named", in, shut, named)
	}
}

// FuzzRead: no policy, whatever it says, is read as shut that is open to all, and none breaks the reading.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"fingerprint":"f","rules":[` + regular + "," + closed + `]}`))
	f.Add([]byte(`{"rules":[` + one(1003, "allow", "", "*", "9.9.9.9/33") + "," + expression(5, "redirect") + "," + closed + `]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p := &compute.SecurityPolicy{}
		if json.Unmarshal(text, p) != nil || (&Target{policy: p.Name}).recognise(p) != nil {
			return
		}
		o := read(p, span{1000, 1009}).observed()
		for _, addr := range []string{"203.1.2.3", "2a02:8109:ffff::1"} {
			if len(o.Prefixes) == 0 && len(o.Wider) == 0 && admits(p, netip.MustParseAddr(addr)) {
				t.Errorf("reads as shut: %s", text)
			}
		}
	})
}
