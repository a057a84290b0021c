package cloudasset

import (
	"encoding/json"
	"reflect"
	"testing"

	"ostiary.internal/shared/drift/asset"
)

// TestDatasetPolicy: who may use a dataset reads as IAM says it, and an entry nobody knows is not left out.
func TestDatasetPolicy(t *testing.T) {
	t.Parallel()
	for access, want := range map[string]string{
		`[]`: `{"bindings":[]}`,
		`[{"role":"OWNER","specialGroup":"projectOwners"},{"role":"READER","userByEmail":"ana@company.example"},{"role":"roles/bigquery.dataViewer","iamMember":"allUsers"}]`: `{"bindings":[
			{"role":"roles/bigquery.dataOwner","members":["projectOwner:p"]},{"role":"roles/bigquery.dataViewer","members":["user:ana@company.example"]},{"role":"roles/bigquery.dataViewer","members":["allUsers"]}]}`,
		`[{"role":"WRITER","userByEmail":"x@p.iam.gserviceaccount.com"},{"role":"READER","groupByEmail":"g@company.example"},{"role":"READER","domain":"company.example"},{"role":"READER","specialGroup":"allAuthenticatedUsers"}]`: `{"bindings":[
			{"role":"roles/bigquery.dataEditor","members":["serviceAccount:x@p.iam.gserviceaccount.com"]},{"role":"roles/bigquery.dataViewer","members":["group:g@company.example"]},
			{"role":"roles/bigquery.dataViewer","members":["domain:company.example"]},{"role":"roles/bigquery.dataViewer","members":["allAuthenticatedUsers"]}]}`,
		`[{"view":{"tableId":"v"}},{"role":"READER","userByEmail":"a@x.example","condition":{"expression":"true"}}]`: `{"bindings":[{"role":"roles/bigquery.dataViewer","members":["user:a@x.example"],"condition":{"expression":"true"}}]}`,
		`[{"role":"READER"}]`:                         "",
		`[{"role":"READER","specialGroup":"others"}]`: "",
		`["x"]`: "",
		`null`:  "",
	} {
		var data, expected asset.Object
		if err := json.Unmarshal([]byte(`{"access":`+access+`}`), &data); err != nil {
			t.Fatal(err)
		}
		got, known := datasetPolicy(data, "p")
		if known != (want != "") {
			t.Errorf("%s: known %v", access, known)
			continue
		}
		if want == "" {
			continue
		}
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, expected) {
			t.Errorf("%s: %v, wanted %v", access, got, expected)
		}
	}
}
