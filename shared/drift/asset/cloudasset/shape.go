package cloudasset

import (
	"fmt"
	"maps"
	"strings"

	"ostiary.internal/shared/drift/asset"
)

// Shape adds to what is told of some types what it is called elsewhere, in place: whoever judges need not know by whom it was
// read. Firewalls of old lists have names without the plural. The inventory tells a service of Cloud Run by the first version of
// its API (https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services), and Terraform by the second.
func Shape(kind string, data asset.Object) {
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
		if _, second := data["template"]; !second && inside(data, "spec", "template") != nil {
			maps.Copy(data, secondVersion(data))
		}
	}
}

var spellings = map[string]string{
	"alloweds": "allowed", "denieds": "denied", "sourceRange": "sourceRanges", "destinationRange": "destinationRanges", "sourceTag": "sourceTags", "targetTag": "targetTags",
	"sourceServiceAccount": "sourceServiceAccounts", "targetServiceAccount": "targetServiceAccounts",
}

// inside returns the object at a path; nil where there is none.
func inside(o asset.Object, path ...string) asset.Object {
	for _, name := range path {
		o, _ = o[name].(asset.Object)
	}
	return o
}

// put sets what says something.
func put(o asset.Object, name string, v any) {
	if v != nil && v != "" {
		o[name] = v
	}
}

// secondVersion is what version 2 says of a service, as far as anybody compares it.
func secondVersion(data asset.Object) asset.Object {
	notes, out := inside(data, "metadata", "annotations"), asset.Object{}
	ingress, _ := notes["run.googleapis.com/ingress"].(string)
	put(out, "ingress", map[string]string{
		"all": "INGRESS_TRAFFIC_ALL", "internal": "INGRESS_TRAFFIC_INTERNAL_ONLY", "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
	}[ingress])
	out["invokerIamDisabled"] = notes["run.googleapis.com/invoker-iam-disabled"] == "true"
	if notes["run.googleapis.com/binary-authorization"] == "default" {
		out["binaryAuthorization"] = asset.Object{"useDefault": true}
	}
	labels := asset.Object{}
	for name, value := range inside(data, "metadata", "labels") {
		if !strings.HasPrefix(name, "cloud.googleapis.com/") && !strings.HasPrefix(name, "run.googleapis.com/") {
			labels[name] = value
		}
	}
	if len(labels) > 0 {
		out["labels"] = labels
	}
	out["template"] = template(inside(data, "spec", "template"))
	return out
}

func template(from asset.Object) asset.Object {
	notes, spec, out := inside(from, "metadata", "annotations"), inside(from, "spec"), asset.Object{}
	put(out, "serviceAccount", spec["serviceAccountName"])
	put(out, "maxInstanceRequestConcurrency", spec["containerConcurrency"])
	put(out, "encryptionKey", notes["run.googleapis.com/encryption-key"])
	if n, is := spec["timeoutSeconds"].(float64); is {
		out["timeout"] = fmt.Sprintf("%ds", int64(n))
	}
	if most := notes["autoscaling.knative.dev/maxScale"]; most != nil {
		out["scaling"] = asset.Object{"maxInstanceCount": most}
	}
	access := asset.Object{}
	put(access, "connector", notes["run.googleapis.com/vpc-access-connector"])
	egress, _ := notes["run.googleapis.com/vpc-access-egress"].(string)
	put(access, "egress", map[string]string{"all": "ALL_TRAFFIC", "all-traffic": "ALL_TRAFFIC", "private-ranges-only": "PRIVATE_RANGES_ONLY"}[egress])
	if len(access) > 0 {
		out["vpcAccess"] = access
	}
	var containers []any
	all, _ := spec["containers"].([]any)
	for _, one := range all {
		c, _ := one.(asset.Object)
		containers = append(containers, container(c))
	}
	if containers != nil {
		out["containers"] = containers
	}
	return out
}

func container(from asset.Object) asset.Object {
	out := asset.Object{}
	put(out, "name", from["name"])
	put(out, "image", from["image"])
	var variables []any
	all, _ := from["env"].([]any)
	for _, one := range all {
		from, _ := one.(asset.Object)
		variable := asset.Object{"name": from["name"]}
		put(variable, "value", from["value"])
		if secret := inside(from, "valueFrom", "secretKeyRef"); secret != nil {
			variable["valueSource"] = asset.Object{"secretKeyRef": asset.Object{"secret": secret["name"], "version": secret["key"]}}
		}
		variables = append(variables, variable)
	}
	if variables != nil {
		out["env"] = variables
	}
	return out
}
