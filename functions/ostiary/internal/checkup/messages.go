package checkup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/fault"
)

// Bounds of what is in time.
const (
	backlog = 10 * time.Minute // a message that waits longer is not being worked on
	slack   = 15 * time.Minute // past the interval of a schedule, before it counts as standing still
)

// messages looks at what happens to messages that no function takes, and whether any waits.
func messages(ctx context.Context, v *visit) {
	number, err := v.number(ctx)
	if err != nil {
		v.unsure("messages", "dead letters", err)
	} else {
		v.agents("serviceAccount:service-" + number + "@gcp-sa-pubsub.iam.gserviceaccount.com")
	}
	all, err := v.wire.series(ctx, v.Project, `metric.type = "pubsub.googleapis.com/subscription/oldest_unacked_message_age"`, v.Clock.Now(), quiet/4)
	if err != nil {
		v.unsure("messages", "backlog", err)
		return
	}
	late, missing := 0, v.woken()
	waited := len(missing)
	for _, s := range all {
		name := s.Resource.Labels["subscription_id"]
		if len(s.Points) == 0 || !strings.Contains(name, "--") {
			continue
		}
		delete(missing, name)
		if age := time.Duration(s.at(0)) * time.Second; age > backlog {
			late++
			function, _, _ := strings.Cut(name, "--")
			v.wrong("messages", name, "its oldest message has waited since "+ago(age), "Read the log of "+function+": gcloud functions logs read "+function+" --gen2 --project "+v.Project+".")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		v.unsure("messages", name, fault.New(fault.Transient, "Monitoring has no figure of how long its messages wait"))
	}
	if late == 0 && len(missing) == 0 {
		v.ok("messages", "backlog", fmt.Sprintf("no message of %d subscriptions has waited for more than %.0f minutes", waited, backlog.Minutes()))
	}
}

// woken are the subscriptions by which messages wake the functions that are deployed.
func (v *visit) woken() map[string]bool {
	all := map[string]bool{}
	for _, f := range v.functions {
		if _, is := v.there[f.Name]; !is {
			continue
		}
		for _, topic := range f.Topics() {
			all[f.Name+"--"+topic] = true
		}
	}
	return all
}

// number is the number of the project, by which Google's own accounts in it are called.
func (v *visit) number(ctx context.Context) (string, error) {
	if a, is := v.asset(projectType, "//cloudresourcemanager.googleapis.com/projects/"+v.Project); is {
		if n := text(a.Data, "projectNumber"); n != "" {
			return n, nil
		}
	}
	var p struct {
		Number string `json:"projectNumber"`
	}
	err := v.wire.get(ctx, "https://cloudresourcemanager.googleapis.com/v1/projects/"+v.Project, &p)
	if err == nil && p.Number == "" {
		err = fault.New(fault.Transient, "reading the number of %s: the answer does not tell it", v.Project)
	}
	return p.Number, err
}

// agents looks whether Pub/Sub may set aside what a function does not take: without both rights it drops it in silence (Google
// Cloud, Pub/Sub, "Handle message failures").
func (v *visit) agents(agent string) {
	at, good := "//pubsub.googleapis.com/projects/"+v.Project+"/", 0
	for _, f := range v.functions {
		if _, is := v.there[f.Name]; !is || len(f.Topics()) == 0 {
			continue
		}
		dead := "dead." + f.Name
		if v.allowed(topicType, at+"topics/"+dead, "roles/pubsub.publisher", agent, dead) {
			good++
		}
		for _, topic := range f.Topics() {
			name := f.Name + "--" + topic
			if v.allowed(subscriptionType, at+"subscriptions/"+name, "roles/pubsub.subscriber", agent, name) {
				good++
			}
		}
	}
	if good > 0 {
		v.ok("messages", "dead letters", fmt.Sprintf("Pub/Sub may set messages aside, by %d grants", good))
	}
}

func (v *visit) allowed(kind, key, role, agent, name string) bool {
	a, is := v.asset(kind, key)
	if !is || a.IAM == nil { // that it is gone, or unread, is told already
		return false
	}
	if given(a.IAM, role, agent) {
		return true
	}
	v.wrong("messages", name, "Pub/Sub's own account lacks "+role+": what the function cannot take is lost, and not set aside", "Apply the environment again; it gives "+agent+" the role.")
	return false
}

// schedules looks whether what runs by the clock ran, and how it ended. Whether it is paused or changed, package self tells.
func schedules(_ context.Context, v *visit) {
	good, now := 0, v.Clock.Now()
	for _, f := range v.functions {
		d, is := v.there[f.Name]
		if !is {
			continue
		}
		region, crons := d.region(), 0
		for _, t := range f.Triggers {
			if t.Kind != manifest.Schedule {
				continue
			}
			name := fmt.Sprintf("%s-%d", f.Name, crons)
			crons++
			a, is := v.asset(jobType, "//cloudscheduler.googleapis.com/projects/"+v.Project+"/locations/"+region+"/jobs/"+name)
			if !is || a.Data == nil || text(a.Data, "state") != "ENABLED" {
				continue
			}
			last, err := time.Parse(time.RFC3339, text(a.Data, "lastAttemptTime"))
			code, _ := inside(a.Data, "status")["code"].(float64)
			switch {
			case err != nil && now.Sub(d.Updated) > slack+every(t.Cron):
				v.wrong("schedules", name, "it has never run", "Run it once: gcloud scheduler jobs run "+name+" --location "+region+" --project "+v.Project+".")
			case err == nil && now.Sub(last) > slack+every(t.Cron):
				v.wrong("schedules", name, "it ran the last time "+ago(now.Sub(last)), "Run it once: gcloud scheduler jobs run "+name+" --location "+region+" --project "+v.Project+".")
			case err != nil:
				v.told("schedules", name, "it has not run yet: it was deployed "+ago(now.Sub(d.Updated)))
			case code != 0:
				v.wrong("schedules", name, fmt.Sprintf("its last run failed, with code %.0f of google.rpc.Code", code), "Read the log of "+f.Name+": gcloud functions logs read "+f.Name+" --gen2 --region "+region+" --project "+v.Project+".")
			default:
				good++
			}
		}
	}
	if good > 0 {
		v.ok("schedules", "runs", fmt.Sprintf("%d schedules ran when they should have, and ended well", good))
	}
}

// every is how long lies between two runs, of the two forms that manifests have: each minute, and each so many minutes. Of
// another it is a day.
func every(cron string) time.Duration {
	fields := strings.Fields(cron)
	if len(fields) != 5 || slices.ContainsFunc(fields[1:], func(s string) bool { return s != "*" }) {
		return 24 * time.Hour
	}
	if fields[0] == "*" {
		return time.Minute
	}
	if minutes, is := strings.CutPrefix(fields[0], "*/"); is {
		if d, err := time.ParseDuration(minutes + "m"); err == nil {
			return d
		}
	}
	return time.Hour
}
