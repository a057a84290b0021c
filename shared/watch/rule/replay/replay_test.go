package replay_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
	"ostiary.internal/shared/watch/rule/replay"
	"ostiary.internal/testdata/policies"
)

// baseline returns the rules of the starter.
func baseline(t testing.TB) *rule.Set {
	t.Helper()
	p, problems, err := policy.Load(policies.FS, "baseline")
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v", err, problems)
	}
	set, problems := rule.Load(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return set
}

func text(name, content string) replay.Source {
	return replay.Source{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

// call is one line of a log.
func call(id, service, method, actor, resource string, at time.Time) string {
	return fmt.Sprintf(`{"logName":"projects/company-live/logs/cloudaudit.googleapis.com%%2Factivity","insertId":"%s","timestamp":"%s","protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"%s","methodName":"%s","resourceName":"%s","authenticationInfo":{"principalEmail":"%s"}}}`,
		id, at.Format(time.RFC3339Nano), service, method, resource, actor) + "\n"
}

var morning = time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)

const (
	app    = "app@company-live.iam.gserviceaccount.com"
	secret = "projects/1/secrets/db/versions/latest"
)

func read(id string, at time.Duration) string {
	return call(id, "secretmanager.googleapis.com", "AccessSecretVersion", app, secret, morning.Add(at))
}

func deploy(id string, at time.Duration) string {
	return call(id, "run.googleapis.com", "google.cloud.run.v1.Services.ReplaceService", "deploy@company-live.iam.gserviceaccount.com", "namespaces/p/services/shop", morning.Add(at))
}

func ordinary(id string, at time.Duration) string {
	return call(id, "compute.googleapis.com", "v1.compute.disks.insert", "ben@company.example", "d", morning.Add(at))
}

func run(t *testing.T, set *rule.Set, sources ...replay.Source) ([]replay.Row, replay.Result) {
	t.Helper()
	var rows []replay.Row
	result, err := replay.Run(t.Context(), set, sources, replay.Options{Row: func(r replay.Row) error {
		rows = append(rows, r)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return rows, result
}

// TestWindowsAcrossFiles: a deployment in one file covers the reading in another, whatever order the files and their
// lines have; what no deployment covers is told at its own line, once, though it comes twice.
func TestWindowsAcrossFiles(t *testing.T) {
	t.Parallel()
	set := baseline(t)
	lines := []string{ordinary("a", 0), deploy("b", time.Minute), ordinary("c", 3*time.Hour)}
	reads := []string{read("d", 2*time.Minute), read("e", 2*time.Hour), read("e", 2*time.Hour), ordinary("f", 5*time.Hour)}
	for seed := range 10 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		shuffle := func(all []string) string {
			all = slices.Clone(all)
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			return strings.Join(all, "")
		}
		sources := []replay.Source{text("deploys", shuffle(lines)), text("reads", shuffle(reads))}
		if seed%2 == 1 {
			slices.Reverse(sources)
		}
		rows, result := run(t, set, sources...)
		var alarms []string
		for _, row := range rows {
			if row.Alarm {
				alarms = append(alarms, row.File+" "+row.Rule)
			}
		}
		if want := []string{"reads secret-once-per-deployment", "reads secret-once-per-deployment"}; !slices.Equal(alarms, want) || result.Alarms != 1 || len(rows) != 7 {
			t.Fatalf("seed %d: %v, %d alarms, %d rows", seed, alarms, result.Alarms, len(rows))
		}
	}
}

// TestManyFiles: more files than are held open, each an hour, named in any order.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	var sources []replay.Source
	for hour := range 200 {
		at := time.Duration(hour) * time.Hour
		sources = append(sources, text(fmt.Sprint(hour), deploy(fmt.Sprint("d", hour), at)+read(fmt.Sprint("r", hour), at+time.Minute)))
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
	rows, result := run(t, baseline(t), sources...)
	if len(rows) != 400 || result.Alarms != 0 || result.Late != 0 {
		t.Errorf("%d rows, %d alarms, %d late", len(rows), result.Alarms, result.Late)
	}
	if !slices.IsSortedFunc(rows, func(a, b replay.Row) int { return a.Time.Compare(b.Time) }) {
		t.Error("the rows are not in order")
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	broken := replay.Source{Name: "closed", Open: func() (io.ReadCloser, error) { return nil, errors.New("permission denied") }}
	failing := replay.Source{Name: "failing", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(ordinary("a", 0)), errReader{})), nil
	}}
	long := ordinary("big", time.Second)
	long = strings.Replace(long, `"resourceName":"d"`, `"resourceName":"`+strings.Repeat("x", 300<<10)+`"`, 1)
	content := "\x00\x00\n" + ordinary("b", 0) + "{not json\n" + long + `{"protoPayload":{}}` + "\n" + strings.Repeat("[", 100_000) + "\n" + ordinary("c", time.Minute)
	rows, result := run(t, baseline(t), broken, failing, text("mixed", content))
	if result.Entries != 4 || result.Undecodable < 5 {
		t.Errorf("%d entries, %d undecodable: %+v", result.Entries, result.Undecodable, rows)
	}
	for _, row := range rows {
		if undecodable := row.Class == replay.Undecodable; undecodable != (row.Entry == "") || undecodable != row.Alarm || undecodable && row.Why == "" {
			t.Errorf("%+v", row)
		}
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// TestFarFromItsPlace: an entry of another century moves no clock that others need, and one without a time is judged.
func TestFarFromItsPlace(t *testing.T) {
	t.Parallel()
	far := strings.Replace(ordinary("far", 0), "2026-03-03", "2259-03-03", 1)
	none := strings.Replace(ordinary("none", 0), `"timestamp":"2026-03-03T10:00:00Z",`, "", 1)
	rows, result := run(t, baseline(t), text("a", far+none+read("r", time.Minute)+deploy("d", 30*time.Second)))
	if result.Alarms != 0 || len(rows) != 4 || result.Undecodable != 0 {
		t.Errorf("%+v", result)
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	_, err := replay.Run(t.Context(), baseline(t), []replay.Source{text("a", ordinary("a", 0))}, replay.Options{Row: func(replay.Row) error { return full }})
	if !errors.Is(err, full) {
		t.Error(err)
	}
}

// What stands goes from file to file: a policy in one is compared with that of another, whatever order the files have.
func TestPoliciesAcrossFiles(t *testing.T) {
	t.Parallel()
	opened := func(id string, at time.Duration, members string) string {
		line := call(id, "run.googleapis.com", "google.cloud.run.v1.Services.SetIamPolicy", "ben@company.example", "namespaces/company-live/services/shop", morning.Add(at))
		return strings.Replace(line, `"authenticationInfo"`, `"request":{"policy":{"bindings":[{"role":"roles/run.invoker","members":[`+members+`]}]}},"authenticationInfo"`, 1)
	}
	rows, result := run(t, baseline(t), text("second", opened("2", time.Hour, `"allUsers"`)+opened("3", 2*time.Hour, `"allUsers","user:cleo@company.example"`)), text("first", opened("1", 0, `"allUsers"`)))
	if result.Rules["public-exposure"] != 1 || len(rows) != 3 || rows[0].File != "first" || !rows[0].Alarm || rows[0].Why != rule.NoEarlierPolicy || rows[1].Alarm {
		t.Errorf("%+v\n%+v", result, rows)
	}
}

// Lines of a mixed log that no mapping reads are counted, and no alarm.
func TestMixedLogIsCounted(t *testing.T) {
	t.Parallel()
	mixed := auditlog.Mapping{Log: "/logs/app", When: "jsonPayload.audit", Service: "shop", Actor: "jsonPayload.audit.who", Action: "jsonPayload.audit.what"}
	line := func(id, payload string) string {
		return fmt.Sprintf(`{"logName":"projects/p/logs/app","insertId":%q,"timestamp":"2026-03-03T10:00:00Z","jsonPayload":%s}`+"\n", id, payload)
	}
	source := text("app", line("1", `{"message":"GET /"}`)+line("2", `{"audit":{"who":"a@b.example","what":"looked"}}`)+line("3", `{"audit":{"by":"a"}}`))
	result, err := replay.Run(t.Context(), baseline(t), []replay.Source{source}, replay.Options{Mappings: []auditlog.Mapping{mixed}})
	if err != nil || result.Entries != 2 || result.Ignored != 1 || result.Undecodable != 1 || result.Alarms != 0 {
		t.Errorf("%+v %v", result, err)
	}
}

// Operations as Google's services log them, before the starter's rules: what was in order is no alarm by its end, and what
// was not is one alarm, also when the end names somebody else or nobody.
func TestOperations(t *testing.T) {
	t.Parallel()
	set := baseline(t)
	const ben, deploys, desk = "ben@company.example", "deploy@company-live.iam.gserviceaccount.com", "desk@company-live.iam.gserviceaccount.com"
	halves := func(service, method, actor, ender, rest string) string {
		first := call("a", service, method, actor, "projects/company-live/global/things/t", morning)
		first = strings.Replace(first, `"protoPayload":{`, `"operation":{"id":"o","producer":"p","first":true},"protoPayload":{`+rest, 1)
		last := call("b", service, method, ender, "projects/company-live/global/things/t", morning.Add(time.Second))
		last = strings.Replace(last, `"protoPayload":{`, `"operation":{"id":"o","producer":"p","last":true},"protoPayload":{`, 1)
		return last + strings.Replace(first, "10:00:00Z", "10:00:00.5Z", 1)
	}
	compute := "compute.googleapis.com"
	everyone := `"request":{"sourceRanges":["0.0.0.0/0"],"alloweds":[{"IPProtocol":"tcp"}]},`
	for name, c := range map[string]struct {
		lines string
		want  int
	}{
		"a strict policy":     {halves(compute, "v1.compute.sslPolicies.insert", ben, ben, `"request":{"minTlsVersion":"TLS_1_2"},`), 0},
		"a weak policy":       {halves(compute, "v1.compute.sslPolicies.insert", ben, "", `"request":{"minTlsVersion":"TLS_1_0"},`), 1},
		"a colour":            {halves(compute, "v1.compute.instances.setMetadata", ben, ben, `"metadata":{"instanceMetadataDelta":{"addedMetadataKeys":["colour"]}},`), 0},
		"a key":               {halves(compute, "v1.compute.instances.setMetadata", ben, "cleo@company.example", `"metadata":{"instanceMetadataDelta":{"addedMetadataKeys":["ssh-keys"]}},`), 1},
		"a guard put up":      {halves("container.googleapis.com", "google.container.v1.ClusterManager.SetNetworkPolicy", ben, ben, `"request":{"networkPolicy":{"enabled":true}},`), 0},
		"open to everyone":    {halves(compute, "v1.compute.firewalls.patch", ben, ben, everyone), 1},
		"a rule taken out":    {halves(compute, "v1.compute.firewalls.delete", ben, "", ""), 1},
		"by what deploys":     {halves(compute, "v1.compute.firewalls.delete", deploys, "", ""), 0},
		"by another program":  {halves(compute, "v1.compute.firewalls.delete", desk, desk, ""), 1},
		"by one of ostiary's": {halves(compute, "v1.compute.firewalls.patch", "fn-syncallowlist@company-live.iam.gserviceaccount.com", "", `"request":{"sourceRanges":["198.51.100.7/32"],"alloweds":[{"IPProtocol":"tcp"}]},`), 0},
	} {
		_, result := run(t, set, text("log", c.lines))
		if result.Alarms != c.want {
			t.Errorf("%s: %d alarms, want %d: %v", name, result.Alarms, c.want, result.Rules)
		}
	}
}
