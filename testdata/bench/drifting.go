package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

// drifting holds an export of assets against the whole of the starter's baseline and against a state of Terraform, on one
// core, beside reading the same bytes with encoding/json and doing nothing with them.
func (b *bench) drifting(context.Context) error {
	p, problems, err := policy.Load(policies.FS, "baseline")
	if err != nil || len(problems) > 0 {
		return fmt.Errorf("reading the starter: %v %w", problems, err)
	}
	set, problems := baseline.Load(p)
	if len(problems) > 0 {
		return fmt.Errorf("reading the baseline: %v", problems)
	}
	assets, state, resources := estate(b.assets)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	from := time.Now()
	for _, data := range [][]byte{assets, state} {
		for d := json.NewDecoder(bytes.NewReader(data)); d.More(); {
			var v map[string]any
			if err := d.Decode(&v); err != nil {
				return err
			}
		}
	}
	bare := time.Since(from)
	debug.FreeOSMemory()
	from = time.Now()
	v := asset.NewInventory()
	for a, err := range asset.Decode(bytes.NewReader(assets), from, v.Names()) {
		if err != nil {
			return err
		}
		v.Add(a)
	}
	v.Settle()
	live := &baseline.Live{Inventory: v, Now: from, Read: func(string) bool { return true }}
	judged := len(set.Scan(live))
	desired, err := diff.Read(bytes.NewReader(state))
	if err != nil {
		return err
	}
	found := diff.Compare(desired, v, diff.Options{Salt: make([]byte, 16)})
	took := time.Since(from)
	if judged < b.assets || len(desired.Resources) != resources || len(found.Findings) != resources/50 {
		return fmt.Errorf("%d judgements of %d assets, %d of %d resources, %d findings", judged, b.assets, len(desired.Resources), resources, len(found.Findings))
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.rows = append(b.rows, row{
		fmt.Sprintf("hold %d assets against %d assertions and %d resources", b.assets, len(set.Names()), resources),
		fmt.Sprintf("%s, %d MB of heap before it is collected", short(took), m.HeapAlloc>>20), short(bare), "`encoding/json` of the same bytes", float64(took) / float64(bare),
	})
	one := v.All()[0]
	return b.compare("judge one asset that changed", func() error {
		if len(set.Judge(one, &baseline.Live{Inventory: v, Now: from})) == 0 {
			return fmt.Errorf("nobody judges %s", one.Type)
		}
		return nil
	}, func() error { _, err := json.Marshal(one.Data); return err }, "`encoding/json` of the asset")
}

// estate writes so many assets of the sorts a company has, as an export does, and a state of Terraform for two fifths of
// them, of which one in fifty was changed since.
func estate(n int) (assets, state []byte, resources int) {
	var out, wanted bytes.Buffer
	line := func(service, name, kind, data string) {
		fmt.Fprintf(&out, `{"name":"//%s/%s","asset_type":"%s/%s","ancestors":["projects/1","organizations/1"],"resource":{"location":"europe-west1","data":%s}}`+"\n", service, name, service, kind, data)
	}
	want := func(kind, attributes string) {
		resources++
		fmt.Fprintf(&wanted, `,{"mode":"managed","type":%q,"name":"r%d","provider":"p","instances":[{"attributes":%s}]}`, kind, resources, attributes)
	}
	pad := strings.Repeat("x", 900)
	for i := range n {
		project := fmt.Sprintf("acme-%d", i%40)
		ports, kept := "443", 31
		if i%250 < 2 {
			ports, kept = "22", 30
		}
		switch i % 5 {
		case 0:
			name := fmt.Sprintf("f%d", i)
			line("compute.googleapis.com", "projects/"+project+"/global/firewalls/"+name, "Firewall", fmt.Sprintf(`{"direction":"INGRESS","sourceRanges":["10.0.0.0/8"],"allowed":[{"IPProtocol":"tcp","ports":[%q]}],"etag":%q}`, ports, pad))
			want("google_compute_firewall", fmt.Sprintf(`{"name":%q,"project":%q,"direction":"INGRESS","source_ranges":["10.0.0.0/8"],"allow":[{"protocol":"tcp","ports":["443"]}]}`, name, project))
		case 1:
			name := fmt.Sprintf("b%d", i)
			line("logging.googleapis.com", "projects/"+project+"/locations/eu/buckets/"+name, "LogBucket", fmt.Sprintf(`{"name":"x","retentionDays":%d,"etag":%q}`, kept, pad))
			want("google_logging_project_bucket_config", fmt.Sprintf(`{"project":%q,"location":"eu","bucket_id":%q,"retention_days":31}`, project, name))
		case 2:
			line("storage.googleapis.com", fmt.Sprintf("bucket-%d", i), "Bucket", fmt.Sprintf(`{"name":"b","labels":{"a":"b"},"etag":%q}`, pad))
		case 3:
			line("secretmanager.googleapis.com", fmt.Sprintf("projects/%s/secrets/s%d", project, i), "Secret", fmt.Sprintf(`{"replication":{"automatic":{}},"etag":%q}`, pad))
		default:
			line("compute.googleapis.com", fmt.Sprintf("projects/%s/zones/europe-west1-b/disks/d%d", project, i), "Disk", fmt.Sprintf(`{"name":"d","status":"READY","etag":%q}`, pad))
		}
	}
	state = fmt.Appendf(nil, `{"version":4,"resources":[%s]}`, strings.TrimPrefix(wanted.String(), ","))
	return out.Bytes(), state, resources
}
