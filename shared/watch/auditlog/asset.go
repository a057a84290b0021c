package auditlog

import (
	"encoding/json"
	"strings"
)

// assetOf returns one key for the thing acted on, however its service writes it: Cloud Asset Inventory's full name,
// such as //compute.googleapis.com/projects/P/global/firewalls/F. A project's number becomes its id where the entry
// holds both; what is created is named itself and not its parent; locations of clusters are written one way. It is ""
// when an entry names nothing.
func assetOf(e *Entry) string {
	host, path := cutHost(e.Resource)
	service := first(host, e.Service)
	if isCreation(e.Verb) {
		path = created(e, path)
	}
	switch service {
	case "cloudsql.googleapis.com", "sqladmin.googleapis.com":
		service, path = "cloudsql.googleapis.com", sqlInstance(e, path)
	case "storage.googleapis.com":
		path = bucket(e, path)
	case "k8s.io":
		service, path = "container.googleapis.com", inCluster(e, path)
	case "iam.googleapis.com", "iamcredentials.googleapis.com":
		service, path = "iam.googleapis.com", account(e, path)
	case "container.googleapis.com":
		path = strings.Replace(strings.Replace(path, "/zones/", "/locations/", 1), "/regions/", "/locations/", 1)
	}
	path = withProject(e, service, path)
	if path == "" || service == "" {
		return ""
	}
	return "//" + service + "/" + path
}

// cutHost takes the host off a full name or a self link, and with a self link the API and its version.
func cutHost(name string) (host, path string) {
	if rest, ok := strings.CutPrefix(name, "//"); ok {
		host, path, _ = strings.Cut(rest, "/")
		return host, path
	}
	rest, ok := strings.CutPrefix(name, "https://")
	if !ok {
		return "", strings.Trim(name, "/")
	}
	host, path, _ = strings.Cut(rest, "/")
	if i := strings.Index(path, "projects/"); i >= 0 {
		if api, _, _ := strings.Cut(path[:i], "/"); host == "www.googleapis.com" && api != "" {
			host = api + ".googleapis.com"
		}
		path = path[i:]
	}
	return host, path
}

// withProject writes the project by its id, and puts it before names that leave it out.
func withProject(e *Entry, service, path string) string {
	project := e.Project
	if path == "" {
		if project == "" {
			return ""
		}
		return "projects/" + project
	}
	rest, ok := strings.CutPrefix(path, "projects/")
	if !ok {
		if service == "dns.googleapis.com" && project != "" {
			return "projects/" + project + "/" + path
		}
		return path
	}
	id, tail, more := strings.Cut(rest, "/")
	if project != "" && (id == "-" || id == "_" || isNumber(id) && (!isNumber(project) && sameProject(e, id))) {
		id = project
	}
	if !more {
		return "projects/" + id
	}
	return "projects/" + id + "/" + tail
}

// sameProject guards against giving one project's id to a resource of another: the entry must be of the project
// that the number stands for, as far as it tells.
func sameProject(e *Entry, number string) bool {
	known := e.ResourceLabels["project_number"]
	return known == "" || known == number
}

func sqlInstance(e *Entry, path string) string {
	project, instance, ok := strings.Cut(e.ResourceLabels["database_id"], ":")
	if !ok {
		_, instance, _ = strings.Cut("/"+path, "/instances/")
		instance, _, _ = strings.Cut(instance, "/")
		if p, i, ok := cutLast(instance, ":"); ok {
			project, instance = p, i
		}
	}
	if instance == "" {
		instance = first(descend(e.Request, "body.name"), descend(e.Request, "body.instance"),
			descend(e.Request, "resource.instanceName.instanceId"), descend(e.Request, "instance"))
	}
	if instance == "" {
		return path
	}
	return "projects/" + first(project, e.Project, "_") + "/instances/" + instance
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}

// bucket names a bucket by its name alone, which is unique in the world.
func bucket(e *Entry, path string) string {
	if _, rest, ok := strings.Cut("/"+path, "/buckets/"); ok {
		return rest
	}
	if name := e.ResourceLabels["bucket_name"]; name != "" {
		return name
	}
	return path
}

// inCluster puts the cluster before a name that holds only what is inside.
func inCluster(e *Entry, path string) string {
	cluster := "projects/" + first(e.Project, "_") + "/locations/" + first(e.ResourceLabels["location"], "_") +
		"/clusters/" + first(e.ResourceLabels["cluster_name"], "_")
	if path == "" {
		return cluster
	}
	return cluster + "/k8s/" + path
}

// account names a service account by its address: entries hold its unique number, and no project.
func account(e *Entry, path string) string {
	before, rest, ok := strings.Cut(path, "serviceAccounts/")
	if !ok {
		return path
	}
	id, tail, more := strings.Cut(rest, "/")
	if email := e.ResourceLabels["email_id"]; isNumber(id) && email != "" {
		id = email
	}
	if _, domain, ok := strings.Cut(id, "@"); ok && before == "projects/-/" {
		// The address of an account a user made says whose project it is in.
		if project, ok := strings.CutSuffix(domain, ".iam.gserviceaccount.com"); ok {
			before = "projects/" + project + "/"
		}
	}
	if more {
		id += "/" + tail
	}
	return before + "serviceAccounts/" + id
}

func isCreation(verb string) bool {
	return strings.HasPrefix(verb, "create") || strings.HasPrefix(verb, "insert") || strings.HasPrefix(verb, "add")
}

// byLabel says, for resources created under the name of their parent, in which collection they are and which label
// holds their name.
var byLabel = map[string]struct{ collection, label string }{
	"bigquery_dataset":      {"datasets", "dataset_id"},
	"cloudml_job":           {"jobs", "job_id"},
	"cloudml_model_version": {"models", "model_id"},
	"dataflow_step":         {"jobs", "job_id"},
	"logging_sink":          {"sinks", "name"},
	"metric":                {"metrics", "name"},
	"pubsub_subscription":   {"subscriptions", "subscription_id"},
	"pubsub_topic":          {"topics", "topic_id"},
}

// created names what a call made, where resourceName names its parent or the collection.
func created(e *Entry, path string) string {
	for _, raw := range []json.RawMessage{e.Response, e.Request} {
		name := descend(raw, "name")
		if strings.HasPrefix(name, "projects/") && strings.Count(name, "/") >= 3 &&
			!strings.Contains(name, "/operations/") {
			return name
		}
	}
	parts := strings.Split(path, "/")
	collection := parts[len(parts)-1]
	known, ok := byLabel[e.Type]
	if noun, made := strings.CutPrefix(e.Verb, "create"); made && len(parts) == 2 && parts[0] == "projects" && !ok {
		if id := first(descend(e.Request, noun+"Id"), descend(e.Request, noun+"."+noun+"Id")); id != "" {
			return path + "/" + noun + "s/" + id
		}
	}
	if len(parts) == 2 && parts[0] == "projects" && ok {
		path, collection = path+"/"+known.collection, known.collection
	} else if len(parts)%2 == 0 || !strings.HasPrefix(path, "projects/") {
		return path
	}
	one := strings.TrimSuffix(collection, "s")
	id := e.ResourceLabels[known.label]
	if id == "" || known.collection != collection {
		id = first(descend(e.Request, one+"Id"), descend(e.Request, one+".name"), descend(e.Request, one+".id"),
			descend(e.ServiceData, one+"InsertRequest.resource."+one+"Name."+one+"Id"),
			descend(e.Metadata, one+"Creation."+one+"."+one+"Name"))
	}
	if id == "" {
		return path
	}
	if _, last, ok := cutLast(id, "/"); ok {
		id = last
	}
	return path + "/" + id
}
