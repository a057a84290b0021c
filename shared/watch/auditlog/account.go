package auditlog

import "strings"

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
// Source: Google's page of service agents (cloud.google.com/iam/docs/service-agents), 2026.
var agentProjects = map[string]bool{
	"bigquery-data-connectors": true, "bigquery-encryption": true, "bigquerydatatransfer": true,
	"cloud-cdn-fill": true, "cloud-filer": true, "cloud-memcache-sa": true, "cloud-redis": true, "cloud-tpu": true,
	"cloudcomposer-accounts": true, "cloud-iap": true, "compute-system": true, "container-analysis": true,
	"container-engine-robot": true, "containerregistry": true, "dataflow-service-producer-prod": true,
	"dataproc-accounts": true, "dlp-api": true, "endpoints-portal": true, "firebase-rules": true,
	"gcf-admin-robot": true, "gcp-gae-service": true, "gs-project-accounts": true, "monitoring-notification": true,
	"remotebuildexecution": true, "security-center-api": true, "serverless-robot-prod": true,
	"service-consumer-management": true, "service-networking": true, "sourcerepo-service-accounts": true,
	"storage-transfer-service": true, "trifacta-gcloud-prod": true,
}

// isAgent holds for accounts Google owns and runs. The default accounts of Compute Engine, App Engine and Cloud Build
// are none: they run what the company puts into them.
func isAgent(name, domain string) bool {
	switch domain {
	case "cloudservices.gserviceaccount.com", "system.gserviceaccount.com":
		return true
	}
	project, ok := strings.CutSuffix(domain, ".iam.gserviceaccount.com")
	if !ok || strings.Contains(project, ".") && !strings.HasSuffix(project, ".google.com") {
		return false
	}
	return agentProjects[project] || strings.HasPrefix(project, "gcp-sa-") ||
		strings.HasSuffix(project, ".google.com") && strings.HasPrefix(name, "service-")
}
