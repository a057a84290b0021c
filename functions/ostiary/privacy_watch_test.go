package main_test

import (
	"fmt"
	"time"
)

// watch: Kwame gives a stranger rights and acts as customers' users; he explains himself in his own words, Ingrid looks at
// it, and two people agree on an exception. Nobody answers for the second alarm.
func (l *life) watch() {
	const ingrid, teodor, perpetua, kwame = "ingrid-falkenhorst", "teodor-rasanenko", "perpetua-obolenska", "kwame-mbekiani"
	stranger, user := l.plant("e-mail address", "ulrika.vonderheydt@strangers.example"), l.plant("user of a customer", "user-rosalinde-eichendorff")
	from, agent := l.plant("address", "198.51.100.214"), l.plant("user agent", "Lynx Kwame Powerbook")
	secret := l.plant("free words", "labels of Frau Eichendorff vanished")
	for n, who := range []string{kwame, "zofia-wojcikowa"} {
		at := must[time.Time](l.T)(l.now()).UTC().Format(time.RFC3339)
		entries := []map[string]any{l.entry(n*10, "cloudaudit.googleapis.com%2Factivity", at, "protoPayload", map[string]any{
			"serviceName": "cloudresourcemanager.googleapis.com", "methodName": "SetIamPolicy", "resourceName": "projects/sharedcontacts-live",
			"authenticationInfo": map[string]any{"principalEmail": address(who)}, "requestMetadata": map[string]any{"callerIp": from, "callerSuppliedUserAgent": agent},
			"serviceData": map[string]any{"policyDelta": map[string]any{"bindingDeltas": []any{map[string]any{"action": "ADD", "role": "roles/editor", "member": "user:" + stranger}}}},
		})}
		for i := range 3 {
			entries = append(entries, l.entry(n*10+i+1, "act-as", at, "jsonPayload", map[string]any{"event": "impersonation.started", "employee": address(who),
				"user": fmt.Sprint(user, i), "domain": "zeppelinapotheke.example", "reason": secret, "at": at, "address": from, "result": "ok"}))
		}
		must[answer](l.T)(l.local("POST", "events?wait=1", entries))
	}
	l.advance("2m")
	for _, id := range l.want(200, kwame, "GET", "/justify/v1/episodes", nil).find("episodes.*.id") {
		path := "/justify/v1/episodes/" + id
		l.want(200, ingrid, "GET", path, nil)
		l.want(404, "zofia-wojcikowa", "GET", path, nil)
		l.want(200, kwame, "POST", path+"/answer", map[string]any{"reason": l.plant("free words", "Frau Vonderheydt moves our Kontaktarchiv"), "ticket": l.plant("reference", "ZWOJ-7731")})
		l.want(200, ingrid, "POST", path+"/review", map[string]any{"verdict": "accepted", "note": l.plant("free words", "Kwame showed me the Kontaktarchiv")})
	}
	exception := map[string]any{"kind": "suppression", "rule": "approved-identities", "actor": address(kwame), "resource": "projects/sharedcontacts-live", "reason": "planned-work",
		"until": must[time.Time](l.T)(l.now()).Add(9 * 24 * time.Hour), "note": l.plant("free words", "Kwame moves house until Michaelmas")}
	id := l.want(201, teodor, "POST", "/justify/v1/exceptions", exception).text("id")
	l.want(200, perpetua, "POST", "/justify/v1/exceptions/"+id+"/approve", nil)
	l.want(200, teodor, "GET", "/justify/v1/exceptions", nil)
	l.advance("2h") // Zofia says nothing: a suspicion
}

// entry is an entry of a log.
func (l *life) entry(n int, log, at, payload string, what map[string]any) map[string]any {
	return map[string]any{"insertId": fmt.Sprint("zofia.wojcikowa-", n), "logName": "projects/sharedcontacts-live/logs/" + log, "timestamp": at, payload: what}
}
