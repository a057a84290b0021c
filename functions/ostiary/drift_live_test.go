package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/asset/apiv1/assetpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/asset/assettest"
	"ostiary.internal/shared/drift/asset/cloudasset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/policy"
)

// listing lists a cloud in some scopes and judges it by the starter policy.
func listing(t *testing.T, cloud *assettest.Cloud, scopes ...string) *driftReport {
	t.Helper()
	p, problems, err := policy.Load(os.DirFS("../../testdata/policies"), "baseline")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	source, err := cloudasset.New(scopes, nil, cloud.Dial, cloud.Client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	r := &driftReport{Policy: true, now: assettest.At, Counts: map[string]int{}}
	if err := r.assertions(p, true); err != nil {
		t.Fatal(err)
	}
	inventory, kinds := asset.NewInventory(), r.kinds(true)
	if err := r.list(t.Context(), io.Discard, source, kinds, inventory); err != nil {
		t.Fatal(err)
	}
	r.judge(r.facts(inventory, kinds, false))
	return r
}

func (r *driftReport) verdict(assertion, key string) baseline.Verdict {
	for _, j := range r.Judgements {
		if j.Assertion == assertion && j.Key == key {
			return j.Verdict
		}
	}
	return ""
}

// TestDriftLists: what is listed is judged, whichever way the pages fall; of an organization that was listed whole, what is not there
// is known not to be there, and of one project it is not.
func TestDriftLists(t *testing.T) {
	t.Parallel()
	cloud := assettest.NewCloud(t, assettest.Things())
	cloud.Page = 3
	whole := listing(t, cloud, "organizations/1")
	if whole.Assets != len(assettest.Things()) || whole.verdict("database-exposure", "//cloudsql.googleapis.com/projects/company-live/instances/db") != baseline.OutOfOrder {
		t.Errorf("%d assets, judgements %+v", whole.Assets, whole.Judgements)
	}
	if v := whole.verdict("point-in-time-recovery", ""); v != "" {
		t.Errorf("a list of a whole organization leaves databases %s", v)
	}
	part := listing(t, cloud, "projects/company-live")
	if got := [2]baseline.Verdict{whole.verdict("log-retention-minimum", ""), part.verdict("log-retention-minimum", "")}; got != [2]baseline.Verdict{baseline.OutOfOrder, baseline.Undetermined} {
		t.Errorf("without a bucket of logs: %v", got)
	}
}

// TestDriftListsRefused: a scope that may not be read is named and leaves the other, and nothing of it is in order.
func TestDriftListsRefused(t *testing.T) {
	t.Parallel()
	cloud := assettest.NewCloud(t, assettest.Things())
	cloud.Lists = func(r *assetpb.ListAssetsRequest) error {
		if r.GetParent() == "organizations/1" {
			return status.Error(codes.PermissionDenied, "no")
		}
		return nil
	}
	r := listing(t, cloud, "organizations/1", "projects/company-live")
	if r.Assets != len(assettest.Things()) || r.code() == exitGood {
		t.Errorf("%d assets, exit %d", r.Assets, r.code())
	}
	for _, what := range asset.Contents() {
		if !slices.ContainsFunc(r.Unread, func(s string) bool { return strings.HasPrefix(s, "organizations/1, "+string(what)+": ") }) {
			t.Errorf("unread are %q", r.Unread)
		}
	}
	if v := r.verdict("log-retention-minimum", ""); v != baseline.Undetermined {
		t.Errorf("of what may not be listed it is said: %q", v)
	}
}

// TestDriftListsAgain: who is asked too much is asked later.
func TestDriftListsAgain(t *testing.T) {
	t.Parallel()
	cloud := assettest.NewCloud(t, assettest.Things())
	first := true
	cloud.Lists = func(*assetpb.ListAssetsRequest) error {
		if first {
			first = false
			return status.Error(codes.ResourceExhausted, "slower")
		}
		return nil
	}
	started := time.Now()
	if r := listing(t, cloud, "organizations/1"); r.Assets != len(assettest.Things()) {
		t.Errorf("%d assets, unread %q", r.Assets, r.Unread)
	}
	if waited := time.Since(started); waited < listWait {
		t.Errorf("asked again after %v", waited)
	}
}

// TestSARIF: ids are stable, an open result has no level (§3.27.10), and rules are there once.
func TestSARIF(t *testing.T) {
	t.Parallel()
	cloud := assettest.NewCloud(t, assettest.Things())
	var logs [2]sarifLog
	for i := range logs {
		file := filepath.Join(t.TempDir(), "found.sarif")
		if err := listing(t, cloud, "projects/company-live").sarif(file, ""); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(raw, &logs[i]) != nil {
			t.Fatalf("%s, %v", raw, err)
		}
	}
	run, kinds := logs[0].Runs[0], map[string]bool{}
	for i, one := range run.Results {
		kinds[one.Kind] = true
		if one.Fingerprints[fingerprint] == "" || one.Fingerprints[fingerprint] != logs[1].Runs[0].Results[i].Fingerprints[fingerprint] {
			t.Errorf("%s has the ids %v and %v", one.Rule, one.Fingerprints, logs[1].Runs[0].Results[i].Fingerprints)
		}
		if (one.Kind == "fail") == (one.Level == "none") || run.Tool.Driver.Rules[one.Index].ID != one.Rule || one.Message.Text == "" || len(one.Locations) == 0 {
			t.Errorf("%+v", one)
		}
	}
	if !kinds["fail"] || !kinds["open"] {
		t.Errorf("kinds are %v", kinds)
	}
}
