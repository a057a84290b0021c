package auditlog

import "encoding/json"

// Roles that BigQuery's access list stands for, in IAM's words.
var accessRoles = map[string]string{
	"READER": "roles/bigquery.dataViewer", "WRITER": "roles/bigquery.dataEditor", "OWNER": "roles/bigquery.dataOwner",
}

// accessList reads google.cloud.bigquery.logging.v1.AuditData: the whole list of a dataset that was made or changed.
// The answer is better than the request, which may hold less.
func (d *Delta) accessList(raw json.RawMessage, project string) bool {
	for _, name := range []string{"datasetUpdateResponse", "datasetInsertResponse", "datasetUpdateRequest", "datasetInsertRequest"} {
		entries := child(child(child(child(raw, name), "resource"), "acl"), "entries")
		if entries == nil {
			continue
		}
		d.Full = true
		items(entries, func(raw json.RawMessage) {
			role := descend(raw, "role")
			if known, ok := accessRoles[role]; ok {
				role = known
			}
			if member := accessMember(raw, project); member != "" {
				d.Added = append(d.Added, Binding{Role: role, Member: member})
			}
		})
		return true
	}
	return false
}

// accessMember writes an item of an access list as a member of IAM. A person stands before the special group: old
// entries repeat the group of the item above.
func accessMember(raw json.RawMessage, project string) string {
	if email := descend(raw, "userEmail"); email != "" {
		if emailKind(email) == Human {
			return "user:" + email
		}
		return "serviceAccount:" + email
	}
	if group := descend(raw, "groupEmail"); group != "" {
		return "group:" + group
	}
	if domain := descend(raw, "domain"); domain != "" {
		return "domain:" + domain
	}
	if member := descend(raw, "iamMember"); member != "" {
		return member
	}
	switch group := descend(raw, "specialGroup"); group {
	case "PROJECT_READERS":
		return "projectViewer:" + project
	case "PROJECT_WRITERS":
		return "projectEditor:" + project
	case "PROJECT_OWNERS":
		return "projectOwner:" + project
	case "ALL_AUTHENTICATED_USERS":
		return "allAuthenticatedUsers"
	case "ALL_USERS":
		return "allUsers"
	default:
		return group
	}
}
