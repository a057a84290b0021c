package rules

import (
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

var deliveryRules = []Rule{
	{"dead-letter", "Every push has a dead letter topic that keeps what it is given, with both grants to the agent of Pub/Sub.", "environments/", deadLetter},
	{"push", "Every push comes from the invoker account of its function, which may invoke it, with a token for it.", "environments/", pushes},
	{"schedule", "Every schedule comes from the invoker account of its function, with a token for it.", "environments/", schedules},
	{"triggers", "What wakes a function in its manifest wakes it in the plan, and the reverse.", "environments/", triggers},
}

// pubsubAgent is the account that Pub/Sub delivers dead letters as.
const pubsubAgent = "@gcp-sa-pubsub.iam.gserviceaccount.com"

func deadLetter(l *look) {
	for _, s := range l.Plan.Of(push) {
		if len(s.List("push_config")) == 0 {
			continue
		}
		l.seen++
		dead := l.the(topic, s, "dead_letter_policy", "dead_letter_topic")
		if dead == nil {
			l.wrong(s, "has no dead letter topic of its own: what cannot be delivered is lost after seven days")
			continue
		}
		if n := s.Number("dead_letter_policy", "max_delivery_attempts"); n < 5 || n > 100 {
			l.wrong(s, "is tried %d times: Pub/Sub takes 5 to 100", n)
		}
		if !l.granted("google_pubsub_topic_iam_member", "roles/pubsub.publisher", "topic", dead) {
			l.wrong(s, "the agent of Pub/Sub may not publish on %s: dead-lettering does nothing, and says nothing", dead.Address)
		}
		if !l.granted("google_pubsub_subscription_iam_member", "roles/pubsub.subscriber", "subscription", s) {
			l.wrong(s, "the agent of Pub/Sub may not acknowledge on it: dead-lettering does nothing, and says nothing")
		}
		kept := false
		for _, reader := range l.Plan.Of(push) {
			kept = kept || l.from(dead, reader, "topic") && len(reader.List("push_config")) == 0 && reader.Text("message_retention_duration") == "2678400s" && reader.Text("filter") == "" && !reader.Later("filter") && neverEnds(reader)
		}
		if !kept {
			l.wrong(s, "nothing keeps what lies on %s for 31 days: a topic alone keeps it for nobody", dead.Address)
		}
	}
}

// granted tells whether the agent of Pub/Sub in the project of a resource holds a role on it.
func (l *look) granted(kind, role, attribute string, on *plan.Resource) bool {
	return slices.ContainsFunc(l.Plan.Of(kind), func(r *plan.Resource) bool {
		return r.Text("role") == role && r.Text("member") == "serviceAccount:service-"+l.number()+pubsubAgent && l.from(on, r, attribute) && len(r.List("condition")) == 0
	})
}

// neverEnds tells whether a subscription stays although nobody asks it for anything; otherwise it goes after 31 days.
func neverEnds(s *plan.Resource) bool {
	return len(s.List("expiration_policy")) == 1 && s.Text("expiration_policy", "ttl") == ""
}

func pushes(l *look) {
	for _, s := range l.Plan.Of(push) {
		if len(s.List("push_config")) == 0 {
			continue
		}
		l.seen++
		l.called(s, "/events", []string{"push_config", "push_endpoint"}, []string{"push_config", "oidc_token"})
		if !neverEnds(s) {
			l.wrong(s, "ends when nobody publishes for 31 days: write an empty ttl in expiration_policy")
		}
		if len(s.List("retry_policy")) == 0 {
			l.wrong(s, "is tried again at once, without end: write a retry_policy")
		}
		f := l.the(function, s, "push_config", "push_endpoint")
		if f == nil {
			continue
		}
		if wait, runs := s.Number("ack_deadline_seconds"), f.Number("service_config", "timeout_seconds"); wait < runs {
			l.wrong(s, "sends again after %d seconds what the function may work on for %d", wait, runs)
		}
	}
}

func schedules(l *look) {
	for _, j := range l.of(job) {
		l.called(j, "/tick", []string{"http_target", "uri"}, []string{"http_target", "oidc_token"})
	}
}

// called holds a push or a schedule to who it comes from and where it goes.
func (l *look) called(r *plan.Resource, ending string, address, token []string) {
	f := l.the(function, r, address...)
	if f == nil {
		l.wrong(r, "goes to no function of this plan")
		return
	}
	if written := l.Plan.Expression(r, address...); !strings.HasSuffix(strings.Trim(written, `"`), ending) && !strings.HasSuffix(r.Text(address...), "/"+f.Text("name")+ending) {
		l.wrong(r, "goes to %s: a function takes this kind under /NAME%s", written, ending)
	}
	who := l.the(account, r, append(slices.Clone(token), "service_account_email")...)
	if who == nil || who.Module != f.Module || who.Text("account_id") != "in-"+f.Text("name") {
		l.wrong(r, "comes from no invoker account of %s", f.Text("name"))
		return
	}
	if !l.from(f, r, append(slices.Clone(token), "audience")...) {
		l.wrong(r, "its token is for nobody in particular: the audience is the URL of the function")
	}
	if !slices.ContainsFunc(l.Plan.Of(invokes), func(g *plan.Resource) bool {
		return g.Text("role") == "roles/run.invoker" && l.who(g) == who && l.from(f, g, "service")
	}) {
		l.wrong(r, "comes from %s, which may not invoke %s", who.Address, f.Text("name"))
	}
}

func triggers(l *look) {
	have := map[string][]string{}
	for _, s := range l.Plan.Of(push) {
		if f := l.the(function, s, "push_config", "push_endpoint"); f != nil {
			from := l.the(topic, s, "topic")
			if from == nil {
				l.wrong(s, "subscribes to no topic of this plan")
				continue
			}
			have[f.Text("name")] = append(have[f.Text("name")], "topic "+from.Text("name")+" "+s.Text("filter"))
		}
	}
	for _, j := range l.Plan.Of(job) {
		if f := l.the(function, j, "http_target", "uri"); f != nil {
			have[f.Text("name")] = append(have[f.Text("name")], "schedule "+j.Text("schedule")+" "+j.Text("time_zone"))
			if j.True("paused") {
				l.wrong(j, "is paused: %s would wait for ever", f.Text("name"))
			}
		}
	}
	for _, m := range l.Manifests {
		if l.deployed(m.Name) == nil {
			continue
		}
		l.seen++
		var want []string
		for _, t := range m.woken("topic") {
			want = append(want, "topic "+t.Topic+" "+t.Filter)
		}
		for _, t := range m.woken("schedule") {
			want = append(want, "schedule "+t.Cron+" Etc/UTC")
		}
		slices.Sort(want)
		slices.Sort(have[m.Name])
		if !slices.Equal(want, have[m.Name]) {
			l.missing(m.Name, "is woken by %q, and its manifest says %q", have[m.Name], want)
		}
	}
}
