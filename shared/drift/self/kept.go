package self

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/policy"
)

const (
	folders       = "cloudresourcemanager.googleapis.com/Folder"
	organizations = "cloudresourcemanager.googleapis.com/Organization"
	alerts        = "monitoring.googleapis.com/AlertPolicy"
	channels      = "monitoring.googleapis.com/NotificationChannel"
)

// Waiting is the type of what is known of messages that wait in a subscription: how many, as "undelivered". The key of one is
// that of the subscription below another host: see [WaitingKey].
const Waiting = "waiting.ostiary/Subscription"

// WaitingPlace is where all of them are listed, in an asset.Source of their own.
const WaitingPlace = "waiting"

// WaitingKey is the key of what waits in a subscription of a project.
func WaitingKey(project, subscription string) string {
	return "//waiting.ostiary/projects/" + project + "/subscriptions/" + subscription
}

// letters looks at what happens to messages that a function could not take: they are kept, somebody is told of them, and none
// waits.
func (c *comparing) letters(f Function) {
	if !slices.ContainsFunc(f.Triggers, func(t Trigger) bool { return t.Kind == "topic" }) {
		return
	}
	name := "dead." + f.Name
	key := c.name("pubsub.googleapis.com/subscriptions/%s", name)
	if a := c.get(subscriptions, key); a != nil {
		c.same(a, "topic", "projects/"+c.e.Project+"/topics/"+name, text(a.Data, "topic"))
		c.alert(a, "Dead letters of "+f.Name)
	}
	a, there := c.live.Get(Waiting, WaitingKey(c.e.Project, name))
	n, known := 0.0, false
	if there && !a.Deleted {
		n, known = a.Data["undelivered"].(float64)
	}
	switch {
	case !known:
		c.doubt(Waiting, key, "undelivered", "how many messages wait there was not read")
	case n > 0:
		c.weighed(policy.High, subscriptions, key, "undelivered", "0", strconv.FormatFloat(n, 'f', -1, 64))
	}
}

// alert looks whether an alert policy of a name is on, and reaches somebody.
func (c *comparing) alert(of *asset.Asset, name string) {
	if c.kinds[alerts] == 0 && !c.read(alerts) {
		c.doubt(alerts, of.Key, "alert", "nothing of this type was read")
		return
	}
	at := slices.IndexFunc(c.alarms, func(a *asset.Asset) bool { return text(a.Data, "displayName") == name && a.Project == c.e.Project })
	if at < 0 {
		c.tell(of.Type, of.Key, "alert", name, "")
		return
	}
	a, reached := c.alarms[at], 0
	if a.Data["enabled"] == false {
		c.tell(a.Type, a.Key, "enabled", "true", "false")
	}
	for _, one := range list(a.Data, "notificationChannels") {
		channel, _ := one.(string)
		to, there := c.live.Get(channels, "//monitoring.googleapis.com/"+channel)
		switch {
		case !there && !c.read(channels):
			c.doubt(channels, a.Key, "notificationChannels", "nothing of this type was read")
			return
		case there && !to.Deleted && to.Data["enabled"] != false && text(to.Data, "verificationStatus") != "UNVERIFIED":
			reached++
		}
	}
	if reached == 0 {
		c.tell(a.Type, a.Key, "notificationChannels", "one that is on and verified", "")
	}
}

// Roles of Google's that reach what Firestore keeps, or give their holder a right by which she could, by how they begin; and those of
// them that do not (https://cloud.google.com/iam/docs/roles-permissions/datastore).
var (
	holding = []string{"roles/owner", "roles/editor", "roles/viewer", "roles/admin", "roles/writer", "roles/reader", "roles/datastore.", "roles/firebase.", "roles/firestore.",
		"roles/resourcemanager.projectIamAdmin", "roles/resourcemanager.folderIamAdmin", "roles/resourcemanager.folderAdmin", "roles/resourcemanager.organizationAdmin", "roles/iam.securityAdmin"}
	harmless = []string{"roles/datastore.indexAdmin", "roles/datastore.keyVisualizerViewer", "roles/datastore.backupsViewer", "roles/datastore.backupSchedulesViewer", "roles/datastore.backupSchedulesAdmin"}

	// reaching are the permissions of roles the company made that do the same.
	reaching = []string{"datastore.entities.", "datastore.databases.export", "datastore.databases.clone", "datastore.databases.delete", "datastore.databases.update", "datastore.backups.restoreDatabase",
		"resourcemanager.projects.setIamPolicy", "resourcemanager.folders.setIamPolicy", "resourcemanager.organizations.setIamPolicy", "iam.roles.update"}

	// agent is an account by which a service of Google's acts in the project itself.
	agent = regexp.MustCompile(`^serviceAccount:(service-[0-9]+@gcp-sa-[a-z0-9-]+\.iam|[0-9]+@cloudservices)\.gserviceaccount\.com$`)
)

// stores names who may read or change what the controls keep in Firestore, beside the functions and Google's own machinery, in
// the project and in what it lies in: whoever may change it may change what they know.
func (c *comparing) stores() {
	key := "//cloudresourcemanager.googleapis.com/projects/" + c.e.Project
	project, there := c.live.Get(projects, key)
	if !there || project.Deleted || project.IAM == nil {
		return // rights says that nobody knows
	}
	c.holders(project)
	for _, above := range project.Ancestors {
		kind := folders
		switch {
		case strings.HasPrefix(above, "organizations/"):
			kind = organizations
		case !strings.HasPrefix(above, "folders/"):
			continue
		}
		a, there := c.live.Get(kind, "//cloudresourcemanager.googleapis.com/"+above)
		if !there || a.Deleted || a.IAM == nil {
			c.doubt(kind, "//cloudresourcemanager.googleapis.com/"+above, "firestore", "who may use it was not read")
			continue
		}
		c.holders(a)
	}
}

func (c *comparing) holders(a *asset.Asset) {
	var all []string
	for _, b := range a.IAM.Bindings {
		reaches, known := c.holds(b.Role)
		if !known {
			c.doubt(roles, a.Key, "firestore", b.Role+" was not read")
		}
		for _, m := range b.Members {
			if !reaches || c.own(b.Role, m) || agent.MatchString(m) {
				continue
			}
			line := b.Role + " " + m
			if b.Condition != "" {
				line += " {" + b.Condition + "}"
			}
			all = append(all, line)
		}
	}
	if len(all) > 0 {
		slices.Sort(all)
		c.weighed(policy.High, a.Type, a.Key, "firestore", "the controls alone", strings.Join(all, "\n"))
	}
}

// own reports whether a member is an account of one of the functions: rights looks at those. A role of a function's in the hands of
// its account is its own, whatever release it is of.
func (c *comparing) own(role, member string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(role, "projects/"+c.e.Project+"/roles/ostiary."), ".")
	return member == "serviceAccount:"+c.mail("fn", name) || slices.ContainsFunc(c.e.Functions, func(f Function) bool {
		return member == "serviceAccount:"+c.mail("fn", f.Name) || member == "serviceAccount:"+c.mail("in", f.Name)
	})
}

// holds reports whether a role reaches what Firestore keeps, and whether anybody knows.
func (c *comparing) holds(role string) (is, known bool) {
	begins := func(all []string, s string) bool {
		return slices.ContainsFunc(all, func(begin string) bool {
			return s == begin || strings.HasSuffix(begin, ".") && strings.HasPrefix(s, begin)
		})
	}
	if strings.HasPrefix(role, "roles/") {
		return begins(holding, role) && !slices.Contains(harmless, role), true
	}
	if strings.HasPrefix(role, "projects/"+c.e.Project+"/roles/ostiary.") {
		return true, true // a function's own, and whoever else has it
	}
	a, there := c.live.Get(roles, "//iam.googleapis.com/"+role)
	switch {
	case there && (a.Deleted || a.Data["deleted"] == true):
		return false, true
	case !there || a.Data == nil:
		return false, false
	}
	return slices.ContainsFunc(list(a.Data, "includedPermissions"), func(p any) bool {
		s, _ := p.(string)
		return begins(reaching, s)
	}), true
}

// weighed tells what is otherwise, and is not the worst there is.
func (c *comparing) weighed(s policy.Severity, kind, key, field, want, got string) {
	c.found = append(c.found, diff.Finding{Key: key, Type: kind, Class: Drift, Field: field, Want: want, Got: got, Direction: diff.Loosened, Severity: s})
}
