package rule

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// expression is as much of Cloud Logging's query language as a filter uses: field=value, field=~regular expression,
// field:*, log_id(), NOT, and AND or OR, which one bracket does not mix. It is read once and asked often.
type expression struct{ text string }

type predicate = func(root map[string]any) bool

func (x *expression) next(token string) bool {
	rest, found := strings.CutPrefix(x.text, token)
	if found {
		x.text = rest
	}
	return found
}

var quotedText = regexp.MustCompile(`^"(?:[^"\\]|\\.)*"`)

func (x *expression) value() string {
	quoted := quotedText.FindString(x.text)
	x.text = x.text[len(quoted):]
	var s string
	if err := json.Unmarshal([]byte(quoted), &s); err != nil {
		panic(fmt.Sprintf("no text: %.40s", x.text))
	}
	return s
}

func (x *expression) all() predicate {
	parts, and, or := []predicate{x.one()}, false, false
	for {
		switch {
		case x.next(" AND "):
			and = true
		case x.next(" OR "):
			or = true
		default:
			if and && or {
				panic("AND and OR in one bracket")
			}
			return func(root map[string]any) bool {
				return and != slices.ContainsFunc(parts, func(p predicate) bool { return p(root) != and })
			}
		}
		parts = append(parts, x.one())
	}
}

func (x *expression) one() predicate {
	if x.next("NOT ") {
		p := x.one()
		return func(root map[string]any) bool { return !p(root) }
	}
	if x.next("(") {
		p := x.all()
		if !x.next(")") {
			panic(fmt.Sprintf("a bracket is open: %.40s", x.text))
		}
		return p
	}
	if x.next("log_id(") {
		id := x.value()
		x.next(")")
		return func(root map[string]any) bool {
			_, name, _ := strings.Cut(Text(root, "logName"), "/logs/")
			name, _ = url.PathUnescape(name)
			return name == id
		}
	}
	end := strings.IndexAny(x.text, "=:")
	field := x.text[:end]
	x.text = x.text[end:]
	switch {
	case x.next("=~"):
		re := regexp.MustCompile(x.value())
		return func(root map[string]any) bool { return re.MatchString(Text(root, field)) }
	case x.next("="):
		value := x.value()
		return func(root map[string]any) bool { return Text(root, field) == value }
	case x.next(":*"):
		return func(root map[string]any) bool { return Text(root, field) != "" }
	}
	panic(fmt.Sprintf("no comparison: %.40s", x.text))
}

func parsed(t *testing.T, text string) predicate {
	t.Helper()
	x := &expression{text}
	p := x.all()
	if x.text != "" {
		t.Fatalf("the filter goes on: %s", x.text)
	}
	return p
}

// sink returns what tells whether the sink that Terraform makes of a filter lets an entry through, when all Data Access
// logs are switched on: of a service that the filter does not name they pass whole.
func (f Filter) sink(t *testing.T) predicate {
	t.Helper()
	audit, data := parsed(t, f.Audit), map[string]predicate{}
	for service, part := range f.DataAccess {
		data[service] = parsed(t, part)
	}
	stream := parsed(t, logID(auditlog.DataAccess))
	return func(root map[string]any) bool {
		n := Need{Service: Text(root, "protoPayload.serviceName"), Stream: auditlog.DataAccess}
		part, named := data[n.Switch()]
		return audit(root) || n.Configured() && (named && part(root) || !named && stream(root))
	}
}

func seeds(t *testing.T) map[string]*policy.Policy {
	t.Helper()
	all := map[string]*policy.Policy{}
	for _, name := range []string{"baseline", "labelsync", "sharedcontacts", "bookafy", "bepark"} {
		p, _, err := policy.Load(os.DirFS("../../../testdata/policies"), name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = p
	}
	return all
}

// sample is an entry as it is logged, and decoded.
type sample struct {
	root  map[string]any
	entry auditlog.Entry
}

func sampled(t *testing.T, logged map[string]any) sample {
	t.Helper()
	var one sample
	raw, err := json.Marshal(logged)
	if err == nil {
		err = json.Unmarshal(raw, &one.root)
	}
	if err != nil {
		t.Fatal(err)
	}
	entries, err := auditlog.Decode(raw, testMapping())
	if err != nil {
		t.Fatal(err)
	}
	one.entry = entries[0]
	return one
}

// catalogued are entries, one for each call of the catalogue.
func catalogued(t *testing.T) (all []sample) {
	t.Helper()
	for service, methods := range readCatalogue() {
		for _, m := range methods {
			all = append(all, sampled(t, map[string]any{
				"insertId": "1", "timestamp": "2026-03-03T10:00:00Z", "logName": "projects/p/logs/" + url.PathEscape("cloudaudit.googleapis.com/"+m.stream),
				"protoPayload": map[string]any{"serviceName": service, "methodName": m.method},
			}))
		}
	}
	return all
}

// Whatever a rule's tests show that it chooses, and whatever call of the catalogue, comes through the sink whose filter is
// made of the rules: none is blind by it. It fits into a sink.
func TestFilterPassesWhatRulesMatch(t *testing.T) {
	t.Parallel()
	all, calls := seeds(t), catalogued(t)
	base, _ := Load(all["baseline"])
	for name, p := range all {
		s, _ := LoadIn(fixture(WorldOf(p)), p)
		whole, seen := s.Filter(nil), 0
		sink := whole.sink(t)
		for _, r := range s.rules {
			if _, inherited := base.Rule(r.Name); inherited && name != "baseline" {
				continue
			}
			// A rule by itself: one that wants a whole stream hides what the others miss.
			single := s.Only(func(one Rule) bool { return one.Name == r.Name })
			alone, tried := single.Filter(nil).sink(t), calls
			for _, test := range r.Tests {
				for n, raw := range test.Entries {
					tried = append(tried, sampled(t, single.complete(merged(test.Base, raw), n)))
				}
			}
			for _, one := range tried {
				if e := &one.entry; e.Kind != auditlog.Audit || !r.own.accepts(e) && !r.other.accepts(e) {
					continue
				}
				if seen++; !alone(one.root) || !sink(one.root) {
					t.Errorf("%s: %s does not get %v", name, r.Name, one.root)
				}
			}
		}
		size := len(whole.Audit)
		for _, part := range whole.DataAccess {
			size += len(part)
		}
		if seen < 1000 && name == "baseline" || size > MaxFilter {
			t.Errorf("%s: %d entries seen, %d characters", name, seen, size)
		}
	}
}

// What no rule wants stays out, and each part stands for itself.
func TestFilterKeepsOut(t *testing.T) {
	t.Parallel()
	s := set(t, map[string]string{
		"keys":    "match: [{service: [iam.googleapis.com], method: [createserviceaccountkey, \"*key\"]}]" + tail,
		"secrets": "match: [{service: [secretmanager.googleapis.com], method: [accesssecretversion]}]" + tail,
		"tokens":  "match: [{service: [iamcredentials.googleapis.com], method: [generateaccesstoken]}]" + tail,
	})
	f := s.Filter([]auditlog.Mapping{{Log: "/logs/act-as"}, {Log: "run.googleapis.com/stdout"}, {}}, Match{Service: []string{"admin.googleapis.com"}, Method: []string{"suspend_user"}})
	if got := strings.Join(f.Logs, " "); got != "act-as run.googleapis.com/stdout" {
		t.Errorf("logs %s", got)
	}
	if _, on := f.DataAccess["iam.googleapis.com"]; !on || len(f.DataAccess) != 2 {
		t.Errorf("%v", f.DataAccess)
	}
	sink := f.sink(t)
	for call, want := range map[string]bool{
		"activity iam.googleapis.com google.iam.admin.v1.CreateServiceAccountKey":                                         true,
		"activity iam.googleapis.com google.iam.admin.v1.DeleteServiceAccountKey":                                         true,
		"activity iam.googleapis.com google.iam.admin.v1.CreateServiceAccount":                                            false,
		"activity admin.googleapis.com google.admin.AdminService.suspend_user":                                            true,
		"activity admin.googleapis.com google.admin.AdminService.createUser":                                              false,
		"activity compute.googleapis.com ":                                                                                true,
		"data_access secretmanager.googleapis.com google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion": true,
		"data_access secretmanager.googleapis.com google.cloud.secretmanager.v1.SecretManagerService.GetSecret":           false,
		"data_access iamcredentials.googleapis.com GenerateAccessToken":                                                   true,
	} {
		part := strings.Split(call, " ")
		root := map[string]any{"logName": "projects/p/logs/cloudaudit.googleapis.com%2F" + part[0], "protoPayload": map[string]any{"serviceName": part[1], "methodName": part[2]}}
		if got := sink(root); got != want {
			t.Errorf("%s passes: %v", call, got)
		}
	}
}
