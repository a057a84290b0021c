package auditlog

import (
	"encoding/json"
	"strings"
)

// Delta is a change of who may do what.
type Delta struct {
	Added, Removed []Binding

	// Full says that the service logs no change: Added is then the whole new policy, one Binding per member, and what
	// of it is new only the previous policy tells: see Since.
	Full bool

	Audit []AuditChange // changes of what is logged; of a Full one the whole new audit configuration

	// PermissionsAdded and PermissionsRemoved are changes of a custom role.
	PermissionsAdded, PermissionsRemoved []string
}

// Binding gives one member one role.
type Binding struct {
	Role      string `json:"role"`
	Member    string `json:"member"`              // as logged, such as user:a@b.example, allUsers, deleted:user:a@b.example?uid=1
	Condition string `json:"condition,omitempty"` // expression of the condition, or ""
}

// AuditChange is a change of what the Data Access logs hold. A removed log type blinds; an added exemption too.
type AuditChange struct {
	Removed  bool   `json:"removed,omitempty"`
	Service  string `json:"service"`            // allServices, or one service
	LogType  string `json:"log_type"`           // ADMIN_READ, DATA_READ, DATA_WRITE
	Exempted string `json:"exempted,omitempty"` // member whose calls are not logged; "" when the log type itself changes
}

// IAMDelta returns the change of access that a call asked for, in whichever of the shapes its service logs it, and
// whether the entry holds one: the change itself (most services), a change or the new policy in metadata (BigQuery),
// the new policy in the request or the answer (Run, Functions, Pub/Sub, KMS and others), an access list (BigQuery's
// older entries), an invitation to own a project. Whether the call was let through is e.Outcome's to say.
func (e Entry) IAMDelta() (Delta, bool) {
	var d Delta
	found := d.changes(e.ServiceData)
	found = d.changes(e.Metadata) || found
	found = d.bigQuery(e.Metadata) || found
	if found {
		return d, true
	}
	if d.accessList(e.ServiceData, e.Project) {
		return d, true
	}
	if e.Verb == "insertprojectownershipinvite" {
		if member := descend(e.Request, "member"); member != "" {
			d.Added = []Binding{{Role: "roles/owner", Member: member}}
			return d, true
		}
	}
	if !strings.HasPrefix(e.Verb, "set") || !strings.Contains(e.Verb, "iam") {
		return Delta{}, false
	}
	for _, candidate := range []json.RawMessage{
		child(e.Request, "policy"), child(child(e.Request, "resource"), "policy"), child(e.Request, "iamPolicy"),
		holding(e.Request, "bindings"), child(e.Response, "policy"), holding(e.Response, "bindings"),
		holding(e.Response, "etag"),
	} {
		if len(candidate) > 0 && candidate[0] == '{' {
			d.policy(candidate)
			return d, true
		}
	}
	return Delta{}, false
}

// changes reads policyDelta and permissionDelta (google.iam.v1.logging.AuditData, google.iam.admin.v1.AuditData).
func (d *Delta) changes(raw json.RawMessage) (found bool) {
	members(raw, func(key string, value json.RawMessage) {
		switch key {
		case "policyDelta":
			found = true
			members(value, func(key string, value json.RawMessage) {
				switch key {
				case "bindingDeltas":
					items(value, d.bindingDelta)
				case "auditConfigDeltas":
					items(value, d.auditDelta)
				}
			})
		case "permissionDelta":
			found = true
			members(value, func(key string, value json.RawMessage) {
				switch key {
				case "addedPermissions":
					d.PermissionsAdded = append(d.PermissionsAdded, words(value)...)
				case "removedPermissions":
					d.PermissionsRemoved = append(d.PermissionsRemoved, words(value)...)
				}
			})
		}
	})
	return found
}

// bindingDelta reads one google.iam.v1.BindingDelta. An action that is not said counts as an addition: what is
// unclear must be looked at.
func (d *Delta) bindingDelta(raw json.RawMessage) {
	b := Binding{Role: descend(raw, "role"), Member: descend(raw, "member"),
		Condition: descend(raw, "condition.expression")}
	if isRemoval(raw) {
		d.Removed = append(d.Removed, b)
		return
	}
	d.Added = append(d.Added, b)
}

func (d *Delta) auditDelta(raw json.RawMessage) {
	d.Audit = append(d.Audit, AuditChange{Removed: isRemoval(raw), Service: descend(raw, "service"),
		LogType: descend(raw, "logType"), Exempted: descend(raw, "exemptedMember")})
}

func isRemoval(raw json.RawMessage) bool {
	action := descend(raw, "action")
	return action == "REMOVE" || action == "2" // by name or by number, as proto-JSON allows
}

// bigQuery reads google.cloud.audit.BigQueryAuditMetadata: a change of bindings, or a new policy inside what was
// created or changed.
func (d *Delta) bigQuery(raw json.RawMessage) (found bool) {
	members(raw, func(key string, value json.RawMessage) {
		what, ok := strings.CutSuffix(key, "Change")
		if !ok {
			if what, ok = strings.CutSuffix(key, "Creation"); !ok {
				return
			}
		}
		changed := child(value, "bindingDeltas")
		if changed != nil {
			found = true
			items(changed, d.bindingDelta)
			return
		}
		if policy := child(child(child(value, what), "acl"), "policy"); policy != nil {
			found = true
			d.policy(policy)
		}
	})
	return found
}

// policy reads a whole google.iam.v1.Policy.
func (d *Delta) policy(raw json.RawMessage) {
	d.Full = true
	members(raw, func(key string, value json.RawMessage) {
		switch key {
		case "bindings":
			items(value, func(raw json.RawMessage) {
				role, condition := descend(raw, "role"), descend(raw, "condition.expression")
				for _, member := range words(child(raw, "members")) {
					d.Added = append(d.Added, Binding{Role: role, Member: member, Condition: condition})
				}
			})
		case "auditConfigs":
			items(value, d.auditConfig)
		}
	})
}

func (d *Delta) auditConfig(raw json.RawMessage) {
	service := descend(raw, "service")
	items(child(raw, "auditLogConfigs"), func(raw json.RawMessage) {
		logType := descend(raw, "logType")
		d.Audit = append(d.Audit, AuditChange{Service: service, LogType: logType})
		for _, member := range words(child(raw, "exemptedMembers")) {
			d.Audit = append(d.Audit, AuditChange{Service: service, LogType: logType, Exempted: member})
		}
	})
}
