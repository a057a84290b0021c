package baseline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

// public reports whether a member is everybody.
func public(member string) bool {
	return member == "allUsers" || member == "allAuthenticatedUsers" || strings.HasPrefix(member, "principalSet://goog/public:")
}

// company tells members of the company from others. Projects are known by id from the policy, by number from what was read.
type company struct {
	World
	names *asset.Names
}

// owns reports whether a project, by id or number, is the company's.
func (c company) owns(project string) bool {
	return project != "" && c.Projects[c.names.ID(project)] != ""
}

// human reports whether a member is a person, or a group or a pool of which nobody here knows who is in it. The workloads of a
// pool of the company's are none.
func (c company) human(member string) bool {
	kind, who, _ := strings.Cut(member, ":")
	switch kind {
	case "user", "group", "domain":
		return true
	case "principal", "principalSet":
		return !c.pool(who)
	case "projectOwner", "projectEditor", "projectViewer":
		return c.Projects[c.names.ID(who)] != policy.Live // who that is, is judged where its policy is
	}
	return false
}

// outside reports whether a member is of none of the company's domains and projects. Agents of Google's are not outside:
// they come with the services.
func (c company) outside(member string) bool {
	kind, who, of := strings.Cut(member, ":")
	local, domain, mail := strings.Cut(who, "@")
	switch {
	case public(member):
		return true
	case !of:
		return false
	case kind == "domain":
		return !slices.Contains(c.Domains, who)
	case kind == "principal" || kind == "principalSet":
		return !c.pool(who) && !c.subject(who)
	case kind == "serviceAccount" && mail:
		return machinery(member) && c.foreign(member) || !machinery(member) && !c.owns(home(local, domain))
	case strings.HasPrefix(kind, "project"):
		return !c.owns(who)
	case kind == "serviceAccount": // of Kubernetes: PROJECT.svc.id.goog[namespace/name]
		project, _, _ := strings.Cut(who, ".svc.id.goog[")
		return !c.owns(project)
	case mail:
		return !slices.Contains(c.Domains, domain)
	}
	return false
}

// pool reports whether a principal is of a pool of workloads in a project of the company's.
func (c company) pool(who string) bool {
	_, path, in := strings.Cut(who, "//iam.googleapis.com/projects/")
	project, path, _ := strings.Cut(path, "/")
	return in && strings.Contains(path, "/workloadIdentityPools/") && c.owns(project)
}

// subject reports whether a principal is somebody of the company's domains.
func (c company) subject(who string) bool {
	address, is := strings.CutPrefix(who, "//goog/subject/")
	_, domain, _ := strings.Cut(address, "@")
	return is && slices.Contains(c.Domains, domain)
}

// home is the project of a service account, by id or number; "" where its address does not say.
func home(local, domain string) string {
	if project, made := strings.CutSuffix(domain, ".iam.gserviceaccount.com"); made {
		return project
	}
	switch domain {
	case "appspot.gserviceaccount.com", "cloudbuild.gserviceaccount.com":
		return local
	case "developer.gserviceaccount.com":
		number, _ := strings.CutSuffix(local, "-compute")
		return number
	}
	return ""
}

// tester reports whether a member is an account of a project for tests, or all who have a role in one. Where an account tells
// the number of its project alone, all projects for tests have to have been read.
func (c company) tester(member string) (bool, error) {
	kind, who, _ := strings.Cut(member, ":")
	project := ""
	switch local, domain, mail := strings.Cut(who, "@"); {
	case strings.HasPrefix(kind, "project"):
		project = who
	case kind == "principal" || kind == "principalSet":
		_, project, _ = strings.Cut(who, "//iam.googleapis.com/projects/")
		project, _, _ = strings.Cut(project, "/")
	case kind == "serviceAccount" && mail && !machinery(member):
		project = home(local, domain)
	case kind == "serviceAccount" && !mail:
		project, _, _ = strings.Cut(who, ".svc.id.goog[")
	}
	id := c.names.ID(project)
	if id == "" || c.Projects[id] != "" || strings.Trim(id, "0123456789") != "" {
		return c.Projects[id] == policy.Staging, nil
	}
	if name := c.unnumbered(policy.Staging); name != "" {
		return false, fmt.Errorf("whether the project %s is %s was not read", id, name)
	}
	return false, nil
}

// unnumbered is a project of the company's whose number nobody read, of some kinds; "" where all are known.
func (c company) unnumbered(kinds ...policy.EnvironmentKind) string {
	var read []string
	for _, number := range c.names.Projects() {
		read = append(read, c.names.ID(number))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Projects)) {
		if slices.Contains(kinds, c.Projects[name]) && !slices.Contains(read, name) {
			return name
		}
	}
	return ""
}

// agents are the domains of accounts in which Google's services act, beside those that begin with gcp-sa-. Nobody else can make an
// account there. See https://cloud.google.com/iam/docs/service-agents.
var agents = []string{
	"cloudservices.gserviceaccount.com", "system.gserviceaccount.com", "bigquery-encryption.iam.gserviceaccount.com", "cloud-cdn-fill.iam.gserviceaccount.com", "cloud-filer.iam.gserviceaccount.com",
	"cloud-memcache-sa.iam.gserviceaccount.com", "cloud-ml.google.com.iam.gserviceaccount.com", "cloud-redis.iam.gserviceaccount.com", "cloud-tpu.iam.gserviceaccount.com", "cloudcomposer-accounts.iam.gserviceaccount.com",
	"compute-system.iam.gserviceaccount.com", "container-engine-robot.iam.gserviceaccount.com", "containerregistry.iam.gserviceaccount.com", "dataflow-service-producer-prod.iam.gserviceaccount.com",
	"dataproc-accounts.iam.gserviceaccount.com", "dlp-api.iam.gserviceaccount.com", "endpoints-portal.iam.gserviceaccount.com", "firebase-rules.iam.gserviceaccount.com", "gae-api-prod.google.com.iam.gserviceaccount.com",
	"gcf-admin-robot.iam.gserviceaccount.com", "gcp-gae-service.iam.gserviceaccount.com", "gs-project-accounts.iam.gserviceaccount.com", "security-center-api.iam.gserviceaccount.com",
	"serverless-robot-prod.iam.gserviceaccount.com", "service-networking.iam.gserviceaccount.com", "sourcerepo-service-accounts.iam.gserviceaccount.com", "storage-transfer-service.iam.gserviceaccount.com",
}

// machinery reports whether a member is an agent Google made with one of its services.
func machinery(member string) bool {
	kind, who, _ := strings.Cut(member, ":")
	_, domain, _ := strings.Cut(who, "@")
	return kind == "serviceAccount" && (strings.HasPrefix(domain, "gcp-sa-") && strings.HasSuffix(domain, ".iam.gserviceaccount.com") || slices.Contains(agents, domain))
}
