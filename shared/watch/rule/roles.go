package rule

import (
	"slices"
	"strings"
)

// Primitive reports whether a role is one of the three that are older than IAM and hold thousands of permissions.
func Primitive(role string) bool {
	return role == "roles/owner" || role == "roles/editor" || role == "roles/viewer"
}

// Privileged reports whether a predefined role lets its holder change who may do what, act as another account, switch
// off logs, or use every key or secret. The roles of service agents count too where a person holds them. A custom role
// (projects/..., organizations/...) hides what it holds, and counts as privileged.
func Privileged(role string) bool {
	name, predefined := strings.CutPrefix(role, "roles/")
	if !predefined {
		return role != ""
	}
	if name == "owner" || name == "editor" {
		return true
	}
	area, right, dotted := strings.Cut(name, ".")
	if !dotted {
		return false
	}
	return slices.Contains(privilegedRights[area], right) || strings.HasSuffix(strings.ToLower(right), "serviceagent") ||
		strings.HasSuffix(strings.ToLower(right), "admin") && slices.Contains(sensitiveAreas, area)
}

// sensitiveAreas are those of which every administrator counts, after Google Cloud, IAM, "Roles and permissions"; 2026-11-22.
var sensitiveAreas = []string{
	"accessapproval", "accesscontextmanager", "alloydb", "appengine", "artifactregistry", "bigquery", "bigtable", "billing", "binaryauthorization",
	"certificatemanager", "cloudbuild", "cloudfunctions", "cloudkms", "cloudscheduler", "cloudsql", "compute", "container", "dataflow", "dataproc",
	"datastore", "deploymentmanager", "dns", "eventarc", "firebase", "iam", "iap", "logging", "monitoring", "orgpolicy", "privateca",
	"privilegedaccessmanager", "pubsub", "resourcemanager", "run", "secretmanager", "securitycenter", "servicemanagement", "serviceusage", "spanner", "storage", "workflows",
}

// privilegedRights are single roles, by area, that count although they are not called admin.
var privilegedRights = map[string][]string{
	"iam":               {"serviceAccountTokenCreator", "serviceAccountUser", "workloadIdentityUser", "serviceAccountOpenIdTokenCreator", "serviceAccountCreator"},
	"secretmanager":     {"secretAccessor", "secretVersionManager"},
	"cloudkms":          {"cryptoKeyDecrypter", "cryptoKeyEncrypterDecrypter", "cryptoKeyDecrypterViaDelegation", "cryptoKeyEncrypterDecrypterViaDelegation", "cryptoOperator", "signer", "signerVerifier"},
	"compute":           {"osAdminLogin"},
	"resourcemanager":   {"projectMover", "projectDeleter", "lienModifier"},
	"logging":           {"configWriter", "privateLogViewer"},
	"cloudbuild":        {"builds.editor", "builds.builder"},
	"deploymentmanager": {"editor"},
	"cloudfunctions":    {"developer"},
	"run":               {"developer"},
	"dataflow":          {"developer"},
	"dataproc":          {"editor"},
	"container":         {"developer"},
}
