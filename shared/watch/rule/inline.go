package rule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// Fixture is the company that inline tests run in, beside the policy's own: rules of a shared folder are tested alike
// everywhere. Its domain is company.example, its projects company-live and company-staging; anna@ is a manager, ben@ and
// cleo@ are employees, dora@ is of security, gone@ was a manager until the end of February 2026; deploy@company-live.iam.gserviceaccount.com deploys;
// desk@company-live.iam.gserviceaccount.com is an account of the policy that does not;
// resources may be made in Europe.
func Fixture() World { return fixture(World{Zone: time.UTC}) }

func fixture(w World) World {
	person := func(id string, roles ...policy.Role) policy.Person {
		return policy.Person{ID: id, Email: id + "@company.example", Roles: roles}
	}
	gone := person("gone", policy.Employee, policy.Manager)
	gone.Until = calendar.Day{Year: 2026, Month: time.February, Day: 28}
	projects := maps.Clone(w.Projects)
	if projects == nil {
		projects = map[string]policy.EnvironmentKind{}
	}
	projects["company-live"], projects["company-staging"] = policy.Live, policy.Staging
	return World{
		Domains: slices.Concat(w.Domains, []string{"company.example"}),
		People: slices.Concat(w.People, []policy.Person{
			person("anna", policy.Employee, policy.Manager), person("ben", policy.Employee), person("cleo", policy.Employee),
			person("dora", policy.Employee, policy.Security), gone,
		}),
		Projects: projects,
		Accounts: slices.Concat(w.Accounts, []string{"deploy@company-live.iam.gserviceaccount.com", "desk@company-live.iam.gserviceaccount.com"}),

		Deployers: slices.Concat(w.Deployers, []string{"deploy@company-live.iam.gserviceaccount.com"}),
		Regions:   []string{"europe-*", "eu"},
		Zone:      w.Zone,
	}
}

// testMapping says where entries of tests that are no audit entries hold what.
func testMapping() auditlog.Mapping {
	m := plainMapping()
	m.Time = "" // that of the entry
	return m
}

// tests runs the inline tests of one rule.
func (l *linting) tests(ctx context.Context, trial *Set) {
	alarms, silent := 0, 0
	for i, t := range l.r.Tests {
		if t.Alarms > 0 {
			alarms++
		} else {
			silent++
		}
		if t.Name == "" || len(t.Entries) == 0 {
			l.wrong(key("tests", i), "has no name or no entries", "name, entries, alarms")
			continue
		}
		hits, err := trial.run(ctx, l.r.Name, t)
		if err != nil {
			l.wrong(key("tests", i), err.Error(), "log entries, at least {protoPayload: {...}} or {jsonPayload: {...}}")
			continue
		}
		if len(hits) != t.Alarms {
			l.wrong(key("tests", i)+".alarms", fmt.Sprintf("there are %d", len(hits)), strconv.Itoa(t.Alarms)+", as the test says")
		}
		for _, h := range hits {
			if h.Verdict == Undetermined && h.Subject.Doubt == "" {
				l.wrong(key("tests", i), "an entry is undetermined: "+h.Why, "a rule that can judge it")
				break
			}
		}
	}
	if alarms == 0 {
		l.wrong("tests", "has no test that alarms", "at least one with alarms: 1 or more")
	}
	if silent == 0 {
		l.wrong("tests", "has no test without an alarm", "at least one with alarms: 0")
	}
}

// run returns the hits of one rule for the entries of one test, in the order they stand there.
func (s *Set) run(ctx context.Context, name string, t Test) ([]Hit, error) {
	i, loaded := s.byName[name]
	if !loaded {
		return nil, errors.New("the rule does not load beside the company of tests")
	}
	single := &Set{rules: s.rules[i : i+1], byName: map[string]int{name: 0}, index: index{}, facts: listedIn(t.Listed), tickets: t.Tickets}
	single.index.add(branch{}, s.rules[i].own)
	single.index.add(branch{other: true}, s.rules[i].other)
	entries, err := single.read(t)
	if err != nil {
		return nil, err
	}
	memory := NewLocal()
	var hits []Hit
	latest := time.Time{}
	for _, e := range entries {
		found, err := single.Evaluate(ctx, &e, memory, e.Time)
		if err != nil {
			return nil, err
		}
		hits = append(hits, found...)
		if e.Time.After(latest) {
			latest = e.Time
		}
	}
	later := latest.Add(maxWithin + maxSettle)
	for judged := 1; judged > 0; {
		found, n, err := single.Settle(ctx, memory, later, Crowd)
		if err != nil {
			return nil, err
		}
		hits, judged = append(hits, found...), n
	}
	return sorted(hits), nil
}

// read returns the entries of one test as they are judged: the parts of one that was split are one.
func (s *Set) read(t Test) (all []auditlog.Entry, err error) {
	folder := auditlog.NewFolder()
	for n, raw := range t.Entries {
		data, err := json.Marshal(s.complete(merged(t.Base, raw), n))
		if err != nil {
			return nil, fmt.Errorf("entry %d cannot be written as JSON", n)
		}
		entries, err := auditlog.Decode(data, testMapping())
		if err != nil {
			return nil, fmt.Errorf("entry %d cannot be read: %w", n, err)
		}
		for _, e := range entries {
			if e.Part() {
				all = append(all, folder.Fold(e, time.Time{})...)
			} else {
				all = append(all, e)
			}
		}
	}
	return append(all, folder.Overdue(time.Time{})...), nil
}

// complete fills in what every log entry has and few tests care about.
func (s *Set) complete(entry map[string]any, n int) map[string]any {
	fill := func(name string, value any) {
		if _, has := entry[name]; !has {
			entry[name] = value
		}
	}
	stream := string(auditlog.Activity)
	if m := s.rules[0].Matches[0]; len(m.Stream) > 0 {
		stream = m.Stream[0]
	}
	log := "cloudaudit.googleapis.com/" + stream
	if _, audit := entry["protoPayload"]; !audit {
		log = "application"
	}
	fill("logName", "projects/company-live/logs/"+url.PathEscape(log))
	fill("insertId", "test-"+strconv.Itoa(n))
	fill("timestamp", time.Date(2026, 3, 3, 10, 0, n, 0, time.UTC).Format(time.RFC3339)) // a Tuesday
	return entry
}

// merged lays over base what is in over; mappings are merged, everything else is replaced.
func merged(base, over map[string]any) map[string]any {
	all := maps.Clone(base)
	if all == nil {
		all = map[string]any{}
	}
	for name, value := range over {
		below, nested := all[name].(map[string]any)
		if above, is := value.(map[string]any); nested && is {
			value = merged(below, above)
		}
		all[name] = value
	}
	return all
}

// listedIn is the allow-list of a test.
type listedIn []string

// Listed implements Facts.
func (l listedIn) Listed(_ context.Context, ip string, _ time.Time) (bool, error) {
	return InRanges(ip, l), nil
}
