package self

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/coverage"
	"ostiary.internal/shared/platform/veil"
)

// accounts looks at whom a function runs as and who calls it: nobody may have a key to act as them.
func (c *comparing) accounts(f Function) {
	own := []string{c.mail("fn", f.Name)}
	if f.Callers == "machine" {
		own = append(own, c.mail("in", f.Name))
	}
	for _, mail := range own {
		key := c.name("iam.googleapis.com/serviceAccounts/%s", mail)
		if a := c.get(accounts, key); a != nil {
			c.same(a, "disabled", "false", boolean(a.Data["disabled"] == true))
			c.acting(a)
		}
		if c.kinds[keys] == 0 && !c.read(keys) {
			c.doubt(keys, key, "keys", "nothing of this type was read")
		}
	}
	for _, a := range c.keys {
		if slices.ContainsFunc(own, func(mail string) bool { return strings.Contains(a.Key, "/serviceAccounts/"+mail+"/") }) && text(a.Data, "keyType") != "SYSTEM_MANAGED" {
			c.tell(a.Type, a.Key, "keyType", "SYSTEM_MANAGED", text(a.Data, "keyType"))
		}
	}
}

var unfit = regexp.MustCompile(`[^a-zA-Z0-9_.]`)

// topics looks at what wakes the functions and what they write to: it is there, and not everybody's.
func (c *comparing) topics() {
	names := map[string]bool{}
	for _, f := range c.e.Functions {
		for _, name := range f.Publishes {
			names[name] = true
		}
		for _, t := range f.Triggers {
			if t.Kind == "topic" {
				names[t.Topic], names["dead."+f.Name] = true, true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c.closed(c.get(topics, c.name("pubsub.googleapis.com/topics/%s", name)))
	}
}

// deliveries looks at what wakes a function.
func (c *comparing) deliveries(f Function) {
	crons := 0
	for _, t := range f.Triggers {
		switch t.Kind {
		case "topic":
			c.subscription(f, t.Topic, t.Filter)
		case "schedule":
			c.job(f, crons, t.Cron)
			crons++
		}
	}
}

func (c *comparing) subscription(f Function, topic, filter string) {
	a := c.get(subscriptions, c.name("pubsub.googleapis.com/subscriptions/%s--%s", f.Name, topic))
	if a == nil {
		return
	}
	c.closed(a)
	push, _ := a.Data["pushConfig"].(asset.Object)
	token, _ := push["oidcToken"].(asset.Object)
	letter, _ := a.Data["deadLetterPolicy"].(asset.Object)
	c.same(a, "topic", "projects/"+c.e.Project+"/topics/"+topic, text(a.Data, "topic"))
	c.same(a, "filter", filter, text(a.Data, "filter"))
	c.pushes(f, a, "pushConfig.pushEndpoint", text(push, "pushEndpoint"), "/events")
	c.same(a, "pushConfig.oidcToken.serviceAccountEmail", c.mail("in", f.Name), text(token, "serviceAccountEmail"))
	c.same(a, "deadLetterPolicy.deadLetterTopic", "projects/"+c.e.Project+"/topics/dead."+f.Name, text(letter, "deadLetterTopic"))
	if state := text(a.Data, "state"); state != "" {
		c.same(a, "state", "ACTIVE", state)
	}
}

func (c *comparing) job(f Function, number int, cron string) {
	a := c.get(jobs, c.name("cloudscheduler.googleapis.com/locations/%s/jobs/%s-%d", c.region(f), f.Name, number))
	if a == nil {
		return
	}
	target, _ := a.Data["httpTarget"].(asset.Object)
	token, _ := target["oidcToken"].(asset.Object)
	c.same(a, "state", "ENABLED", text(a.Data, "state"))
	c.same(a, "schedule", cron, text(a.Data, "schedule"))
	c.pushes(f, a, "httpTarget.uri", text(target, "uri"), "/tick")
	c.same(a, "httpTarget.oidcToken.serviceAccountEmail", c.mail("in", f.Name), text(token, "serviceAccountEmail"))
}

// pushes compares where something is sent with where the function's service answers. Nobody chose the name of that host, and
// everybody may have another below run.app: only the service itself says which is its own.
func (c *comparing) pushes(f Function, a *asset.Asset, field, uri, path string) {
	service, there := c.live.Get(services, c.name("run.googleapis.com/locations/%s/services/%s", c.region(f), f.Name))
	path = "/" + f.Name + path
	read := there && !service.Deleted && service.Data != nil // else that is told of the service
	var own []string
	if read {
		own = addresses(service)
	}
	shown, _ := veil.Veil{}.Over("", uri).(string)
	switch {
	case !strings.HasPrefix(uri, "https://") || !strings.HasSuffix(uri, ".run.app"+path):
		c.tell(a.Type, a.Key, field, "https://….run.app"+path, shown)
	case !read:
	case len(own) == 0:
		c.doubt(a.Type, a.Key, field, "where the service answers was not read")
	case !slices.Contains(own, strings.TrimSuffix(uri, path)):
		c.tell(a.Type, a.Key, field, own[0]+path, shown)
	}
}

// addresses are those where a service of Cloud Run says it answers, in either version of its API: what Cloud Run writes, and nobody
// who deploys (https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services).
func addresses(a *asset.Asset) (all []string) {
	status, _ := a.Data["status"].(asset.Object)
	meta, _ := a.Data["metadata"].(asset.Object)
	notes, _ := meta["annotations"].(asset.Object)
	var noted []any
	if json.Unmarshal([]byte(text(notes, "run.googleapis.com/urls")), &noted) != nil {
		noted = nil
	}
	for _, v := range slices.Concat([]any{a.Data["uri"], status["url"]}, list(a.Data, "urls"), noted) {
		if s, _ := v.(string); strings.HasPrefix(s, "https://") {
			all = append(all, strings.TrimSuffix(s, "/"))
		}
	}
	return all
}

// sinks looks whether the log of each watched project arrives.
func (c *comparing) sinks() {
	if len(c.e.Watched) == 0 {
		return
	}
	to := c.e.Destination()
	topic := c.get(topics, "//"+to)
	for _, id := range c.e.Watched {
		key := "//logging.googleapis.com/projects/" + id + "/sinks/ostiary-watch"
		project, there := c.live.Get(projects, "projects/"+id)
		if !there {
			project = &asset.Asset{Project: id}
		}
		if len(c.logs) == 0 && !c.read(coverage.Type) {
			c.doubt(coverage.Type, key, "", "nothing of this type was read")
			continue
		}
		verdict, why := coverage.Of(project, c.logs, func(destination string) bool { return destination == to }, c.e.Need)
		switch verdict {
		case coverage.NotCovered:
			c.tell(coverage.Type, key, "filter", string(coverage.Covered), string(why))
		case coverage.Undetermined:
			c.doubt(coverage.Type, key, "filter", string(why))
		}
	}
	for _, sink := range c.logs { // whatever they lie in: one of a folder or the organization takes along what is below it
		if topic != nil && text(sink.Data, "destination") == to {
			c.writer(topic, text(sink.Data, "writerIdentity"))
		}
	}
}

// writer looks whether a sink may write to the topic.
func (c *comparing) writer(topic *asset.Asset, member string) {
	if topic.IAM == nil {
		c.doubt(topic.Type, topic.Key, "iam", "who may use it was not read")
		return
	}
	for _, b := range topic.IAM.Bindings {
		if b.Role == "roles/pubsub.publisher" && b.Condition == "" && slices.Contains(b.Members, asset.Member(member)) {
			return
		}
	}
	c.tell(topic.Type, topic.Key, "iam", "roles/pubsub.publisher "+member, "")
}
