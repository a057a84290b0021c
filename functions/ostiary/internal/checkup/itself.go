package checkup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/coverage"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/self"
)

// itself holds what is there against what was released.
func (v *visit) itself() {
	type ofArea struct{ looked, bad int }
	areas := map[string]*ofArea{}
	for _, a := range v.live.All() {
		if area := areaOf[a.Type]; area != "" && a.Type != bucketType && slices.Contains(self.Types(), a.Type) {
			if areas[area] == nil {
				areas[area] = &ofArea{}
			}
			areas[area].looked++
		}
	}
	for _, f := range self.Compare(v.expected, v.live, func(kind string) bool { return !v.failed[kind] }) {
		area := cmp.Or(areaOf[f.Type], "functions")
		if areas[area] != nil && f.Field != "holders" && !v.deploying(f) {
			areas[area].bad++
		}
		switch {
		case f.Type == topicType && f.Field == "iam" && strings.HasPrefix(f.Want, "roles/pubsub.publisher "):
			continue // a sink may not write: the streams tell which
		case f.Field == "holders":
			for _, line := range strings.Split(f.Got, "\n") {
				v.told("grants", short(f.Key), "beside the functions this reaches what they keep: "+line)
			}
			continue
		case v.deploying(f):
			v.told(area, short(f.Key), "whoever deploys may act as it: "+f.Got)
			continue
		case f.Class == diff.Undetermined && v.missed[f.Key]:
			continue
		case f.Class == diff.Undetermined && v.untold && (f.Field == "values" || f.Field == "code"):
			continue
		case f.Class == diff.Undetermined:
			v.say(Check{area, subject(f), Undetermined, f.Why, "See what else could not be read of it; where nothing else is said, run it again in some minutes."})
		default:
			v.wrong(area, subject(f), said(f), mend(f))
		}
	}
	for area, n := range areas {
		if n.bad == 0 {
			v.ok(area, "as released", fmt.Sprintf("%d resources are as they were released", n.looked))
		}
	}
}

// deploying reports whether a finding is that whoever deploys may act as a function.
func (v *visit) deploying(f diff.Finding) bool {
	role, member, _ := strings.Cut(f.Got, " ")
	return f.Type == accountType && f.Field == "iam" && role == "roles/iam.serviceAccountUser" &&
		slices.ContainsFunc(v.Deploys, func(mail string) bool { return asset.Member("serviceAccount:"+mail) == member })
}

// short is a key without its host and its project: what people call the thing.
func short(key string) string {
	_, name, _ := strings.Cut(strings.TrimPrefix(key, "//"), "/")
	parts := strings.Split(name, "/")
	if len(parts) > 2 && parts[0] == "projects" {
		parts = parts[2:]
	}
	return strings.Join(parts, "/")
}

func subject(f diff.Finding) string {
	if f.Field == "" {
		return short(f.Key)
	}
	return short(f.Key) + " " + f.Field
}

// said is a finding in words.
func said(f diff.Finding) string {
	got, want := strings.ReplaceAll(f.Got, "\n", ", "), strings.ReplaceAll(f.Want, "\n", ", ")
	switch {
	case f.Field == "":
		return "it is not there"
	case f.Type == coverage.Type:
		return "not everything the rules need arrives: " + got
	case want == "":
		return "it has what nobody gave it: " + got
	case got == "":
		return "it lacks " + want
	}
	return "it is " + got + ", and was released as " + want
}

// mend says what to do about a finding.
func mend(f diff.Finding) string {
	switch f.Type {
	case serviceType:
		if f.Field == "code" || strings.HasPrefix(f.Field, "env") {
			return "Apply the environment again with the archives and the policy of the release; then look in the audit log at who changed it."
		}
		return "Apply the environment again: Terraform puts it back. Then look in the audit log at who changed it."
	case accountType, accountKeyType:
		return "Somebody may act as this function. Take it away at once, with gcloud iam service-accounts, and declare a suspicion."
	case roleType, projectType, folderType, organizationType:
		if f.Got == "" {
			break
		}
		return "Take away what nobody gave it, or apply Terraform again; what is given at the organization is in terraform/org."
	case coverage.Type:
		return map[string]string{string(coverage.Disabled): "Switch the sink on again.", string(coverage.NoSink): "Apply terraform/org: it makes the sinks.",
			string(coverage.Excluded): "Take the exclusion out of the sink.", string(coverage.Narrowed): "Apply terraform/org again: the sink's filter is generated from the rules.",
		}[f.Got] + " Until then the rules see less than they were written for."
	case self.Waiting, subscriptionType:
		if f.Field == "undelivered" {
			name, _ := strings.CutPrefix(f.Key[strings.LastIndexByte(f.Key, '/')+1:], "dead.")
			return "Read them: ostiary redeliver " + name + " --project PROJECT; mend the cause, and send them again with --all."
		}
	case jobType:
		if f.Field == "state" {
			return "Resume it: gcloud scheduler jobs resume " + f.Key[strings.LastIndexByte(f.Key, '/')+1:] + "; paused, the control does nothing by itself."
		}
	case alertType, channelType:
		return "Apply the environment again, and confirm the channel: an alarm that reaches nobody is none."
	case bucketType:
		return "Lock the retention: locked = true in the environment's variables. It cannot be taken back."
	}
	return "Apply the environment again: Terraform puts it back."
}
