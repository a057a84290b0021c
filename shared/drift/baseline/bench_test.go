package baseline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/policy"
)

// company writes so many assets of the sorts a company has, as an export does.
func company(n int) []byte {
	var out bytes.Buffer
	line := func(service, name, kind, data string) {
		fmt.Fprintf(&out, `{"name":"//%s/%s","asset_type":"%s/%s","ancestors":["projects/1","organizations/1"],"resource":{"location":"europe-west1","data":%s}}`+"\n", service, name, service, kind, data)
	}
	pad := fmt.Sprintf("%0900d", 0)
	for i := range n {
		name := fmt.Sprintf("projects/acme-%d/x/%d", i%40, i)
		switch i % 10 {
		case 0:
			line("storage.googleapis.com", fmt.Sprintf("bucket-%d", i), "Bucket", `{"name":"b","etag":"`+pad+`","labels":{"a":"b"}}`)
		case 1:
			line("compute.googleapis.com", fmt.Sprintf("projects/acme-%d/global/firewalls/f%d", i%40, i), "Firewall", `{"direction":"INGRESS","sourceRanges":["10.0.0.0/8"],"allowed":[{"IPProtocol":"tcp","ports":["443"]}],"description":"`+pad+`"}`)
		case 2:
			line("secretmanager.googleapis.com", fmt.Sprintf("projects/acme-%d/secrets/s%d", i%40, i), "Secret", `{"replication":{"automatic":{"customerManagedEncryption":{"kmsKeyName":"k"}}},"etag":"`+pad+`"}`)
		case 3:
			line("logging.googleapis.com", fmt.Sprintf("projects/acme-%d/locations/eu/buckets/b%d", i%40, i), "LogBucket", `{"name":"x","retentionDays":31,"description":"`+pad+`"}`)
		case 4:
			if i%1000 == 4 {
				line("sqladmin.googleapis.com", fmt.Sprintf("projects/acme-%d/instances/d%d", i%40, i), "Instance", `{"region":"europe-west1","settings":{"backupConfiguration":{"enabled":true},"ipConfiguration":{"sslMode":"ENCRYPTED_ONLY"}}}`)
				continue
			}
			fallthrough
		default:
			line("compute.googleapis.com", name, "Disk", `{"name":"d","status":"READY","note":"`+pad+`"}`)
		}
	}
	return out.Bytes()
}

func whole(tb testing.TB) *baseline.Set {
	tb.Helper()
	root, err := filepath.Abs("../../../testdata/policies")
	if err != nil {
		tb.Fatal(err)
	}
	p, problems, err := policy.Load(os.DirFS(root), "baseline")
	if err != nil || len(problems) > 0 {
		tb.Fatal(err, problems)
	}
	s, problems := baseline.Load(p)
	if len(problems) > 0 {
		tb.Fatal(problems)
	}
	return s
}

// BenchmarkScan reads 50,000 assets and holds them against the whole baseline, on one core.
func BenchmarkScan(b *testing.B) {
	data, set := company(50_000), whole(b)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		v := asset.NewInventory()
		for a, err := range asset.Decode(bytes.NewReader(data), time.Unix(1772539200, 0), v.Names()) {
			if err != nil {
				b.Fatal(err)
			}
			v.Add(a)
		}
		v.Settle()
		if all := set.Scan(&baseline.Live{Inventory: v, Now: time.Unix(1772539200, 0), Read: func(string) bool { return true }}); len(all) < 50_000 {
			b.Fatalf("%d judgements", len(all))
		}
	}
	b.ReportMetric(50_000*float64(b.N)/b.Elapsed().Seconds(), "assets/s")
}

// BenchmarkDecode is the limit: the same bytes through encoding/json alone.
func BenchmarkDecode(b *testing.B) {
	data := company(50_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		d := json.NewDecoder(bytes.NewReader(data))
		for d.More() {
			var v map[string]any
			if err := d.Decode(&v); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(50_000*float64(b.N)/b.Elapsed().Seconds(), "assets/s")
}
