package checkup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/coverage"
	"ostiary.internal/shared/platform/fault"
)

// quiet is how long nothing may arrive. The watch writes a heartbeat into the log each quarter of an hour; Monitoring tells of
// it up to four minutes later.
const quiet = time.Hour

// streams looks whether the logs are written, and whether they arrive.
func streams(ctx context.Context, v *visit) {
	on := v.switched()
	v.audits(on)
	v.blind(on)
	v.writers()
	v.arriving(ctx)
	v.refusing(ctx)
}

// switched are the services whose Data Access logs the watch believes are on.
func (v *visit) switched() []string {
	all := v.values("OSTIARY_DATA_ACCESS")
	if len(all) > 1 {
		v.wrong("streams", "OSTIARY_DATA_ACCESS", "functions are told different services: "+strings.Join(slices.Sorted(maps.Keys(all)), " and "), "Apply the environment again: its settings are the same for all.")
	}
	return divided(v.first("OSTIARY_DATA_ACCESS"))
}

// audits looks whether those logs are on in every watched project, by its own audit configuration or that of what it lies in.
func (v *visit) audits(on []string) {
	if len(on) == 0 {
		v.unsure("streams", "Data Access logs", fault.New(fault.Misconfigured, "no deployed function says which ones are on"))
	}
	for _, id := range v.watched() {
		project, there := v.asset(projectType, "//cloudresourcemanager.googleapis.com/projects/"+id)
		if !there {
			continue // the grants tell it
		}
		places, read := []*asset.Asset{project}, project.IAM != nil && len(project.Ancestors) > 0 // none: what it lies in was not read
		for _, one := range project.Ancestors[min(1, len(project.Ancestors)):] {
			kind := folderType
			if strings.HasPrefix(one, "organizations/") {
				kind = organizationType
			}
			a, is := v.asset(kind, "//cloudresourcemanager.googleapis.com/"+one)
			if read = read && is && a.IAM != nil; is {
				places = append(places, a)
			}
		}
		good := 0
		for _, service := range on {
			missing, exempt := unwritten(places, service)
			switch {
			case len(missing) > 0 && !read:
				v.unsure("streams", id+" "+service, fault.New(fault.Denied, "whether its Data Access logs are on was not read whole"))
			case len(missing) > 0:
				v.wrong("streams", id+" "+service, "its Data Access logs are off: "+strings.Join(missing, ", ")+"; the rules are told they are on", "Switch them on in terraform/org, data_access; or take the service out of OSTIARY_DATA_ACCESS, so that the rules say they are blind.")
			default:
				good++
			}
			if len(exempt) > 0 {
				v.told("streams", id+" "+service, "of these nothing is written: "+strings.Join(exempt, ", "))
			}
		}
		if good == len(on) && good > 0 {
			v.ok("streams", id+" Data Access logs", "written of "+strings.Join(on, ", "))
		}
	}
}

// unwritten are the log types of a service that none of the places switches on, and who is exempt.
func unwritten(places []*asset.Asset, service string) (missing, exempt []string) {
	for _, kind := range []string{"ADMIN_READ", "DATA_READ", "DATA_WRITE"} {
		is := false
		for _, place := range places {
			if place.IAM == nil {
				continue
			}
			for _, a := range place.IAM.Audit {
				if a.Type == kind && (a.Service == service || a.Service == "allServices") {
					is, exempt = true, append(exempt, a.Exempt...)
				}
			}
		}
		if !is {
			missing = append(missing, kind)
		}
	}
	slices.Sort(exempt)
	return missing, slices.Compact(exempt)
}

// blind says which rules of the policy see nothing, by what the functions are told is written.
func (v *visit) blind(on []string) {
	if v.Blind == nil {
		v.unasked("streams: which rules are blind; name the policy folder with --policy")
		return
	}
	needs := v.Blind(on, divided(v.first("OSTIARY_LOG_STREAMS")))
	for _, n := range needs {
		where := "the stream " + string(n.Stream)
		if n.Service != "" {
			where += " of " + n.Service
		}
		v.wrong("streams", where, "nobody said that it is written; blind are "+strings.Join(n.Rules, ", "), "Switch it on, in terraform/org data_access or where its service is administered, and name it in OSTIARY_DATA_ACCESS or OSTIARY_LOG_STREAMS; or leave the rules out of the policy.")
	}
	if len(needs) == 0 {
		v.ok("streams", "rules", "every stream that a rule of the policy needs is said to be written")
	}
}

// writers looks whether each sink that leads to the controls may write there. A sink gets that right by itself nowhere.
func (v *visit) writers() {
	const topic = "//pubsub.googleapis.com/projects/"
	destination := v.expected.Destination()
	key := topic + v.Project + "/topics/audit.entries"
	to, there := v.asset(topicType, key)
	if !there || to.IAM == nil {
		return // the messages tell it
	}
	for _, sink := range v.of(coverage.Type) {
		if text(sink.Data, "destination") != destination {
			continue
		}
		writer := asset.Member(text(sink.Data, "writerIdentity"))
		if given(to.IAM, "roles/pubsub.publisher", writer) {
			v.ok("streams", strings.TrimPrefix(sink.Key, "//logging.googleapis.com/"), "it may write to audit.entries")
			continue
		}
		v.wrong("streams", strings.TrimPrefix(sink.Key, "//logging.googleapis.com/"), "its writer "+writer+" may not write to audit.entries: nothing of it arrives", "Apply terraform/org again: it gives the sink's writer the topic.")
	}
}

// arriving looks when something came from the logs the last time.
func (v *visit) arriving(ctx context.Context) {
	now := v.Clock.Now()
	all, err := v.wire.series(ctx, v.Project, `metric.type = "pubsub.googleapis.com/topic/send_message_operation_count" AND resource.labels.topic_id = "audit.entries"`, now, quiet)
	if err != nil {
		v.unsure("streams", "arrival", err)
		return
	}
	var last time.Time
	for _, s := range all {
		if at, _ := s.last(); at.After(last) {
			last = at
		}
	}
	if last.IsZero() {
		v.wrong("streams", "arrival", "in the last hour nothing came from the logs, not even the watch's own heartbeat", "Look at the sinks and their writers above; after a first apply wait a quarter of an hour.")
		return
	}
	v.ok("streams", "arrival", "the last entry came "+ago(now.Sub(last)))
}

// refusing looks whether entries were dropped on the way.
func (v *visit) refusing(ctx context.Context) {
	for _, id := range v.watched() {
		all, err := v.wire.series(ctx, id, `metric.type = "logging.googleapis.com/exports/error_count"`, v.Clock.Now(), quiet)
		if err != nil {
			v.unsure("streams", id+" export errors", err)
			continue
		}
		lost := 0.0
		for _, s := range all {
			_, n := s.last()
			lost += n
		}
		if lost > 0 {
			v.wrong("streams", id+" export errors", fmt.Sprintf("%.0f entries could not be exported in the last hour", lost), "Google writes why into the project's log: look for log_id(\"logging.googleapis.com/sink_error\").")
		}
	}
}

// given reports whether a policy gives a role to a member, always.
func given(p *asset.Policy, role, member string) bool {
	return slices.ContainsFunc(p.Bindings, func(b asset.Binding) bool {
		return b.Role == role && b.Condition == "" && slices.Contains(b.Members, asset.Member(member))
	})
}

// ago is how long something is past, as people say it.
func ago(d time.Duration) string {
	switch d = max(0, d); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f seconds ago", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f minutes ago", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f hours ago", d.Hours())
	}
	return fmt.Sprintf("%.0f days ago", d.Hours()/24)
}

// divided are the parts of a list with commas.
func divided(list string) (all []string) {
	for _, one := range strings.Split(list, ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}

func text(data asset.Object, field string) string {
	s, _ := data[field].(string)
	return s
}

// inside is an object within another, or an empty one.
func inside(data asset.Object, field string) asset.Object {
	o, _ := data[field].(asset.Object)
	return o
}
