// Package selftest makes the assets there are where the controls are deployed as they were released: what Terraform's modules
// make, for tests. It promises that self.Compare finds nothing there. It is no cloud: what tests do not change stays as it is.
package selftest

import (
	"fmt"
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
		d.add("cloudresourcemanager.googleapis.com/Project", "//cloudresourcemanager.googleapis.com/projects/"+id, object{"projectId": id},
			"projects/"+e.Project+"/roles/ostiary.watchaudit.database_watch serviceAccount:"+d.mail("fn", "watchaudit"))
		d.add("logging.googleapis.com/LogSink", "//logging.googleapis.com/projects/"+id+"/sinks/ostiary-watch",
			object{"destination": "pubsub.googleapis.com/projects/" + e.Project + "/topics/audit.entries", "filter": e.Need, "writerIdentity": writer}).IAM = nil
	}
	d.add("cloudresourcemanager.googleapis.com/Organization", "//cloudresourcemanager.googleapis.com/organizations/1", object{"name": "organizations/1"})
	d.add("monitoring.googleapis.com/NotificationChannel", d.at("monitoring", "notificationChannels/1"), object{"type": "email"}).IAM = nil
	for _, name := range e.Locked {
		d.add("storage.googleapis.com/Bucket", "//storage.googleapis.com/"+name, object{"retentionPolicy": object{"isLocked": true}})
	}
	return d.all
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
	for _, name := range slices.Concat(f.Environment, []string{"OSTIARY_IAM", "OSTIARY_PROJECT", "OSTIARY_STORE", "OSTIARY_POLICY", "OSTIARY_EVIDENCE", "LOG_EXECUTION_ID"}) {
		env = append(env, object{"name": name, "value": "x"})
	}
	env = append(env, object{"name": "OSTIARY_CODE", "value": d.e.Code[f.Name]})
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
	d.add("run.googleapis.com/Service", d.at("run", "locations/"+d.e.Region+"/services/"+f.Name), object{"ingress": ingress,
		"template": object{"serviceAccount": d.mail("fn", f.Name), "containers": []any{object{"image": "i", "env": env}}},
		"traffic":  []any{object{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100.0}}}, "roles/run.invoker "+invoker)
}

var unfit = regexp.MustCompile(`[^a-zA-Z0-9_.]`)

func (d deploying) roles(f self.Function) {
	on := map[string][]any{}
	for _, p := range f.Permissions {
		r := p.Resource
		if r == "bucket:evidence-inbox" && p.Permission == "storage.objects.create" {
			r = "place:evidence-inbox"
		}
		on[r] = append(on[r], p.Permission)
	}
	for r, permissions := range on {
		d.add("iam.googleapis.com/Role", d.at("iam", "roles/"+unfit.ReplaceAllString("ostiary."+f.Name+"."+r, "_")), object{"includedPermissions": permissions}).IAM = nil
	}
}

func (d deploying) deliveries(f self.Function) {
	for _, topic := range slices.Concat(f.Publishes, []string{"dead." + f.Name}) {
		d.add("pubsub.googleapis.com/Topic", d.at("pubsub", "topics/"+topic), object{})
	}
	const site, topics = "https://x-ew.a.run.app/", "/topics/"
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
			d.add("cloudscheduler.googleapis.com/Job", d.at("cloudscheduler", fmt.Sprintf("locations/%s/jobs/%s-%d", d.e.Region, f.Name, crons)),
				object{"state": "ENABLED", "schedule": trigger.Cron, "httpTarget": object{"uri": site + f.Name + "/tick", "oidcToken": caller}}).IAM = nil
			crons++
		}
	}
}
