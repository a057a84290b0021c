package checkup

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/coverage"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/fault"
)

// Types of what is read one by one.
const (
	projectType      = "cloudresourcemanager.googleapis.com/Project"
	folderType       = "cloudresourcemanager.googleapis.com/Folder"
	organizationType = "cloudresourcemanager.googleapis.com/Organization"
	serviceType      = "run.googleapis.com/Service"
	accountType      = "iam.googleapis.com/ServiceAccount"
	accountKeyType   = "iam.googleapis.com/ServiceAccountKey"
	roleType         = "iam.googleapis.com/Role"
	topicType        = "pubsub.googleapis.com/Topic"
	subscriptionType = "pubsub.googleapis.com/Subscription"
	jobType          = "cloudscheduler.googleapis.com/Job"
	bucketType       = "storage.googleapis.com/Bucket"
	keyType          = "cloudkms.googleapis.com/CryptoKey"
	secretType       = "secretmanager.googleapis.com/Secret"
	alertType        = "monitoring.googleapis.com/AlertPolicy"
	channelType      = "monitoring.googleapis.com/NotificationChannel"
)

// areaOf is the area under which what is found of a type is told.
var areaOf = map[string]string{
	projectType: "grants", folderType: "grants", organizationType: "grants", roleType: "grants", serviceType: "functions", accountType: "accounts", accountKeyType: "accounts",
	topicType: "messages", subscriptionType: "messages", self.Waiting: "messages", jobType: "schedules", coverage.Type: "streams", bucketType: "evidence", keyType: "keys", secretType: "secrets", alertType: "alarms", channelType: "alarms",
}

// gather reads what package self compares, each from the service that holds it. What could not be read is in the inventory
// without its data, so that nobody takes it for gone.
func (v *visit) gather(ctx context.Context) {
	g := &gathering{visit: v}
	own := g.project(ctx, v.Project)
	above := map[string]bool{}
	for _, one := range own {
		above[one] = true
	}
	for _, id := range v.watched() {
		if id != v.Project {
			for _, one := range g.project(ctx, id) {
				above[one] = true
			}
		}
	}
	g.each(func(add func(func())) {
		for _, f := range v.expected.Functions {
			g.function(ctx, f, add)
		}
		for _, name := range g.topics() {
			add(func() { g.read(ctx, topicType, "//pubsub.googleapis.com/projects/"+v.Project+"/topics/"+name) })
		}
		for key, kind := range v.kept() {
			add(func() { g.read(ctx, kind, key) })
		}
		for one := range above {
			kind := folderType
			if strings.HasPrefix(one, "organizations/") {
				kind = organizationType
			}
			add(func() { g.read(ctx, kind, "//cloudresourcemanager.googleapis.com/"+one) })
			add(func() { g.sinks(ctx, one) })
		}
		for _, id := range v.watched() {
			add(func() { g.sinks(ctx, "projects/"+id) })
		}
		for _, id := range slices.Compact([]string{v.Project, v.Evidence}) {
			add(func() { g.roles(ctx, id) })
		}
		add(func() {
			g.monitored(ctx, alertType, "alertPolicies")
			g.monitored(ctx, channelType, "notificationChannels")
		})
		add(func() { g.waiting(ctx) })
	})
	g.each(func(add func(func())) { g.elsewhere(ctx, add) })
	v.live.Settle()
}

// gathering fills the inventory, many at a time.
type gathering struct {
	*visit
	mu sync.Mutex
}

// each runs what is added and waits for it.
func (g *gathering) each(fill func(add func(func()))) {
	var all sync.WaitGroup
	fill(func(one func()) { all.Go(one) })
	all.Wait()
}

func (g *gathering) add(a asset.Asset) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.live.Add(a)
}

// lost says that something could not be read; the area of its type tells it.
func (g *gathering) lost(kind, subject string, err error) {
	g.unsure(areaOf[kind], subject, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failed[kind] = true
}

// read reads one asset and who may use it.
func (g *gathering) read(ctx context.Context, kind, key string) {
	a, err := g.source.Get(ctx, kind, key)
	if err != nil {
		g.unread(kind, key, err)
		a = asset.Asset{Key: key, Type: kind, Project: asset.ProjectOf(key)}
	}
	g.add(a)
}

// unread tells that one asset could not be read, once.
func (g *gathering) unread(kind, key string, err error) {
	g.unsure(areaOf[kind], short(key), err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.missed[key] = true
}

// project reads a project with what it lies in, and returns that: folders and the organization.
func (g *gathering) project(ctx context.Context, id string) (above []string) {
	key := "//cloudresourcemanager.googleapis.com/projects/" + id
	a, err := g.source.Get(ctx, projectType, key)
	if err != nil {
		g.unread(projectType, key, err)
		a = asset.Asset{Key: key, Type: projectType, Project: id}
	}
	var answer struct {
		Ancestor []struct {
			Resource struct{ Type, ID string } `json:"resourceId"`
		} `json:"ancestor"`
	}
	err = g.wire.ask(ctx, "POST", "https://cloudresourcemanager.googleapis.com/v1/projects/"+id+":getAncestry", []byte("{}"), &answer)
	if err != nil {
		g.unsure("grants", "what "+id+" lies in", err)
	}
	for _, one := range answer.Ancestor {
		if one.Resource.Type != "project" {
			above = append(above, one.Resource.Type+"s/"+one.Resource.ID)
		}
	}
	a.Project, a.Ancestors = id, slices.Concat([]string{"projects/" + id}, above)
	if err != nil { // what lies above may bring its logs, and switch them on: nobody takes it for absent
		a.Ancestors = nil
		g.add(asset.Asset{Key: "//logging.googleapis.com/organizations/unread/sinks/unread", Type: coverage.Type})
	}
	g.add(a)
	return above
}

// function reads what belongs to one function.
func (g *gathering) function(ctx context.Context, f self.Function, add func(func())) {
	at := func(service, path string) string {
		return "//" + service + ".googleapis.com/projects/" + g.Project + "/" + path
	}
	region := g.expected.Region
	if other := g.expected.Regions[f.Name]; other != "" {
		region = other
	}
	one := func(kind, key string) { add(func() { g.read(ctx, kind, key) }) }
	one(serviceType, at("run", "locations/"+region+"/services/"+f.Name))
	for _, prefix := range []string{"fn-", "in-"}[:map[bool]int{true: 2, false: 1}[f.Callers == "machine"]] {
		mail := prefix + f.Name + "@" + g.Project + ".iam.gserviceaccount.com"
		one(accountType, at("iam", "serviceAccounts/"+mail))
		add(func() { g.accountKeys(ctx, mail) })
	}
	crons, topics := 0, false
	for _, t := range f.Triggers {
		switch t.Kind {
		case "topic":
			topics = true
			one(subscriptionType, at("pubsub", "subscriptions/"+f.Name+"--"+t.Topic))
		case "schedule":
			one(jobType, at("cloudscheduler", "locations/"+region+"/jobs/"+f.Name+"-"+string(rune('0'+crons))))
			crons++
		}
	}
	if topics {
		one(subscriptionType, at("pubsub", "subscriptions/dead."+f.Name))
	}
}

// topics are all topics that functions read or write, and those of their dead letters.
func (g *gathering) topics() []string {
	names := map[string]bool{"audit.entries": true}
	for _, f := range g.expected.Functions {
		for _, name := range f.Publishes {
			names[name] = true
		}
		for _, t := range f.Triggers {
			if t.Kind == "topic" {
				names[t.Topic], names["dead."+f.Name] = true, true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (g *gathering) accountKeys(ctx context.Context, mail string) {
	path := "projects/" + g.Project + "/serviceAccounts/" + mail
	all, err := listed[asset.Object](ctx, g.wire, "https://iam.googleapis.com/v1/"+path+"/keys", "keys")
	if err != nil && !fault.Is(err, fault.NotFound) { // an account that is gone is told as such
		g.lost(accountKeyType, "keys of "+mail, err)
	}
	for _, data := range all {
		name, _ := data["name"].(string)
		g.add(asset.Asset{Key: "//iam.googleapis.com/" + name, Type: accountKeyType, Project: g.Project, Data: data, Read: g.Clock.Now()})
	}
}

// sinks reads the log sinks of a project, a folder or an organization. One that could not be listed may lead anywhere.
func (g *gathering) sinks(ctx context.Context, of string) {
	all, err := listed[asset.Object](ctx, g.wire, "https://logging.googleapis.com/v2/"+of+"/sinks?pageSize=1000", "sinks")
	if err != nil {
		g.lost(coverage.Type, "sinks of "+of, err)
		g.add(asset.Asset{Key: "//logging.googleapis.com/" + of + "/sinks/unread", Type: coverage.Type, Project: asset.ProjectOf("/" + of)})
	}
	for _, data := range all {
		name, _ := data["name"].(string)
		g.add(asset.Asset{Key: "//logging.googleapis.com/" + of + "/sinks/" + name, Type: coverage.Type, Project: asset.ProjectOf("/" + of), Data: data, Read: g.Clock.Now()})
	}
}

// roles reads the roles a project has of its own. A role can be given in its own project alone (Google Cloud, IAM, "Understanding
// custom roles"): those on the evidence log lie in its project.
func (g *gathering) roles(ctx context.Context, project string) {
	all, err := listed[asset.Object](ctx, g.wire, "https://iam.googleapis.com/v1/projects/"+project+"/roles?view=FULL&pageSize=1000", "roles")
	if err != nil {
		g.lost(roleType, "roles of "+project, err)
	}
	for _, data := range all {
		name, _ := data["name"].(string)
		g.add(asset.Asset{Key: "//iam.googleapis.com/" + name, Type: roleType, Project: project, Data: data, Read: g.Clock.Now()})
	}
}

// elsewhere reads the roles that are given in what was read and belong to others than those that were listed.
func (g *gathering) elsewhere(ctx context.Context, add func(func())) {
	wanted := map[string]bool{}
	for _, a := range g.live.All() {
		if a.IAM == nil {
			continue
		}
		for _, b := range a.IAM.Bindings {
			if _, known := g.live.Get(roleType, "//iam.googleapis.com/"+b.Role); !known && !strings.HasPrefix(b.Role, "roles/") {
				wanted[b.Role] = true
			}
		}
	}
	for role := range wanted {
		add(func() { g.read(ctx, roleType, "//iam.googleapis.com/"+role) })
	}
}
