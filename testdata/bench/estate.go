package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

// starter is the whole baseline of the policy a company begins with.
func starter() (*baseline.Set, error) {
	p, problems, err := policy.Load(policies.FS, "baseline")
	if err != nil || len(problems) > 0 {
		return nil, fmt.Errorf("reading the starter: %v %w", problems, err)
	}
	set, problems := baseline.Load(p)
	if len(problems) > 0 {
		return nil, fmt.Errorf("reading the baseline: %v", problems)
	}
	return set, nil
}

// decoding reads JSON values and does nothing with them.
func decoding(all ...[]byte) error {
	for _, data := range all {
		for d := json.NewDecoder(bytes.NewReader(data)); d.More(); {
			var v map[string]any
			if err := d.Decode(&v); err != nil {
				return err
			}
		}
	}
	return nil
}

// estates is how many projects an estate has.
const estates = 40

// estate writes so many assets of the sorts a company has, as an export does, each with who may use it where it has that, and a state
// of Terraform for two fifths of them, of which one in fifty was changed since.
func estate(n int) (assets, state []byte, resources int) {
	var out, wanted bytes.Buffer
	users := func(role string, i int) string {
		return fmt.Sprintf(`,"iam_policy":{"bindings":[{"role":%q,"members":["group:team%d@company.example","serviceAccount:run@acme-%d.iam.gserviceaccount.com"]}]}`, role, i%20, i%estates)
	}
	line := func(service, name, kind, data, policy string) {
		fmt.Fprintf(&out, `{"name":"//%s/%s","asset_type":"%s/%s","ancestors":["projects/acme-0","organizations/1"],"resource":{"location":"europe-west1","data":%s}%s}`+"\n", service, name, service, kind, data, policy)
	}
	want := func(kind, attributes string) {
		resources++
		fmt.Fprintf(&wanted, `,{"mode":"managed","type":%q,"name":"r%d","provider":"p","instances":[{"attributes":%s}]}`, kind, resources, attributes)
	}
	pad := strings.Repeat("x", 900)
	for i := range n {
		project := fmt.Sprintf("acme-%d", i%estates)
		ports, kept := "443", 31
		if i%250 < 2 {
			ports, kept = "22", 30
		}
		switch i % 5 {
		case 0:
			name := fmt.Sprintf("f%d", i)
			line("compute.googleapis.com", "projects/"+project+"/global/firewalls/"+name, "Firewall", fmt.Sprintf(`{"direction":"INGRESS","sourceRanges":["10.0.0.0/8"],"allowed":[{"IPProtocol":"tcp","ports":[%q]}],"etag":%q}`, ports, pad), "")
			want("google_compute_firewall", fmt.Sprintf(`{"name":%q,"project":%q,"direction":"INGRESS","source_ranges":["10.0.0.0/8"],"allow":[{"protocol":"tcp","ports":["443"]}]}`, name, project))
		case 1:
			name := fmt.Sprintf("b%d", i)
			line("logging.googleapis.com", "projects/"+project+"/locations/eu/buckets/"+name, "LogBucket", fmt.Sprintf(`{"name":"x","retentionDays":%d,"etag":%q}`, kept, pad), "")
			want("google_logging_project_bucket_config", fmt.Sprintf(`{"project":%q,"location":"eu","bucket_id":%q,"retention_days":31}`, project, name))
		case 2:
			line("storage.googleapis.com", fmt.Sprintf("bucket-%d", i), "Bucket", fmt.Sprintf(`{"name":"b","labels":{"a":"b"},"etag":%q}`, pad), users("roles/storage.objectViewer", i))
		case 3:
			line("secretmanager.googleapis.com", fmt.Sprintf("projects/%s/secrets/s%d", project, i), "Secret", fmt.Sprintf(`{"replication":{"automatic":{}},"etag":%q}`, pad), users("roles/secretmanager.secretAccessor", i))
		default:
			other(line, i, project, pad)
		}
	}
	for i := range estates {
		line("cloudresourcemanager.googleapis.com", fmt.Sprintf("projects/acme-%d", i), "Project", fmt.Sprintf(`{"projectId":"acme-%d","projectNumber":"%d"}`, i, 4711+i), users("roles/viewer", i))
	}
	state = fmt.Appendf(nil, `{"version":4,"resources":[%s]}`, strings.TrimPrefix(wanted.String(), ","))
	return out.Bytes(), state, resources
}

// other writes what Terraform does not know of: a machine, or a disk.
func other(line func(service, name, kind, data, policy string), i int, project, pad string) {
	at := fmt.Sprintf("projects/%s/zones/europe-west1-b/", project)
	if i%10 == 4 {
		line("compute.googleapis.com", fmt.Sprintf("%sinstances/i%d", at, i), "Instance", fmt.Sprintf(`{"name":"i","status":"RUNNING","networkInterfaces":[{"network":"default"}],"metadata":{"items":[{"key":"enable-oslogin","value":"TRUE"}]},"etag":%q}`, pad), "")
		return
	}
	line("compute.googleapis.com", fmt.Sprintf("%sdisks/d%d", at, i), "Disk", fmt.Sprintf(`{"name":"d","status":"READY","etag":%q}`, pad), "")
}
