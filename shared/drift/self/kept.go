package self

import (
	"slices"
	"strconv"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/policy"
)

const (
	alerts   = "monitoring.googleapis.com/AlertPolicy"
	channels = "monitoring.googleapis.com/NotificationChannel"
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

// weighed tells what is otherwise, and is not the worst there is.
func (c *comparing) weighed(s policy.Severity, kind, key, field, want, got string) {
	c.found = append(c.found, diff.Finding{Key: key, Type: kind, Class: Drift, Field: field, Want: want, Got: got, Direction: diff.Loosened, Severity: s})
}
