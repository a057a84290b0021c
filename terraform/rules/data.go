package rules

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/terraform/plan"
)

var dataRules = []Rule{
	{"database", "Every database is protected, can be brought back to any minute of a week and lies in daily and weekly backups; the ledger of who was erased in none.", "environments/", databases},
	{"bucket", "No bucket can be opened to everybody, and rights on it are granted in one way.", "", buckets},
	{"key", "Keys are changed every ninety days, and not destroyed by an apply.", "", keys},
	{"tiles", "The evidence log lies in a project of its own, is kept for as long as promised, and nothing of it goes by age.", "environments/", tiles},
	{"evidence-apart", "Who deploys functions gives nobody anything in the project of evidence.", "environments/", evidenceApart},
	{"evidence-written", "The evidence log is written by sealevidence alone, deleted by nobody, and everything else is denied to everybody.", "org", evidenceWritten},
	{"no-secret-value", "No value of a secret stands in the plan, and so none in the state.", "", secretValues},
	{"kept", "An apply destroys nothing that holds data, keys or evidence.", "", kept},
}

func databases(l *look) {
	schedules := map[string][]string{}
	for _, s := range l.Plan.Of("google_firestore_backup_schedule") {
		name := s.Text("database")
		switch {
		case len(s.List("daily_recurrence")) > 0:
			l.saved(s, "daily_days", 7)
			schedules[name] = append(schedules[name], "daily")
		case len(s.List("weekly_recurrence")) > 0:
			l.saved(s, "weekly_days", 98)
			schedules[name] = append(schedules[name], "weekly")
		}
	}
	for _, d := range l.of(database) {
		name := d.Text("name")
		if d.Text("delete_protection_state") != "DELETE_PROTECTION_ENABLED" {
			l.wrong(d, "is not protected from being deleted")
		}
		if d.Text("deletion_policy") == "" {
			l.wrong(d, "does not say what becomes of it when it leaves the configuration")
		}
		l.guarded(d)
		recovery, saved := "POINT_IN_TIME_RECOVERY_ENABLED", []string{"daily", "weekly"}
		if name == "ledger" {
			// Restored, an older copy would bring back whom it has forgotten.
			recovery, saved = "POINT_IN_TIME_RECOVERY_DISABLED", nil
		}
		if have := d.Text("point_in_time_recovery_enablement"); have != recovery {
			l.wrong(d, "has %q, and needs %s", have, recovery)
		}
		slices.Sort(schedules[name])
		if !slices.Equal(schedules[name], saved) {
			l.wrong(d, "is in backups %q, and has to be in %q", schedules[name], saved)
		}
	}
	for _, m := range l.Manifests {
		for _, p := range m.Permissions {
			kind, name, _ := strings.Cut(p.Resource, ":")
			if kind == "database" && !slices.ContainsFunc(l.Plan.Of(database), func(d *plan.Resource) bool { return d.Text("name") == name }) {
				l.missing(p.Resource, "%s uses it, and no database of this name is planned", m.Name)
			}
		}
	}
}

// saved holds backups to the days they are kept for: what the root is given, or what the variable has where it is left out.
func (l *look) saved(s *plan.Resource, variable string, days int) {
	if given := l.given().Number("backups", variable); given >= 0 {
		days = given
	}
	if seconds, err := strconv.Atoi(strings.TrimSuffix(s.Text("retention"), "s")); err != nil || seconds < day || seconds > 14*7*day || seconds != days*day {
		l.wrong(s, "keeps backups for %q: backups.%s says %d days, and Firestore takes 14 weeks, 8467200s, at most", s.Text("retention"), variable, days)
	}
}

// guarded holds a resource to what Terraform itself may not destroy. The plan does not tell: the configuration does.
func (l *look) guarded(r *plan.Resource) {
	block, _ := l.Plan.Block(r)
	if inner, _ := block.Inner("lifecycle"); inner.Attributes["prevent_destroy"] != "true" {
		l.wrong(r, "can be destroyed by an apply: write prevent_destroy in its lifecycle")
	}
}

func buckets(l *look) {
	for _, b := range l.of(bucket) {
		if b.Text("public_access_prevention") != "enforced" {
			l.wrong(b, "can be opened to everybody: public_access_prevention is %q", b.Text("public_access_prevention"))
		}
		if !b.True("uniform_bucket_level_access") {
			l.wrong(b, "can be opened object by object: uniform_bucket_level_access is not on")
		}
		if b.True("force_destroy") {
			l.wrong(b, "is emptied when it leaves the configuration")
		}
	}
	for _, r := range l.Plan.Resources {
		if strings.HasPrefix(r.Type, "google_storage_") && (strings.HasSuffix(r.Type, "_acl") || strings.HasSuffix(r.Type, "_access_control")) {
			l.wrong(r, "opens a bucket object by object: grant a role on the bucket")
		}
	}
}

// ninetyDays is how long a key that seals is used at most, in seconds.
const ninetyDays = 90 * 24 * 3600

func keys(l *look) {
	for _, k := range l.of(key) {
		l.guarded(k)
		switch purpose := k.Text("purpose"); purpose {
		case "ASYMMETRIC_SIGN":
			if l.environment() && k.Text("version_template", "algorithm") != "EC_SIGN_ED25519" {
				l.wrong(k, "signs with %q: checkpoints and receipts are verified as Ed25519", k.Text("version_template", "algorithm"))
			}
		case "", "ENCRYPT_DECRYPT":
			seconds, err := strconv.ParseFloat(strings.TrimSuffix(k.Text("rotation_period"), "s"), 64)
			if err != nil || seconds > ninetyDays {
				l.wrong(k, "is changed after %q: 7776000s, ninety days, at most", k.Text("rotation_period"))
			}
		default:
			l.wrong(k, "is there for %s, which nothing here does", purpose)
		}
	}
}

// bare are attributes that hold the value of a secret wherever they stand.
var bare = map[string]bool{
	"secret_data": true, "secret_data_wo": true, "password": true, "private_key": true, "private_key_data": true, "auth_token": true,
	"client_secret": true, "oauth2_client_secret": true, "access_token": true, "service_account_key": true, "shared_secret": true, "plaintext": true,
}

// looks is what values of secrets look like wherever they stand: private keys, and keys and tokens of Google, Amazon, GitHub, Slack
// and Stripe. Each is long enough not to turn up by chance in what is merely packed.
var looks = regexp.MustCompile(`PRIVATE KEY-----|\bAIza[0-9A-Za-z_-]{35}|\bGOCSPX-[0-9A-Za-z_-]{20}|\bya29\.[0-9A-Za-z_-]{20}|\bAKIA[0-9A-Z]{16}|\bgh[pousr]_[0-9A-Za-z]{36}|\bxox[abprs]-[0-9A-Za-z-]{10}|\b[rs]k_live_[0-9A-Za-z]{16}`)

func secretValues(l *look) {
	for _, r := range l.Plan.Resources {
		l.seen++
		if r.Type == "google_secret_manager_secret_version" || r.Type == "google_kms_secret_ciphertext" {
			l.wrong(r, "writes the value of a secret into the state: a person adds versions, with gcloud secrets versions add")
		}
		l.values(r.Address, "", r.Values)
	}
	for name, value := range l.Plan.Variables {
		l.values("var."+name, name, value)
	}
}

func (l *look) values(address, name string, value any) {
	switch v := value.(type) {
	case string:
		if bare[name] && v != "" || looks.MatchString(v) {
			l.missing(address, "%s holds the value of a secret: it would stand in the state for everybody who reads it", name)
		}
	case []any:
		for _, each := range v {
			l.values(address, name, each)
		}
	case map[string]any:
		for inner, each := range v {
			l.values(address, inner, each)
		}
	}
}

// holding are types whose loss an apply cannot mend.
var holding = []string{
	database, bucket, key, "google_kms_key_ring", secret, "google_project", "google_artifact_registry_repository", "google_iam_workload_identity_pool", "google_compute_global_address",
	"google_logging_project_bucket_config",
}

func kept(l *look) {
	l.seen += len(l.Plan.Resources)
	for _, r := range l.Plan.Deleted {
		letters := (r.Type == topic || r.Type == push) && strings.HasPrefix(r.Text("name"), "dead.") // what somebody still has to read
		if slices.Contains(holding, r.Type) || letters {
			l.wrong(r, "would be destroyed (%s): if that is meant, a person takes it out by hand, with what it holds", strings.Join(r.Actions, ", then "))
		}
	}
}
