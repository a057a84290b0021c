package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/cloud/audit"
	"google.golang.org/protobuf/encoding/protojson"
	_ "google.golang.org/protobuf/types/known/structpb" // what entries hold in an Any

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/rule"
	"ostiary.internal/shared/watch/rule/replay"
	"ostiary.internal/testdata/policies"
)

// watching replays a day of entries on one core, by the rules without windows and by all of them, beside reading the
// same entries into Google's own types and doing nothing with them. The heap is measured on the way: the day is longer
// than any window, so it must not grow.
func (b *bench) watching(ctx context.Context) error {
	p, problems, err := policy.Load(policies.FS, "baseline")
	if err != nil || len(problems) > 0 {
		return fmt.Errorf("reading the starter: %v %w", problems, err)
	}
	all, problems := rule.Load(p)
	if len(problems) > 0 {
		return fmt.Errorf("reading the rules: %v", problems)
	}
	single := all.Only(func(r rule.Rule) bool { return r.Window.Kind == rule.Single })
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the command does; for both sides
	var typed []time.Duration
	judged := []judging{{name: "without windows", set: single}, {name: "with windows", set: all}}
	for range b.readings {
		took, err := b.typed()
		if err != nil {
			return err
		}
		typed = append(typed, took)
		for i := range judged {
			if err := judged[i].judge(ctx, b.entries); err != nil {
				return err
			}
		}
	}
	for _, j := range judged {
		b.add(row{
			measured: fmt.Sprintf("judge a day of %d entries, %d rules, %s", b.entries, len(j.set.Rules()), j.name),
			ours:     fmt.Sprintf("%s, heap %d MB at a tenth, %d MB at most after, %d MB before it is collected", often(median(j.took), b.entries), j.early>>20, j.late>>20, j.peak>>20),
			beside:   often(median(typed), b.entries), what: "reading them into `audit.AuditLog` with protojson", ratio: through(j.took, typed),
		})
	}
	return nil
}

// judging is a day judged by some rules, again and again: how long each time took, and the most the heap ever had.
type judging struct {
	name string
	set  *rule.Set
	took []time.Duration
	weight
}

func (j *judging) judge(ctx context.Context, entries int) error {
	d := newDay(entries)
	from := time.Now()
	result, err := replay.Run(ctx, j.set, []replay.Source{d.source()}, replay.Options{})
	if err != nil {
		return err
	}
	j.took = append(j.took, time.Since(from))
	if result.Entries != entries || result.Undecodable > 0 || result.Alarms == 0 {
		return fmt.Errorf("%d of %d entries, %d undecodable, %d alarms", result.Entries, entries, result.Undecodable, result.Alarms)
	}
	j.early, j.late, j.peak = max(j.early, d.early), max(j.late, d.late), max(j.peak, d.peak)
	return nil
}

// typed reads the day as Google's types and returns how long that took.
func (b *bench) typed() (time.Duration, error) {
	lines := bufio.NewReaderSize(newDay(b.entries), 1<<20)
	from := time.Now()
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF {
			return time.Since(from), nil
		}
		if err != nil {
			return 0, err
		}
		var envelope struct {
			InsertID  string          `json:"insertId"`
			LogName   string          `json:"logName"`
			Timestamp time.Time       `json:"timestamp"`
			Payload   json.RawMessage `json:"protoPayload"`
		}
		if err := json.Unmarshal(line, &envelope); err != nil {
			return 0, err
		}
		var entry audit.AuditLog
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(envelope.Payload, &entry); err != nil {
			return 0, fmt.Errorf("reading an entry into its type: %w", err)
		}
	}
}

// day is a log of so many entries, evenly over a day, made as it is read, and the same each time.
type day struct {
	entries, n int
	line, when []byte
	seed       uint64
	weight
}

// weight is of the heap, in bytes.
type weight struct {
	early, late uint64 // when a tenth was read, the most after
	peak        uint64 // the most of all, with what is not collected yet
}

func newDay(entries int) *day { return &day{entries: entries, seed: 1} }

func (d *day) source() replay.Source {
	return replay.Source{Name: "day", Once: true, Open: func() (io.ReadCloser, error) { return io.NopCloser(d), nil }}
}

// Read implements io.Reader.
func (d *day) Read(p []byte) (int, error) {
	if len(d.line) == 0 {
		if d.n == d.entries {
			return 0, io.EOF
		}
		d.line = d.next(d.line)
		if d.n++; d.n%max(d.entries/50, 1) == 0 {
			d.weigh()
		}
	}
	n := copy(p, d.line)
	d.line = d.line[n:]
	return n, nil
}

// weigh looks at the heap after a collection.
func (d *day) weigh() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	d.peak = max(d.peak, m.HeapAlloc)
	runtime.GC()
	runtime.ReadMemStats(&m)
	if d.n <= d.entries/10 {
		d.early = max(d.early, m.HeapAlloc)
	} else {
		d.late = max(d.late, m.HeapAlloc)
	}
}

// roll returns a number below n: a generator of our own, for it must give the same day everywhere.
func (d *day) roll(n uint64) uint64 {
	d.seed = d.seed*6364136223846793005 + 1442695040888963407
	return (d.seed >> 33) % n
}

// kinds are the calls of a day and how many of a thousand each is; what is missing is the reading of settings.
var kinds = []struct {
	of                      uint64
	stream, service, method string
	resource, more, who     string
}{
	{60, "activity", "compute.googleapis.com", "v1.compute.disks.insert", "projects/company-live/zones/europe-west1-b/disks/d", `,"request":{"@type":"type.googleapis.com/google.protobuf.Struct","value":{"sizeGb":"10"}}`, "human"},
	{20, "data_access", "secretmanager.googleapis.com", "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion", "projects/1/secrets/db/versions/latest", "", "service"},
	{20, "activity", "run.googleapis.com", "google.cloud.run.v1.Services.ReplaceService", "namespaces/company-live/services/shop", "", "deploy"},
	{5, "activity", "cloudresourcemanager.googleapis.com", "SetIamPolicy", "projects/company-live", `,"serviceData":{"@type":"type.googleapis.com/google.protobuf.Struct","value":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/viewer","member":"user:cleo@company.example"}]}}}`, "human"},
	{30, "data_access", "storage.googleapis.com", "storage.objects.get", "projects/_/buckets/b/objects/o", "", "human"},
	{200, "data_access", "storage.googleapis.com", "storage.objects.list", "projects/_/buckets/b", "", "service"},
	{20, "data_access", "iamcredentials.googleapis.com", "GenerateAccessToken", "projects/-/serviceAccounts/1", "", "service"},
	{15, "data_access", "compute.googleapis.com", "v1.compute.instances.list", "projects/company-live/zones/z/instances", `,"status":{"code":7,"message":"denied"}`, "human"},
	{100, "activity", "k8s.io", "io.k8s.coordination.v1.leases.update", "coordination.k8s.io/v1/namespaces/n/leases/l", "", "system"},
}

// next writes one entry.
func (d *day) next(into []byte) []byte {
	stream, service, method, resource, more, who := "data_access", "compute.googleapis.com", "v1.compute.instances.get", "projects/company-live/zones/europe-west1-b/instances/i", "", "human"
	at := d.roll(1000)
	for _, k := range kinds {
		if at < k.of {
			stream, service, method, resource, more, who = k.stream, k.service, k.method, k.resource, k.more, k.who
			break
		}
		at -= k.of
	}
	when := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC).Add(time.Duration(d.n)*(24*time.Hour/time.Duration(d.entries))).AppendFormat(d.when[:0], time.RFC3339Nano)
	d.when = when
	b := append(into[:0], `{"insertId":"e`...)
	b = strconv.AppendInt(b, int64(d.n), 10)
	b = append(append(append(b, `","logName":"projects/company-live/logs/cloudaudit.googleapis.com%2F`...), stream...), `","timestamp":"`...)
	b = append(append(append(append(b, when...), `","receiveTimestamp":"`...), when...), `","severity":"INFO","resource":{"type":"audited_resource","labels":{"project_id":"company-live","service":"`...)
	b = append(append(append(append(b, service...), `","method":"`...), method...), `"}},"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"`...)
	b = append(append(append(append(b, service...), `","methodName":"`...), method...), `","resourceName":"`...)
	b = append(append(b, resource...), `","authenticationInfo":{"principalEmail":"`...)
	b = append(append(append(d.actor(b, who), `"},"authorizationInfo":[{"resource":"`...), resource...), `","permission":"compute.instances.get","granted":true,"resourceAttributes":{"service":"compute","name":"n","type":"t"}}],"requestMetadata":{"callerIp":"192.0.2.`...)
	b = strconv.AppendUint(b, d.roll(256), 10)
	b = append(append(append(b, `","callerSuppliedUserAgent":"google-cloud-sdk gcloud/500.0.0 command/gcloud.compute.instances.describe","requestAttributes":{"time":"`...), when...), `","auth":{}},"destinationAttributes":{}},"resourceLocation":{"currentLocations":["europe-west1-b"]}`...)
	return append(append(b, more...), "}}\n"...)
}

// actor writes who calls: one of two hundred people, of twenty accounts, the deployment, or the cluster.
func (d *day) actor(b []byte, who string) []byte {
	switch who {
	case "human":
		return append(strconv.AppendUint(append(b, "person"...), d.roll(200), 10), "@company.example"...)
	case "service":
		return append(strconv.AppendUint(append(b, "app"...), d.roll(20), 10), "@company-live.iam.gserviceaccount.com"...)
	case "deploy":
		return append(b, "deploy@company-live.iam.gserviceaccount.com"...)
	}
	return append(b, "system:node"...)
}
