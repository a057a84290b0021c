package checkup_test

import (
	"net/http"
	"strings"
	"time"

	"ostiary.internal/functions/ostiary/internal/checkup"
)

func ofKept() map[string]change {
	const smtp = "secretmanager.googleapis.com/v1/projects/" + project + "/secrets/smtp-password/versions/1"
	return map[string]change{
		"functions read two policies": {func(w *world) {
			w.env["deliver"]["OSTIARY_POLICY"] = "gs://acme-policy/policy/" + strings.Repeat("b", 64) + ".tar.gz"
		}, "policy", checkup.Wrong, "not every function reads it; these do: deliver", "one apply"},
		"the policy is gone": {func(w *world) {
			w.codes["GET "+buckets+"acme-policy/o/policy/"+strings.Repeat("a", 64)+".tar.gz"] = http.StatusNotFound
		}, "policy", checkup.Wrong, "it is not there", "Publish the policy again"},
		"a secret has no version": {func(w *world) { w.codes["GET "+smtp] = http.StatusNotFound }, "secrets", checkup.Wrong, "smtp-password: its version 1 is not there; waiting for it: deliver", "gcloud secrets versions add smtp-password"},
		"a secret is off":         {func(w *world) { w.put(smtp, object{"state": "DISABLED"}) }, "secrets", checkup.Wrong, "its version 1 is disabled", "secret_versions"},
		"a secret is not told of": {func(w *world) { w.codes["GET "+smtp] = http.StatusForbidden }, "secrets", checkup.Undetermined, "403", "somebody who has some.thing.get"},
		"an API is off":           {func(w *world) { w.codes["GET "+smtp] = http.StatusPreconditionFailed }, "secrets", checkup.Undetermined, "412", "gcloud services enable x.googleapis.com"},
		"a key is off": {func(w *world) {
			w.set("cloudkms.googleapis.com/v1/"+ring+"otp", object{"primary": object{"state": "DISABLED"}})
		}, "keys", checkup.Wrong, "its primary version is disabled", "Switch the version on"},
		"a key does not rotate": {func(w *world) { w.set("cloudkms.googleapis.com/v1/"+ring+"otp", object{"rotationPeriod": ""}) }, "keys", checkup.Wrong, "not changed every 90 days", "rotation_period"},
		"a rotation is overdue": {func(w *world) {
			w.set("cloudkms.googleapis.com/v1/"+ring+"otp", object{"nextRotationTime": noon.AddDate(0, 0, -3).Format(time.RFC3339)})
		}, "keys", checkup.Wrong, "overdue", "--primary"},
		"what signs is off": {func(w *world) {
			w.set("cloudkms.googleapis.com/v1/"+evidence+"checkpoints/cryptoKeyVersions/1", object{"state": "DESTROYED"})
		}, "keys", checkup.Wrong, "the version that signs is destroyed", "trust file"},
		"nobody names the version that signs": {func(w *world) {
			for _, env := range w.env {
				if value := env["OSTIARY_SIGNING_KEY"]; value != "" {
					env["OSTIARY_SIGNING_KEY"] = strings.Replace(value, "/cryptoKeyVersions/1", "", 1)
				}
			}
		}, "keys", checkup.Undetermined, "checkpoints: no deployed function says which version of it signs", "Apply"},
		"a database is gone": {func(w *world) { w.codes["GET "+firestore+"watch"] = http.StatusNotFound }, "databases", checkup.Wrong, "watch: it is not there", "backup"},
		"it can be deleted": {func(w *world) {
			w.set(firestore+"watch", object{"deleteProtectionState": "DELETE_PROTECTION_DISABLED"})
		}, "databases", checkup.Wrong, "can delete it", "protects"},
		"it lies elsewhere": {func(w *world) { w.set(firestore+"watch", object{"locationId": "europe-west2"}) }, "databases", checkup.Wrong, "europe-west2, outside of the European Union", "cannot move"},
		"it has no recovery": {func(w *world) {
			w.set(firestore+"watch", object{"pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_DISABLED"})
		}, "databases", checkup.Wrong, "cannot be recovered to a point in time", "Apply"},
		"the ledger has it": {func(w *world) {
			w.set(firestore+"ledger", object{"pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_ENABLED"})
		}, "databases", checkup.Wrong, "would have forgotten who was erased", "Apply"},
		"the ledger is backed": {func(w *world) {
			w.put(firestore+"ledger/backupSchedules", object{"backupSchedules": []any{object{"dailyRecurrence": object{}}}})
		}, "databases", checkup.Wrong, "ledger: it is backed up", "schedules delete"},
		"no weekly backup": {func(w *world) {
			w.put(firestore+"watch/backupSchedules", object{"backupSchedules": []any{object{"dailyRecurrence": object{}}}})
		}, "databases", checkup.Wrong, "not backed up each day and each week", "both schedules"},
		"no backup is made": {func(w *world) {
			w.only("firestore.googleapis.com/v1/projects/"+project+"/locations/-/backups", "backups", func(m object) bool { return !strings.HasSuffix(m["database"].(string), "/watch") })
		}, "databases", checkup.Wrong, "watch: there is no backup of it", "BackupSchedule"},
		"an index is missing": {func(w *world) {
			w.only(firestore+"access/collectionGroups/-/indexes", "indexes", func(m object) bool { return !strings.HasSuffix(m["name"].(string), "DESCENDING") })
		}, "databases", checkup.Wrong, "the index leases person until DESCENDING is not there", "Terraform makes it"},
		"an index is being made": {func(w *world) {
			w.only(firestore+"access/collectionGroups/-/indexes", "indexes", func(m object) bool { m["state"] = "CREATING"; return true })
		}, "databases", checkup.Wrong, "is creating", "wait"},
		"what ends stays": {func(w *world) { w.put(firestore+"access/collectionGroups/-/fields", object{}) }, "databases", checkup.Wrong, "what ends in leases is never deleted", "expires"},
		"what stays is deleted": {func(w *world) {
			w.listed(firestore+"access/collectionGroups/-/fields", "fields", object{"name": "projects/p/databases/access/collectionGroups/tokens/fields/expires", "ttlConfig": object{"state": "ACTIVE"}})
		}, "databases", checkup.Wrong, "documents of tokens are deleted", "before it deletes"},
		"nothing is sealed": {func(w *world) { w.put(buckets+"acme-head/o/head", []byte(`{"v":1,"batch":1,"at":1}`)) }, "log", checkup.Wrong, "records were sealed the last time", "sealevidence-0"},
		"no checkpoint":     {func(w *world) { w.codes["GET "+buckets+"acme-head/o/checkpoint"] = http.StatusNotFound }, "log", checkup.Wrong, "the log has no checkpoint", "sealevidence"},
		"somebody else signed": {func(w *world) {
			w.put(buckets+"acme-head/o/checkpoint", []byte("acme.example/ostiary/evidence\n7\n"+strings.Repeat("A", 43)+"=\n\n— x AAAAAAAA\n"))
		}, "log", checkup.Wrong, "nobody of the trust file signed", "declare a suspicion"},
		"records wait": {func(w *world) {
			w.put(buckets+"acme-inbox/o", object{"items": []any{object{"timeCreated": noon.Add(-time.Hour).Format(time.RFC3339)}}})
		}, "inbox", checkup.Wrong, "1 records wait to be sealed, the oldest came 60 minutes ago", "sealevidence"},
		"a lock is gone": {func(w *world) { w.set(buckets+"acme-log", object{"retentionPolicy": nil}) }, "evidence", checkup.Wrong, "acme-log retentionPolicy.isLocked", "locked = true"},
		"a bucket may be public": {func(w *world) {
			w.set(buckets+"acme-inbox", object{"iamConfiguration": object{"uniformBucketLevelAccess": object{"enabled": true}}})
		}, "evidence", checkup.Wrong, "it does not keep the public out", "Apply"},
		"the head keeps nothing": {func(w *world) { w.set(buckets+"acme-head", object{"versioning": nil}) }, "evidence", checkup.Wrong, "bucket acme-head: what is overwritten", "Apply"},
	}
}

func ofEdge() map[string]change {
	return map[string]change{
		"the second host is gone": {func(w *world) { w.site["https://v4.acme.example/pairaddress/"] = -1 }, "site", checkup.Wrong, "v4.acme.example: it does not answer over TLS", "DNS"},
		"no IPv6 here":            {func(w *world) { w.site["https://v6.acme.example/pairaddress/"] = -1 }, "site", checkup.Told, "v6.acme.example", ""},
		"the site is gone":        {func(w *world) { w.site[home] = -1 }, "site", checkup.Wrong, "it does not answer over TLS", "DNS"},
		"the certificate ends":    {func(w *world) { w.ends = noon.AddDate(0, 0, 3) }, "site", checkup.Wrong, "it ends in 3 days", "renew"},
		"a staff page is open":    {func(w *world) { w.site[home+"registerip/"] = http.StatusOK }, "site", checkup.Wrong, "a stranger is answered 200 by a function for staff", "IAP"},
		"a machine answers":       {func(w *world) { w.site[home+"sealevidence/"] = http.StatusOK }, "site", checkup.Wrong, "by a function for machine", "Shut it"},
		"the trust page is shut":  {func(w *world) { w.site[home+"trustpage/"] = http.StatusForbidden }, "site", checkup.Wrong, "a page that is for everybody", "allUsers"},
		"a service is open":       {func(w *world) { w.site[home+"checkotp/"] = http.StatusOK }, "site", checkup.Wrong, "a stranger is answered 200 by a function for service", "Shut it"},
		"the trust page is gone":  {func(w *world) { w.site[home+"trustpage/"] = http.StatusNotFound }, "site", checkup.Wrong, "a stranger is answered 404 by a page that is for everybody", "load balancer"},
		"port 80 answers":         {func(w *world) { w.site["http://ostiary.acme.example/"] = http.StatusOK }, "site", checkup.Wrong, "it answers 200 without TLS", "443"},
		"IAP is off":              {func(w *world) { w.set(engine+"backendServices/7", object{"iap": object{"enabled": false}}) }, "site", checkup.Wrong, "IAP is off", "audit log"},
		"the header is kept":      {func(w *world) { w.set(engine+"backendServices/7", object{"customRequestHeaders": nil}) }, "site", checkup.Wrong, "it does not overwrite X-Ostiary-Client", "--probe"},
		"nobody limits":           {func(w *world) { w.set(engine+"backendServices/7", object{"securityPolicy": ""}) }, "site", checkup.Wrong, "no Cloud Armor policy", "Apply"},
		"the backend is another":  {func(w *world) { w.codes["GET "+engine+"backendServices/7"] = http.StatusNotFound }, "site", checkup.Wrong, "nobody can sign in", "audience"},
		"no address is proven":    {func(w *world) { w.codes["GET "+proofOf("registerip-ipv4")] = http.StatusNotFound }, "address", checkup.Wrong, "registerip-ipv4: nobody proved", "ostiary doctor --probe"},
		"a proof is over": {func(w *world) {
			w.put(proofOf("registerip-ipv4"), object{"fields": object{"passed": object{"booleanValue": true}, "expires": object{"timestampValue": noon.Format(time.RFC3339)}}})
		}, "address", checkup.Wrong, "registerip-ipv4: nobody proved", "--probe"},
		"IPv6 is not proven":    {func(w *world) { w.codes["GET "+proofOf("registerip-ipv6")] = http.StatusNotFound }, "address", checkup.Told, "registerip-ipv6", ""},
		"the proof is not read": {func(w *world) { w.codes["GET "+proofOf("registerip-ipv4")] = http.StatusForbidden }, "address", checkup.Undetermined, "registerip-ipv4", "some.thing.get"},
		"a shell is missing": {func(w *world) {
			w.only(engine+"firewalls", "items", func(m object) bool { return m["name"] != "ostiary-v6-00" })
		}, "doors", checkup.Wrong, "ostiary-v6-00", "shell"},
		"a shell is open": {func(w *world) {
			w.listed(engine+"firewalls", "items", object{"name": "ostiary-v4-01", "sourceRanges": []any{"0.0.0.0/0"}})
		}, "doors", checkup.Wrong, "ostiary-v4-01 lets everybody in", "at once"},
		"the policy lets all in": {func(w *world) {
			w.put(engine+"securityPolicies/ostiary", object{"rules": []any{object{"priority": 2147483647, "action": "allow"}}})
		}, "doors", checkup.Wrong, "lets in whoever no rule names", "deny(403)"},
		"a rule lets all in":              {armor(object{"priority": 1, "action": "allow", "match": everywhere("*")}, shut), "doors", checkup.Wrong, "armor: the rule 1 of the Cloud Armor policy ostiary lets everybody in", "Take the rule out"},
		"a rule lets all in, slower":      {armor(object{"priority": 7, "action": "throttle", "match": everywhere("192.0.2.1/32", "::/0")}, shut), "doors", checkup.Wrong, "armor: the rule 7", "Take the rule out"},
		"a rule lets all in on trial":     {armor(object{"priority": 1, "action": "allow", "preview": true, "match": everywhere("*")}, shut), "doors", checkup.OK, "with 1 rules in force", ""},
		"a rule lets one in":              {armor(object{"priority": 1000, "action": "allow", "match": everywhere("192.0.2.1/32")}, shut), "doors", checkup.OK, "with 2 rules in force", ""},
		"a rule lets in by expression":    {armor(object{"priority": 1, "action": "allow", "match": object{"expr": object{"expression": "true"}}}, shut), "doors", checkup.Told, "armor: its rule 1 lets in by an expression", ""},
		"nobody is shut out but on trial": {armor(object{"priority": 2147483647, "action": "deny(403)", "preview": true, "match": everywhere("*")}), "doors", checkup.Wrong, "lets in whoever no rule names", "deny(403)"},
		"another rule lets all in": {func(w *world) {
			w.listed(engine+"firewalls", "items", object{"name": "ssh", "direction": "INGRESS", "sourceRanges": []any{"0.0.0.0/0"}, "allowed": []any{object{"IPProtocol": "tcp"}}})
		}, "doors", checkup.Told, "edge: beside it these rules of the same project let everybody in: ssh", ""},
		"a level lets all in":    {level(object{"conditions": []any{object{"ipSubnetworks": []any{"::/0"}}}}), "doors", checkup.Wrong, "levels: the access level ostiary_00 lets in", "audit log"},
		"a level lets others in": {level(object{"conditions": []any{object{"ipSubnetworks": []any{"192.0.2.1/32"}, "negate": true}}}), "doors", checkup.Wrong, "levels: the access level ostiary_00 lets in", "audit log"},
		"a level asks nothing":   {level(object{"conditions": []any{object{"members": []any{"user:eve@acme.example"}}}}), "doors", checkup.Wrong, "levels: the access level ostiary_00 lets in", "audit log"},
		"a level is no list":     {level(nil), "doors", checkup.Undetermined, "levels: the access level ostiary_00 has no list of conditions", ""},
		"the policy is gone":     {func(w *world) { w.codes["GET "+engine+"securityPolicies/ostiary"] = http.StatusNotFound }, "doors", checkup.Wrong, "armor: the Cloud Armor policy ostiary is not there", "shell"},
		"the levels are gone": {func(w *world) {
			w.put("accesscontextmanager.googleapis.com/v1/accessPolicies/12/accessLevels", object{})
		}, "doors", checkup.Wrong, "levels: the access levels ostiary_00", "shell"},
		"an alert is missing": {func(w *world) {
			w.only(metrics+project+"/alertPolicies", "alertPolicies", func(m object) bool { return m["displayName"] != "deliver is missing" })
		}, "alarms", checkup.Wrong, "no alert called “deliver is missing”", "Apply"},
		"an alert is off": {func(w *world) {
			w.only(metrics+project+"/alertPolicies", "alertPolicies", func(m object) bool { m["enabled"] = m["displayName"] != "deliver is missing"; return true })
		}, "alarms", checkup.Wrong, "deliver is missing: it is switched off", "Apply"},
		"an alert reaches nobody": {func(w *world) {
			w.live["//monitoring.googleapis.com/projects/"+project+"/notificationChannels/1"].Data["enabled"] = false
		}, "alarms", checkup.Wrong, "none of its channels is on", "Confirm"},
		"the watchdog is blind":  {func(w *world) { w.put(metrics+dog+"/uptimeCheckConfigs", object{}) }, "watchdog", checkup.Wrong, "nobody notices when the site is gone", dog},
		"the watchdog is dumb":   {func(w *world) { w.put(metrics+dog+"/alertPolicies", object{}) }, "watchdog", checkup.Wrong, "nobody is told", dog},
		"the watchdog is unread": {func(w *world) { w.codes["GET "+metrics+dog+"/alertPolicies"] = http.StatusForbidden }, "watchdog", checkup.Undetermined, "alerts", "some.thing.get"},
	}
}
