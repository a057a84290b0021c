package auditlog_test

import (
	"testing"

	"ostiary.internal/shared/watch/auditlog"
)

func TestActorKind(t *testing.T) {
	t.Parallel()
	cases := map[string]auditlog.ActorKind{
		"ada@acme.example":                                                     auditlog.Human,
		"ADA@Acme.Example":                                                     auditlog.Human,
		"x@acme-live.iam.gserviceaccount.com":                                  auditlog.Service,
		"123-compute@developer.gserviceaccount.com":                            auditlog.Service,
		"acme-live@appspot.gserviceaccount.com":                                auditlog.Service,
		"123@cloudbuild.gserviceaccount.com":                                   auditlog.Service,
		"123@cloudservices.gserviceaccount.com":                                auditlog.Agent,
		"service-123@compute-system.iam.gserviceaccount.com":                   auditlog.Agent,
		"service-123@gcp-sa-notebooks.iam.gserviceaccount.com":                 auditlog.Agent,
		"service-project-1@gcp-sa-x.iam.gserviceaccount.com":                   auditlog.Agent,
		"service-org-12@gcp-sa-logging.iam.gserviceaccount.com":                auditlog.Agent,
		"service-folder-12@gcp-sa-osconfig.iam.gserviceaccount.com":            auditlog.Agent,
		"service-p12@gcp-sa-accessapproval.iam.gserviceaccount.com":            auditlog.Agent,
		"p123-456@gcp-sa-logging.iam.gserviceaccount.com":                      auditlog.Agent,
		"p123-abc7de@gcp-sa-cloud-sql.iam.gserviceaccount.com":                 auditlog.Agent,
		"eve@gcp-sa-evil.iam.gserviceaccount.com":                              auditlog.Service,
		"service-eve@gcp-sa-evil.iam.gserviceaccount.com":                      auditlog.Service,
		"service-1-eve@gcp-sa-evil.iam.gserviceaccount.com":                    auditlog.Service,
		"service-org-123@security-center-api.iam.gserviceaccount.com":          auditlog.Agent,
		"service-123@gae-api-prod.google.com.iam.gserviceaccount.com":          auditlog.Agent,
		"cloud-logs@system.gserviceaccount.com":                                auditlog.Agent,
		"service-123456789012@evil.iam.gserviceaccount.com":                    auditlog.Service, // anybody may take this name
		"service-123@gcp-sa-notebooks.iam.gserviceaccount.com.evil.example":    auditlog.Human,
		"service-123@evilgcp-sa-notebooks.iam.gserviceaccount.com":             auditlog.Service,
		"x@notgserviceaccount.com":                                             auditlog.Human,
		"x@evil.notgoogle.com.iam.gserviceaccount.com":                         auditlog.Service,
		"service-1@compute-system.example.com.iam.gserviceaccount.com":         auditlog.Service,
		"system:node:pool-1":                                                   auditlog.System,
		"system:serviceaccount:default:app":                                    auditlog.Service,
		"system:anonymous":                                                     auditlog.Anonymous,
		"system@google.com":                                                    auditlog.System,
		"acme-live.svc.id.goog[default/app]":                                   auditlog.Federated,
		"principal://iam.googleapis.com/locations/global/workforcePools/p/x@y": auditlog.Federated,
		"nobody": auditlog.Unknown,
	}
	for email, want := range cases {
		e := one(t, with(t, "iam-project-delta", func(_, p map[string]any) {
			p["authenticationInfo"] = map[string]any{"principalEmail": email}
		}), auditlog.Mapping{})
		if e.Actor.Kind != want {
			t.Errorf("%s: %q, want %q", email, e.Actor.Kind, want)
		}
	}
}

func TestActorBySubject(t *testing.T) {
	t.Parallel()
	cases := map[string]auditlog.ActorKind{
		"user:ada@acme.example":                                      auditlog.Human,
		"serviceAccount:x@acme-live.iam.gserviceaccount.com":         auditlog.Service,
		"deleted:serviceAccount:x@p.iam.gserviceaccount.com?uid=12":  auditlog.Service,
		"serviceAccount:acme-live.svc.id.goog[default/app]":          auditlog.Federated,
		"principalSet://iam.googleapis.com/locations/global/x/group": auditlog.Federated,
		"something": auditlog.Unknown,
	}
	for subject, want := range cases {
		e := one(t, with(t, "iam-project-delta", func(_, p map[string]any) {
			p["authenticationInfo"] = map[string]any{"principalSubject": subject}
		}), auditlog.Mapping{})
		if e.Actor.Kind != want || e.Actor.Subject != subject {
			t.Errorf("%s: %+v, want %q", subject, e.Actor, want)
		}
	}
}

func TestNobodyNamed(t *testing.T) {
	t.Parallel()
	type change = func(e, p map[string]any)
	cases := []struct {
		name   string
		change change
		want   auditlog.ActorKind
	}{
		{"unauthenticated", func(_, p map[string]any) { p["status"] = map[string]any{"code": 16} }, auditlog.Anonymous},
		{"refused", func(_, p map[string]any) { p["status"] = map[string]any{"code": 7} }, auditlog.Redacted},
		{"allowed", func(_, _ map[string]any) {}, auditlog.Unknown},
		{"hidden by BigQuery", func(_, p map[string]any) { p["serviceName"] = "bigquery.googleapis.com" }, auditlog.Redacted},
		{"third party", func(_, p map[string]any) {
			p["authenticationInfo"] = map[string]any{"thirdPartyPrincipal": map[string]any{"thirdPartyClaims": map[string]any{"sub": "x"}}}
		}, auditlog.Federated},
	}
	for _, c := range cases {
		e := one(t, with(t, "iam-project-delta", func(e, p map[string]any) {
			delete(p, "authenticationInfo")
			c.change(e, p)
		}), auditlog.Mapping{})
		if e.Actor.Kind != c.want {
			t.Errorf("%s: %q, want %q", c.name, e.Actor.Kind, c.want)
		}
	}
}
