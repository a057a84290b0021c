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
// off logs, or use every key or secret. A custom role (projects/..., organizations/...) hides what it holds, and counts as
// privileged.
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
	return slices.Contains(privilegedRights[area], right) || strings.HasSuffix(strings.ToLower(right), "admin") && slices.Contains(sensitiveAreas, area)
}

// sensitiveAreas are those of which every administrator counts, after Google Cloud, IAM, "Roles and permissions".
var sensitiveAreas = []string{
	"accesscontextmanager", "billing", "binaryauthorization", "cloudkms", "cloudsql", "compute", "container", "datastore", "firebase",
	"iam", "iap", "logging", "orgpolicy", "resourcemanager", "run", "cloudfunctions", "secretmanager", "securitycenter", "storage",
	"bigquery", "pubsub", "privateca", "certificatemanager", "cloudbuild", "deploymentmanager", "serviceusage", "monitoring",
}

// privilegedRights are single roles, by area, that count although they are not called admin.
var privilegedRights = map[string][]string{
	"iam":             {"serviceAccountTokenCreator", "serviceAccountUser", "serviceAccountKeyAdmin", "workloadIdentityUser", "securityReviewer", "serviceAccountOpenIdTokenCreator"},
	"secretmanager":   {"secretAccessor"},
	"cloudkms":        {"cryptoKeyDecrypter", "cryptoKeyEncrypterDecrypter", "signer", "signerVerifier"},
	"compute":         {"osAdminLogin"},
	"resourcemanager": {"projectMover", "projectDeleter", "lienModifier"},
	"logging":         {"configWriter", "privateLogViewer"},
	"cloudbuild":      {"builds.editor", "builds.builder"},
	"orgpolicy":       {"policyAdmin"},
}
