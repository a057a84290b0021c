package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sown stands under sensitive names in what Terraform wants, in what there is, and in what a call asked for.
const sown = "pl4nted-s3cr3t-of-nobody"

const sownState = `{"version":4,"terraform_version":"1.9.0","resources":[
{"mode":"managed","type":"google_sql_database_instance","name":"support","provider":"provider[\"registry.terraform.io/hashicorp/google\"]","instances":[{"attributes":{"name":"support","project":"sharedcontacts-live","region":"europe-west1","root_password":"PLANTED-0",
	"database_version":"PLANTED-1","settings":[{"ip_configuration":[{"ipv4_enabled":false,"ssl_mode":"ENCRYPTED_ONLY"}]}]},"sensitive_attributes":[[{"type":"get_attr","value":"root_password"}],[{"type":"get_attr","value":"database_version"}]]}]},
{"mode":"managed","type":"google_cloud_run_v2_service","name":"api","provider":"provider[\"registry.terraform.io/hashicorp/google\"]","instances":[{"attributes":{"name":"api","project":"sharedcontacts-live","location":"europe-west1","ingress":"INGRESS_TRAFFIC_INTERNAL_ONLY",
	"template":[{"containers":[{"image":"i","args":["--key=PLANTED-2"],"env":[{"name":"DB","value":"PLANTED-3","value_source":[]}]}]}]}}]}]}`

const sownAssets = `,
{"name":"//run.googleapis.com/projects/sharedcontacts-live/locations/europe-west1/services/api","assetType":"run.googleapis.com/Service","ancestors":["projects/123456789012","organizations/1"],"resource":{"location":"europe-west1","data":{"name":"projects/sharedcontacts-live/locations/europe-west1/services/api",
	"ingress":"INGRESS_TRAFFIC_INTERNAL_ONLY","annotations":{"note":"PLANTED-4"},"template":{"containers":[{"image":"i","args":["--key=PLANTED-5"],"env":[{"name":"DB","value":"PLANTED-6"}]}]}}},"iamPolicy":{"bindings":[]}}
]`

const sownEntries = `[{"insertId":"s1","logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"TIME","protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"cloudsql.googleapis.com","methodName":"cloudsql.instances.update",
	"resourceName":"projects/sharedcontacts-live/instances/support","authenticationInfo":{"principalEmail":"emma.dubois@sharedcontacts.example"},"request":{"instance":"support","project":"sharedcontacts-live","body":{"rootPassword":"PLANTED-7","databaseVersion":"PLANTED-8","settings":{"ipConfiguration":{"ipv4Enabled":true}}}}}},
{"insertId":"s2","logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"TIME","protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"run.googleapis.com","methodName":"google.cloud.run.v2.Services.UpdateService",
	"resourceName":"projects/sharedcontacts-live/locations/europe-west1/services/api","authenticationInfo":{"principalEmail":"emma.dubois@sharedcontacts.example"},"request":{"service":{"ingress":"INGRESS_TRAFFIC_ALL","annotations":{"note":"PLANTED-9"},"template":{"containers":[{"image":"i","env":[{"name":"DB","value":"PLANTED-10"}]}]}}}}}]`

// TestPlantedSecret: a secret that Terraform wants, that is there, and that a call asked for, is told nowhere: not in a finding or
// what happened to it, on no page, in no mail, no evidence, no log, and in nothing the command writes. What is otherwise about it is.
func TestPlantedSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	state := filepath.Join(dir, "terraform.tfstate")
	write(t, state, sownState)
	s := serve(t, options{dir: dir})
	assets := filepath.Join(dir, "assets", "sharedcontacts-live.json")
	before, err := os.ReadFile(assets)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSuffix(strings.TrimSpace(string(before)), "]") + sownAssets
	write(t, assets, text)
	must[answer](t)(s.local("POST", "clock", map[string]string{"advance": "40m"}))
	write(t, assets, strings.NewReplacer(`INGRESS_TRAFFIC_INTERNAL_ONLY`, `INGRESS_TRAFFIC_ALL`, `PLANTED-6`, `PLANTED-13`, `"ipv4Enabled": false`, `"ipv4Enabled": true`, `"name": "support",`, `"name": "support", "rootPassword": "`+sown+`-11", "databaseVersion": "`+sown+`-12",`).Replace(text))
	now, err := s.now()
	if err != nil {
		t.Fatal(err)
	}
	entries := strings.ReplaceAll(sownEntries, "TIME", now.Format("2006-01-02T15:04:05Z"))
	must[answer](t)(s.local("POST", "events?wait=1", json.RawMessage(strings.ReplaceAll(entries, "PLANTED", sown))))
	must[answer](t)(s.local("POST", "clock", map[string]string{"advance": "20m"}))

	seen := map[string][]byte{"the log": []byte(s.log())}
	seen["the list"] = asStefan(t, s, "/acceptdrift/v1/findings", "application/json")
	seen["the page"] = asStefan(t, s, "/acceptdrift/", "text/html")
	var list struct {
		Findings []struct{ ID, What string }
	}
	if err := json.Unmarshal(seen["the list"], &list); err != nil {
		t.Fatal(err)
	}
	for _, f := range list.Findings {
		seen["the finding "+f.What] = asStefan(t, s, "/acceptdrift/v1/findings/"+f.ID, "application/json")
		seen["the page of "+f.What] = asStefan(t, s, "/acceptdrift/"+f.ID, "text/html")
	}
	seen["the status"] = asStefan(t, s, "/acceptdrift/v1/status", "application/json")
	seen["the mail"] = must[answer](t)(s.local("GET", "mail", nil)).body
	records, err := s.raw(call{method: "GET", path: "/_local/records?kind=", unread: true})
	if err != nil {
		t.Fatal(err)
	}
	seen["the evidence"] = records.body
	sarif := filepath.Join(t.TempDir(), "found.sarif")
	for _, args := range [][]string{nil, {"--json"}, {"--sarif", sarif}} {
		args = append([]string{"drift", "--assets", assets, "--state", state, "--policy", filepath.Join(samples, "sharedcontacts"), "--unmanaged", "--every"}, args...)
		out, err := exec.Command(binary, args...).CombinedOutput()
		if exit, is := err.(*exec.ExitError); !is || exit.ExitCode() != 1 {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		seen["ostiary "+strings.Join(args[9:], " ")] = out
	}
	seen["SARIF"] = must[[]byte](t)(os.ReadFile(sarif))
	for what, text := range seen {
		if bytes.Contains(text, []byte(sown)) {
			at := bytes.Index(text, []byte(sown))
			t.Errorf("%s tells it: …%s…", what, text[max(0, at-200):min(len(text), at+80)])
		}
	}
	if len(list.Findings) < 4 {
		t.Errorf("found: %+v", list.Findings)
	}
	told := string(seen["the finding google_sql_database_instance.support database_version"]) + string(seen["the finding google_cloud_run_v2_service.api template.containers.env"]) + string(seen["SARIF"])
	for _, want := range []string{"hmac:", "DB", `"field":"settings.ipConfiguration.ipv4Enabled"`, `"field":"ingress"`, "***", "INGRESS_TRAFFIC_ALL", `"got": "settings.ipConfiguration.ipv4Enabled: true"`} {
		if !strings.Contains(told, want) {
			t.Errorf("nothing tells %s:\n%.3000s", want, told)
		}
	}
	agree(t, seen["the list"], seen["ostiary --json"])
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	inFiles(t, dir, assets, state)
}

// agree fails where the page and the command say otherwise of the same: what is wanted, what there is, and how grave that is. Marks
// are each one's own.
func agree(t *testing.T, page, command []byte) {
	t.Helper()
	type one struct{ ID, Class, Want, Got, Severity string }
	var shown struct{ Findings []one }
	var printed struct{ Findings, Judgements []one }
	if err := errors.Join(json.Unmarshal(page, &shown), json.Unmarshal(command[bytes.IndexByte(command, '{'):], &printed)); err != nil {
		t.Fatal(err)
	}
	same := 0
	for _, f := range shown.Findings {
		all := append(printed.Findings, printed.Judgements...)
		at := slices.IndexFunc(all, func(o one) bool { return o.ID == f.ID })
		if at < 0 {
			t.Errorf("the command does not know %+v", f)
			continue
		}
		o := all[at]
		o.Class = f.Class // an assertion has none there
		if strings.Contains(f.Got+f.Want, "hmac:") && strings.Contains(o.Got+o.Want, "hmac:") || f.Class == "unmanaged" {
			o.Got, o.Want = f.Got, f.Want
		}
		if o != f {
			t.Errorf("the page says %+v\nthe command says %+v", f, o)
		}
		same++
	}
	if same < 4 {
		t.Errorf("%d are the same", same)
	}
}

// inFiles fails where a file of a data folder holds the secret, but for those it was planted in. What was read of the cloud itself
// is kept packed, as it was read.
func inFiles(t *testing.T, dir string, but ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == but[0] || path == but[1] {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(sown)) {
			at := bytes.Index(data, []byte(sown))
			t.Errorf("%s holds it: %q", path, data[max(0, at-200):min(len(data), at+40)])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func asStefan(t *testing.T, s *server, path, accept string) []byte {
	t.Helper()
	a, err := s.ask(people["stefan"], call{method: "GET", path: path, header: http.Header{"Accept": {accept}}})
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("%s: %v %s", path, err, a)
	}
	return a.body
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "PLANTED", sown)), 0o600); err != nil {
		t.Fatal(err)
	}
}
