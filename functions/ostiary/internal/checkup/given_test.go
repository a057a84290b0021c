package checkup_test

import (
	"ostiary.internal/functions/ostiary/internal/checkup"
)

// give adds to who may use something, of lines as [policy] takes them.
func (w *world) give(address string, grants ...string) {
	more, _ := policy(grants...)["bindings"].([]any)
	p, _ := w.answers["GET "+address].(object)
	bindings, _ := p["bindings"].([]any)
	p["bindings"] = append(bindings, more...)
}

// shut is the rule of a Cloud Armor policy for whoever no other names.
var shut = object{"priority": 2147483647, "action": "deny(403)", "match": everywhere("*")}

// everywhere is what a rule of Cloud Armor is for.
func everywhere(ranges ...string) object {
	var all []any
	for _, one := range ranges {
		all = append(all, one)
	}
	return object{"versionedExpr": "SRC_IPS_V1", "config": object{"srcIpRanges": all}}
}

func armor(rules ...any) func(*world) {
	return func(w *world) { w.put(engine+"securityPolicies/ostiary", object{"rules": rules}) }
}

func level(basic object) func(*world) {
	one := object{"name": "accessPolicies/12/accessLevels/ostiary_00"}
	if basic != nil {
		one["basic"] = basic
	}
	return func(w *world) {
		w.put("accesscontextmanager.googleapis.com/v1/accessPolicies/12/accessLevels", object{"accessLevels": []any{one}})
	}
}

// ofGiven are rights of others than the functions, on one resource each.
func ofGiven() map[string]change {
	const (
		eve    = "user:eve@acme.example"
		secret = "secretmanager.googleapis.com/v1/projects/" + project + "/secrets/smtp-password:getIamPolicy"
		signs  = "cloudkms.googleapis.com/v1/" + evidence + "checkpoints:getIamPolicy"
		state  = buckets + "acme-state/iam"
		below  = ` resource.name.startsWith("projects/_/buckets/acme-state/objects/environment/")`
	)
	given := func(address, grant string) func(*world) { return func(w *world) { w.give(address, grant) } }
	on := func(topic, role, member string) func(*world) {
		return func(w *world) { w.live[pubsub+"topics/"+topic].IAM.Grant(role, "", member) }
	}
	return map[string]change{
		"a person reads a secret":    {given(secret, "roles/secretmanager.secretAccessor "+eve), "grants", checkup.Wrong, "secrets/smtp-password: user:eve@acme.example has roles/secretmanager.secretAccessor", "Take it away"},
		"a person has its role":      {given(secret, role(project, "deliver", "secret:smtp-password")+" "+eve), "grants", checkup.Wrong, "user:eve@acme.example has projects/acme-ops/roles/ostiary.deliver", "Take it away"},
		"a person signs":             {given(signs, "roles/cloudkms.signer "+eve), "grants", checkup.Wrong, "user:eve@acme.example has roles/cloudkms.signer", "Take it away"},
		"a person adds records":      {given(buckets+"acme-inbox/iam", "roles/storage.objectCreator "+eve), "grants", checkup.Wrong, "acme-inbox: user:eve@acme.example has roles/storage.objectCreator", "Take it away"},
		"a person publishes":         {on("message.requested", "roles/pubsub.publisher", eve), "grants", checkup.Wrong, "topics/message.requested: user:eve@acme.example has roles/pubsub.publisher", "Take it away"},
		"a person reads all states":  {given(state, "roles/storage.objectViewer "+eve), "grants", checkup.Wrong, "acme-state: user:eve@acme.example", "Take it away"},
		"nobody knows the role":      {given(secret, "roles/unheard.of "+eve), "grants", checkup.Undetermined, "user:eve@acme.example has roles/unheard.of", ""},
		"what it has reads nothing":  {given(secret, "roles/secretmanager.viewer "+eve), "grants", checkup.Told, "user:eve@acme.example has roles/secretmanager.viewer", ""},
		"the product publishes":      {on("data.written", "roles/pubsub.publisher", "serviceAccount:app@acme-live.iam.gserviceaccount.com"), "grants", checkup.Told, "app@acme-live.iam.gserviceaccount.com has roles/pubsub.publisher", ""},
		"a group publishes policies": {given(buckets+"acme-policy/iam", "roles/storage.objectCreator group:security@acme.example"), "grants", checkup.Told, "group:security@acme.example has roles/storage.objectCreator", ""},
		"a plan reads its states":    {given(state, "roles/storage.objectViewer serviceAccount:plan@acme-bootstrap.iam.gserviceaccount.com"+below), "grants", checkup.Told, "plan@acme-bootstrap.iam.gserviceaccount.com", ""},
		"whoever deploys keeps them": {given(state, "roles/storage.objectUser serviceAccount:deploy@acme.iam.gserviceaccount.com"+below), "grants", checkup.Told, "deploy@acme.iam.gserviceaccount.com", ""},
		"what Google gives a bucket": {given(buckets+"acme-head/iam", "roles/storage.legacyBucketOwner projectOwner:"+proof), "grants", checkup.Told, "projectOwner:acme-evidence", ""},
		"more than Google gives":     {given(buckets+"acme-head/iam", "roles/storage.objectAdmin projectEditor:"+proof), "grants", checkup.Wrong, "projectEditor:acme-evidence has roles/storage.objectAdmin", "Take it away"},
		"editors of another project": {given(buckets+"acme-head/iam", "roles/storage.legacyBucketOwner projectEditor:elsewhere"), "grants", checkup.Wrong, "projectEditor:elsewhere has roles/storage.legacyBucketOwner", "Take it away"},
		"the whole bucket as well":   {given(buckets+"acme-inbox/iam", role(proof, "deliver", "place:evidence-inbox")+" "+runs("deliver")), "grants", checkup.Wrong, "acme-inbox: serviceAccount:fn-deliver@acme-ops.iam.gserviceaccount.com has", "Take it away"},
		"Google's own machinery":     {given(secret, "roles/secretmanager.secretAccessor serviceAccount:service-1@gcp-sa-secretmanager.iam.gserviceaccount.com"), "grants", checkup.OK, "are given as the manifests list them", ""},
	}
}
