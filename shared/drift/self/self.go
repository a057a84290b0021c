// Package self compares what is deployed of the controls themselves with what their manifests say: who watches is watched.
//
// # What it promises
//
// A function that is gone, runs as somebody else or other code than was released, is told other values than were deployed, lets
// others call it, or has more rights, in its project, above it or in one that is watched, other variables or another way in than its
// manifest says, is told; so is a topic, subscription or schedule that is gone, paused, changed, everybody's, or sends elsewhere
// than to the function's own service, a sink that lets less through, a bucket that lost its lock, dead letters that wait or of which
// nobody would be told, and whoever beside the functions may read or change what they keep, or act as one of them. What was not read
// cannot be told, and is said to be: never in order. Names are those Terraform's module "function" gives.
//
// # What it does not do
//
// It reads nothing itself. Of the code it knows the digest that the deployment declares, and of the image where it comes from, or
// what the deployment gives as its digest: who may write to the repository of Cloud Functions may run other code under that name. It
// does not look at the rules of Firestore, which hold for clients of its own and never for those that come with an account; at rights
// that come by a group, a pool of workloads or another account; at who, beside everybody, publishes to a topic; and at OSTIARY_SELF,
// by which it knows all this itself. Which roles reach what is kept, package baseline knows.
package self

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/coverage"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Drift is the class of what it finds.
const Drift diff.Class = "self-drift"

// Function is what a manifest says of a function, as far as it can be seen from outside.
type Function struct {
	Name        string       `json:"name"`
	Callers     string       `json:"callers"`
	Triggers    []Trigger    `json:"triggers"`
	Permissions []Permission `json:"permissions"`
	Environment []string     `json:"environment"`
	Publishes   []string     `json:"publishes"`
}

// Permission is one of IAM's, on a resource as manifests name them, such as database:drift.
type Permission struct {
	Permission string `json:"permission"`
	Resource   string `json:"resource"`
}

// Trigger is what wakes a function: a topic or a schedule.
type Trigger struct {
	Kind   string `json:"kind"`
	Topic  string `json:"topic"`
	Filter string `json:"filter"`
	Cron   string `json:"cron"`
}

// Read reads a manifest, function.json. Invalid: it is none.
func Read(manifest []byte) (Function, error) {
	var f Function
	if json.Unmarshal(manifest, &f) != nil || f.Name == "" || f.Callers == "" {
		return f, fault.New(fault.Invalid, "reading a manifest: not one")
	}
	return f, nil
}

// Expected is everything that has to be there.
type Expected struct {
	Project, Region string // where the controls run; the project's id
	Evidence        string // id of the project of the evidence log and of the keys that sign it; the controls' own where it is empty
	Functions       []Function
	Code            map[string]string // digest that was released, by function, such as sha256:...; left out: not known
	Regions         map[string]string // region of a function that runs in another, by function
	// Values are the digests of the variables' values that were deployed, by function and name: see [Digest]. Left out: not known.
	Values  map[string]map[string]string
	Images  map[string]string // image that has to run, or its digest, by function; left out: what Cloud Functions built in the project
	Watched []string          // projects whose log has to arrive, this one among them
	Need    string            // filter of what has to arrive of it
	Locked  []string          // buckets whose retention has to be locked
	// Deployers are the members that may act as the functions' accounts, to deploy them.
	Deployers []string
}

// Destination is where the log of each watched project has to arrive, as a sink names it.
func (e Expected) Destination() string {
	return "pubsub.googleapis.com/projects/" + e.Project + "/topics/audit.entries"
}

// Types returns the types of assets that are looked at: what has to be read.
func Types() []string {
	return []string{projects, folders, organizations, services, accounts, keys, roles, topics, subscriptions, jobs, coverage.Type, buckets, alerts, channels, Waiting}
}

const (
	projects      = "cloudresourcemanager.googleapis.com/Project"
	services      = "run.googleapis.com/Service"
	accounts      = "iam.googleapis.com/ServiceAccount"
	keys          = "iam.googleapis.com/ServiceAccountKey"
	roles         = "iam.googleapis.com/Role"
	topics        = "pubsub.googleapis.com/Topic"
	subscriptions = "pubsub.googleapis.com/Subscription"
	jobs          = "cloudscheduler.googleapis.com/Job"
	buckets       = "storage.googleapis.com/Bucket"
)

// Compare tells what is other than expected. The inventory has to be settled; read reports whether assets of a type were read
// at all.
func Compare(e Expected, live *asset.Inventory, read func(kind string) bool) []diff.Finding {
	c := &comparing{e: e, live: live, read: read, kinds: map[string]int{}}
	live.Each(c.sort)
	for _, f := range e.Functions {
		c.service(f)
		c.accounts(f)
		c.roles(f)
		c.deliveries(f)
		c.letters(f)
	}
	c.topics()
	c.rights()
	c.sinks()
	for _, name := range e.Locked {
		// Names of buckets are the world's: one that is not there may lie where nobody looked.
		if key := "//storage.googleapis.com/" + name; !c.known(buckets, key) {
			c.doubt(buckets, key, "", "it was not read")
		} else if a := c.get(buckets, key); a != nil {
			lock, _ := a.Data["retentionPolicy"].(asset.Object)
			c.same(a, "retentionPolicy.isLocked", "true", boolean(lock["isLocked"] == true))
		}
	}
	slices.SortStableFunc(c.found, func(a, b diff.Finding) int { return strings.Compare(a.Key+"\x00"+a.Field, b.Key+"\x00"+b.Field) })
	return c.found
}

type comparing struct {
	e     Expected
	live  *asset.Inventory
	read  func(string) bool
	kinds map[string]int
	keys  []*asset.Asset // of service accounts
	logs  []*asset.Asset // sinks
	// alarms are alert policies.
	alarms []*asset.Asset
	found  []diff.Finding
}

// sort sorts what is looked through for all functions.
func (c *comparing) sort(a *asset.Asset) {
	c.kinds[a.Type]++
	switch a.Type {
	case keys:
		c.keys = append(c.keys, a)
	case coverage.Type:
		c.logs = append(c.logs, a)
	case alerts:
		c.alarms = append(c.alarms, a)
	}
}

func (c *comparing) known(kind, key string) bool {
	_, there := c.live.Get(kind, key)
	return there
}

func (c *comparing) tell(kind, key, field, want, got string) {
	c.found = append(c.found, diff.Finding{Key: key, Type: kind, Class: Drift, Field: field, Want: want, Got: got, Direction: diff.Loosened, Severity: policy.Critical})
}

func (c *comparing) doubt(kind, key, field, why string) {
	c.found = append(c.found, diff.Finding{Key: key, Type: kind, Class: diff.Undetermined, Field: field, Severity: policy.High, Why: why})
}

func (c *comparing) same(a *asset.Asset, field, want, got string) {
	if want != got {
		c.tell(a.Type, a.Key, field, want, got)
	}
}

// get returns what has to be there, with its data; nil where it is told that it is not, or that nobody knows.
func (c *comparing) get(kind, key string) *asset.Asset {
	a, there := c.live.Get(kind, key)
	switch {
	case there && a.Deleted, !there && (c.kinds[kind] > 0 || c.read(kind)):
		c.tell(kind, key, "", "there", "")
	case !there:
		c.doubt(kind, key, "", "nothing of this type was read")
	case a.Data == nil:
		c.doubt(kind, key, "", "the resource itself was not read, only who may use it")
	default:
		return a
	}
	return nil
}

func (c *comparing) name(path string, args ...any) string {
	host, rest, _ := strings.Cut(path, "/")
	return "//" + host + "/projects/" + c.e.Project + "/" + fmt.Sprintf(rest, args...)
}

// region is where a function runs.
func (c *comparing) region(f Function) string { return cmp.Or(c.e.Regions[f.Name], c.e.Region) }

func (c *comparing) mail(prefix, function string) string {
	return prefix + "-" + function + "@" + c.e.Project + ".iam.gserviceaccount.com"
}

func (c *comparing) service(f Function) {
	a := c.get(services, c.name("run.googleapis.com/locations/%s/services/%s", c.region(f), f.Name))
	if a == nil {
		return
	}
	template, _ := a.Data["template"].(asset.Object)
	ingress := "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
	if f.Callers == "machine" {
		ingress = "INGRESS_TRAFFIC_INTERNAL_ONLY"
	}
	c.same(a, "ingress", ingress, text(a.Data, "ingress"))
	c.same(a, "invokerIamDisabled", "false", boolean(a.Data["invokerIamDisabled"] == true))
	c.same(a, "template.serviceAccount", c.mail("fn", f.Name), text(template, "serviceAccount"))
	for _, t := range list(a.Data, "traffic") {
		if m, _ := t.(asset.Object); text(m, "type") != "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" && m["percent"] != nil && m["percent"] != 0.0 {
			c.tell(a.Type, a.Key, "traffic", "the latest revision", "another")
		}
	}
	c.variables(f, a, template)
	c.callers(f, a)
}

// callers compares who may call: the function's own caller, the proxy in front, or, of a public one, everybody.
func (c *comparing) callers(f Function, a *asset.Asset) {
	if a.IAM == nil {
		c.doubt(a.Type, a.Key, "iam", "who may use it was not read")
		return
	}
	right := func(m string) bool {
		switch f.Callers {
		case "machine":
			return m == "serviceAccount:"+c.mail("in", f.Name)
		case "staff":
			return strings.HasSuffix(m, "@gcp-sa-iap.iam.gserviceaccount.com")
		case "public":
			return m == "allUsers"
		}
		return m != "allUsers" && m != "allAuthenticatedUsers"
	}
	for _, b := range a.IAM.Bindings {
		for _, m := range b.Members {
			if b.Role != "roles/run.invoker" || !right(m) {
				c.tell(a.Type, a.Key, "iam", "", b.Role+" "+m)
			}
		}
	}
}

func text(data asset.Object, field string) string {
	s, _ := data[field].(string)
	return s
}

func list(data asset.Object, field string) []any {
	l, _ := data[field].([]any)
	return l
}

func boolean(is bool) string { return strconv.FormatBool(is) }
