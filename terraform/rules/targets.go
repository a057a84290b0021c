package rules

import (
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

// Expressions are compared whole: a name that stands in one says nothing of what else the expression lets through.

// is and below are how an expression names one thing, and what lies in it or begins alike.
func is(name string) string    { return `resource.name == "` + name + `"` }
func below(name string) string { return `resource.name.startsWith("` + name + `")` }

// either tells whether an expression is made of exactly these, in any order, with || between them.
func either(expression string, terms ...string) bool {
	have, want := slices.Sorted(slices.Values(strings.Split(expression, " || "))), slices.Sorted(slices.Values(terms))
	return slices.Equal(have, want)
}

// target holds a grant to the one thing it is for.
func (l *look) target(right Right, m Manifest, r *plan.Resource) {
	kind, name, _ := strings.Cut(right.On, ":")
	condition := r.Text("condition", "expression")
	project := r.Type == "google_project_iam_member"
	own := l.given().Text("project", "id")
	ok := false
	switch kind {
	case "database":
		at := "projects/" + own + "/databases/" + name
		ok = project && r.Text("project") == own && either(condition, is(at), below(at+"/"))
	case "topic":
		on := l.the(topic, r, "topic")
		ok = r.Type == "google_pubsub_topic_iam_member" && on != nil && on.Text("name") == name
	case "key":
		on := l.the(key, r, "crypto_key_id")
		ok = r.Type == "google_kms_crypto_key_iam_member" && on != nil && on.Text("name") == name && on.Text("purpose") != "ASYMMETRIC_SIGN"
	case "signing-key":
		if name == "evidence" {
			name = "checkpoints"
		}
		on := strings.Split(r.Text("crypto_key_id"), "/")
		ok = r.Type == "google_kms_crypto_key_iam_member" && len(on) == 8 && on[1] == l.evidence() && on[5] == "ostiary" && on[7] == name
	case "secret":
		ok = r.Type == "google_secret_manager_secret_iam_member" && r.Text("secret_id") == name && r.Text("project") == own
	case "bucket", "place":
		ok = r.Type == "google_storage_bucket_iam_member" && l.stored(right, m, r)
	case "data":
		ok = l.product(name, m, r)
	case "door":
		ok = l.door(name, r)
	case "assets":
		ok = r.Type == "google_folder_iam_member" || r.Type == "google_organization_iam_member" || project && l.lookedAt(r.Text("project"))
	}
	if !ok {
		l.wrong(r, "gives what is listed on %s on something else, or on more than that", right.On)
	}
}

// stored tells whether a grant is on the bucket it is for, and on the part of it that is meant.
func (l *look) stored(right Right, m Manifest, r *plan.Resource) bool {
	kind, name, _ := strings.Cut(right.On, ":")
	on, condition := r.Text("bucket"), r.Text("condition", "expression")
	if right.On == states { // what administrators keep lies beside it
		return on != "" && on == l.given().Text("state", "bucket") && either(condition, is("projects/_/buckets/"+on), below("projects/_/buckets/"+on+"/objects/environment/"))
	}
	if end, found := strings.CutPrefix(name, "evidence-"); found { // how the platform calls buckets
		name = l.evidence() + "-" + end
	} else {
		name = l.given().Text("project", "id") + "-" + name
	}
	if kind == "bucket" {
		return on == name && condition == ""
	}
	var terms []string
	for _, place := range each(m) {
		terms = append(terms, below("projects/_/buckets/"+on+"/objects/"+place))
	}
	return on == name && either(condition, terms...)
}

// product tells whether a grant is on what the data map names.
func (l *look) product(name string, m Manifest, r *plan.Resource) bool {
	data, condition := l.given(), r.Text("condition", "expression")
	project := r.Type == "google_project_iam_member" && r.Text("project") != "" && r.Text("project") == data.Text("data", "project")
	switch name {
	case "project":
		return project
	case "gcs":
		return r.Type == "google_storage_bucket_iam_member" && slices.Contains(data.Texts("data", "buckets"), r.Text("bucket"))
	case "firestore": // lists of databases are split: conditions have so many operators at most
		var some []string
		for _, database := range data.Texts("data", "databases") {
			at := "projects/" + data.Text("data", "project") + "/databases/" + database
			if strings.Contains(condition, is(at)) {
				some = append(some, is(at), below(at+"/"))
			}
		}
		return project && either(condition, some...)
	case "secrets-grants":
		return project && slices.ContainsFunc(data.Texts("data", "grants"), func(beginning string) bool { return condition == below(beginning) })
	}
	kinds, found := []string{name}, false
	if len(l.customs(r)) > 1 { // the text leaves open which of the function's roles it gives
		for _, right := range m.rights(false) {
			kinds = append(kinds, strings.TrimPrefix(right.On, "data:"))
		}
	}
	for _, kind := range kinds {
		named, _ := data.At("data", "secrets", strings.TrimPrefix(kind, "secrets-")).(map[string]any)
		found = found || named[r.Text("secret_id")] != nil
	}
	return r.Type == "google_secret_manager_secret_iam_member" && found && r.Text("project") == data.Text("project", "id")
}

// door tells whether a grant is on the door that the root names.
func (l *look) door(name string, r *plan.Resource) bool {
	doors, condition := l.given(), r.Text("condition", "expression")
	if name == "accesslevels" {
		return r.Type == "google_access_context_manager_access_policy_iam_member" && r.Text("name") == "accessPolicies/"+doors.Text("doors", "access_levels", "policy")
	}
	project := doors.Text("doors", name, "project")
	if r.Type != "google_project_iam_member" || project == "" || r.Text("project") != project {
		return false
	}
	if name != "firewalls" { // of Cloud Armor policies IAM knows no names
		return condition == ""
	}
	called := doors.Text("doors", name, "name")
	if called == "" {
		called = "ostiary" // as the variable has it where it is left out
	}
	walls := "projects/" + project + "/global/firewalls/" + called
	return either(condition, `resource.type != "compute.googleapis.com/Firewall"`, below(walls+"-v4-"), below(walls+"-v6-"))
}

// lookedAt tells whether a project is one that a root says is looked at.
func (l *look) lookedAt(project string) bool {
	if l.environment() {
		return project == l.given().Text("project", "id")
	}
	return project != "" && (project == l.evidence() || slices.Contains(l.given().Texts("looked_at"), "projects/"+project))
}
