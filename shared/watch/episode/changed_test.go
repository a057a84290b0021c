package episode

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// What is told of a change says who, by ids and kinds; never by an address.
func TestChanged(t *testing.T) {
	t.Parallel()
	p, problems, err := policy.Load(os.DirFS("../../../testdata/policies"), "sharedcontacts")
	if err != nil {
		t.Fatal(err, problems)
	}
	s := &Service{Config: Config{Policy: p, Bus: &world{}, Assets: []string{"compute.googleapis.com"}}}
	const person, deploy, other = `"principalEmail":"Marc.Petit@sharedcontacts.example"`, `"principalEmail":"deploy@sharedcontacts-live.iam.gserviceaccount.com"`, `"principalEmail":"x@elsewhere.iam.gserviceaccount.com"`
	through := func(who, first string) string {
		return who + `,"serviceAccountDelegationInfo":[{"firstPartyPrincipal":{` + first + `}}]`
	}
	const first, last = `"operation":{"id":"o-1","producer":"compute.googleapis.com","first":true},`, `"operation":{"id":"o-1","producer":"compute.googleapis.com","last":true},`
	for name, c := range map[string]struct {
		who, outer, rest string
		want             string // person, chain, deployer, ticket, agent, operation, outcome; "" for nothing told
	}{
		"a person":             {person, "", "", "marc marc false   once ok"},
		"the deployer":         {deploy, "", "", " service:deployment true   once ok"},
		"through the deployer": {through(deploy, person), "", "", "marc marc>service:deployment true   once ok"},
		"a stranger":           {`"principalEmail":"eve@elsewhere.example"`, "", "", " human false   once ok"},
		"another account":      {through(other, `"principalEmail":"eve@elsewhere.example"`), "", "", " human>service false   once ok"},
		"by a tool":            {person, "", `,"requestMetadata":{"callerSuppliedUserAgent":"google-cloud-sdk gcloud/480.0.0 by/marc.petit@sharedcontacts.example"}`, "marc marc false  gcloud/480.0.0 once ok"},
		"by Terraform":         {deploy, "", `,"requestMetadata":{"callerSuppliedUserAgent":"HashiCorp Terraform/1.9.1 (+https://www.terraform.io)"}`, " service:deployment true  Terraform/1.9.1 once ok"},
		"with a reason":        {person, "", `,"requestMetadata":{"requestAttributes":{"reason":"for jane@x.example (OPS-17), see there"}}`, "marc marc false OPS-17  once ok"},
		"with words":           {person, "", `,"requestMetadata":{"requestAttributes":{"reason":"because jane@x.example asked 3 times"}}`, "marc marc false   once ok"},
		"it begins":            {person, first, "", "marc marc false   begins ok"},
		"it ends":              {person, last, "", "marc marc false   ends ok"},
		"it ends badly":        {person, last, `,"status":{"code":13}`, "marc marc false   ends failed"},
		"refused":              {person, "", `,"status":{"code":7}`, ""},
		"it never began":       {person, first, `,"status":{"code":7}`, ""},
	} {
		all, err := auditlog.Decode([]byte(`{"logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","insertId":"1","timestamp":"2026-03-03T11:59:00Z",`+c.outer+`"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",
			"serviceName":"compute.googleapis.com","methodName":"v1.compute.firewalls.patch","resourceName":"projects/p/global/firewalls/f","authenticationInfo":{`+c.who+`}`+c.rest+`}}`), auditlog.Mapping{})
		if err != nil {
			t.Fatal(name, err)
		}
		told, got := s.derive(&all[0]), ""
		if len(told) > 0 {
			m := told[0].payload.(Changed)
			operation := "once"
			if m.Operation != "" {
				operation = "begins"
				if m.Ends {
					operation = "ends"
				}
			}
			deployer := "false"
			if m.Deployer {
				deployer = "true"
			}
			got = strings.Join([]string{m.Person, strings.Join(m.Chain, ">"), deployer, m.Ticket, m.Agent, operation, m.Outcome}, " ")
			data, err := json.Marshal(m)
			if err != nil || strings.Contains(string(data), "@") || m.V != 2 {
				t.Errorf("%s: %s %v", name, data, err)
			}
			// Who knows the first version only reads the same as ever.
			var old struct {
				Asset string `json:"asset"`
				Actor string `json:"actor_kind"`
				Entry string `json:"entry"`
			}
			if json.Unmarshal(data, &old) != nil || old.Asset != all[0].Asset || old.Actor != string(all[0].Actor.Kind) || old.Entry != all[0].ID {
				t.Errorf("%s: %+v", name, old)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The beginning and the end of an operation have one name, and another one another.
func TestChangedOperation(t *testing.T) {
	t.Parallel()
	s, seen := &Service{Config: Config{Policy: &policy.Policy{}}}, []string(nil)
	for _, o := range []auditlog.Operation{{ID: "a", First: true}, {ID: "a", Last: true}, {ID: "b", First: true}, {ID: "a", First: true, Last: true}} {
		seen = append(seen, s.changed(&auditlog.Entry{Operation: o}).Operation)
	}
	if seen[0] == "" || seen[0] != seen[1] || seen[2] == seen[0] || seen[3] != "" || slices.Contains(seen[:3], "a") {
		t.Error(seen)
	}
}
