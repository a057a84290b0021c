package coverage

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"encoding/json"

	"ostiary.internal/shared/drift/asset"
)

const (
	activity = `log_id("cloudaudit.googleapis.com/activity")`
	system   = `log_id("cloudaudit.googleapis.com/system_event")`
	data     = `log_id("cloudaudit.googleapis.com/data_access")`
)

func TestLets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		filter, need string
		want         Verdict
	}{
		{``, activity, Covered},
		{`  -- everything` + "\n", activity, Covered},
		{activity, activity, Covered},
		{`LOG_ID("cloudaudit.googleapis.com%2Factivity")`, activity, Covered},
		{`logName="projects/acme/logs/cloudaudit.googleapis.com%2Factivity"`, activity + ` AND logName="projects/acme/logs/cloudaudit.googleapis.com%2Factivity"`, Covered},
		{`logName:"cloudaudit.googleapis.com"`, activity, Covered},
		{`logName:"/logs/cloudaudit.googleapis.com%2Factivity"`, activity, Covered},
		{`logName:cloudaudit.googleapis.com`, `log_id("run.googleapis.com/requests")`, NotCovered},
		{system, activity, NotCovered},
		{activity + " OR " + system, activity, Covered},
		{activity, activity + " OR " + system, NotCovered},
		// OR binds before AND, and what stands side by side is joined by AND.
		{activity + " OR " + system + ` AND severity>=ERROR`, activity, NotCovered},
		{activity + " OR (" + system + ` AND severity>=ERROR)`, activity, Covered},
		{activity + "\n" + `resource.type="project"`, activity, NotCovered},
		{activity + "\n" + `resource.type="project"`, activity + ` resource.type="project"`, Covered},
		{`severity>=DEFAULT`, activity, Covered},
		{`severity>=INFO`, activity, NotCovered},
		{`severity>=ERROR`, `severity=(CRITICAL OR ALERT)`, Covered},
		{`severity>ERROR`, `severity>=ERROR`, NotCovered},
		{`severity!=DEBUG`, `severity>=INFO`, Covered},
		{`NOT ` + data, activity, Covered},
		{`-` + data, activity, Covered},
		{`NOT ` + activity, activity, NotCovered},
		{`NOT NOT ` + activity, activity, Covered},
		{`NOT (` + system + ` OR ` + data + `)`, activity, Covered},
		{activity + ` NOT protoPayload.authenticationInfo.principalEmail="root@acme.example"`, activity, NotCovered},
		{activity + ` AND protoPayload.authenticationInfo.principalEmail!="root@acme.example"`, activity, NotCovered},
		{activity + ` AND NOT resource.labels.project_id="acme"`, activity, NotCovered},
		{`protoPayload.serviceName=("iam.googleapis.com" OR "compute.googleapis.com")`, `protoPayload.serviceName="IAM.googleapis.com"`, Covered},
		{`protoPayload.serviceName=("iam.googleapis.com" OR "compute.googleapis.com")`, `protoPayload.serviceName="storage.googleapis.com"`, NotCovered},
		{`protoPayload.serviceName:"googleapis.com"`, `protoPayload.serviceName="iam.googleapis.com"`, Covered},
		{`protoPayload.serviceName=~"^(iam|compute)\.googleapis\.com$"`, `protoPayload.serviceName="iam.googleapis.com"`, Covered},
		{`protoPayload.serviceName=~"^iam2"`, `protoPayload.serviceName="iam.googleapis.com"`, NotCovered},
		{`protoPayload.serviceName!~"^iam"`, `protoPayload.serviceName="compute.googleapis.com"`, Covered},
		{`protoPayload.serviceName!~"^iam"`, `protoPayload.serviceName="iam.googleapis.com"`, NotCovered},
		{`protoPayload.methodName=~"SetIamPolicy$"`, `protoPayload.methodName=~"SetIamPolicy$"`, Covered},
		{`protoPayload.methodName=~"SetIam"`, `protoPayload.methodName=~"SetIamPolicy$"`, Undetermined},
		{`protoPayload.methodName=~"Set("`, `protoPayload.methodName="SetIamPolicy"`, Undetermined},
		{`protoPayload.serviceName:*`, `protoPayload.serviceName="iam.googleapis.com"`, Covered},
		{`protoPayload.serviceName:*`, activity, NotCovered},
		{`labels."ostiary-heartbeat":*`, `labels."ostiary-heartbeat":*`, Covered},
		{`labels.ostiary-heartbeat:*`, `labels."ostiary-heartbeat":*`, Covered},
		{`timestamp>="2026-03-03T00:00:00Z"`, activity, Undetermined},
		{activity + ` AND timestamp>=2026-03-03T00:00:00Z`, system, NotCovered},
		{`sample(insertId, 1)`, activity, Covered},
		{`sample(insertId, 0.5)`, activity, NotCovered},
		{`ip_in_net(protoPayload.requestMetadata.callerIp, "10.0.0.0/8")`, activity, Undetermined},
		{`"some words"`, activity, Undetermined},
		{`words`, activity, Undetermined},
		{activity + ` OR "some words"`, activity, Covered},
		{`"some words" AND severity>=ERROR`, activity, NotCovered},
		{`httpRequest.status>=500`, activity, Undetermined},
		{`protoPayload.authorizationInfo.permission="a"`, `protoPayload.authorizationInfo.permission="b"`, Undetermined},
		{`a=1 OR NOT a=1`, activity, Covered},
		{activity, activity + ` AND ` + system, Covered}, // no entry is in two logs
		{`log_id(`, activity, Undetermined},
		{`(` + activity, activity, Undetermined},
		{activity + ` AND`, activity, Undetermined},
		{`severity>=`, activity, Undetermined},
		{`="x"`, activity, Undetermined},
		{`"unended`, activity, Undetermined},
		{`a="\n"`, activity, Undetermined},
		{strings.Repeat("(", 300) + activity + strings.Repeat(")", 300), activity, Undetermined},
		{strings.Repeat("x", maxFilter+1), activity, Undetermined},
	} {
		if got := Lets(c.filter, c.need); got != c.want {
			t.Errorf("%.80q for %.80q: %s, want %s", c.filter, c.need, got, c.want)
		}
	}
}

// The filter that is made of the rules lets through each of its parts, and without a part it does not.
func TestGenerated(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../terraform/org/policies/staging/watched.json")
	if err != nil {
		t.Fatal(err)
	}
	var watched struct {
		Audit string            `json:"audit"`
		Data  map[string]string `json:"data_access"`
	}
	if err := json.Unmarshal(raw, &watched); err != nil || len(watched.Data) == 0 {
		t.Fatal(err)
	}
	filter := watched.Audit
	for _, part := range watched.Data {
		filter += " OR " + part
	}
	for service, part := range watched.Data {
		if got := Lets(filter, part); got != Covered {
			t.Errorf("%s: %s", service, got)
		}
		if got := Lets(strings.Replace(filter, " OR "+part, "", 1), part); got != NotCovered {
			t.Errorf("%s, left out: %s", service, got)
		}
	}
	if got := Lets(filter, watched.Audit); got != Covered {
		t.Errorf("%s", got)
	}
}

func sinkAt(parent, destination, rest string) *asset.Asset {
	a := &asset.Asset{Type: Type, Key: "//logging.googleapis.com/" + parent + "/sinks/s"}
	if rest == "unread" {
		return a
	}
	if err := json.Unmarshal([]byte(`{"destination":"`+destination+`"`+rest+`}`), &a.Data); err != nil {
		panic(err)
	}
	return a
}

func TestOf(t *testing.T) {
	t.Parallel()
	const p, f, o, here = "projects/acme", "folders/2", "organizations/3", "pubsub.googleapis.com/projects/acme/topics/t"
	right := func(d string) bool { return d == here }
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	filter := func(s string) string { return `,"filter":` + quoted(s) }
	excluded := func(s, more string) string {
		return `,"exclusions":[{"name":"e","filter":` + quoted(s) + more + `}]`
	}
	const children = `,"includeChildren":true`
	for name, c := range map[string]struct {
		sinks []*asset.Asset
		want  Verdict
		why   Why
	}{
		"everything":               {[]*asset.Asset{sinkAt(p, here, "")}, Covered, ""},
		"what is needed":           {[]*asset.Asset{sinkAt(p, here, filter(activity))}, Covered, ""},
		"two together":             {[]*asset.Asset{sinkAt(p, here, filter(activity+` AND severity>=ERROR`)), sinkAt(p, here, filter(activity+` AND severity<ERROR`))}, Covered, ""},
		"none":                     {nil, NotCovered, NoSink},
		"elsewhere":                {[]*asset.Asset{sinkAt(p, "storage.googleapis.com/b", "")}, NotCovered, NoSink},
		"of another project":       {[]*asset.Asset{sinkAt("projects/other", here, "")}, NotCovered, NoSink},
		"switched off":             {[]*asset.Asset{sinkAt(p, here, `,"disabled":true`)}, NotCovered, Disabled},
		"too narrow":               {[]*asset.Asset{sinkAt(p, here, filter(activity+` severity>=ERROR`))}, NotCovered, Narrowed},
		"excluded":                 {[]*asset.Asset{sinkAt(p, here, excluded(`protoPayload.authenticationInfo.principalEmail="x"`, ""))}, NotCovered, Excluded},
		"exclusion switched off":   {[]*asset.Asset{sinkAt(p, here, excluded(activity, `,"disabled":true`))}, Covered, ""},
		"excluded, not needed":     {[]*asset.Asset{sinkAt(p, here, excluded(data, ""))}, Covered, ""},
		"excluded, nobody knows":   {[]*asset.Asset{sinkAt(p, here, excluded(`"words"`, ""))}, Undetermined, Syntax},
		"excluded, unreadable":     {[]*asset.Asset{sinkAt(p, here, excluded(`((`, ""))}, Undetermined, Syntax},
		"of the organization":      {[]*asset.Asset{sinkAt(o, here, children)}, Covered, ""},
		"without children":         {[]*asset.Asset{sinkAt(o, here, "")}, NotCovered, Children},
		"of another folder":        {[]*asset.Asset{sinkAt("folders/9", here, children)}, NotCovered, NoSink},
		"intercepted":              {[]*asset.Asset{sinkAt(p, here, ""), sinkAt(f, "storage.googleapis.com/b", children+`,"interceptChildren":true`+filter(activity))}, NotCovered, Intercepted},
		"intercepted, another log": {[]*asset.Asset{sinkAt(p, here, ""), sinkAt(f, "storage.googleapis.com/b", children+`,"interceptChildren":true`+filter(data))}, Covered, ""},
		"above who intercepts":     {[]*asset.Asset{sinkAt(o, here, children), sinkAt(f, "storage.googleapis.com/b", children+`,"interceptChildren":true`)}, Covered, ""},
		"taken by the right one":   {[]*asset.Asset{sinkAt(p, here, ""), sinkAt(f, here, children+`,"interceptChildren":true`)}, Covered, ""},
		"not read":                 {[]*asset.Asset{sinkAt(p, here, "unread")}, Undetermined, Unread},
		"one of two not read":      {[]*asset.Asset{sinkAt(p, here, "unread"), sinkAt(p, here, "")}, Covered, ""},
		"unreadable":               {[]*asset.Asset{sinkAt(p, here, filter("("))}, Undetermined, Syntax},
		"one of two unreadable":    {[]*asset.Asset{sinkAt(p, here, filter("(")), sinkAt(o, here, children)}, Covered, ""},
		"this project's log":       {[]*asset.Asset{sinkAt(o, here, children+filter(`logName="projects/acme/logs/cloudaudit.googleapis.com%2Factivity"`))}, Covered, ""},
		"another project's log":    {[]*asset.Asset{sinkAt(o, here, children+filter(`logName="projects/other/logs/cloudaudit.googleapis.com%2Factivity"`))}, NotCovered, Narrowed},
	} {
		project := &asset.Asset{Key: "//cloudresourcemanager.googleapis.com/projects/acme", Project: "acme", Ancestors: []string{"projects/4711", f, o}}
		if got, why := Of(project, c.sinks, right, activity); got != c.want || why != c.why {
			t.Errorf("%s: %s %s, want %s %s", name, got, why, c.want, c.why)
		}
		project.Ancestors = nil
		if got, why := Of(project, []*asset.Asset{sinkAt(o, here, children)}, right, activity); got != Undetermined || why != Unread {
			t.Errorf("what is above is not known: %s %s", got, why)
		}
	}
	if got, why := Of(&asset.Asset{Project: "acme"}, nil, nil, "(("); got != Undetermined || why != Syntax {
		t.Errorf("%s %s", got, why)
	}
}

// Against trying every entry there can be: what is called covered is, and what is not covered is not.
func TestTried(t *testing.T) {
	t.Parallel()
	logs, services, levels := []string{"a", "b", ""}, []string{"x", "y", ""}, severities
	told := map[Verdict]int{}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 3))
		var make func(depth int) (string, func(log, service string, level int) bool)
		make = func(depth int) (string, func(string, string, int) bool) {
			if depth == 0 || r.IntN(4) == 0 {
				switch r.IntN(3) {
				case 0:
					v := logs[r.IntN(2)]
					return `log_id("` + v + `")`, func(log, _ string, _ int) bool { return log == v }
				case 1:
					v := services[r.IntN(2)]
					return `protoPayload.serviceName="` + v + `"`, func(_, service string, _ int) bool { return service == v }
				}
				v := r.IntN(len(levels))
				return "severity>=" + strings.ToUpper(levels[v]), func(_, _ string, level int) bool { return level >= v }
			}
			a, fa := make(depth - 1)
			b, fb := make(depth - 1)
			switch r.IntN(3) {
			case 0:
				return "(" + a + " AND " + b + ")", func(l, s string, n int) bool { return fa(l, s, n) && fb(l, s, n) }
			case 1:
				return "(" + a + " OR " + b + ")", func(l, s string, n int) bool { return fa(l, s, n) || fb(l, s, n) }
			}
			return "NOT " + a, func(l, s string, n int) bool { return !fa(l, s, n) }
		}
		pass, passes := make(3)
		need, needs := make(2)
		want := Covered
		for _, l := range logs {
			for _, s := range services {
				for n := range levels {
					if needs(l, s, n) && !passes(l, s, n) {
						want = NotCovered
					}
				}
			}
		}
		got := Lets(pass, need)
		told[got]++
		if got != want {
			t.Errorf("seed %d: %s for %s: %s, want %s", seed, pass, need, got, want)
		}
	}
	if told[Covered] < 50 || told[NotCovered] < 50 {
		t.Error(told)
	}
}

func FuzzLets(f *testing.F) {
	for _, s := range []string{activity, `NOT a:("b" OR -c) -- x`, `logName="projects/p/logs/x"`, `severity>=ERROR AND sample(insertId, 0.1)`, `a."b-c".d!~"x\.y"`} {
		f.Add(s, activity)
	}
	f.Fuzz(func(t *testing.T, filter, need string) {
		got := Lets(filter, need)
		if _, err := parse(filter); err == nil && filter == need && got == NotCovered {
			t.Errorf("%q does not let through itself", filter)
		}
		if again := Lets(filter, need); again != got {
			t.Error(fmt.Sprint(got, again))
		}
	})
}
