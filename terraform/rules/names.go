package rules

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"ostiary.internal/terraform/plan"
)

var nameRules = []Rule{
	{"names", "Every name and text has the form and the length that Google's services take: they say so first halfway through an apply.", "", names},
	{"condition", "Every condition of a grant is short enough for IAM, and no grant is repeated under more conditions than it takes.", "", limits},
}

// form is what one attribute may be: what it is made of, or how many characters it has at most.
type form struct {
	attribute string // dots lead into blocks
	of        *regexp.Regexp
	most      int
	what      string
}

var (
	label1035  = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)
	accountID  = regexp.MustCompile(`^[a-z][-a-z0-9]{4,28}[a-z0-9]$`)
	logName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)
	poolID     = regexp.MustCompile(`^[a-z0-9-]{4,32}$`)
	keyID      = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,63}$`)
	eventID    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.~+%-]{2,254}$`)
	tagName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$`)
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$`) // dots would make it a domain that has to be proven
)

// named1035 is the name of whatever Compute Engine and its neighbours keep (RFC 1035, section 2.3.1).
var named1035 = form{"name", label1035, 0, "1 to 63 small letters, digits and hyphens, a letter first and no hyphen last"}

// event is what topics and subscriptions are called (Pub/Sub documentation, "Guidelines to name a topic, subscription, schema").
var event = form{"name", eventID, 0, "3 to 255 letters, digits and -_.~+%, a letter first"}

// titled is how long texts about accounts and roles may be (IAM API, ServiceAccount and Role).
var titled = []form{{"display_name", nil, 100, ""}, {"title", nil, 100, ""}, {"description", nil, 256, ""}}

// forms are those of types. Where a service's documentation gives none, that of its neighbours is held to.
var forms = map[string][]form{
	account:   append([]form{{"account_id", accountID, 0, "6 to 30 small letters, digits and hyphens, a letter first and no hyphen last"}}, titled...),
	customOwn: titled, customOrg: titled, // of ids, custom-role speaks
	bucket: {{"name", bucketName, 0, "3 to 63 small letters, digits, hyphens and underscores, a letter or a digit first and last"}},
	topic:  {event}, push: {event},
	job:      {{"name", regexp.MustCompile(`^[A-Za-z0-9_-]{1,500}$`), 0, "1 to 500 letters, digits, hyphens and underscores"}, {"description", nil, 500, ""}},
	secret:   {{"secret_id", regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`), 0, "1 to 255 letters, digits, hyphens and underscores"}},
	function: {{"name", regexp.MustCompile(`^[a-z]([-a-z0-9]{0,47}[a-z0-9])?$`), 0, "1 to 49 small letters, digits and hyphens: Cloud Run takes no more"}},
	database: {{"name", regexp.MustCompile(`^[a-z][a-z0-9-]{2,61}[a-z0-9]$`), 0, "4 to 63 small letters, digits and hyphens, a letter first and no hyphen last"}},
	key:      {{"name", keyID, 0, "1 to 63 letters, digits, hyphens and underscores"}},
	alert:    {{"display_name", nil, 512, ""}, {"documentation.content", nil, 8192, ""}},

	"google_kms_key_ring":                        {{"name", keyID, 0, "1 to 63 letters, digits, hyphens and underscores"}},
	"google_cloud_asset_organization_feed":       {{"feed_id", regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]{0,99}$`), 0, "letters, digits, hyphens and underscores, a letter first, 100 at most"}},
	"google_cloud_asset_folder_feed":             {{"feed_id", regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]{0,99}$`), 0, "letters, digits, hyphens and underscores, a letter first, 100 at most"}},
	"google_cloud_asset_project_feed":            {{"feed_id", regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]{0,99}$`), 0, "letters, digits, hyphens and underscores, a letter first, 100 at most"}},
	"google_logging_metric":                      {{"name", regexp.MustCompile(`^[A-Za-z0-9_.,+!*',()%/-]{1,100}$`), 0, "1 to 100 letters, digits and a few signs"}},
	"google_logging_project_sink":                {{"name", logName, 0, "1 to 100 letters, digits, dots, hyphens and underscores, a letter or a digit first"}},
	"google_logging_folder_sink":                 {{"name", logName, 0, "1 to 100 letters, digits, dots, hyphens and underscores, a letter or a digit first"}},
	"google_logging_organization_sink":           {{"name", logName, 0, "1 to 100 letters, digits, dots, hyphens and underscores, a letter or a digit first"}},
	"google_logging_project_exclusion":           {{"name", logName, 0, "1 to 100 letters, digits, dots, hyphens and underscores, a letter or a digit first"}},
	"google_logging_project_bucket_config":       {{"bucket_id", logName, 0, "1 to 100 letters, digits, dots, hyphens and underscores, a letter or a digit first"}},
	"google_artifact_registry_repository":        {{"repository_id", label1035, 0, "1 to 63 small letters, digits and hyphens, a letter first"}},
	"google_access_context_manager_access_level": {{"name", regexp.MustCompile(`^accessPolicies/[0-9]+/accessLevels/[a-zA-Z][a-zA-Z0-9_]{0,49}$`), 0, "accessPolicies/N/accessLevels/ and at most 50 letters, digits and underscores"}},
	"google_billing_budget":                      {{"display_name", nil, 60, ""}},
	"google_project":                             {{"project_id", accountID, 0, "6 to 30 small letters, digits and hyphens, a letter first and no hyphen last"}, {"name", regexp.MustCompile(`^[A-Za-z0-9 '"!-]{4,30}$`), 0, "4 to 30 letters, digits, spaces, hyphens, quotes and exclamation marks"}},
	"google_folder":                              {{"display_name", regexp.MustCompile(`^[\pL0-9][\pL0-9 _-]{1,28}[\pL0-9]$`), 0, "3 to 30 letters, digits, spaces, hyphens and underscores"}},
	"google_iam_workload_identity_pool":          {{"workload_identity_pool_id", poolID, 0, "4 to 32 small letters, digits and hyphens"}, {"display_name", nil, 32, ""}, {"description", nil, 256, ""}},
	"google_iam_workload_identity_pool_provider": {{"workload_identity_pool_provider_id", poolID, 0, "4 to 32 small letters, digits and hyphens"}, {"display_name", nil, 32, ""}, {"description", nil, 256, ""}, {"attribute_condition", nil, 4096, ""}},
	"google_iam_deny_policy":                     {{"name", regexp.MustCompile(`^[a-z][a-z0-9.-]{1,61}[a-z0-9]$`), 0, "3 to 63 small letters, digits, dots and hyphens, a letter first"}, {"display_name", nil, 63, ""}},
	"google_tags_tag_key":                        {{"short_name", tagName, 0, "1 to 63 letters, digits, dots, hyphens and underscores"}, {"description", nil, 256, ""}},
	"google_tags_tag_value":                      {{"short_name", tagName, 0, "1 to 63 letters, digits, dots, hyphens and underscores"}, {"description", nil, 256, ""}},
	"google_compute_security_policy_rule":        {{"description", nil, 64, ""}},
}

// formsOf are those of a type: names in Compute Engine and in Certificate Manager are all alike.
func formsOf(kind string) []form {
	if known := forms[kind]; known != nil {
		return known
	}
	if strings.HasPrefix(kind, "google_compute_") || strings.HasPrefix(kind, "google_certificate_manager_") {
		return []form{named1035}
	}
	return nil
}

func names(l *look) {
	for _, r := range l.Plan.Resources {
		for _, f := range formsOf(r.Type) {
			text := r.Text(strings.Split(f.attribute, ".")...)
			if text == "" {
				continue
			}
			l.seen++
			switch n := utf8.RuneCountInString(text); {
			case f.of != nil && !f.of.MatchString(text):
				l.wrong(r, "%s is %q: write %s", f.attribute, text, f.what)
			case f.most > 0 && n > f.most:
				l.wrong(r, "%s has %d characters, and may have %d", f.attribute, n, f.most)
			}
		}
		if taken(r) {
			l.wrong(r, "has a name that Google keeps for itself: no name begins with goog, and none of a bucket holds google")
		}
	}
}

// taken tells whether a name is one of those that Pub/Sub and Cloud Storage refuse to others than Google.
func taken(r *plan.Resource) bool {
	name := r.Text("name")
	return (r.Type == bucket || r.Type == topic || r.Type == push) && strings.HasPrefix(name, "goog") || r.Type == bucket && strings.Contains(name, "google")
}

// What IAM takes (IAM documentation, "Quotas and limits"): operators in one condition, and conditions for one member and one role on
// one thing.
const (
	mostOperators  = 12
	mostConditions = 20
)

// operator are the logical ones of a condition.
var operator = regexp.MustCompile(`&&|\|\||!(?:[^=]|$)`)

func limits(l *look) {
	repeated := map[string]int{}
	for _, r := range l.Plan.Resources {
		expression := r.Text("condition", "expression")
		if expression == "" || !strings.Contains(r.Type, "_iam_") {
			continue
		}
		l.seen++
		if n := len(operator.FindAllString(quoted.ReplaceAllString(expression, `""`), -1)); n > mostOperators {
			l.wrong(r, "its condition has %d logical operators, and IAM takes %d: share what it lists out among several", n, mostOperators)
		}
		if title := r.Text("condition", "title"); title == "" || utf8.RuneCountInString(title) > 100 {
			l.wrong(r, "its condition has a title of %d characters: write 1 to 100", utf8.RuneCountInString(title))
		}
		repeated[l.alike(r)]++
		if repeated[l.alike(r)] == mostConditions+1 {
			l.wrong(r, "is the same grant under a condition more than the %d that IAM takes: join some in one condition", mostConditions)
		}
	}
}

// quoted is a text in a condition: what stands in it is no operator.
var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// alike is the same for grants of one role to one member on one thing. What is only known after the apply is told by where it comes
// from.
func (l *look) alike(r *plan.Resource) string {
	text := r.Type
	for _, attribute := range []string{"project", "bucket", "folder", "org_id", "crypto_key_id", "topic", "secret_id", "name", "role", "member"} {
		text += "\n" + r.Text(attribute)
		if r.Text(attribute) == "" && r.Later(attribute) {
			for _, o := range l.Plan.Origins(r, attribute) {
				text += " " + o.Address
			}
		}
	}
	return text
}
