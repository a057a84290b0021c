package checkup_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/evidence/sign"
)

// serves turns what selftest deploys into what the services answer of it.
func (w *world) serves() {
	for _, a := range w.live {
		host, name, _ := strings.Cut(strings.TrimPrefix(a.Key, "//"), "/")
		read, ask := map[string]string{
			"run.googleapis.com": "v1/", "iam.googleapis.com": "v1/", "pubsub.googleapis.com": "v1/", "cloudscheduler.googleapis.com": "v1/", "cloudresourcemanager.googleapis.com": "v1/",
			"cloudkms.googleapis.com": "v1/", "secretmanager.googleapis.com": "v1/", "storage.googleapis.com": "storage/v1/b/",
		}[host], "GET "
		if host == "iam.googleapis.com" || host == "cloudresourcemanager.googleapis.com" {
			ask = "POST "
		}
		at, of := host+"/"+read+name, name[:max(0, strings.LastIndexByte(name, '/'))]
		switch a.Type {
		case "iam.googleapis.com/Role":
			a.Data["name"] = name
			w.once("iam.googleapis.com/v1/"+of, "roles", a.Data)
		case "iam.googleapis.com/ServiceAccountKey":
			a.Data["name"] = name
			w.once("iam.googleapis.com/v1/"+of, "keys", a.Data)
		case "logging.googleapis.com/LogSink":
			a.Data["name"] = name[strings.LastIndexByte(name, '/')+1:]
			w.once("logging.googleapis.com/v2/"+of, "sinks", a.Data)
		case "monitoring.googleapis.com/AlertPolicy", "monitoring.googleapis.com/NotificationChannel":
			a.Data["name"] = name
			w.once("monitoring.googleapis.com/v3/"+of, of[strings.LastIndexByte(of, '/')+1:], a.Data)
		case self.Waiting:
			n, _ := a.Data["undelivered"].(float64)
			w.once("monitoring.googleapis.com/v3/projects/"+project+"/timeSeries pubsub.googleapis.com/subscription/num_undelivered_messages", "timeSeries",
				point("subscription_id", name[strings.LastIndexByte(name, '/')+1:], n))
		default:
			if _, set := w.answers["GET "+at]; !set {
				w.put(at, a.Data)
			}
			policy := ":getIamPolicy"
			if host == "storage.googleapis.com" {
				policy = "/iam"
			}
			if _, set := w.answers[ask+at+policy]; !set {
				w.answers[ask+at+policy] = written(a.IAM)
			}
		}
	}
}

// once adds to a list what is not in it yet.
func (w *world) once(address, field string, item object) {
	if list, is := w.answers["GET "+address].(object); is {
		some, _ := list[field].([]any)
		for _, one := range some {
			if m, _ := one.(object); item["name"] != nil && m["name"] == item["name"] {
				return
			}
		}
	}
	w.listed(address, field, item)
}

func point(label, value string, n float64) object {
	return object{"resource": object{"labels": object{label: value}}, "points": []any{object{"interval": object{"endTime": noon.Add(-5 * time.Minute).Format(time.RFC3339)}, "value": object{"doubleValue": n, "int64Value": number(n)}}}}
}

func number(n float64) string {
	text, _ := json.Marshal(int64(n))
	return string(text)
}

// keeps fills in keys, secrets, buckets, databases and the evidence log.
func (w *world) keeps(t *testing.T) {
	t.Helper()
	on := map[string][]string{} // grants, by address
	for _, f := range w.functions {
		for _, p := range f.Permissions {
			kind, name, _ := strings.Cut(p.Resource, ":")
			where, condition, home := "", "", project
			resource := p.Resource
			switch kind {
			case "key":
				where = "cloudkms.googleapis.com/v1/" + ring + name
			case "signing-key":
				where, home = "cloudkms.googleapis.com/v1/"+evidence+map[string]string{"evidence": "checkpoints", "receipts": "receipts"}[name], proof
			case "secret":
				where = "secretmanager.googleapis.com/v1/projects/" + project + "/secrets/" + name
				w.put(where+"/versions/1", object{"state": "ENABLED"})
			case "bucket":
				where = "storage.googleapis.com/storage/v1/b/acme-" + map[string]string{"evidence-inbox": "inbox", "evidence-log": "log", "evidence-head": "head", "policy": "policy", "terraform-state": "state"}[name]
				if strings.HasPrefix(name, "evidence-") {
					home = proof
				}
				if resource == "bucket:evidence-inbox" && p.Permission == "storage.objects.create" {
					resource, condition = "place:evidence-inbox", `resource.name.startsWith("projects/_/buckets/acme-inbox/objects/`+f.Name+`/")`
				}
			default:
				continue
			}
			if resource == "bucket:terraform-state" {
				home, resource, condition = "acme-bootstrap", resource+"_staging", `resource.name.startsWith("projects/_/buckets/acme-state/objects/environment/")`
			}
			grant := strings.TrimSpace(role(home, f.Name, resource) + " " + runs(f.Name) + " " + condition)
			on[where] = append(on[where], grant)
		}
	}
	for where, grants := range on {
		switch {
		case strings.HasPrefix(where, "storage."):
			w.put(where, object{"location": "EUROPE-WEST1", "retentionPolicy": object{"isLocked": true}, "versioning": object{"enabled": true},
				"iamConfiguration": object{"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": object{"enabled": true}}})
			w.answers["GET "+where+"/iam"] = policy(grants...)
			continue
		case strings.Contains(where, proof):
			w.put(where, object{"purpose": "ASYMMETRIC_SIGN"})
			w.put(where+"/cryptoKeyVersions/1", object{"state": "ENABLED", "algorithm": "EC_SIGN_ED25519"})
		case strings.HasPrefix(where, "cloudkms."):
			w.put(where, object{"purpose": "ENCRYPT_DECRYPT", "primary": object{"state": "ENABLED"}, "rotationPeriod": "7776000s", "nextRotationTime": noon.Add(time.Hour).Format(time.RFC3339)})
		default:
			w.put(where, object{"name": where})
		}
		w.answers["GET "+where+":getIamPolicy"] = policy(grants...)
	}
	w.databases()
	w.seals(t)
}

func (w *world) databases() {
	const at = "firestore.googleapis.com/v1/projects/" + project
	for _, name := range []string{"access", "breach", "drift", "erasure", "trust", "watch", "vault", "ledger", "watchdog"} {
		d, recovery := at+"/databases/"+name, "POINT_IN_TIME_RECOVERY_ENABLED"
		if name == "ledger" {
			recovery = "POINT_IN_TIME_RECOVERY_DISABLED"
			w.put(d+"/backupSchedules", object{})
		} else {
			w.put(d+"/backupSchedules", object{"backupSchedules": []any{object{"dailyRecurrence": object{}}, object{"weeklyRecurrence": object{"day": "SUNDAY"}}}})
			w.listed(at+"/locations/-/backups", "backups", object{"database": "projects/" + project + "/databases/" + name, "state": "READY", "snapshotTime": noon.Add(-8 * time.Hour).Format(time.RFC3339)})
		}
		w.put(d, object{"locationId": "europe-west1", "deleteProtectionState": "DELETE_PROTECTION_ENABLED", "pointInTimeRecoveryEnablement": recovery, "createTime": noon.AddDate(0, -1, 0).Format(time.RFC3339)})
		w.put(d+"/collectionGroups/-/fields", object{})
	}
	leases := "projects/" + project + "/databases/access/collectionGroups/leases"
	index := func(order string) object {
		return object{"name": leases + "/indexes/" + order, "state": "READY", "fields": []any{object{"fieldPath": "person", "order": order}, object{"fieldPath": "until", "order": order}, object{"fieldPath": "__name__", "order": order}}}
	}
	w.put(at+"/databases/access/collectionGroups/-/indexes", object{"indexes": []any{index("ASCENDING"), index("DESCENDING")}})
	w.put(at+"/databases/access/collectionGroups/-/fields", object{"fields": []any{object{"name": leases + "/fields/expires", "ttlConfig": object{"state": "ACTIVE"}}}})
}

// seals makes an evidence log of one batch.
func (w *world) seals(t *testing.T) {
	t.Helper()
	const at = "storage.googleapis.com/storage/v1/b/"
	note, err := sign.Note(t.Context(), sign.Checkpoint{Origin: origin, Size: 7}.Text(), signer{})
	if err != nil {
		t.Fatal(err)
	}
	head, err := json.Marshal(object{"v": 1, "origin": origin, "batch": 1, "size": 7, "root": make([]byte, 32), "at": noon.Add(-3 * time.Minute).UnixMilli()})
	if err != nil {
		t.Fatal(err)
	}
	w.put(at+"acme-head/o/checkpoint", note)
	w.put(at+"acme-head/o/head", head)
	w.put(at+"acme-inbox/o", object{"items": []any{object{"timeCreated": noon.Add(-time.Minute).Format(time.RFC3339)}}})
	w.put(at+"acme-policy/o/policy/"+strings.Repeat("a", 64)+".tar.gz", object{"timeCreated": noon.Add(-time.Hour).Format(time.RFC3339), "size": "9000"})
}

// reaches fills in the logs, the site, the doors and the alarms.
func (w *world) reaches() {
	const monitoring = "monitoring.googleapis.com/v3/projects/"
	for _, id := range []string{project, "acme-live"} {
		w.answers["POST cloudresourcemanager.googleapis.com/v1/projects/"+id+":getAncestry"] = object{"ancestor": []any{object{"resourceId": object{"type": "project", "id": id}}, object{"resourceId": object{"type": "organization", "id": "1"}}}}
		w.put(monitoring+id+"/timeSeries logging.googleapis.com/exports/error_count", object{})
	}
	w.put("logging.googleapis.com/v2/organizations/1/sinks", object{})
	w.put("iam.googleapis.com/v1/projects/"+proof+"/roles", object{})
	w.put(monitoring+project+"/timeSeries pubsub.googleapis.com/topic/send_message_operation_count", object{"timeSeries": []any{point("topic_id", "audit.entries", 12)}})
	w.put(monitoring+project+"/timeSeries pubsub.googleapis.com/subscription/oldest_unacked_message_age", object{"timeSeries": []any{point("subscription_id", "dead.deliver", 86400)}})
	for _, f := range w.functions {
		for _, topic := range f.Topics() {
			w.listed(monitoring+project+"/timeSeries pubsub.googleapis.com/subscription/oldest_unacked_message_age", "timeSeries", point("subscription_id", f.Name+"--"+topic, 30))
		}
		for _, name := range []string{" is failing", " is missing"} {
			w.listed(monitoring+project+"/alertPolicies", "alertPolicies", object{"name": "projects/" + project + "/alertPolicies/" + f.Name + name, "displayName": f.Name + name, "notificationChannels": []any{"projects/" + project + "/notificationChannels/1"}})
		}
	}
	w.put(monitoring+dog+"/uptimeCheckConfigs", object{"uptimeCheckConfigs": []any{object{"name": "site"}}})
	w.put(monitoring+dog+"/alertPolicies", object{"alertPolicies": []any{object{"displayName": "the site is gone", "notificationChannels": []any{"projects/" + dog + "/notificationChannels/1"}}}})
	w.put(monitoring+dog+"/notificationChannels", object{"notificationChannels": []any{object{"name": "projects/" + dog + "/notificationChannels/1", "enabled": true}}})
	const compute = "compute.googleapis.com/compute/v1/projects/" + project + "/global/"
	w.put(compute+"backendServices/7", object{"name": "registerip", "iap": object{"enabled": true}, "securityPolicy": "edge", "customRequestHeaders": []any{"X-Ostiary-Client:{client_ip_address}"}})
	w.put(compute+"firewalls", object{"items": []any{object{"name": "ostiary-v4-00", "sourceRanges": []any{"192.0.2.1/32"}}, object{"name": "ostiary-v6-00"}, object{"name": "default-allow", "sourceRanges": []any{"0.0.0.0/0"}}}})
	w.put(compute+"securityPolicies/ostiary", object{"rules": []any{object{"priority": 2147483647, "action": "deny(403)"}}})
	w.put("accesscontextmanager.googleapis.com/v1/accessPolicies/12/accessLevels", object{"accessLevels": []any{object{"name": "accessPolicies/12/accessLevels/ostiary_00", "basic": object{"conditions": []any{object{"ipSubnetworks": []any{"192.0.2.1/32"}}}}}, object{"name": "accessPolicies/12/accessLevels/ostiary"}}})
	for _, place := range []string{"registerip-ipv4", "registerip-ipv6", "pairaddress-ipv4", "pairaddress-ipv6"} {
		w.put(proofOf(place), object{"fields": object{"passed": object{"booleanValue": true}, "expires": object{"timestampValue": noon.AddDate(0, 1, 0).Format(time.RFC3339)}}})
	}
	const site = "https://ostiary.acme.example/"
	for _, f := range w.functions {
		w.site[site+f.Name+"/"] = map[manifest.Callers]int{manifest.Public: http.StatusOK, manifest.Staff: http.StatusFound, manifest.Service: http.StatusUnauthorized, manifest.Machine: http.StatusNotFound}[f.Callers]
	}
	w.site["http://ostiary.acme.example/"] = http.StatusMovedPermanently
	w.ends = noon.AddDate(0, 2, 0)
}

func certified(ends time.Time) *tls.ConnectionState {
	return &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{NotAfter: ends}}}
}
