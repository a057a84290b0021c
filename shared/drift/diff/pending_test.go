package diff

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
)

// planned is a resource of a plan.
func planned(kind, name, values string) string {
	return fmt.Sprintf(`{"address":"%[1]s.%[2]s","mode":"managed","type":%[1]q,"name":%[2]q,"provider_name":"registry.terraform.io/hashicorp/google","values":%[3]s}`, kind, name, values)
}

func module(resources ...string) string {
	return `{"root_module":{"resources":[` + strings.Join(resources, ",") + `]}}`
}

// plan is what `terraform show -json` writes of one: what there will be, what there was, and what was changed by hand.
func plan(t *testing.T, will, was string, drift ...string) Desired {
	t.Helper()
	d, err := Read(strings.NewReader(`{"format_version":"1.2","terraform_version":"1.9.0","variables":{"a":{"value":[1,{"b":2}]}},"planned_values":` + will + `,"resource_drift":[` + strings.Join(drift, ",") + `],
		"prior_state":{"format_version":"1.0","values":` + was + `},"configuration":{"root_module":{"resources":[{"address":"x"}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Code that nobody applied is told from what somebody changed, by what was applied last: of the plan, or of a state beside it.
func TestPending(t *testing.T) {
	t.Parallel()
	const kind = "google_storage_bucket"
	soon := strings.Replace(bucketState, `"is_locked":true`, `"is_locked":false`, 1)
	longer := strings.Replace(bucketState, `"retention_period":"2592000"`, `"retention_period":"5184000"`, 1)
	byHand := strings.Replace(bucketData, `"retentionPeriod":"2592000"`, `"retentionPeriod":"86400"`, 1)
	topic := planned("google_pubsub_topic", "t", `{"name":"t","project":"acme-live"}`)
	another := [3]string{"pubsub.googleapis.com/Topic", "//pubsub.googleapis.com/projects/acme-live/topics/u", data(`{}`)}
	member := func(who string) string {
		return planned("google_project_iam_member", "m", `{"project":"acme-live","role":"roles/viewer","member":"user:`+who+`@acme.example"}`)
	}
	users := [3]string{"cloudresourcemanager.googleapis.com/Project", projectAt, `"iamPolicy":{"bindings":[{"role":"roles/viewer","members":["user:anna@acme.example"]}]}`}
	for name, c := range map[string]struct {
		d    Desired
		live [][3]string
		want []string
	}{
		"applied":                     {plan(t, module(planned(kind, "files", bucketState)), module(planned(kind, "files", bucketState))), [][3]string{there(bucketAt, bucketData)}, nil},
		"changed in the code":         {plan(t, module(planned(kind, "files", longer)), module(planned(kind, "files", bucketState))), [][3]string{there(bucketAt, bucketData)}, []string{"stale-desired retention_policy.retention_period high"}},
		"changed by hand, and seen":   {plan(t, module(planned(kind, "files", bucketState)), module(planned(kind, "files", strings.Replace(bucketState, "2592000", "86400", 1))), `{"address":"google_storage_bucket.files","mode":"managed","type":"google_storage_bucket","change":{"actions":["update"],"before":`+bucketState+`,"after":{}}}`), [][3]string{there(bucketAt, byHand)}, []string{"changed retention_policy.retention_period high"}},
		"changed in both":             {plan(t, module(planned(kind, "files", longer)), module(planned(kind, "files", bucketState))), [][3]string{there(bucketAt, byHand)}, []string{"changed retention_policy.retention_period high"}},
		"two fields, one by hand":     {plan(t, module(planned(kind, "files", soon)), module(planned(kind, "files", bucketState))), [][3]string{there(bucketAt, byHand)}, []string{"changed retention_policy.retention_period high", "stale-desired retention_policy.is_locked low"}},
		"not made yet":                {plan(t, module(topic), module()), [][3]string{another}, []string{"stale-desired  medium", "unmanaged  medium"}},
		"gone":                        {plan(t, module(topic), module(topic)), [][3]string{another}, []string{"missing  high", "unmanaged  medium"}},
		"to be removed":               {plan(t, module(planned("google_pubsub_topic", "u", `{"name":"u","project":"acme-live"}`)), module(topic, planned("google_pubsub_topic", "u", `{"name":"u","project":"acme-live"}`))), [][3]string{another, {another[0], strings.Replace(another[1], "/u", "/t", 1), data(`{}`)}}, []string{"stale-desired  medium"}},
		"a member to come":            {plan(t, module(member("ben")), module()), [][3]string{users}, []string{"stale-desired iam roles/viewer low"}},
		"another member to come":      {plan(t, module(member("ben")), module(member("cleo"))), [][3]string{users}, []string{"stale-desired iam roles/viewer low"}},
		"a member somebody took away": {plan(t, module(member("ben")), module(member("ben"))), [][3]string{users}, []string{"changed iam roles/viewer low"}},
		"a plan beside its state":     {Join(plan(t, module(planned(kind, "files", longer)), module(planned(kind, "files", longer))), desired(t, resource(kind, "files", bucketState))), [][3]string{there(bucketAt, bucketData)}, []string{"stale-desired retention_policy.retention_period high"}},
		"a plan beside another state": {Join(desired(t, resource(kind, "files", longer)), plan(t, module(), module())), [][3]string{there(bucketAt, bucketData)}, []string{"changed retention_policy.retention_period high"}},
		"no word of what was":         {desired(t, resource(kind, "files", longer)), [][3]string{there(bucketAt, bucketData)}, []string{"changed retention_policy.retention_period high"}},
	} {
		o := options
		o.Unmanaged = true
		var got []string
		for _, f := range Compare(c.d, live(t, c.live...), o).Findings {
			got = append(got, string(f.Class)+" "+f.Field+" "+string(f.Severity))
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What is found where only tests run weighs one step less; a project nobody knows is a live one.
func TestStagingWeighsLess(t *testing.T) {
	t.Parallel()
	open := strings.Replace(sqlData, `"ipv4Enabled":false`, `"ipv4Enabled":true`, 1)
	for project, want := range map[string]string{"acme-live": "critical", "acme-staging": "high", "acme-other": "critical"} {
		state := strings.ReplaceAll(sqlState, "acme-live", project)
		o := options
		o.Staging = func(p string) bool { return p == "acme-staging" }
		found := Compare(desired(t, resource("google_sql_database_instance", "db", state)), live(t, [3]string{sqlAt[0], strings.Replace(sqlAt[1], "acme-live", project, 1), data(strings.ReplaceAll(open, "acme-live", project))}), o).Findings
		if len(found) != 1 || string(found[0].Severity) != want {
			t.Errorf("%s: %v", project, found)
		}
	}
}

// endless is a state of so many resources, made as it is read.
type endless struct {
	left int
	rest string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		switch e.left--; {
		case e.left < 0:
			return 0, io.EOF
		case e.left == 0:
			e.rest = `{"mode":"managed","type":"random_id","name":"x","provider":"p","instances":[]}],"check_results":[{"a":[1]}]}`
		default:
			e.rest = resource("google_unknown_thing", "x", `{"text":"`+strings.Repeat("x", 2000)+`"}`) + ","
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// A state is read a resource at a time, and one that is too long is refused with the limit, however it is cut.
func TestTooLong(t *testing.T) {
	t.Parallel()
	const begin = `{"version":4,"resources":[`
	d, err := ReadMost(&endless{2000, begin}, 8<<20)
	if err != nil || len(d.Resources) != 1999 || d.Size < 4<<20 {
		t.Fatalf("%d resources of %d bytes, %v", len(d.Resources), d.Size, err)
	}
	for _, most := range []int64{1, 30, 1000, d.Size - 1} {
		if _, err := ReadMost(&endless{2000, begin}, most); fault.CodeOf(err) != TooLong || !strings.Contains(err.Error(), fmt.Sprint(most)) {
			t.Errorf("of %d bytes: %v", most, err)
		}
	}
	if _, err := ReadMost(&endless{2000, begin}, d.Size); err != nil {
		t.Errorf("one that is just so long: %v", err)
	}
	if _, err := ReadMost(io.MultiReader(strings.NewReader(begin), failing{}), 1<<20); !fault.Is(err, fault.Transient) {
		t.Errorf("a connection that breaks: %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
