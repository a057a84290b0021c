package rules

// What the small plan and that of the tree call one grant on the evidence log, and the roles for it.
const (
	sealsLog  = `evidence["sealevidence bucket:evidence-log"]`
	sealsKey  = `evidence["sealevidence signing-key:evidence"]`
	registers = `evidence["registerip place:evidence-inbox"]`
	onBucket  = "google_storage_bucket_iam_member"
	onKey     = "google_kms_crypto_key_iam_member"
	denial    = "google_iam_deny_policy"
)

// apart is the project of evidence of the plan that is changed.
func (e *edit) apart() string {
	project, _ := e.shown.Variables["evidence_project"].Value.(map[string]any)
	id, _ := project["id"].(string)
	e.untouched = e.untouched || id == ""
	return id
}

// plantedEvidence breaks the rules on who gives and who may do what on evidence.
var plantedEvidence = []planting{
	{"evidence-apart", "an environment makes a role in the project of evidence", func(e *edit) { e.set(customOwn, "admit", e.apart(), "project") }},
	{"evidence-apart", "an environment lets a person read the evidence", func(e *edit) {
		e.add(bucket, "tiles", onBucket, values{"bucket": e.apart() + "-log", "role": "roles/storage.objectViewer", "member": "user:a@company.example"})
	}},
	{"evidence-apart", "an environment lets somebody sign", func(e *edit) {
		e.add(bucket, "tiles", onKey, values{"crypto_key_id": "projects/" + e.apart() + "/locations/l/keyRings/r/cryptoKeys/checkpoints", "role": "roles/cloudkms.signer", "member": "user:a@company.example"})
	}},
	{"evidence-apart", "an environment gives something in the whole project of evidence", func(e *edit) {
		e.add(bucket, "tiles", "google_project_iam_member", values{"project": e.apart(), "role": "roles/logging.logWriter", "member": "user:a@company.example"})
	}},
	{"evidence-apart", "nobody says which the project of evidence is", func(e *edit) { delete(e.shown.Variables, "evidence_project") }},

	{"evidence-written", "the sequencer may delete of the log", func(e *edit) {
		e.set(customOwn, sealsLog, []any{"storage.objects.create", "storage.objects.delete", "storage.objects.get"}, "permissions")
	}},
	{"evidence-written", "nobody may write the log", func(e *edit) {
		e.set(customOwn, sealsLog, []any{"storage.objects.get", "storage.objects.list"}, "permissions")
	}},
	{"evidence-written", "a person may write the log", func(e *edit) {
		e.set(onBucket, sealsLog, "user:a@company.example", "member")
	}},
	{"evidence-written", "a role of Google's is given on evidence", func(e *edit) {
		e.set(onBucket, sealsLog, "roles/storage.objectAdmin", "role")
	}},
	{"evidence-written", "somebody may write everything in the project of evidence", func(e *edit) {
		e.add(customOwn, "evidence", "google_project_iam_member", values{"project": e.apart(), "role": "roles/storage.admin", "member": "user:a@company.example"})
	}},
	{"evidence-written", "a role of ours writes everything in the project of evidence", func(e *edit) {
		e.add(customOwn, "evidence", customOwn, values{"project": e.apart(), "role_id": "ostiary.planted", "permissions": []any{"storage.objects.create"}})
		e.add(customOwn, "evidence", "google_project_iam_member", values{"project": e.apart(), "role": "projects/" + e.apart() + "/roles/ostiary.planted", "member": "user:a@company.example"})
	}},
	{"evidence-written", "whoever is given a right on evidence has it", func(e *edit) { e.drop(denial, "evidence") }},
	{"evidence-written", "another project is the one that is closed", func(e *edit) {
		e.set(denial, "evidence", "cloudresourcemanager.googleapis.com%2Fprojects%2Felsewhere", "parent")
	}},
	{"evidence-written", "one who is no function may add", func(e *edit) {
		e.set(denial, "evidence", []any{"principal://goog/subject/a@company.example"}, "rules", "deny_rule", "exception_principals")
	}},
	{"evidence-written", "adding is denied to a group alone", func(e *edit) {
		e.set(denial, "evidence", []any{"principalSet://goog/group/a@company.example"}, "rules", "deny_rule", "denied_principals")
	}},

	{"organization-grants", "a function may add evidence in the name of any other", func(e *edit) { e.set(onBucket, registers, nil, "condition") }},
	{"organization-grants", "a function may add evidence in the name of one it does not sweep for", func(e *edit) {
		e.set(onBucket, registers, `resource.name.startsWith("projects/_/buckets/b/objects/admit/")`, "condition", "expression")
	}},
	{"organization-grants", "a function adds to another bucket", func(e *edit) { e.set(onBucket, registers, e.apart()+"-log", "bucket") }},
	{"organization-grants", "a function signs with another key", func(e *edit) {
		e.set(onKey, sealsKey, "projects/"+e.apart()+"/locations/l/keyRings/ostiary/cryptoKeys/receipts", "crypto_key_id")
	}},
	{"organization-grants", "what the manifest lists on evidence is not granted", func(e *edit) { e.drop(onBucket, registers) }},
	{"organization-grants", "a function may change every firewall rule", func(e *edit) {
		e.set("google_project_iam_member", `syncallowlist firewalls`, nil, "condition")
		if e.untouched { // the small plan calls it otherwise
			e.untouched = false
			e.set("google_project_iam_member", `syncallowlist door:firewalls`, nil, "condition")
		}
	}},

	{"pipeline", "who deploys sets something up in the project of evidence", func(e *edit) {
		e.add("google_project_iam_member", "predefined", "google_project", values{"project_id": "planted-evidence", "labels": values{"purpose": "evidence"}})
		e.set("google_project_iam_member", "predefined", "planted-evidence", "project")
	}},
}
