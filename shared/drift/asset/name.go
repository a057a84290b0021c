package asset

import (
	"maps"
	"slices"
	"strings"
)

// Names knows which project has which number, and which service account. The zero value is not fit for use.
type Names struct {
	ids      map[string]string
	accounts map[string]string // by number and by address: projects/P/serviceAccounts/ADDRESS
}

// NewNames returns names that know no project and no account.
func NewNames() *Names { return &Names{ids: map[string]string{}, accounts: map[string]string{}} }

// Clone returns a copy.
func (n *Names) Clone() *Names {
	return &Names{ids: maps.Clone(n.ids), accounts: maps.Clone(n.accounts)}
}

// Learn says that a number is a project's.
func (n *Names) Learn(number, id string) {
	if isNumber(number) && id != "" && !isNumber(id) {
		n.ids[number] = id
	}
}

// learn takes what an asset of a project or of a service account says of itself.
func (n *Names) learn(a Asset) {
	if a.Data == nil {
		return
	}
	if a.Type == accountType {
		number, _ := a.Data["uniqueId"].(string)
		if mail, _ := a.Data["email"].(string); mail != "" && a.Project != "" {
			own := "projects/" + a.Project + accountPart + mail
			n.accounts[mail] = own
			if isNumber(number) {
				n.accounts[number] = own
			}
		}
	}
	if a.Type != projectType {
		return
	}
	id, _ := a.Data["projectId"].(string)
	switch number := a.Data["projectNumber"].(type) {
	case string:
		n.Learn(number, id)
	case float64:
		n.Learn(digits(number), id)
	}
	// Version 3 of the API has the number in the name alone.
	if name, _ := a.Data["name"].(string); strings.HasPrefix(name, "projects/") {
		n.Learn(strings.TrimPrefix(name, "projects/"), id)
	}
}

// ID returns the id of a project given by number or id; the number itself where the id is not known.
func (n *Names) ID(project string) string {
	project = strings.TrimPrefix(project, "projects/")
	if id, known := n.ids[project]; known {
		return id
	}
	return project
}

// Projects returns the numbers that are known, sorted.
func (n *Names) Projects() []string { return slices.Sorted(maps.Keys(n.ids)) }

const (
	projectType = "cloudresourcemanager.googleapis.com/Project"

	accountType = "iam.googleapis.com/ServiceAccount"
	accountHost = "iam.googleapis.com"
	accountPart = "/serviceAccounts/"
)

// hosts are services whose resources have the name of another in Cloud Asset Inventory.
var hosts = map[string]string{"sqladmin.googleapis.com": "cloudsql.googleapis.com"}

// Key returns the one name of a resource, of whatever form: a full name, a self link, a relative name such as
// projects/P/secrets/S, or that of a bucket alone. kind is its type; only where the name says no service is it looked at. ""
// for an empty name.
func (n *Names) Key(kind, name string) string {
	host, path := n.split(strings.TrimSpace(name))
	if path == "" {
		return ""
	}
	if host == "" {
		host, _, _ = strings.Cut(kind, "/")
	}
	if other, renamed := hosts[host]; renamed {
		host = other
	}
	switch host {
	case "storage.googleapis.com":
		path = bucket(path)
	case "container.googleapis.com":
		path = strings.Replace(strings.Replace(path, "/zones/", "/locations/", 1), "/regions/", "/locations/", 1)
	case "cloudresourcemanager.googleapis.com":
		path = strings.TrimPrefix(path, "v1/")
	case accountHost:
		path = n.account(path)
	}
	return "//" + host + "/" + n.project(path)
}

// split takes the host off a name, and with a self link the API and its version.
func (n *Names) split(name string) (host, path string) {
	if rest, full := strings.CutPrefix(name, "//"); full {
		host, path, _ = strings.Cut(rest, "/")
		return host, strings.Trim(path, "/")
	}
	rest, link := strings.CutPrefix(name, "https://")
	if !link {
		return "", strings.Trim(name, "/")
	}
	host, path, _ = strings.Cut(rest, "/")
	path, _, _ = strings.Cut(path, "?")
	api, _, _ := strings.Cut(path, "/")
	for _, root := range []string{"projects/", "folders/", "organizations/", "b/"} {
		if at := strings.Index("/"+path, "/"+root); at >= 0 {
			path = path[at:]
			break
		}
	}
	if host == "www.googleapis.com" && api != "" {
		host = api + ".googleapis.com"
	}
	return host, strings.Trim(path, "/")
}

// account writes a service account by its address, and with its project: the inventory names it by its number, and logs leave
// out where it is.
func (n *Names) account(path string) string {
	project, who, of := strings.Cut(path, accountPart)
	who, tail, more := strings.Cut(who, "/")
	own, known := n.accounts[who]
	if !of || !known || !isNumber(who) && project != "projects/-" {
		return path
	}
	if more {
		return own + "/" + tail
	}
	return own
}

// project writes the project in a path by its id.
func (n *Names) project(path string) string {
	rest, of := strings.CutPrefix(path, "projects/")
	if !of {
		return path
	}
	id, tail, more := strings.Cut(rest, "/")
	if id = "projects/" + n.ID(id); more {
		return id + "/" + tail
	}
	return id
}

// bucket names a bucket by its name alone, which is unique in the world.
func bucket(path string) string {
	if _, name, of := strings.Cut("/"+path, "/buckets/"); of {
		return name
	}
	return strings.TrimPrefix(path, "b/")
}

// ProjectOf returns the project in a key; "" where there is none.
func ProjectOf(key string) string {
	_, rest, of := strings.Cut(key, "/projects/")
	if !of {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	return id
}

// Base returns the last part of a name or a link: what people call the thing.
func Base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func isNumber(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
