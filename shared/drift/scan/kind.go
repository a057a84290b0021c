package scan

import (
	"slices"
	"strings"
)

// plain are the collections in names of assets that are not called after their type.
var plain = map[string]string{
	"cloudresourcemanager.googleapis.com/projects": "Project", "cloudresourcemanager.googleapis.com/folders": "Folder",
	"cloudresourcemanager.googleapis.com/organizations": "Organization", "iam.googleapis.com/keys": "ServiceAccountKey",
	"orgpolicy.googleapis.com/policies": "Policy", "cloudsql.googleapis.com/instances": "Instance",
}

// kindOf returns the type of an asset by its key, of some types; "" for none of them. A log entry tells the name alone.
func kindOf(key string, kinds []string) string {
	host, path, _ := strings.Cut(strings.TrimPrefix(key, "//"), "/")
	segments := strings.Split(path, "/")
	if host == "storage.googleapis.com" && len(segments) == 1 {
		return among(kinds, "storage.googleapis.com/Bucket")
	}
	if len(segments) < 2 {
		return ""
	}
	collection := segments[len(segments)-2]
	service := host
	if host == "cloudsql.googleapis.com" {
		service = "sqladmin.googleapis.com"
	}
	if name, named := plain[host+"/"+collection]; named {
		return among(kinds, service+"/"+name)
	}
	one := strings.ToLower(singular(collection))
	best := ""
	for _, kind := range kinds {
		name, of := strings.CutPrefix(kind, service+"/")
		if name = strings.ToLower(name); of && one != "" && strings.HasSuffix(name, one) && (best == "" || len(kind) < len(best)) {
			best = kind
		}
	}
	return best
}

func among(kinds []string, kind string) string {
	if slices.Contains(kinds, kind) {
		return kind
	}
	return ""
}

// singular is the name of one thing of a collection.
func singular(collection string) string {
	for _, end := range [][2]string{{"ies", "y"}, {"sses", "ss"}, {"xies", "xy"}, {"s", ""}} {
		if begin, is := strings.CutSuffix(collection, end[0]); is {
			return begin + end[1]
		}
	}
	return collection
}
