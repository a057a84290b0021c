package baseline

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"ostiary.internal/shared/drift/asset"
)

// roleType is the type of a role the company made itself.
const roleType = "iam.googleapis.com/Role"

//go:embed roles.txt
var rolesText string

// predefined are the roles of Google's by how their names begin, with a star, or are; true: they reach data.
var predefined = parseRoles(rolesText)

func parseRoles(text string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(text) {
		if sign, role, is := strings.Cut(strings.TrimSpace(line), " "); is && sign != "#" {
			all[role] = sign == "+"
		}
	}
	return all
}

// reaching are the permissions that reach data, by how they begin, and granting the services at whose resources it does to change
// who has rights: who may, can have any.
var reaching = []string{
	"storage.objects.", "storage.hmacKeys.create", "datastore.entities.", "datastore.databases.export", "datastore.backups.restoreDatabase",
	"datastore.databases.bulkDelete", "datastore.databases.clone", "datastore.databases.delete", "datastore.databases.update",
	"bigquery.tables.getData", "bigquery.tables.export", "bigquery.tables.updateData", "bigquery.tables.createSnapshot", "bigquery.tables.replicateData", "bigquery.datasets.update",
	"bigquery.rowAccessPolicies.", "bigquery.connections.use", "bigquery.connections.delegate",
	"cloudsql.instances.connect", "cloudsql.instances.login", "cloudsql.instances.export", "cloudsql.instances.clone", "cloudsql.instances.executeSql", "cloudsql.instances.restoreBackup",
	"cloudsql.users.create", "cloudsql.users.update", "spanner.databases.select", "spanner.databases.read", "spanner.databases.write", "spanner.databases.partition",
	"spanner.databases.use", "spanner.backups.restoreDatabase", "bigtable.tables.readRows", "bigtable.tables.mutateRows", "bigtable.tables.sampleRowKeys",
	"alloydb.instances.connect", "alloydb.instances.executeSql", "alloydb.users.create", "alloydb.users.update", "alloydb.clusters.export",
	"firebasedatabase.data.", "firebaserules.releases.", "firebaseauth.users.", "firebaseauth.configs.getSecret", "redis.instances.getAuthString", "redis.instances.export",
	"memorystore.instances.connect", "healthcare.", "secretmanager.versions.access", "cloudkms.cryptoKeyVersions.useToDecrypt", "pubsub.subscriptions.consume", "pubsub.topics.attachSubscription",
	"compute.disks.use", "compute.disks.createSnapshot", "compute.snapshots.useReadOnly", "compute.images.useReadOnly", "compute.instances.osLogin", "compute.instances.osAdminLogin",
	"compute.instances.setMetadata", "compute.instances.attachDisk", "compute.projects.setCommonInstanceMetadata", "compute.packetMirrorings.",
	"container.secrets.", "container.pods.exec", "container.pods.attach", "container.pods.portForward", "cloudbuild.builds.create", "deploymentmanager.deployments.",
	"dataflow.jobs.snapshot", "iam.serviceAccounts.actAs", "iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.implicitDelegation", "iam.serviceAccounts.signBlob", "iam.serviceAccounts.signJwt",
	"iam.serviceAccountKeys.create", "iam.roles.update",
}

var granting = []string{"resourcemanager", "iam", "storage", "bigquery", "datastore", "spanner", "bigtable", "pubsub", "secretmanager", "cloudkms", "compute", "healthcare"}

func reaches(permission string) bool {
	service, _, _ := strings.Cut(permission, ".")
	return strings.HasSuffix(permission, ".setIamPolicy") && slices.Contains(granting, service) || slices.ContainsFunc(reaching, func(begin string) bool { return strings.HasPrefix(permission, begin) })
}

// predefinedReaches reports whether a role of Google's reaches data, and whether anybody here knows.
func predefinedReaches(role string) (is, known bool) {
	if is, known = predefined[role]; known {
		return is, true
	}
	for at := len(role); at > 0; at-- {
		if is, known = predefined[role[:at]+"*"]; known {
			return is, true
		}
	}
	return false, false
}

// Reaches reports whether who has a role can read or change what is kept, or get at an account, a key or a right by which she could;
// and, of a role the company made, what was read of it. An error: nobody here knows what it allows, or it was not read.
func Reaches(live *asset.Inventory, role string) (is bool, own *asset.Asset, err error) {
	if strings.HasPrefix(role, "roles/") {
		is, known := predefinedReaches(role)
		if !known {
			return false, nil, fmt.Errorf("nobody here knows what %s allows", role)
		}
		return is, nil, nil
	}
	own, known := live.Get(roleType, role)
	if !known || own.Data == nil && !own.Deleted {
		return false, nil, fmt.Errorf("%s was not read", role)
	}
	is, err = grants(own)
	if err != nil {
		return false, own, fmt.Errorf("%s: %w", role, err)
	}
	return is, own, nil
}

// Agent reports whether a member is an account in which one of Google's services acts, whatever project it does so for.
func Agent(member string) bool { return machinery(member) }

// reaches is Reaches for an expression, of which a role that nobody knows is an error.
func (k lookup) reaches(role string) ref.Val {
	is, own, err := Reaches(k.v.live.Inventory, role)
	if own != nil {
		k.v.looked(own.Read)
		k.v.others = append(k.v.others, own)
	}
	if err != nil {
		return types.NewErr("%s", err.Error())
	}
	return types.Bool(is)
}

// grants reports whether a role the company made reaches data. One that is switched off or deleted gives nothing.
func grants(role *asset.Asset) (bool, error) {
	if role.Deleted || role.Data["deleted"] == true || role.Data["stage"] == "DISABLED" {
		return false, nil
	}
	all, is := role.Data["includedPermissions"].([]any)
	if !is {
		return false, fmt.Errorf("its permissions were not read")
	}
	return slices.ContainsFunc(all, func(p any) bool {
		s, _ := p.(string)
		return reaches(s)
	}), nil
}
