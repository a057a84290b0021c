package asset

import (
	"fmt"
	"maps"
	"strings"
)

// shape adds to what is told of some types what it is called elsewhere, in place: whoever judges need not know by whom it was
// read. Firewalls of old lists have names without the plural. The inventory tells a service of Cloud Run by the first version of
// its API (https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services), and Terraform by the second.
func shape(kind string, data Object) {
	switch {
	case data == nil:
	case kind == "compute.googleapis.com/Firewall":
		for old, name := range spellings {
			if _, there := data[name]; !there && data[old] != nil {
				data[name] = data[old]
				delete(data, old)
			}
		}
	case kind == "run.googleapis.com/Service":
		if _, second := data["template"]; !second && within(data, "spec", "template") != nil {
			maps.Copy(data, secondVersion(data))
		}
	}
}

var spellings = map[string]string{
	"alloweds": "allowed", "denieds": "denied", "sourceRange": "sourceRanges", "destinationRange": "destinationRanges", "sourceTag": "sourceTags", "targetTag": "targetTags",
	"sourceServiceAccount": "sourceServiceAccounts", "targetServiceAccount": "targetServiceAccounts",
}

// inside returns the object at a path; nil where there is none.
func within(o Object, path ...string) Object {
	for _, name := range path {
		o, _ = o[name].(Object)
	}
	return o
}

// put sets what says something.
func put(o Object, name string, v any) {
	if v != nil && v != "" {
		o[name] = v
	}
}

// secondVersion is what version 2 says of a service, as far as anybody compares it.
func secondVersion(data Object) Object {
	notes, out := within(data, "metadata", "annotations"), Object{}
	ingress, _ := notes["run.googleapis.com/ingress"].(string)
	put(out, "ingress", map[string]string{
		"all": "INGRESS_TRAFFIC_ALL", "internal": "INGRESS_TRAFFIC_INTERNAL_ONLY", "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
	}[ingress])
	out["invokerIamDisabled"] = notes["run.googleapis.com/invoker-iam-disabled"] == "true"
	if notes["run.googleapis.com/binary-authorization"] == "default" {
		out["binaryAuthorization"] = Object{"useDefault": true}
	}
	labels := Object{}
	for name, value := range within(data, "metadata", "labels") {
		if !strings.HasPrefix(name, "cloud.googleapis.com/") && !strings.HasPrefix(name, "run.googleapis.com/") {
			labels[name] = value
		}
	}
	if len(labels) > 0 {
		out["labels"] = labels
	}
	out["template"] = template(within(data, "spec", "template"))
	return out
}

func template(from Object) Object {
	notes, spec, out := within(from, "metadata", "annotations"), within(from, "spec"), Object{}
	put(out, "serviceAccount", spec["serviceAccountName"])
	put(out, "maxInstanceRequestConcurrency", spec["containerConcurrency"])
	put(out, "encryptionKey", notes["run.googleapis.com/encryption-key"])
	if n, is := spec["timeoutSeconds"].(float64); is {
		out["timeout"] = fmt.Sprintf("%ds", int64(n))
	}
	if most := notes["autoscaling.knative.dev/maxScale"]; most != nil {
		out["scaling"] = Object{"maxInstanceCount": most}
	}
	access := Object{}
	put(access, "connector", notes["run.googleapis.com/vpc-access-connector"])
	egress, _ := notes["run.googleapis.com/vpc-access-egress"].(string)
	put(access, "egress", map[string]string{"all": "ALL_TRAFFIC", "all-traffic": "ALL_TRAFFIC", "private-ranges-only": "PRIVATE_RANGES_ONLY"}[egress])
	if len(access) > 0 {
		out["vpcAccess"] = access
	}
	var containers []any
	all, _ := spec["containers"].([]any)
	for _, one := range all {
		c, _ := one.(Object)
		containers = append(containers, container(c))
	}
	if containers != nil {
		out["containers"] = containers
	}
	return out
}

func container(from Object) Object {
	out := Object{}
	put(out, "name", from["name"])
	put(out, "image", from["image"])
	var variables []any
	all, _ := from["env"].([]any)
	for _, one := range all {
		from, _ := one.(Object)
		variable := Object{"name": from["name"]}
		put(variable, "value", from["value"])
		if secret := within(from, "valueFrom", "secretKeyRef"); secret != nil {
			variable["valueSource"] = Object{"secretKeyRef": Object{"secret": secret["name"], "version": secret["key"]}}
		}
		variables = append(variables, variable)
	}
	if variables != nil {
		out["env"] = variables
	}
	return out
}
