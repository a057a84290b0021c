// Package rules holds plans of Terraform against what the house promises: a rule a sentence. It reads the plan and the
// configuration beside it, and asks nobody else: what it accepts was not applied yet. Rules go by types of resources and by
// where values come from, not by what blocks are called.
package rules

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

// Problem is one thing in a plan that breaks a rule.
type Problem struct{ Rule, Address, Text string }

func (p Problem) String() string { return fmt.Sprintf("%s: %s: %s", p.Rule, p.Address, p.Text) }

// Input is what rules look at.
type Input struct {
	Folder    string // environments/staging, org or bootstrap
	Plan      *plan.Plan
	Manifests []Manifest // of all functions
}

// environment tells whether an installation is planned, and not what stands around it.
func (in Input) environment() bool { return strings.HasPrefix(in.Folder, "environments/") }

// deploys tells whether functions are planned: the first apply of an environment comes before there is any archive.
func (in Input) deploys() bool { return len(in.Plan.Of(function)) > 0 }

// Rule is one promise, and how a plan is held to it.
type Rule struct {
	Name    string
	Promise string
	folders string // what the names of the folders it holds for begin with; all where it is empty
	look    func(*look)
}

// look is one rule looking at one plan.
type look struct {
	Input
	rule     string
	seen     int
	problems []Problem
}

// wrong notes what is out of order.
func (l *look) wrong(r *plan.Resource, format string, args ...any) {
	l.missing(r.Address, format, args...)
}

// missing notes what should be there and is not.
func (l *look) missing(address, format string, args ...any) {
	l.problems = append(l.problems, Problem{l.rule, address, fmt.Sprintf(format, args...)})
}

// of are the resources of some types; each counts as looked at.
func (l *look) of(types ...string) []*plan.Resource {
	all := l.Plan.Of(types...)
	l.seen += len(all)
	return all
}

// Verdict is what became of one rule: how many things it looked at, and what is out of order.
type Verdict struct {
	Rule     Rule
	Seen     int
	Problems []Problem
}

// Check holds a plan against every rule that holds for its folder.
func Check(in Input) []Verdict {
	var all []Verdict
	for _, rule := range All() {
		if strings.HasPrefix(in.Folder, rule.folders) {
			all = append(all, rule.Check(in))
		}
	}
	return all
}

// Check holds a plan against one rule.
func (r Rule) Check(in Input) Verdict {
	l := &look{Input: in, rule: r.Name}
	r.look(l)
	slices.SortFunc(l.problems, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
	return Verdict{r, l.seen, slices.Compact(l.problems)}
}

// All are the rules, those about who may do what first.
func All() []Rule {
	return slices.Concat(accountRules, grantRules, aroundRules, functionRules, deliveryRules, placeRules, dataRules, edgeRules, alertRules, forgeRules, applyRules, typeRules, nameRules)
}

// The types of resources that several rules read.
const (
	function  = "google_cloudfunctions2_function"
	account   = "google_service_account"
	topic     = "google_pubsub_topic"
	push      = "google_pubsub_subscription"
	job       = "google_cloud_scheduler_job"
	bucket    = "google_storage_bucket"
	database  = "google_firestore_database"
	key       = "google_kms_crypto_key"
	backend   = "google_compute_backend_service"
	alert     = "google_monitoring_alert_policy"
	secret    = "google_secret_manager_secret"
	invokes   = "google_cloud_run_service_iam_member"
	customOwn = "google_project_iam_custom_role"
	customOrg = "google_organization_iam_custom_role"
)

// members are all grants to one member.
func (in Input) members() []*plan.Resource {
	var all []*plan.Resource
	for _, r := range in.Plan.Resources {
		if strings.HasSuffix(r.Type, "_iam_member") {
			all = append(all, r)
		}
	}
	return all
}

// the is the one instance of a type that an attribute comes from; nil where it is none or several. Where the text leaves open
// which of several, what is known of the attribute tells.
func (in Input) the(kind string, r *plan.Resource, attribute ...string) *plan.Resource {
	var found []*plan.Resource
	for _, o := range in.Plan.Origins(r, attribute...) {
		if o.Type == kind {
			found = append(found, o)
		}
	}
	if value := r.Text(attribute...); len(found) > 1 && value != "" {
		found = slices.DeleteFunc(found, func(o *plan.Resource) bool {
			name := o.Text("name")
			return name == "" || value != name && !strings.HasSuffix(value, "/"+name)
		})
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// from tells whether an attribute comes from this instance and from no other of its type.
func (in Input) from(want, r *plan.Resource, attribute ...string) bool {
	return want != nil && in.the(want.Type, r, attribute...) == want
}

// accountForm is the address of an account as a member.
var accountForm = regexp.MustCompile(`^serviceAccount:([a-z0-9-]+)@([a-z0-9-]+)\.iam\.gserviceaccount\.com$`)

// who is the account of this plan that a grant is for: the one its member comes from, or whose address is written out; nil where it
// is nobody's of this plan.
func (in Input) who(r *plan.Resource) *plan.Resource {
	if found := in.the(account, r, "member"); found != nil {
		return found
	}
	written := accountForm.FindStringSubmatch(r.Text("member"))
	for _, a := range in.Plan.Of(account) {
		if written != nil && a.Text("account_id") == written[1] && a.Text("project") == written[2] {
			return a
		}
	}
	return nil
}

// number is the number of the functions' project, as an environment is given it.
func (in Input) number() string {
	return in.given().Text("project", "number")
}

// manifest is the manifest of a function.
func (in Input) manifest(name string) (Manifest, bool) {
	i := slices.IndexFunc(in.Manifests, func(m Manifest) bool { return m.Name == name })
	if i < 0 {
		return Manifest{}, false
	}
	return in.Manifests[i], true
}

// deployed is the function of a name; nil where it is not in the plan.
func (in Input) deployed(name string) *plan.Resource {
	for _, f := range in.Plan.Of(function) {
		if f.Text("name") == name {
			return f
		}
	}
	return nil
}

// Load reads a plan and what it is held against: tree is the top of the repository, folder the planned one below terraform.
func Load(tree fs.FS, folder string, text []byte) (Input, error) {
	manifests, err := Manifests(tree)
	if err != nil {
		return Input{}, err
	}
	p, err := plan.Read(text, tree, "terraform/"+folder)
	if err != nil {
		return Input{}, err
	}
	return Input{folder, p, manifests}, nil
}
