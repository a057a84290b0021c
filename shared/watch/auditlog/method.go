package auditlog

import "strings"

// Verb returns the last segment of a method name in small letters, whatever the service writes before it:
// "v1.compute.firewalls.insert" gives "insert", "google.iam.v1.IAMPolicy.SetIamPolicy" and plain "SetIamPolicy" both
// "setiampolicy".
func Verb(method string) string {
	return strings.ToLower(method[strings.LastIndexAny(method, "./")+1:])
}

// isVersion holds for alpha, beta, and v with a number, with or without a stage behind it.
func isVersion(s string) bool {
	if s == "alpha" || s == "beta" {
		return true
	}
	rest, ok := strings.CutPrefix(s, "v")
	if !ok || rest == "" || !isDigit(rest[0]) {
		return false
	}
	rest = strings.TrimLeft(rest, "0123456789")
	for _, stage := range []string{"alpha", "beta", "p", "eap"} {
		if after, ok := strings.CutPrefix(rest, stage); ok {
			rest = after
			break
		}
	}
	return strings.TrimLeft(rest, "0123456789") == ""
}

// owners name the service by how its methods begin, for entries that were exported without one.
var owners = []struct{ prefix, service string }{
	{"compute.", "compute.googleapis.com"}, {"storage.", "storage.googleapis.com"},
	{"cloudsql.", "cloudsql.googleapis.com"}, {"dns.", "dns.googleapis.com"},
	{"google.iam.admin.", "iam.googleapis.com"}, {"google.cloud.secretmanager.", "secretmanager.googleapis.com"},
	{"google.cloud.resourcemanager.", "cloudresourcemanager.googleapis.com"}, {"google.logging.", "logging.googleapis.com"},
	{"google.pubsub.", "pubsub.googleapis.com"}, {"google.cloud.bigquery.", "bigquery.googleapis.com"},
	{"bigquery.", "bigquery.googleapis.com"},
	{"google.cloud.run.", "run.googleapis.com"}, {"google.cloud.functions.", "cloudfunctions.googleapis.com"},
	{"google.container.", "container.googleapis.com"}, {"google.login.", "login.googleapis.com"},
	{"google.admin.", "admin.googleapis.com"}, {"google.iam.credentials.", "iamcredentials.googleapis.com"},
	{"io.k8s.", "k8s.io"},
}

// methodOf names what was called by the type of the request ("type.googleapis.com/compute.disks.setIamPolicy",
// "...v1.SetIamPolicyRequest"), or else by the first permission that was asked for.
func methodOf(e *Entry) string {
	kind := descend(e.Request, "@type")
	if _, name, ok := strings.Cut(kind, "type.googleapis.com/"); ok && strings.Contains(name, ".") {
		return strings.TrimSuffix(name, "Request")
	}
	if len(e.Permissions) > 0 {
		return e.Permissions[0].Name
	}
	return ""
}

func serviceOf(method string) string {
	name := strings.ToLower(method)
	if head, rest, ok := strings.Cut(name, "."); ok && isVersion(head) {
		name = rest
	}
	for _, o := range owners {
		if strings.HasPrefix(name, o.prefix) {
			return o.service
		}
	}
	return ""
}
