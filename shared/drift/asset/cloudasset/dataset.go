package cloudasset

import (
	"strings"

	"ostiary.internal/shared/drift/asset"
)

// datasetKind is the type whose answer says itself who may use it.
const datasetKind = "bigquery.googleapis.com/Dataset"

// roles are the words a dataset has for what IAM calls otherwise.
var roles = map[string]string{"OWNER": "roles/bigquery.dataOwner", "WRITER": "roles/bigquery.dataEditor", "READER": "roles/bigquery.dataViewer"}

// groups are the words a dataset has for who everybody of a project is.
var groups = map[string]string{"projectOwners": "projectOwner:", "projectWriters": "projectEditor:", "projectReaders": "projectViewer:"}

// datasetPolicy is who may use a dataset, as IAM would write it, from the list "access" of its answer. What lets a view or a
// routine in names nobody. false: an entry is of no known shape, so that nobody can tell.
func datasetPolicy(data asset.Object, project string) (asset.Object, bool) {
	access, is := data["access"].([]any)
	if !is {
		return nil, false
	}
	bindings := []any{}
	for _, one := range access {
		entry, _ := one.(map[string]any)
		role, _ := entry["role"].(string)
		if named, old := roles[role]; old {
			role = named
		}
		member := datasetMember(entry, project)
		switch {
		case entry == nil:
			return nil, false
		case entry["view"] != nil || entry["routine"] != nil || entry["dataset"] != nil:
			continue
		case role == "" || member == "":
			return nil, false
		}
		binding := map[string]any{"role": role, "members": []any{member}}
		if condition, is := entry["condition"].(map[string]any); is {
			binding["condition"] = condition
		}
		bindings = append(bindings, binding)
	}
	return asset.Object{"bindings": bindings}, true
}

func datasetMember(entry map[string]any, project string) string {
	say := func(name string) string { s, _ := entry[name].(string); return s }
	switch email, group := say("userByEmail"), say("specialGroup"); {
	case strings.HasSuffix(email, ".gserviceaccount.com"):
		return "serviceAccount:" + email
	case email != "":
		return "user:" + email
	case say("groupByEmail") != "":
		return "group:" + say("groupByEmail")
	case say("domain") != "":
		return "domain:" + say("domain")
	case groups[group] != "":
		return groups[group] + project
	case group == "allAuthenticatedUsers":
		return group
	}
	return say("iamMember")
}
