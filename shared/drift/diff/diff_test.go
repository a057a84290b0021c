package diff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

var options = Options{Salt: []byte("0123456789abcdef")}

// resource is one of a state, with its attributes as JSON.
func resource(kind, name, attributes string) string {
	return fmt.Sprintf(`{"mode":"managed","type":%q,"name":%q,"provider":"provider[\"registry.terraform.io/hashicorp/google\"]","instances":[{"attributes":%s}]}`, kind, name, attributes)
}

func desired(t *testing.T, resources ...string) Desired {
	t.Helper()
	d, err := Read(strings.NewReader(`{"version":4,"terraform_version":"1.9.0","serial":3,"lineage":"x","resources":[` + strings.Join(resources, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// live is an inventory of assets given as type, name, and the rest of the line.
func live(t *testing.T, assets ...[3]string) *asset.Inventory {
	t.Helper()
	v := asset.NewInventory()
	v.Names().Learn("4711", "acme-live")
	for _, one := range assets {
		line := fmt.Sprintf(`{"name":%q,"assetType":%q,%s}`, one[1], one[0], one[2])
		for a, err := range asset.Decode(strings.NewReader(line), time.Unix(1772539200, 0), v.Names()) {
			if err != nil {
				t.Fatal(err)
			}
			v.Add(a)
		}
	}
	v.Settle()
	return v
}

func data(s string) string { return `"resource":{"data":` + s + `}` }

const (
	bucketState = `{"name":"files","project":"acme-live","location":"EU","storage_class":"STANDARD","uniform_bucket_level_access":true,"public_access_prevention":"enforced",
		"retention_policy":[{"retention_period":"2592000","is_locked":true}],"versioning":[],"soft_delete_policy":[{"retention_duration_seconds":604800,"effective_time":null}],"encryption":[],"logging":[],
		"lifecycle_rule":[{"action":[{"type":"Delete","storage_class":""}],"condition":[{"age":90,"created_before":"","num_newer_versions":0,"with_state":"ANY"}]}],"labels":{"team":"a"},
		"effective_labels":{"team":"a","goog":"x"},"force_destroy":false,"requester_pays":null,"self_link":"https://www.googleapis.com/storage/v1/b/files","default_event_based_hold":false}`
	bucketData = `{"name":"files","location":"EU","storageClass":"STANDARD","iamConfiguration":{"uniformBucketLevelAccess":{"enabled":true},"publicAccessPrevention":"enforced"},
		"retentionPolicy":{"retentionPeriod":"2592000","isLocked":true},"softDeletePolicy":{"retentionDurationSeconds":"604800"},"etag":"CAE=","metageneration":"9",
		"lifecycle":{"rule":[{"action":{"type":"Delete"},"condition":{"age":90}}]},"labels":{"team":"a","goog":"x"}}`
	sqlState = `{"name":"db","project":"acme-live","region":"europe-west1","database_version":"POSTGRES_16","deletion_protection":true,"self_link":"https://sqladmin.googleapis.com/sql/v1beta4/projects/acme-live/instances/db",
		"settings":[{"version":12,"tier":"db-custom-2-7680","availability_type":"REGIONAL","activation_policy":"ALWAYS","edition":"ENTERPRISE","disk_size":10,"disk_autoresize":true,"user_labels":{},
		"backup_configuration":[{"enabled":true,"point_in_time_recovery_enabled":true,"binary_log_enabled":false,"transaction_log_retention_days":7,"location":"eu","start_time":"03:00","backup_retention_settings":[{"retained_backups":30,"retention_unit":"COUNT"}]}],
		"ip_configuration":[{"ipv4_enabled":false,"ssl_mode":"ENCRYPTED_ONLY","private_network":"projects/acme-live/global/networks/core","authorized_networks":[]}],
		"database_flags":[{"name":"log_connections","value":"on"},{"name":"cloudsql.iam_authentication","value":"on"}]}]}`
	sqlData = `{"name":"db","region":"europe-west1","databaseVersion":"POSTGRES_16","settings":{"settingsVersion":"41","tier":"db-custom-2-7680","availabilityType":"REGIONAL","activationPolicy":"ALWAYS","edition":"ENTERPRISE","storageAutoResize":true,
		"backupConfiguration":{"enabled":true,"pointInTimeRecoveryEnabled":true,"transactionLogRetentionDays":7,"location":"eu","startTime":"03:00","backupRetentionSettings":{"retainedBackups":30}},
		"ipConfiguration":{"ipv4Enabled":false,"sslMode":"ENCRYPTED_ONLY","privateNetwork":"https://www.googleapis.com/compute/v1/projects/acme-live/global/networks/core","authorizedNetworks":[]},
		"databaseFlags":[{"name":"cloudsql.iam_authentication","value":"on"},{"name":"log_connections","value":"on"}]}}`
	firewallState = `{"name":"web","project":"acme-live","network":"https://www.googleapis.com/compute/v1/projects/acme-live/global/networks/core","direction":"INGRESS","priority":1000,"disabled":false,
		"allow":[{"protocol":"tcp","ports":["443"]}],"deny":[],"source_ranges":["0.0.0.0/0"],"target_tags":["web","edge"],"log_config":[],"description":""}`
	firewallData = `{"name":"web","network":"https://www.googleapis.com/compute/v1/projects/acme-live/global/networks/core","direction":"INGRESS","priority":1000,
		"allowed":[{"ipProtocol":"tcp","port":["443"]}],"sourceRange":["128.0.0.0/1","0.0.0.0/1"],"targetTags":["edge","web"],"logConfig":{"enable":false}}`
)

var (
	bucketAt   = [2]string{"storage.googleapis.com/Bucket", "//storage.googleapis.com/files"}
	sqlAt      = [2]string{"sqladmin.googleapis.com/Instance", "//cloudsql.googleapis.com/projects/acme-live/instances/db"}
	firewallAt = [2]string{"compute.googleapis.com/Firewall", "//compute.googleapis.com/projects/acme-live/global/firewalls/web"}
)

func there(at [2]string, written string) [3]string { return [3]string{at[0], at[1], data(written)} }

// What means the same is no drift: order, defaults, counters, blocks that say nothing, numbers in quotes, ranges.
func TestNoFakeDrift(t *testing.T) {
	t.Parallel()
	d := desired(t, resource("google_storage_bucket", "files", bucketState), resource("google_sql_database_instance", "db", sqlState), resource("google_compute_firewall", "web", firewallState))
	r := Compare(d, live(t, there(bucketAt, bucketData), there(sqlAt, sqlData), there(firewallAt, firewallData)), options)
	for _, f := range r.Findings {
		t.Error(f)
	}
	for _, g := range r.Gaps {
		t.Errorf("not compared: %+v", g)
	}
	if len(r.Compared) != 3 {
		t.Errorf("compared %v", r.Compared)
	}
}

// Real loosening is found, with its direction and severity, and what became stricter weighs less.
func TestRealDrift(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, state, was, is string
		at                   [2]string
		data                 string
		field                string
		to                   Direction
		severity             string
	}{
		"a day less of recovery":     {"google_sql_database_instance", sqlState, `"transactionLogRetentionDays":7`, `"transactionLogRetentionDays":6`, sqlAt, sqlData, "transaction_log_retention_days", Loosened, "high"},
		"a day more of recovery":     {"google_sql_database_instance", sqlState, `"transactionLogRetentionDays":7`, `"transactionLogRetentionDays":14`, sqlAt, sqlData, "transaction_log_retention_days", Tightened, "low"},
		"no recovery":                {"google_sql_database_instance", sqlState, `"pointInTimeRecoveryEnabled":true`, `"pointInTimeRecoveryEnabled":false`, sqlAt, sqlData, "point_in_time_recovery_enabled", Loosened, "critical"},
		"unencrypted too":            {"google_sql_database_instance", sqlState, `"sslMode":"ENCRYPTED_ONLY",`, ``, sqlAt, sqlData, "ssl_mode", Loosened, "critical"},
		"a public address":           {"google_sql_database_instance", sqlState, `"ipv4Enabled":false`, `"ipv4Enabled":true`, sqlAt, sqlData, "ipv4_enabled", Loosened, "critical"},
		"let everybody in":           {"google_sql_database_instance", sqlState, `"authorizedNetworks":[]`, `"authorizedNetworks":[{"value":"0.0.0.0/0"}]`, sqlAt, sqlData, "authorized_networks", Loosened, "critical"},
		"another flag":               {"google_sql_database_instance", sqlState, `{"name":"log_connections","value":"on"}`, `{"name":"log_connections","value":"off"}`, sqlAt, sqlData, "database_flags", Unclear, "medium"},
		"EU to US":                   {"google_storage_bucket", bucketState, `"location":"EU"`, `"location":"US"`, bucketAt, bucketData, "location", Loosened, "high"},
		"EU to Zurich":               {"google_sql_database_instance", sqlState, `"region":"europe-west1"`, `"region":"europe-west6"`, sqlAt, sqlData, "region", Loosened, "high"},
		"public access":              {"google_storage_bucket", bucketState, `"publicAccessPrevention":"enforced"`, `"publicAccessPrevention":"inherited"`, bucketAt, bucketData, "public_access_prevention", Loosened, "critical"},
		"kept for a shorter time":    {"google_storage_bucket", bucketState, `"retentionPeriod":"2592000"`, `"retentionPeriod":"2591999"`, bucketAt, bucketData, "retention_period", Loosened, "high"},
		"no retention":               {"google_storage_bucket", bucketState, `"retentionPolicy":{"retentionPeriod":"2592000","isLocked":true},`, ``, bucketAt, bucketData, "retention_period", Loosened, "high"},
		"deleted sooner":             {"google_storage_bucket", bucketState, `"age":90`, `"age":30`, bucketAt, bucketData, "lifecycle_rule", Unclear, "medium"},
		"a port more":                {"google_compute_firewall", firewallState, `"port":["443"]`, `"port":["443","22"]`, firewallAt, firewallData, "allow", Loosened, "critical"},
		"every port":                 {"google_compute_firewall", firewallState, `,"port":["443"]`, ``, firewallAt, firewallData, "allow", Loosened, "critical"},
		"half of the addresses":      {"google_compute_firewall", firewallState, `"128.0.0.0/1",`, ``, firewallAt, firewallData, "source_ranges", Tightened, "low"},
		"a target less":              {"google_compute_firewall", firewallState, `["edge","web"]`, `["web"]`, firewallAt, firewallData, "target_tags", Tightened, "low"},
		"switched off by somebody":   {"google_compute_firewall", firewallState, `"priority":1000`, `"priority":1000,"disabled":true`, firewallAt, firewallData, "disabled", Tightened, "low"},
		"a shape nobody knows":       {"google_compute_firewall", firewallState, `"priority":1000`, `"priority":{"n":1}`, firewallAt, firewallData, "priority", "", "high"},
		"labels, which are a trifle": {"google_storage_bucket", bucketState, `"labels":{"team":"a",`, `"labels":{"team":"b",`, bucketAt, bucketData, "labels", Unclear, "low"},
	} {
		changed := strings.Replace(c.data, c.was, c.is, 1)
		if changed == c.data {
			t.Fatalf("%s: nothing was changed", name)
		}
		r := Compare(desired(t, resource(c.kind, "x", c.state)), live(t, there(c.at, changed)), options)
		at := slices.IndexFunc(r.Findings, func(f Finding) bool { return strings.HasSuffix(f.Field, c.field) })
		if at < 0 {
			t.Errorf("%s: not found in %v", name, r.Findings)
			continue
		}
		f := r.Findings[at]
		want := Changed
		if c.to == "" {
			want = Undetermined
		}
		if f.Class != want || f.Direction != c.to || string(f.Severity) != c.severity || f.Address != c.kind+".x" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestMissingAndUnread(t *testing.T) {
	t.Parallel()
	d := desired(t, resource("google_storage_bucket", "files", bucketState))
	another := [3]string{"storage.googleapis.com/Bucket", "//storage.googleapis.com/another", `"ancestors":["projects/4711"],` + data(`{}`)}
	for name, c := range map[string]struct {
		assets [][3]string
		class  Class
	}{
		"gone":                  {[][3]string{another}, Missing},
		"gone, or not listed":   {[][3]string{{another[0], another[1], `"ancestors":["projects/4712"],` + data(`{}`)}}, Undetermined},
		"nothing may be listed": {nil, Undetermined},
		"only who may use it":   {[][3]string{{bucketAt[0], bucketAt[1], `"iamPolicy":{}`}}, Undetermined},
		"there":                 {[][3]string{there(bucketAt, bucketData)}, ""},
		"there and another too": {[][3]string{there(bucketAt, bucketData), another}, Unmanaged},
	} {
		o := options
		o.Unmanaged = true
		r := Compare(d, live(t, c.assets...), o)
		classes := map[Class]bool{}
		for _, f := range r.Findings {
			classes[f.Class] = true
		}
		if (c.class == "") != (len(r.Findings) == 0) || c.class != "" && !classes[c.class] {
			t.Errorf("%s: %v", name, r.Findings)
		}
	}
}

// What no rule compares is told, and is not equal to anything.
func TestGaps(t *testing.T) {
	t.Parallel()
	d := desired(t, resource("google_storage_bucket", "files", strings.Replace(bucketState, `"location":"EU"`, `"location":"EU","website":[{"main_page_suffix":"index.html"}],"hierarchical_namespace":[]`, 1)),
		resource("google_bigquery_dataset", "x", `{"dataset_id":"d"}`), strings.Replace(resource("random_id", "x", `{}`), "hashicorp/google", "hashicorp/random", 1))
	r := Compare(d, live(t, there(bucketAt, bucketData)), options)
	want := []Gap{{"google_bigquery_dataset", "", 1}, {"google_storage_bucket", "website", 1}}
	if !slices.Equal(r.Gaps, want) || len(r.Findings) != 0 || r.Other["random"] != 1 {
		t.Errorf("%+v %v %v", r.Gaps, r.Findings, r.Other)
	}
}

const projectAt = "//cloudresourcemanager.googleapis.com/projects/acme-live"

func TestMembers(t *testing.T) {
	t.Parallel()
	member := func(role, who, more string) string {
		return resource("google_project_iam_member", "m"+fmt.Sprint(len(role+who+more)), fmt.Sprintf(`{"project":"acme-live","role":%q,"member":%q%s}`, role, who, more))
	}
	const until = `,"condition":[{"title":"t","description":"","expression":"request.time < timestamp('2026-04-01T00:00:00Z')"}]`
	binding := resource("google_project_iam_binding", "b", `{"project":"acme-live","role":"roles/viewer","members":["user:anna@acme.example"],"condition":[]}`)
	policy := func(bindings string) [3]string {
		return [3]string{"cloudresourcemanager.googleapis.com/Project", projectAt, `"iamPolicy":{"bindings":[` + bindings + `]}`}
	}
	const ben = "user:Ben@acme.example"
	for name, c := range map[string]struct {
		state []string
		live  [3]string
		want  []string // class, member, direction
	}{
		"two bindings of one role": {[]string{member("roles/viewer", ben, ""), member("roles/viewer", "user:cleo@acme.example", "")},
			policy(`{"role":"roles/viewer","members":["user:cleo@acme.example"]},{"role":"roles/viewer","members":["user:ben@acme.example"]}`), nil},
		"another member beside ours": {[]string{member("roles/viewer", ben, "")}, policy(`{"role":"roles/viewer","members":["user:ben@acme.example","user:x@acme.example"]}`), nil},
		"ours is gone":               {[]string{member("roles/viewer", ben, "")}, policy(``), []string{"changed user:ben@acme.example tightened low"}},
		"one too many":               {[]string{binding}, policy(`{"role":"roles/viewer","members":["user:anna@acme.example","allUsers"]}`), []string{"extra allUsers loosened critical"}},
		"deleted since":              {[]string{binding}, policy(`{"role":"roles/viewer","members":["user:anna@acme.example","deleted:user:x@acme.example?uid=1"]}`), nil},
		"the condition is gone": {[]string{member("roles/owner", ben, until)}, policy(`{"role":"roles/owner","members":["user:ben@acme.example"]}`),
			[]string{"changed user:ben@acme.example tightened low", "extra user:ben@acme.example loosened critical"}},
		"the condition is there": {[]string{member("roles/owner", ben, until)}, policy(`{"role":"roles/owner","members":["user:ben@acme.example"],"condition":{"title":"other","expression":"request.time < timestamp('2026-04-01T00:00:00Z')"}}`), nil},
		"the condition is always": {[]string{member("roles/owner", ben, until)}, policy(`{"role":"roles/owner","members":["user:ben@acme.example"],"condition":{"title":"t","expression":"true"}}`),
			[]string{"changed user:ben@acme.example tightened low", "extra user:ben@acme.example loosened critical"}},
		"a condition beside none": {[]string{member("roles/viewer", ben, "")}, policy(`{"role":"roles/viewer","members":["user:ben@acme.example"]},{"role":"roles/viewer","members":["user:ben@acme.example"],"condition":{"title":"t","expression":"true"}}`), nil},
		"not read":                {[]string{binding}, [3]string{"cloudresourcemanager.googleapis.com/Project", projectAt, data(`{"projectId":"acme-live"}`)}, []string{"undetermined  "}},
		"the whole policy": {[]string{resource("google_project_iam_policy", "p", `{"project":"acme-live","policy_data":"{\"bindings\":[{\"role\":\"roles/viewer\",\"members\":[\"user:anna@acme.example\"]}]}"}`)},
			policy(`{"role":"roles/viewer","members":["user:anna@acme.example"]},{"role":"roles/owner","members":["user:ben@acme.example"]}`), []string{"extra user:ben@acme.example loosened critical"}},
	} {
		r := Compare(desired(t, c.state...), live(t, c.live), options)
		var got []string
		for _, f := range r.Findings {
			line := string(f.Class) + " " + f.Want + f.Got + " " + string(f.Direction)
			if f.Direction != "" {
				line += " " + string(f.Severity)
			}
			got = append(got, line)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAuditLogs(t *testing.T) {
	t.Parallel()
	for _, state := range []string{
		resource("google_project_iam_audit_config", "all", `{"project":"acme-live","service":"allServices","audit_log_config":[{"log_type":"DATA_READ","exempted_members":[]}]}`),
		resource("google_project_iam_policy", "all", `{"project":"acme-live","policy_data":"{\"bindings\":[],\"auditConfigs\":[{\"service\":\"allServices\",\"auditLogConfigs\":[{\"logType\":\"DATA_READ\"}]}]}"}`),
	} {
		auditLogs(t, state)
	}
}

func auditLogs(t *testing.T, state string) {
	t.Helper()
	for written, want := range map[string]Direction{
		`{"service":"allServices","auditLogConfigs":[{"logType":"DATA_READ"}]}`:                                        "",
		`{"service":"allServices","auditLogConfigs":[{"logType":"DATA_READ","exemptedMembers":["user:a@x.example"]}]}`: Loosened,
		`{"service":"allServices","auditLogConfigs":[{"logType":"DATA_WRITE"}]}`:                                       Loosened,
	} {
		r := Compare(desired(t, state), live(t, [3]string{"cloudresourcemanager.googleapis.com/Project", projectAt, `"iamPolicy":{"auditConfigs":[` + written + `]}`}), options)
		if (want == "") != (len(r.Findings) == 0) || want != "" && (r.Findings[0].Direction != want || r.Findings[0].Severity != critical) {
			t.Errorf("%s: %v", written, r.Findings)
		}
	}
}

// Nothing sensitive is told; that it is another is.
func TestSecretsAreDigests(t *testing.T) {
	t.Parallel()
	const attributes = `{"name":"f","project":"acme-live","location":"europe-west1","service_config":[{"environment_variables":{"TOKEN":"hunter2-hunter2"}}]}`
	state := strings.Replace(resource("google_cloudfunctions2_function", "f", attributes), `"attributes"`,
		`"sensitive_attributes":[[{"type":"get_attr","value":"service_config"},{"type":"index","value":0},{"type":"get_attr","value":"environment_variables"}]],"attributes"`, 1)
	r := Compare(desired(t, state), live(t, [3]string{"cloudfunctions.googleapis.com/Function", "//cloudfunctions.googleapis.com/projects/acme-live/locations/europe-west1/functions/f",
		data(`{"serviceConfig":{"environmentVariables":{"TOKEN":"hunter3-hunter3"}}}`)}), options)
	all, err := json.Marshal(r)
	if err != nil || strings.Contains(string(all), "hunter") {
		t.Fatalf("%s, %v", all, err)
	}
	at := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Secret })
	if at < 0 || r.Findings[at].Want == r.Findings[at].Got || !strings.HasPrefix(r.Findings[at].Want, "hmac:") {
		t.Errorf("%v", r.Findings)
	}
}

// Values of variables are told apart and not told, whether the state says that they are secret or not.
func TestVariablesAreDigests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kind, state, asset, at, live string }{
		"a function": {"google_cloudfunctions2_function", `{"name":"f","project":"acme-live","location":"europe-west1","service_config":[{"environment_variables":{"MODE":"a","TOKEN":"hunter2"}}]}`,
			"cloudfunctions.googleapis.com/Function", "//cloudfunctions.googleapis.com/projects/acme-live/locations/europe-west1/functions/f", `{"serviceConfig":{"environmentVariables":{"MODE":"a","TOKEN":"hunter3"}}}`},
		"a service": {"google_cloud_run_v2_service", `{"name":"s","project":"acme-live","location":"europe-west1","template":[{"containers":[{"env":[{"name":"TOKEN","value":"hunter2"},{"name":"MODE","value":"a"}]}]}]}`,
			"run.googleapis.com/Service", "//run.googleapis.com/projects/acme-live/locations/europe-west1/services/s", `{"template":{"containers":[{"env":[{"name":"TOKEN","value":"hunter3"},{"name":"MODE","value":"a"}]}]}}`},
	} {
		r := Compare(desired(t, resource(c.kind, "x", c.state)), live(t, [3]string{c.asset, c.at, data(c.live)}), options)
		all, err := json.Marshal(r)
		if err != nil || strings.Contains(string(all), "hunter") {
			t.Errorf("%s: %s, %v", name, all, err)
		}
		at := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Secret })
		if at < 0 || r.Findings[at].Want == r.Findings[at].Got || !strings.Contains(r.Findings[at].Got, "TOKEN") || !strings.Contains(r.Findings[at].Got, "hmac:") {
			t.Errorf("%s: %v", name, r.Findings)
			continue
		}
		same := func(s string) string {
			lines := strings.Split(s, "\n")
			return lines[slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "MODE") })]
		}
		if same(r.Findings[at].Want) != same(r.Findings[at].Got) {
			t.Errorf("%s: what is the same reads otherwise: %v", name, r.Findings)
		}
	}
}

func TestReadPlan(t *testing.T) {
	t.Parallel()
	d, err := Read(strings.NewReader(`{"format_version":"1.2","planned_values":{"root_module":{"resources":[{"address":"google_pubsub_topic.t","mode":"managed","type":"google_pubsub_topic","provider_name":"registry.terraform.io/hashicorp/google","values":{"name":"t","project":"acme-live"},"sensitive_values":{"labels":{"x":true}}}],
		"child_modules":[{"resources":[{"address":"module.m.google_pubsub_topic.u","mode":"managed","type":"google_pubsub_topic","values":{"name":"u","project":"acme-live"},"sensitive_values":{}},{"address":"data.x.y","mode":"data","type":"google_project"}]}]}}}`))
	if err != nil || len(d.Resources) != 2 || d.Resources[1].Address != "module.m.google_pubsub_topic.u" || !slices.Equal(d.Resources[0].Sensitive, []string{"labels.x"}) {
		t.Fatalf("%+v, %v", d, err)
	}
	if !d.Resources[0].secret("labels") {
		t.Error("a map with a secret in it is none")
	}
}

func TestReadMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``: "cut off", `{"version":4,"resources":[{"mo`: "cut off", `{"version":3,"modules":[]}`: "version 3", `{"a":1}`: "neither", `{"format_version":"1.2","errored":true}`: "not whole",
		`{"format_version":"1.2"}`: "holds no values", `{"version":4,"resources":"none"}`: "shape of version 4", `[1]`: "shape", `{"version":4} {}`: "cut off",
	} {
		if _, err := Read(strings.NewReader(text)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Every kind's own table can be used: each has an asset, a name, and no attribute that is both compared and not.
func TestKinds(t *testing.T) {
	t.Parallel()
	for name, k := range kinds {
		if !strings.HasPrefix(name, "google_") || !strings.Contains(k.asset, ".googleapis.com/") || k.name == "" {
			t.Errorf("%s: %s %s", name, k.asset, k.name)
		}
		seen := map[string]bool{}
		for _, f := range k.fields {
			if seen[f.want] || f.is == nil || f.severity == "" || slices.Contains(k.ignored, f.want) || slices.Contains(always, f.want) {
				t.Errorf("%s: %s is there twice, without a rule or weight, or is not to be compared", name, f.want)
			}
			seen[f.want] = true
			if f.fallback != "" {
				if s, err := f.is(f.fallback); err != nil || s != f.fallback {
					t.Errorf("%s: the default of %s is not as its rule writes it: %q, %v", name, f.want, s, err)
				}
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"version":4,"resources":[` + resource("google_storage_bucket", "files", bucketState) + `]}`)
	f.Add(`{"format_version":"1.2","planned_values":{"root_module":{}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Read(strings.NewReader(text))
		if err == nil {
			Compare(d, asset.NewInventory(), options)
		}
	})
}
