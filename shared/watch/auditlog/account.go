package auditlog

import (
	"regexp"
	"strings"
)

// Small writes an address in small letters, those of ASCII only: other letters, such as the sign of the kelvin, have
// small ones of ASCII too, and would make a stranger's domain one of ours.
func Small(address string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, address)
}

// emailKind tells what sort of account an address in small letters is.
func emailKind(email string) ActorKind {
	switch email {
	case "system:anonymous", "system:unauthenticated", "anonymous", "allusers", "allauthenticatedusers":
		return Anonymous
	case "system@google.com", "cloud-logs@google.com":
		return System
	}
	if strings.HasPrefix(email, "system:serviceaccount:") {
		return Service // of a cluster
	}
	if strings.HasPrefix(email, "system:") {
		return System
	}
	name, domain, ok := strings.Cut(email, "@")
	switch {
	case strings.HasPrefix(email, "principal://") || strings.Contains(email, ".svc.id.goog["):
		return Federated
	case !ok || name == "" || domain == "":
		return Unknown
	case isAgent(name, domain):
		return Agent
	case domain == "gserviceaccount.com" || strings.HasSuffix(domain, ".gserviceaccount.com"):
		return Service
	}
	return Human
}

// agentProjects are Google's projects that hold service agents, besides those of the form gcp-sa-*. Anybody may call
// an account service-1234567890 in a project of her own, so the name alone says nothing.
// Source: Google's pages of service agents (docs.cloud.google.com/iam/docs/service-agents) and of Firebase's accounts
// (firebase.google.com/support/guides/service-accounts), and the documentation of single services; checked 2026-11-22.
// Not complete: one that is missing counts as a company's account, from outside.
var agentProjects = map[string]bool{
	"bigquery-data-connectors": true, "bigquery-encryption": true, "cloud-cdn-fill": true, "cloud-filer": true,
	"cloud-memcache-sa": true, "cloud-redis": true, "cloud-tpu": true, "cloudcomposer-accounts": true,
	"compute-system": true, "container-analysis": true, "container-engine-robot": true, "containerregistry": true,
	"crashlytics-bigquery-prod": true, "dataflow-service-producer-prod": true, "dataproc-accounts": true, "dlp-api": true,
	"endpoints-portal": true, "fcm-bq-export-prod": true, "firebase-rules": true, "firebase-sa-management": true,
	"gcf-admin-robot": true, "gcp-gae-service": true, "gs-project-accounts": true, "performance-bq-export-prod": true,
	"predictions-bq-export-prod": true, "remotebuildexecution": true, "security-center-api": true,
	"serverless-robot-prod": true, "service-consumer-management": true, "service-networking": true,
	"sourcerepo-service-accounts": true, "storage-transfer-service": true, "trifacta-gcloud-prod": true,
}

// agentNames are accounts of these projects that hold no number of whom they work for.
var agentNames = map[string]bool{"connectors": true, "firebase-service-account": true}

// agentName is how Google names accounts in its projects gcp-sa-*: by the number of the project, folder or organization
// they work for (service-, service-folder-, service-org-; service-p, -f, -o of Access Approval), of one log sink (p, f,
// o or b for a billing account), of a database (p1-...), or of a connection of BigQuery.
// Source: as above, and the pages of Access Approval, Cloud Logging, Cloud SQL and BigQuery's connections.
var agentName = regexp.MustCompile(`^(service-(project-|folder-|org-|[pfo])?[0-9]+|[pfob][0-9]+-[a-z0-9-]+|bqcx-[0-9]+-[a-z0-9]+)$`)

// GoogleAgent reports whether an address in small letters is that of a service agent: an account Google owns and runs.
// The default accounts of Compute Engine, App Engine and Cloud Build are none: they run what the company puts into them.
func GoogleAgent(email string) bool {
	name, domain, ok := strings.Cut(email, "@")
	return ok && isAgent(name, domain)
}

func isAgent(name, domain string) bool {
	number := isNumber(name[strings.LastIndexByte(name, '-')+1:])
	switch domain {
	case "cloudservices.gserviceaccount.com":
		return number
	case "system.gserviceaccount.com":
		return true
	}
	project, ok := strings.CutSuffix(domain, ".iam.gserviceaccount.com")
	if !ok || strings.Contains(project, ".") && !strings.HasSuffix(project, ".google.com") {
		return false
	}
	return agentProjects[project] && (number || agentNames[name]) ||
		strings.HasPrefix(project, "gcp-sa-") && agentName.MatchString(name) ||
		strings.HasSuffix(project, ".google.com") && strings.HasPrefix(name, "service-")
}
