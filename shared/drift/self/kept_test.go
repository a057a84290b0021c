package self_test

import (
	"strings"
	"testing"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/drift/self/selftest"
)

// Dead letters that wait, or of which nobody would be told, and who else may change what the controls keep, are told by name.
func TestKept(t *testing.T) {
	t.Parallel()
	e := expected(t)
	const project, organization = "//cloudresourcemanager.googleapis.com/projects/acme", "//cloudresourcemanager.googleapis.com/organizations/1"
	const dead, alert, channel = "//pubsub.googleapis.com/projects/acme/subscriptions/dead.deliver", "//monitoring.googleapis.com/projects/acme/alertPolicies/deliver", "//monitoring.googleapis.com/projects/acme/notificationChannels/1"
	grant := func(key, role, condition string, members ...string) func(map[string]*asset.Asset) {
		return func(all map[string]*asset.Asset) { all[key].IAM.Grant(role, condition, members...) }
	}
	role := func(permissions ...any) func(map[string]*asset.Asset) {
		return func(all map[string]*asset.Asset) {
			all["r"] = &asset.Asset{Key: "//iam.googleapis.com/projects/acme/roles/own", Type: "iam.googleapis.com/Role", Data: object{"includedPermissions": permissions}}
			all[project].IAM.Grant("projects/acme/roles/own", "", "user:eve@x.example")
		}
	}
	for name, c := range map[string]struct {
		change func(map[string]*asset.Asset)
		want   string
	}{
		"a person":                    {grant(project, "roles/datastore.user", "", "user:eve@x.example"), "self-drift mild acme holders: roles/datastore.user user:eve@x.example"},
		"two of them":                 {grant(project, "roles/owner", "", "user:eve@x.example", "group:all@x.example"), "self-drift mild acme holders: roles/owner group:all@x.example\nroles/owner user:eve@x.example"},
		"for a while":                 {grant(project, "roles/datastore.viewer", "request.time < t", "user:eve@x.example"), "self-drift mild acme holders: roles/datastore.viewer user:eve@x.example {request.time < t}"},
		"above":                       {grant(organization, "roles/resourcemanager.organizationAdmin", "", "user:eve@x.example"), "self-drift mild 1 holders: roles/resourcemanager.organizationAdmin user:eve@x.example"},
		"who may give it":             {grant(project, "roles/resourcemanager.projectIamAdmin", "", "serviceAccount:deploy@acme.iam.gserviceaccount.com"), "self-drift mild acme holders: roles/resourcemanager.projectIamAdmin serviceAccount:deploy@acme.iam.gserviceaccount.com"},
		"the role of a function":      {grant(project, "projects/acme/roles/ostiary.watchaudit.database_watch", "", "user:eve@x.example"), "self-drift mild acme holders: projects/acme/roles/ostiary.watchaudit.database_watch user:eve@x.example"},
		"a machine everybody has":     {grant(project, "roles/editor", "", "serviceAccount:1-compute@developer.gserviceaccount.com"), "self-drift mild acme holders: roles/editor serviceAccount:1-compute@developer.gserviceaccount.com"},
		"Google's machinery":          {grant(project, "roles/editor", "", "serviceAccount:service-1@gcp-sa-firestore.iam.gserviceaccount.com", "serviceAccount:1@cloudservices.gserviceaccount.com"), ""},
		"an account named like it":    {grant(project, "roles/editor", "", "serviceAccount:service-1@gcp-sa-x.iam.gserviceaccount.com.evil.example"), "self-drift mild acme holders: roles/editor serviceAccount:service-1@gcp-sa-x.iam.gserviceaccount.com.evil.example"},
		"of the indexes alone":        {grant(project, "roles/datastore.indexAdmin", "", "user:eve@x.example"), ""},
		"of another service":          {grant(project, "roles/logging.admin", "", "user:eve@x.example"), ""},
		"who makes tokens":            {grant(project, "roles/iam.serviceAccountTokenCreator", "", "user:eve@x.example"), "self-drift mild acme holders: roles/iam.serviceAccountTokenCreator user:eve@x.example"},
		"who keeps accounts":          {grant(project, "roles/iam.serviceAccountAdmin", "", "user:eve@x.example"), "self-drift mild acme holders: roles/iam.serviceAccountAdmin user:eve@x.example"},
		"who writes roles":            {grant(organization, "roles/iam.roleAdmin", "", "user:eve@x.example"), "self-drift mild 1 holders: roles/iam.roleAdmin user:eve@x.example"},
		"who empties a database":      {role("datastore.databases.bulkDelete"), "self-drift mild acme holders: projects/acme/roles/own user:eve@x.example"},
		"a role nobody knows":         {grant(project, "roles/newthing.admin", "", "user:eve@x.example"), "undetermined acme holders:"},
		"one of Google's alone":       {grant(project, "roles/newthing.serviceAgent", "", "serviceAccount:service-1@serverless-robot-prod.iam.gserviceaccount.com"), ""},
		"a role of the company's":     {role("datastore.entities.get"), "self-drift mild acme holders: projects/acme/roles/own user:eve@x.example"},
		"a role that reaches nothing": {role("logging.logs.list"), ""},
		"a role that was not read":    {grant(project, "projects/acme/roles/own", "", "user:eve@x.example"), "undetermined acme holders:"},
		"above was not read":          {func(all map[string]*asset.Asset) { delete(all, organization) }, "undetermined 1 iam:"},

		"some wait": {func(all map[string]*asset.Asset) {
			all[self.WaitingKey("acme", "dead.deliver")].Data["undelivered"] = 3.0
		}, "self-drift mild dead.deliver undelivered: 3"},
		"nobody counted": {func(all map[string]*asset.Asset) { delete(all, self.WaitingKey("acme", "dead.deliver")) }, "undetermined dead.deliver undelivered:"},
		"no number": {func(all map[string]*asset.Asset) {
			all[self.WaitingKey("acme", "dead.deliver")].Data["undelivered"] = "0"
		}, "undetermined dead.deliver undelivered:"},
		"they are not kept":     {func(all map[string]*asset.Asset) { delete(all, dead) }, "self-drift dead.deliver :"},
		"of another topic":      {func(all map[string]*asset.Asset) { all[dead].Data["topic"] = "projects/acme/topics/x" }, "self-drift dead.deliver topic: projects/acme/topics/x"},
		"no alert":              {func(all map[string]*asset.Asset) { delete(all, alert) }, "self-drift dead.deliver alert:"},
		"an alert that is off":  {func(all map[string]*asset.Asset) { all[alert].Data["enabled"] = false }, "self-drift deliver enabled: false"},
		"an alert of nobody's":  {func(all map[string]*asset.Asset) { delete(all[alert].Data, "notificationChannels") }, "self-drift deliver notificationChannels:"},
		"of another project":    {func(all map[string]*asset.Asset) { all[alert].Project = "other" }, "self-drift dead.deliver alert:"},
		"a channel that is off": {func(all map[string]*asset.Asset) { all[channel].Data["enabled"] = false }, ""},
	} {
		all := selftest.Deployed(e)
		c.change(all)
		got := strings.Join(compare(e, all, true), "; ")
		if name == "a channel that is off" { // it is everybody's
			if n := strings.Count(got, "notificationChannels:"); n < 3 || n != strings.Count(got, "self-drift") {
				t.Errorf("%s: %q", name, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
