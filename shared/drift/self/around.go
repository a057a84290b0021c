package self

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/coverage"
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
			c.same(a, "disabled", "false", fmt.Sprint(a.Data["disabled"] == true))
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

// roles compares the rights in a function's roles with its manifest's: one role for each resource.
func (c *comparing) roles(f Function) {
	want := map[string][]string{}
	for _, p := range f.Permissions {
		on := p.Resource
		switch {
		case on == "directory", on == "assets", strings.HasPrefix(on, "data:"): // given elsewhere
			continue
		case on == "bucket:evidence-inbox" && p.Permission == "storage.objects.create":
			on = "place:evidence-inbox"
		}
		want[on] = append(want[on], p.Permission)
	}
	for _, on := range slices.Sorted(maps.Keys(want)) {
		a := c.get(roles, c.name("iam.googleapis.com/roles/%s", unfit.ReplaceAllString("ostiary."+f.Name+"."+on, "_")))
		if a == nil {
			continue
		}
		c.same(a, "deleted", "false", fmt.Sprint(a.Data["deleted"] == true))
		var got []string
		for _, p := range list(a.Data, "includedPermissions") {
			s, _ := p.(string)
			got = append(got, s)
		}
		slices.Sort(got)
		slices.Sort(want[on])
		c.same(a, "includedPermissions", strings.Join(want[on], "\n"), strings.Join(got, "\n"))
	}
}

// rights looks for what the functions may do in the whole project beside their own roles.
func (c *comparing) rights() {
	key := "//cloudresourcemanager.googleapis.com/projects/" + c.e.Project
	a, there := c.live.Get(projects, key)
	if !there || a.Deleted || a.IAM == nil {
		c.doubt(projects, key, "iam", "who may use it was not read")
		return
	}
	for _, b := range a.IAM.Bindings {
		for _, m := range b.Members {
			for _, f := range c.e.Functions {
				own := strings.HasPrefix(b.Role, "projects/"+c.e.Project+"/roles/ostiary."+f.Name+".")
				if m == "serviceAccount:"+c.mail("fn", f.Name) && !own || m == "serviceAccount:"+c.mail("in", f.Name) {
					c.tell(a.Type, a.Key, "iam", "", b.Role+" "+m)
				}
			}
		}
	}
}

// deliveries looks at what wakes a function, and at the topics it writes to.
func (c *comparing) deliveries(f Function) {
	for _, name := range f.Publishes {
		c.get(topics, c.name("pubsub.googleapis.com/topics/%s", name))
	}
	crons, dead := 0, c.name("pubsub.googleapis.com/topics/dead.%s", f.Name)
	for i, t := range f.Triggers {
		switch t.Kind {
		case "topic":
			if !slices.ContainsFunc(f.Triggers[:i], func(o Trigger) bool { return o.Kind == "topic" }) {
				c.get(topics, dead)
			}
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
	push, _ := a.Data["pushConfig"].(asset.Object)
	token, _ := push["oidcToken"].(asset.Object)
	letter, _ := a.Data["deadLetterPolicy"].(asset.Object)
	c.same(a, "topic", "projects/"+c.e.Project+"/topics/"+topic, text(a.Data, "topic"))
	c.same(a, "filter", filter, text(a.Data, "filter"))
	c.pushes(a, "pushConfig.pushEndpoint", text(push, "pushEndpoint"), f.Name+"/events")
	c.same(a, "pushConfig.oidcToken.serviceAccountEmail", c.mail("in", f.Name), text(token, "serviceAccountEmail"))
	c.same(a, "deadLetterPolicy.deadLetterTopic", "projects/"+c.e.Project+"/topics/dead."+f.Name, text(letter, "deadLetterTopic"))
	if state := text(a.Data, "state"); state != "" {
		c.same(a, "state", "ACTIVE", state)
	}
}

func (c *comparing) job(f Function, number int, cron string) {
	a := c.get(jobs, c.name("cloudscheduler.googleapis.com/locations/%s/jobs/%s-%d", c.e.Region, f.Name, number))
	if a == nil {
		return
	}
	target, _ := a.Data["httpTarget"].(asset.Object)
	token, _ := target["oidcToken"].(asset.Object)
	c.same(a, "state", "ENABLED", text(a.Data, "state"))
	c.same(a, "schedule", cron, text(a.Data, "schedule"))
	c.pushes(a, "httpTarget.uri", text(target, "uri"), f.Name+"/tick")
	c.same(a, "httpTarget.oidcToken.serviceAccountEmail", c.mail("in", f.Name), text(token, "serviceAccountEmail"))
}

// pushes compares where something is sent: the host is Cloud Run's own, and its name nobody chose.
func (c *comparing) pushes(a *asset.Asset, field, uri, path string) {
	host, rest, _ := strings.Cut(strings.TrimPrefix(uri, "https://"), "/")
	if !strings.HasPrefix(uri, "https://") || !strings.HasSuffix(host, ".run.app") || rest != path {
		c.tell(a.Type, a.Key, field, "https://….run.app/"+path, uri)
	}
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
		if sink, is := c.live.Get(coverage.Type, key); is && sink.Data != nil && topic != nil {
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
