package auditlog_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/watch/auditlog"
)

func TestOutcome(t *testing.T) {
	t.Parallel()
	type payload = map[string]any
	cases := []struct {
		name   string
		change func(e, p payload)
		want   auditlog.Result
	}{
		{"an empty status is success", func(_, p payload) { p["status"] = payload{} }, auditlog.OK},
		{"no status is success", func(_, p payload) { delete(p, "status") }, auditlog.OK},
		{"code 0 written out", func(_, p payload) { p["status"] = payload{"code": 0} }, auditlog.OK},
		{"code 7", func(_, p payload) { p["status"] = payload{"code": 7} }, auditlog.Denied},
		{"code 7 as text", func(_, p payload) { p["status"] = payload{"code": "7"} }, auditlog.Denied},
		{"code 16", func(_, p payload) { p["status"] = payload{"code": 16} }, auditlog.Denied},
		{"code 5", func(_, p payload) { p["status"] = payload{"code": 5} }, auditlog.Failed},
		{"a message without a code", func(_, p payload) { p["status"] = payload{"message": "restarted"} }, auditlog.OK},
		{"a permission not granted alone refuses nothing", func(_, p payload) {
			p["authorizationInfo"] = []any{payload{"permission": "a.b.c"}}
		}, auditlog.OK},
		{"only the answer knows", func(_, p payload) {
			delete(p, "status")
			p["response"] = payload{"error": payload{"code": 403}}
		}, auditlog.Denied},
		{"an answer that lists failures", func(_, p payload) {
			p["response"] = payload{"failures": []any{payload{"id": "x"}}}
		}, auditlog.Partial},
		{"a cluster's refusal is a label", func(e, _ payload) {
			e["labels"] = payload{"authorization.k8s.io/decision": "forbid"}
		}, auditlog.Denied},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := one(t, with(t, "iam-project-delta", c.change), auditlog.Mapping{})
			if e.Outcome.Result != c.want {
				t.Errorf("got %q, want %q", e.Outcome.Result, c.want)
			}
		})
	}
}

func TestDeniedPermissionHasNoGrantedKey(t *testing.T) {
	t.Parallel()
	e := fixture(t, "secret-denied")
	want := []auditlog.Permission{{Name: "secretmanager.versions.access", Type: "DATA_READ",
		Resource: "projects/123456789012/secrets/pg/versions/latest"}}
	if !slices.Equal(e.Permissions, want) {
		t.Errorf("got %+v", e.Permissions)
	}
	if e := fixture(t, "iam-project-delta"); !e.Permissions[0].Granted {
		t.Error("a granted permission is not")
	}
}

func TestFixturesInNormalForm(t *testing.T) {
	t.Parallel()
	cases := []struct {
		file   string
		stream auditlog.Stream
		actor  auditlog.ActorKind
		key    string
		result auditlog.Result
		asset  string
	}{
		{"secret-denied", auditlog.DataAccess, auditlog.Redacted, "redacted@203.0.113.7", auditlog.Denied,
			"//secretmanager.googleapis.com/projects/acme-live/secrets/pg/versions/latest"},
		{"token-chain", auditlog.DataAccess, auditlog.Service, "service:deploy@acme-live.iam.gserviceaccount.com", auditlog.OK,
			"//iam.googleapis.com/projects/acme-live/serviceAccounts/deploy@acme-live.iam.gserviceaccount.com"},
		{"federated", auditlog.DataAccess, auditlog.Federated,
			"federated:principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci/subject/repo:acme/shop",
			auditlog.OK, "//storage.googleapis.com/acme-files/objects/a/b.pdf"},
		{"anonymous", auditlog.Activity, auditlog.Anonymous, "anonymous:system:anonymous", auditlog.Denied,
			"//container.googleapis.com/projects/acme-live/locations/europe-west1/clusters/main/k8s/core/v1/namespaces/default/secrets"},
		{"system-event", auditlog.SystemEvent, auditlog.System, "system@private", auditlog.OK,
			"//compute.googleapis.com/projects/acme-live/zones/europe-west1-b/instances/vm-1"},
		{"perimeter", auditlog.PolicyDenied, auditlog.Redacted, "redacted@203.0.113.7", auditlog.Denied,
			"//storage.googleapis.com/projects/acme-live"},
		{"default-account", auditlog.Activity, auditlog.Unknown, "unknown@203.0.113.7", auditlog.OK,
			"//iam.googleapis.com/projects/acme-live/serviceAccounts/123456789012-compute@developer.gserviceaccount.com"},
		{"login-failure", auditlog.DataAccess, auditlog.Human, "human:ada@acme.example", auditlog.Failed,
			"//login.googleapis.com/organizations/987654321"},
		{"access-transparency", auditlog.AccessTransparency, auditlog.Agent, "agent", auditlog.OK,
			"//googleapis.com/storage/buckets/acme-files/objects/a"},
		{"iam-audit-config", auditlog.Activity, auditlog.Human, "human:ada@acme.example", auditlog.OK,
			"//cloudresourcemanager.googleapis.com/projects/acme-live"},
	}
	for _, c := range cases {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			e := fixture(t, c.file)
			if e.Kind != auditlog.Audit || e.Stream != c.stream {
				t.Errorf("kind %q, stream %q", e.Kind, e.Stream)
			}
			if e.Actor.Kind != c.actor || e.Actor.Key != c.key {
				t.Errorf("actor %q, key %q", e.Actor.Kind, e.Actor.Key)
			}
			if e.Outcome.Result != c.result || e.Asset != c.asset {
				t.Errorf("outcome %q, asset %q", e.Outcome.Result, e.Asset)
			}
			if e.Time.IsZero() || len(e.ID) != 40 || len(e.Gaps) > 0 {
				t.Errorf("time %v, id %q, gaps %v", e.Time, e.ID, e.Gaps)
			}
		})
	}
}

func TestDelegationChain(t *testing.T) {
	t.Parallel()
	a := fixture(t, "token-chain").Actor
	want := []auditlog.Identity{
		{Kind: auditlog.Human, Email: "ada@acme.example"},
		{Kind: auditlog.Service, Email: "step@acme-live.iam.gserviceaccount.com",
			Subject: "serviceAccount:step@acme-live.iam.gserviceaccount.com"},
		{Kind: auditlog.Federated, Subject: "sub:repo:acme/shop"},
	}
	if !slices.Equal(a.Chain, want) {
		t.Errorf("chain %+v", a.Chain)
	}
	if a.First() != want[0] || len(a.All()) != 4 || a.All()[3].Email != a.Email {
		t.Errorf("first %+v, all %+v", a.First(), a.All())
	}
	if !strings.HasSuffix(a.KeyName, "/keys/0a1b") {
		t.Errorf("key %q", a.KeyName)
	}
}

// A person who leaves out serviceAccountDelegationInfo acts by herself.
func TestFirstWithoutChain(t *testing.T) {
	t.Parallel()
	a := fixture(t, "iam-project-delta").Actor
	if a.Chain != nil || a.First().Email != "ada@acme.example" || len(a.All()) != 1 {
		t.Errorf("%+v", a)
	}
}

func TestCallerAddress(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"token-chain": "gce-internal-ip", "system-event": "private",
		"federated": "2001:db8::f", "access-transparency": ""} {
		if got := fixture(t, file).IP; got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

func TestWorkspaceParameters(t *testing.T) {
	t.Parallel()
	e := fixture(t, "login-failure")
	want := map[string][]string{"eventName": {"login_failure"}, "login_type": {"google_password"},
		"is_suspicious": {"false"}, "login_challenge_method": {"password", "totp"}, "tries": {"3"}}
	if got := e.Parameters(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if e.Organization != "987654321" || e.Received.Sub(e.Time).Minutes() < 90 {
		t.Errorf("organization %q, received %v", e.Organization, e.Received)
	}
}

// Sub-trees are handed on as they are: keys of metadata without values, and firewalls with "alloweds".
func TestSubTreesStayRaw(t *testing.T) {
	t.Parallel()
	if e := fixture(t, "metadata-keys"); !strings.Contains(string(e.Metadata), "addedMetadataKeys") {
		t.Error("metadata lost")
	}
	if e := fixture(t, "firewall-first"); !strings.Contains(string(e.Request), "alloweds") {
		t.Error("request lost")
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	set := func(timestamp, received any) auditlog.Entry {
		return one(t, with(t, "iam-project-delta", func(e, _ map[string]any) {
			e["timestamp"], e["receiveTimestamp"] = timestamp, received
		}), auditlog.Mapping{})
	}
	const good = "2026-03-03T08:55:00.9Z"
	if e := set("0000-00-00T00:00:00.000Z", good); !e.Missing("timestamp") || !e.Time.Equal(e.Received) || e.Time.IsZero() {
		t.Errorf("fell back to %v", e.Time)
	}
	for _, bad := range []any{nil, "", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "yesterday"} {
		if e := set(bad, bad); !e.Missing("timestamp") || !e.Time.IsZero() {
			t.Errorf("%v: %v, gaps %v", bad, e.Time, e.Gaps)
		}
	}
	// Received a little before it happened: clocks differ.
	if e := set("2026-03-03T08:55:01Z", good); e.Received.After(e.Time) || len(e.Gaps) > 0 {
		t.Errorf("%v %v %v", e.Time, e.Received, e.Gaps)
	}
	a, b := set("2026-03-03T08:55:01Z", good), set("2026-03-03T09:55:01.000+01:00", good)
	if a.ID != b.ID {
		t.Error("one instant written two ways has two IDs")
	}
}

func TestIDTakesAllThree(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, key := range []string{"", "insertId", "logName", "timestamp"} {
		e := one(t, with(t, "iam-project-delta", func(e, _ map[string]any) {
			switch key {
			case "":
			case "timestamp":
				e[key] = "2026-03-03T08:55:00.123457Z"
			default:
				e[key] = e[key].(string) + "x"
			}
		}), auditlog.Mapping{})
		if other, twice := seen[e.ID]; twice {
			t.Errorf("%q and %q share an ID", key, other)
		}
		seen[e.ID] = key
	}
	e := one(t, with(t, "iam-project-delta", func(e, _ map[string]any) { delete(e, "insertId") }), auditlog.Mapping{})
	if _, twice := seen[e.ID]; twice || !e.Missing("insertId") {
		t.Error("an entry without insertId")
	}
}
