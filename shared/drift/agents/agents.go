// Package agents tells what Google made itself in a project: networks and accounts every project begins with, and what its
// services make to do their work.
//
// # What it promises
//
// It goes by everything that is known of a resource, and never by a name alone where anybody could have chosen it: a rule of
// the firewall that is called as Google's and lets in something else is somebody's. Where the resource was not read, it is
// not called Google's.
//
// # What it does not do
//
// It does not say that anything is in order: the network every project begins with is open to the internet. Its list
// is not complete; what is missing is told as unmanaged.
package agents

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
)

// Made reports whether Google made a resource itself.
func Made(a *asset.Asset) bool {
	made, known := kinds[a.Type]
	return known && !a.Deleted && made(a)
}

// kinds say of which types Google makes some.
var kinds = map[string]func(*asset.Asset) bool{
	"compute.googleapis.com/Network":             network,
	"compute.googleapis.com/Subnetwork":          subnetwork,
	"compute.googleapis.com/Firewall":            firewall,
	"compute.googleapis.com/Route":               route,
	"compute.googleapis.com/Instance":            node,
	"compute.googleapis.com/Disk":                node,
	"compute.googleapis.com/InstanceTemplate":    func(a *asset.Asset) bool { return node(&asset.Asset{Key: a.Key, Data: inner(a.Data, "properties")}) },
	"iam.googleapis.com/ServiceAccount":          account,
	"iam.googleapis.com/ServiceAccountKey":       func(a *asset.Asset) bool { return text(a.Data, "keyType") == "SYSTEM_MANAGED" },
	"storage.googleapis.com/Bucket":              bucket,
	"artifactregistry.googleapis.com/Repository": repository,
	"logging.googleapis.com/LogBucket":           every,
	"logging.googleapis.com/LogSink":             every,
	"logging.googleapis.com/LogView":             func(a *asset.Asset) bool { return slices.Contains([]string{"_AllLogs", "_Default"}, asset.Base(a.Key)) },
	"run.googleapis.com/Service":                 func(a *asset.Asset) bool { return label(a.Data, "goog-managed-by") == "cloudfunctions" },
	"pubsub.googleapis.com/Topic":                carrier,
	"pubsub.googleapis.com/Subscription":         carrier,
}

// network is the one every project begins with, unless its organization forbids that.
func network(a *asset.Asset) bool {
	return asset.Base(a.Key) == "default" && a.Data["autoCreateSubnetworks"] == true && text(a.Data, "description") == "Default network for the project"
}

// automatic are the addresses from which networks in auto mode take their subnetworks, one a region, each with the network's
// name.
var automatic = netip.MustParsePrefix("10.128.0.0/9")

func subnetwork(a *asset.Asset) bool {
	p, err := netip.ParsePrefix(text(a.Data, "ipCidrRange"))
	return err == nil && asset.Base(a.Key) == asset.Base(text(a.Data, "network")) && p.Bits() >= automatic.Bits() && automatic.Contains(p.Addr())
}

// opened is what the rules let in with which the default network begins.
var opened = map[string]string{
	"default-allow-icmp": "icmp", "default-allow-ssh": "tcp:22", "default-allow-rdp": "tcp:3389", "default-allow-internal": "icmp tcp:0-65535 udp:0-65535",
}

// ofCluster are the names of rules that clusters make, for their nodes and for what they balance.
var ofCluster = regexp.MustCompile(`^(gke-.+-[0-9a-f]{8}-[a-z-]+|k8s2?-[a-z0-9-]+)$`)

func firewall(a *asset.Asset) bool {
	name := asset.Base(a.Key)
	if ofCluster.MatchString(name) {
		tags := slices.Concat(list(a.Data, "targetTags"), list(a.Data, "targetTag"))
		nodes := len(tags) > 0 && !slices.ContainsFunc(tags, func(tag string) bool { return !strings.HasPrefix(tag, "gke-") || !strings.HasSuffix(tag, "-node") })
		return nodes && (strings.HasPrefix(name, "gke-") || strings.Contains(text(a.Data, "description"), "kubernetes.io/"))
	}
	want, ours := opened[name]
	if !ours || asset.Base(text(a.Data, "network")) != "default" || a.Data["priority"] != 65534.0 {
		return false
	}
	from := []string{"0.0.0.0/0"}
	if name == "default-allow-internal" {
		from = []string{automatic.String()}
	}
	return allowed(a.Data) == want && slices.Equal(slices.Concat(list(a.Data, "sourceRanges"), list(a.Data, "sourceRange")), from)
}

// allowed is what a rule of the firewall lets in, in one line.
func allowed(data asset.Object) string {
	var all []string
	for _, field := range []string{"allowed", "alloweds"} {
		entries, _ := data[field].([]any)
		for _, e := range entries {
			m, _ := e.(asset.Object)
			one := text(m, "IPProtocol") + text(m, "ipProtocol")
			if ports := slices.Concat(list(m, "ports"), list(m, "port")); len(ports) > 0 {
				one += ":" + strings.Join(ports, ",")
			}
			all = append(all, one)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func route(a *asset.Asset) bool {
	about := text(a.Data, "description")
	return strings.HasPrefix(asset.Base(a.Key), "default-route-") && (strings.HasPrefix(about, "Default local route to the subnetwork") || about == "Default route to the Internet.")
}

// node is a machine of a cluster, or a disk of one; the labels are Google's own, which nobody else may set.
func node(a *asset.Asset) bool {
	return strings.HasPrefix(asset.Base(a.Key), "gke-") && slices.ContainsFunc([]string{"goog-gke-node", "goog-gke-volume", "goog-k8s-cluster-name"}, func(name string) bool { return hasLabel(a.Data, name) })
}

// accounts are those a project begins with, or a service makes in it; in Google's own domains nobody else has one.
var accounts = regexp.MustCompile(`^([0-9]+-compute@developer|[a-z0-9.:-]+@appspot|[0-9]+@cloudbuild|[0-9]+@cloudservices)\.gserviceaccount\.com$|@(gcp-sa-[a-z0-9-]+|gcf-admin-robot|serverless-robot-prod|compute-system|container-engine-robot)\.iam\.gserviceaccount\.com$`)

func account(a *asset.Asset) bool { return accounts.MatchString(asset.Base(a.Key)) }

// numbered are buckets that services name by the project's number, named those they name by its id.
var (
	numbered = regexp.MustCompile(`^(?:gcf-v2-sources|gcf-v2-uploads|gcf-sources)-([0-9]+)-[a-z0-9-]+(?:\.cloudfunctions\.appspot\.com)?$`)
	named    = regexp.MustCompile(`^(?:(?:[a-z]+\.)?artifacts\.([a-z0-9.:-]+)\.appspot\.com|staging\.([a-z0-9.:-]+)\.appspot\.com|([a-z0-9.:-]+)\.appspot\.com|([a-z0-9.:-]+)_cloudbuild|run-sources-([a-z0-9:-]+)-[a-z]+-[a-z]+[0-9]+)$`)
)

// bucket goes by the project too: names of buckets are the world's, and anybody may take one that looks so.
func bucket(a *asset.Asset) bool {
	name := asset.Base(a.Key)
	if m := numbered.FindStringSubmatch(name); m != nil {
		return m[1] == text(a.Data, "projectNumber")
	}
	m := named.FindStringSubmatch(name)
	return m != nil && a.Project != "" && slices.Contains(m[1:], a.Project)
}

func repository(a *asset.Asset) bool {
	name := asset.Base(a.Key)
	return name == "gcf-artifacts" && label(a.Data, "goog-managed-by") == "cloudfunctions" || name == "cloud-run-source-deploy" || name == "gcr.io" || strings.HasSuffix(name, ".gcr.io")
}

// every is what each project has of logs; nobody else may begin a name so.
func every(a *asset.Asset) bool {
	return slices.Contains([]string{"_Default", "_Required"}, asset.Base(a.Key))
}

// carrier is what Eventarc makes for its triggers.
func carrier(a *asset.Asset) bool {
	return strings.HasPrefix(asset.Base(a.Key), "eventarc-") && hasLabel(a.Data, "goog-eventarc")
}

func text(data asset.Object, field string) string {
	s, _ := data[field].(string)
	return s
}

func inner(data asset.Object, field string) asset.Object {
	m, _ := data[field].(asset.Object)
	return m
}

func list(data asset.Object, field string) []string {
	var all []string
	values, _ := data[field].([]any)
	for _, v := range values {
		s, _ := v.(string)
		all = append(all, s)
	}
	return all
}

func label(data asset.Object, name string) string { return text(inner(data, "labels"), name) }

func hasLabel(data asset.Object, name string) bool {
	_, has := inner(data, "labels")[name]
	return has
}
