package cloudasset

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
)

// service is how one type of asset is read from whoever holds it.
type service struct {
	host   string // of its keys
	base   string // API and version
	under  string // between those and the name
	names  []string
	query  string
	policy form
	needs  []string                // permissions: for itself, and for its policy
	gone   func(asset.Object) bool // what is answered although it is not there
}

// form is how a service is asked who may use something.
type form string

const (
	none  form = ""
	get   form = "GET NAME:getIamPolicy"
	post  form = "POST NAME:getIamPolicy"
	below form = "GET NAME/getIamPolicy"
	iam   form = "GET NAME/iam"
)

// name takes the host off a key whose name is of a form the type has, segment by segment: nothing else becomes an address.
func (s service) name(key string) (string, bool) {
	name, ours := strings.CutPrefix(key, "//"+s.host+"/")
	if !ours || name == "" {
		return "", false
	}
	have := strings.Split(name, "/")
	return name, slices.ContainsFunc(s.names, func(form string) bool {
		want := strings.Split(form, "/")
		return len(want) == len(have) && fits(want, have)
	})
}

func fits(want, have []string) bool {
	for i := range want {
		if want[i] == "*" && (have[i] == "" || have[i] == "." || have[i] == ".." || strings.ContainsAny(have[i], "\\?#\r\n\x00")) || want[i] != "*" && want[i] != have[i] {
			return false
		}
	}
	return true
}

// plain is a service whose names are addresses below an API and a version.
func plain(host, version string, policy form, needs []string, names ...string) service {
	return service{host: host, base: "https://" + host + "/" + version + "/", names: names, policy: policy, needs: needs}
}

// compute are types of Compute Engine, by what their collection is called.
func compute(collection string, policy form, needs []string, places ...string) service {
	s := service{host: "compute.googleapis.com", base: "https://compute.googleapis.com/compute/v1/", policy: policy, needs: needs}
	for _, place := range places {
		s.names = append(s.names, "projects/*/"+place+"/"+collection+"/*")
	}
	return s
}

const (
	global    = "global"
	regional  = "regions/*"
	zonal     = "zones/*"
	somewhere = "projects/*/locations/*/"
)

// anywhere are names of what projects, folders and organizations have alike.
func anywhere(tail string) []string {
	return []string{"projects/*/" + tail, "folders/*/" + tail, "organizations/*/" + tail}
}

// services lists what is asked of whom. Every type that an assertion or a comparison looks at is
// there, but transfer jobs: they are asked for with a project that their name does not tell.
var services = joined(storage, networks, platform, people)

func joined(all ...map[string]service) map[string]service {
	out := map[string]service{}
	for _, one := range all {
		maps.Copy(out, one)
	}
	return out
}

// Types returns the types that are read one by one, sorted.
func Types() []string { return slices.Sorted(maps.Keys(services)) }

// reading is every permission single reads need.
func reading() []string {
	var all []string
	for _, s := range services {
		all = append(all, s.needs...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// storage are types that keep data.
var storage = map[string]service{
	"storage.googleapis.com/Bucket": {host: "storage.googleapis.com", base: "https://storage.googleapis.com/storage/v1/", under: "b/", names: []string{"*"}, query: "projection=noAcl", policy: iam,
		needs: []string{"storage.buckets.get", "storage.buckets.getIamPolicy"}},
	"sqladmin.googleapis.com/Instance": {host: "cloudsql.googleapis.com", base: "https://sqladmin.googleapis.com/v1/", names: []string{"projects/*/instances/*"}, needs: []string{"cloudsql.instances.get"}},
	// Its policy has no address of its own: the list tells it.
	"bigquery.googleapis.com/Dataset":            {host: "bigquery.googleapis.com", base: "https://bigquery.googleapis.com/bigquery/v2/", names: []string{"projects/*/datasets/*"}, needs: []string{"bigquery.datasets.get"}},
	"firestore.googleapis.com/Database":          plain("firestore.googleapis.com", "v1", none, []string{"datastore.databases.getMetadata"}, "projects/*/databases/*"),
	"secretmanager.googleapis.com/Secret":        plain("secretmanager.googleapis.com", "v1", get, []string{"secretmanager.secrets.get", "secretmanager.secrets.getIamPolicy"}, "projects/*/secrets/*", somewhere+"secrets/*"),
	"cloudkms.googleapis.com/KeyRing":            plain("cloudkms.googleapis.com", "v1", get, []string{"cloudkms.keyRings.get", "cloudkms.keyRings.getIamPolicy"}, somewhere+"keyRings/*"),
	"cloudkms.googleapis.com/CryptoKey":          plain("cloudkms.googleapis.com", "v1", get, []string{"cloudkms.cryptoKeys.get", "cloudkms.cryptoKeys.getIamPolicy"}, somewhere+"keyRings/*/cryptoKeys/*"),
	"cloudkms.googleapis.com/CryptoKeyVersion":   plain("cloudkms.googleapis.com", "v1", none, []string{"cloudkms.cryptoKeyVersions.get"}, somewhere+"keyRings/*/cryptoKeys/*/cryptoKeyVersions/*"),
	"artifactregistry.googleapis.com/Repository": plain("artifactregistry.googleapis.com", "v1", get, []string{"artifactregistry.repositories.get", "artifactregistry.repositories.getIamPolicy"}, somewhere+"repositories/*"),
}

// networks are types that let traffic in or keep it out.
var networks = map[string]service{
	"compute.googleapis.com/Project":  {host: "compute.googleapis.com", base: "https://compute.googleapis.com/compute/v1/", names: []string{"projects/*"}, needs: []string{"compute.projects.get"}},
	"compute.googleapis.com/Firewall": compute("firewalls", none, []string{"compute.firewalls.get"}, global),
	// Those of networks, and those of folders and organizations, which belong to no project.
	"compute.googleapis.com/FirewallPolicy": {host: "compute.googleapis.com", base: "https://compute.googleapis.com/compute/v1/",
		names: []string{"projects/*/global/firewallPolicies/*", "projects/*/regions/*/firewallPolicies/*", "locations/global/firewallPolicies/*"},
		needs: []string{"compute.firewallPolicies.get", "compute.regionFirewallPolicies.get"}},
	"compute.googleapis.com/Network":                compute("networks", none, []string{"compute.networks.get"}, global),
	"compute.googleapis.com/Subnetwork":             compute("subnetworks", below, []string{"compute.subnetworks.get", "compute.subnetworks.getIamPolicy"}, regional),
	"compute.googleapis.com/SslPolicy":              compute("sslPolicies", none, []string{"compute.sslPolicies.get", "compute.regionSslPolicies.get"}, global, regional),
	"compute.googleapis.com/TargetHttpsProxy":       compute("targetHttpsProxies", none, []string{"compute.targetHttpsProxies.get", "compute.regionTargetHttpsProxies.get"}, global, regional),
	"compute.googleapis.com/SecurityPolicy":         compute("securityPolicies", none, []string{"compute.securityPolicies.get", "compute.regionSecurityPolicies.get"}, global, regional),
	"compute.googleapis.com/BackendService":         compute("backendServices", none, []string{"compute.backendServices.get", "compute.regionBackendServices.get"}, global, regional),
	"compute.googleapis.com/ForwardingRule":         compute("forwardingRules", none, []string{"compute.forwardingRules.get", "compute.globalForwardingRules.get"}, global, regional),
	"compute.googleapis.com/GlobalForwardingRule":   compute("forwardingRules", none, []string{"compute.globalForwardingRules.get"}, global),
	"compute.googleapis.com/Address":                compute("addresses", none, []string{"compute.addresses.get", "compute.globalAddresses.get"}, global, regional),
	"compute.googleapis.com/GlobalAddress":          compute("addresses", none, []string{"compute.globalAddresses.get"}, global),
	"compute.googleapis.com/Route":                  compute("routes", none, []string{"compute.routes.get"}, global),
	"compute.googleapis.com/VpnTunnel":              compute("vpnTunnels", none, []string{"compute.vpnTunnels.get"}, regional),
	"compute.googleapis.com/InterconnectAttachment": compute("interconnectAttachments", none, []string{"compute.interconnectAttachments.get"}, regional),
	"compute.googleapis.com/Instance":               compute("instances", below, []string{"compute.instances.get", "compute.instances.getIamPolicy"}, zonal),
	"compute.googleapis.com/Disk":                   compute("disks", below, []string{"compute.disks.get", "compute.disks.getIamPolicy"}, zonal, regional),
	"compute.googleapis.com/Snapshot":               compute("snapshots", below, []string{"compute.snapshots.get", "compute.snapshots.getIamPolicy"}, global),
	"compute.googleapis.com/InstanceGroupManager":   compute("instanceGroupManagers", none, []string{"compute.instanceGroupManagers.get"}, zonal, regional),
	"ids.googleapis.com/Endpoint":                   plain("ids.googleapis.com", "v1", none, []string{"ids.endpoints.get"}, somewhere+"endpoints/*"),
}

// platform are types that run code, move messages, keep logs and raise alarms.
var platform = map[string]service{
	// The first version, as the inventory has it; Shape adds what the second calls it.
	"run.googleapis.com/Service":             plain("run.googleapis.com", "v1", get, []string{"run.services.get", "run.services.getIamPolicy"}, somewhere+"services/*"),
	"cloudfunctions.googleapis.com/Function": plain("cloudfunctions.googleapis.com", "v2", get, []string{"cloudfunctions.functions.get", "cloudfunctions.functions.getIamPolicy"}, somewhere+"functions/*"),
	"cloudscheduler.googleapis.com/Job":      plain("cloudscheduler.googleapis.com", "v1", none, []string{"cloudscheduler.jobs.get"}, somewhere+"jobs/*"),
	"pubsub.googleapis.com/Topic":            plain("pubsub.googleapis.com", "v1", get, []string{"pubsub.topics.get", "pubsub.topics.getIamPolicy"}, "projects/*/topics/*"),
	"pubsub.googleapis.com/Subscription":     plain("pubsub.googleapis.com", "v1", get, []string{"pubsub.subscriptions.get", "pubsub.subscriptions.getIamPolicy"}, "projects/*/subscriptions/*"),
	"logging.googleapis.com/LogSink":         plain("logging.googleapis.com", "v2", none, []string{"logging.sinks.get"}, anywhere("sinks/*")...),
	"logging.googleapis.com/LogExclusion":    plain("logging.googleapis.com", "v2", none, []string{"logging.exclusions.get"}, anywhere("exclusions/*")...),
	"logging.googleapis.com/LogBucket":       plain("logging.googleapis.com", "v2", none, []string{"logging.buckets.get"}, anywhere("locations/*/buckets/*")...),
	"logging.googleapis.com/LogMetric":       plain("logging.googleapis.com", "v2", none, []string{"logging.logMetrics.get"}, "projects/*/metrics/*"),
	"monitoring.googleapis.com/AlertPolicy":  plain("monitoring.googleapis.com", "v3", none, []string{"monitoring.alertPolicies.get"}, "projects/*/alertPolicies/*"),
	"monitoring.googleapis.com/NotificationChannel": plain("monitoring.googleapis.com", "v3", none, []string{"monitoring.notificationChannels.get"},
		"projects/*/notificationChannels/*"),
	"container.googleapis.com/Cluster":            plain("container.googleapis.com", "v1", none, []string{"container.clusters.get"}, somewhere+"clusters/*"),
	"osconfig.googleapis.com/Inventory":           plain("osconfig.googleapis.com", "v1", none, []string{"osconfig.inventories.get"}, somewhere+"instances/*/inventory"),
	"osconfig.googleapis.com/VulnerabilityReport": plain("osconfig.googleapis.com", "v1", none, []string{"osconfig.vulnerabilityReports.get"}, somewhere+"instances/*/vulnerabilityReport"),
	"recommender.googleapis.com/Insight":          plain("recommender.googleapis.com", "v1", none, []string{"recommender.iamPolicyInsights.get"}, somewhere+"insightTypes/*/insights/*"),
}

// people are types that say who may do what, and what nobody may.
var people = map[string]service{
	// A project that is gone is answered like one nobody may see.
	"cloudresourcemanager.googleapis.com/Project":          plain("cloudresourcemanager.googleapis.com", "v1", post, []string{"resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy"}, "projects/*"),
	"cloudresourcemanager.googleapis.com/Folder":           plain("cloudresourcemanager.googleapis.com", "v2", post, []string{"resourcemanager.folders.get", "resourcemanager.folders.getIamPolicy"}, "folders/*"),
	"cloudresourcemanager.googleapis.com/Organization":     plain("cloudresourcemanager.googleapis.com", "v1", post, []string{"resourcemanager.organizations.get", "resourcemanager.organizations.getIamPolicy"}, "organizations/*"),
	"iam.googleapis.com/ServiceAccount":                    plain("iam.googleapis.com", "v1", post, []string{"iam.serviceAccounts.get", "iam.serviceAccounts.getIamPolicy"}, "projects/*/serviceAccounts/*"),
	"iam.googleapis.com/ServiceAccountKey":                 plain("iam.googleapis.com", "v1", none, []string{"iam.serviceAccountKeys.get"}, "projects/*/serviceAccounts/*/keys/*"),
	"iam.googleapis.com/Role":                              plain("iam.googleapis.com", "v1", none, []string{"iam.roles.get"}, "projects/*/roles/*", "organizations/*/roles/*"),
	"orgpolicy.googleapis.com/Policy":                      plain("orgpolicy.googleapis.com", "v2", none, []string{"orgpolicy.policy.get"}, anywhere("policies/*")...),
	"accessapproval.googleapis.com/AccessApprovalSettings": plain("accessapproval.googleapis.com", "v1", none, []string{"accessapproval.settings.get"}, anywhere("accessApprovalSettings")...),
	// One that is off is answered as well; the inventory lists those alone that are on.
	"serviceusage.googleapis.com/Service": {host: "serviceusage.googleapis.com", base: "https://serviceusage.googleapis.com/v1/", names: []string{"projects/*/services/*"},
		needs: []string{"serviceusage.services.get"}, gone: func(o asset.Object) bool { return o["state"] == "DISABLED" }},
}
