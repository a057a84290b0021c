// Package selftest makes the assets there are where the controls are deployed as they were released: what Terraform's modules
// make, for tests. It promises that self.Compare finds nothing there. It is no cloud: what tests do not change stays as it is.
package selftest

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/self"
)

type object = asset.Object

// Deployed is what is there of what is expected, by key.
func Deployed(e self.Expected) map[string]*asset.Asset {
	d := deploying{e, map[string]*asset.Asset{}}
	for _, f := range e.Functions {
		d.service(f)
		d.roles(f)
		d.deliveries(f)
	}
	const writer = "serviceAccount:logs@system.gserviceaccount.com"
	d.add("pubsub.googleapis.com/Topic", "//pubsub.googleapis.com/projects/"+e.Project+"/topics/audit.entries", object{}, "roles/pubsub.publisher "+writer)
	for _, id := range e.Watched {
		d.add("cloudresourcemanager.googleapis.com/Project", "//cloudresourcemanager.googleapis.com/projects/"+id, object{"projectId": id})
		d.add("logging.googleapis.com/LogSink", "//logging.googleapis.com/projects/"+id+"/sinks/ostiary-watch",
			object{"destination": "pubsub.googleapis.com/projects/" + e.Project + "/topics/audit.entries", "filter": e.Need, "writerIdentity": writer}).IAM = nil
	}
	for _, f := range e.Functions {
		d.grants(f)
	}
	d.add("cloudresourcemanager.googleapis.com/Organization", "//cloudresourcemanager.googleapis.com/organizations/1", object{"name": "organizations/1"})
	d.add("monitoring.googleapis.com/NotificationChannel", d.at("monitoring", "notificationChannels/1"), object{"type": "email"}).IAM = nil
	for _, name := range e.Locked {
		d.add("storage.googleapis.com/Bucket", "//storage.googleapis.com/"+name, object{"retentionPolicy": object{"isLocked": true}})
	}
	return d.all
}

// Values are the digests of the values that Deployed gives a function's variables.
func Values(f self.Function) map[string]string {
	all := map[string]string{}
	for _, name := range slices.Concat(f.Environment, []string{"OSTIARY_STORE", "OSTIARY_POLICY", "OSTIARY_EVIDENCE"}) {
		if name != "OSTIARY_SELF" {
			all[name] = self.Digest("x")
		}
	}
	return all
}

type deploying struct {
	e   self.Expected
	all map[string]*asset.Asset
}

func (d deploying) add(kind, key string, data object, grants ...string) *asset.Asset {
	project := asset.ProjectOf(key)
	if project == "" {
		project = d.e.Project
	}
	a := &asset.Asset{Key: key, Type: kind, Project: project, Ancestors: []string{"projects/" + project, "organizations/1"}, Data: data, IAM: &asset.Policy{}}
	for _, g := range grants {
		role, member, _ := strings.Cut(g, " ")
		a.IAM.Grant(role, "", member)
	}
	d.all[key] = a
	return a
}

func (d deploying) mail(prefix, name string) string {
	return prefix + "-" + name + "@" + d.e.Project + ".iam.gserviceaccount.com"
}

func (d deploying) at(service, path string) string {
	return "//" + service + ".googleapis.com/projects/" + d.e.Project + "/" + path
}

func (d deploying) service(f self.Function) {
	var env []any
	for _, name := range slices.Sorted(maps.Keys(Values(f))) {
		env = append(env, object{"name": name, "value": "x"})
	}
	for _, v := range [][2]string{{"OSTIARY_IAM", "front"}, {"OSTIARY_PROJECT", d.e.Project}, {"LOG_EXECUTION_ID", "true"}, {"OSTIARY_SECRETS", "secretmanager://" + d.e.Project + "?pin=a:1"}} {
		env = append(env, object{"name": v[0], "value": v[1]})
	}
	if slices.Contains(f.Environment, "OSTIARY_SELF") {
		env = append(env, object{"name": "OSTIARY_SELF", "value": "itself"})
	}
	if f.Callers == "machine" {
		env = append(env, object{"name": "OSTIARY_INVOKER", "value": d.mail("in", f.Name)})
	}
	env = append(env, object{"name": "OSTIARY_CODE", "value": d.e.Code[f.Name]})
	region := cmp.Or(d.e.Regions[f.Name], d.e.Region)
	image := cmp.Or(d.e.Images[f.Name], region+"-docker.pkg.dev/"+d.e.Project+"/ostiary/"+f.Name+":version_1")
	ingress, invoker := "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", map[string]string{
		"staff": "serviceAccount:service-1@gcp-sa-iap.iam.gserviceaccount.com", "public": "allUsers", "service": "serviceAccount:" + d.mail("gateway", "edge"),
	}[f.Callers]
	own := []string{"fn"}
	if f.Callers == "machine" {
		ingress, invoker, own = "INGRESS_TRAFFIC_INTERNAL_ONLY", "serviceAccount:"+d.mail("in", f.Name), []string{"fn", "in"}
	}
	for _, prefix := range own {
		account := d.at("iam", "serviceAccounts/"+d.mail(prefix, f.Name))
		d.add("iam.googleapis.com/ServiceAccount", account, object{"email": d.mail(prefix, f.Name)})
		d.add("iam.googleapis.com/ServiceAccountKey", account+"/keys/google", object{"keyType": "SYSTEM_MANAGED"}).IAM = nil
	}
	d.add("run.googleapis.com/Service", d.at("run", "locations/"+region+"/services/"+f.Name), object{"ingress": ingress, "uri": "https://" + f.Name + "-x-ew.a.run.app",
		"template": object{"serviceAccount": d.mail("fn", f.Name), "containers": []any{object{"image": image, "env": env}}},
		"traffic":  []any{object{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100.0}}}, "roles/run.invoker "+invoker)
}

var unfit = regexp.MustCompile(`[^a-zA-Z0-9_.]`)

func (d deploying) roles(f self.Function) {
	on := map[string][]any{}
	for _, p := range f.Permissions {
		r := p.Resource
		if r == "bucket:terraform-state" || strings.HasPrefix(r, "door:") {
			continue // terraform/org and the door's own project give them
		}
		if r == "bucket:evidence-inbox" && p.Permission == "storage.objects.create" {
			r = "place:evidence-inbox"
		}
		on[r] = append(on[r], p.Permission)
	}
	for r, permissions := range on {
		d.add("iam.googleapis.com/Role", "//iam.googleapis.com/projects/"+d.e.Home(r)+"/roles/"+unfit.ReplaceAllString("ostiary."+f.Name+"."+r, "_"), object{"includedPermissions": permissions}).IAM = nil
	}
}

// grants gives a function the roles it has in its project: on each database, and on what is looked at.
func (d deploying) grants(f self.Function) {
	project, there := d.all["//cloudresourcemanager.googleapis.com/projects/"+d.e.Project]
	if !there {
		return
	}
	assets := []any{}
	for _, p := range f.Permissions {
		if database, is := strings.CutPrefix(p.Resource, "database:"); is {
			name := "projects/" + d.e.Project + "/databases/" + database
			project.IAM.Grant("projects/"+d.e.Project+"/roles/"+unfit.ReplaceAllString("ostiary."+f.Name+"."+p.Resource, "_"),
				`resource.name == "`+name+`" || resource.name.startsWith("`+name+`/")`, "serviceAccount:"+d.mail("fn", f.Name))
		}
		if p.Resource == "assets" {
			assets = append(assets, p.Permission)
		}
	}
	if len(assets) > 0 {
		role := "projects/" + d.e.Project + "/roles/ostiary." + f.Name + ".assets"
		d.add("iam.googleapis.com/Role", "//iam.googleapis.com/"+role, object{"includedPermissions": assets}).IAM = nil
		project.IAM.Grant(role, "", "serviceAccount:"+d.mail("fn", f.Name))
	}
}

func (d deploying) deliveries(f self.Function) {
	all := slices.Concat(f.Publishes, []string{"dead." + f.Name})
	for _, t := range f.Triggers {
		if t.Kind == "topic" {
			all = append(all, t.Topic)
		}
	}
	for _, topic := range all {
		d.add("pubsub.googleapis.com/Topic", d.at("pubsub", "topics/"+topic), object{})
	}
	const topics = "/topics/"
	site := "https://" + f.Name + "-x-ew.a.run.app/"
	dead := "dead." + f.Name
	d.add("pubsub.googleapis.com/Subscription", d.at("pubsub", "subscriptions/"+dead), object{"topic": "projects/" + d.e.Project + topics + dead})
	d.add("monitoring.googleapis.com/AlertPolicy", d.at("monitoring", "alertPolicies/"+f.Name), object{"displayName": "Dead letters of " + f.Name, "notificationChannels": []any{"projects/" + d.e.Project + "/notificationChannels/1"}}).IAM = nil
	d.add(self.Waiting, self.WaitingKey(d.e.Project, dead), object{"undelivered": 0.0}).IAM = nil
	crons, caller := 0, object{"serviceAccountEmail": d.mail("in", f.Name)}
	for _, trigger := range f.Triggers {
		switch trigger.Kind {
		case "topic":
			d.add("pubsub.googleapis.com/Subscription", d.at("pubsub", "subscriptions/"+f.Name+"--"+trigger.Topic), object{
				"topic": "projects/" + d.e.Project + topics + trigger.Topic, "filter": trigger.Filter, "state": "ACTIVE", "pushConfig": object{"pushEndpoint": site + f.Name + "/events", "oidcToken": caller},
				"deadLetterPolicy": object{"deadLetterTopic": "projects/" + d.e.Project + topics + "dead." + f.Name}})
		case "schedule":
			d.add("cloudscheduler.googleapis.com/Job", d.at("cloudscheduler", fmt.Sprintf("locations/%s/jobs/%s-%d", cmp.Or(d.e.Regions[f.Name], d.e.Region), f.Name, crons)),
				object{"state": "ENABLED", "schedule": trigger.Cron, "httpTarget": object{"uri": site + f.Name + "/tick", "oidcToken": caller}}).IAM = nil
			crons++
		}
	}
}
