package policy

import (
	"slices"
	"strings"
)

// Checks are the mechanisms of the house that keep promises, by the names that check and records have for them.
func Checks() []string { return strings.Fields(allChecks) }

const allChecks = `
access-justify access-layers access-notice access-review admin-path alert-route anomaly-detect api-auth-probe asset-location
attestation-desk audit-calendar audit-trail-check backup-freshness backup-retention breach-channels breach-clock case-flow ci-evidence
claim-watch credential-format data-egress-watch db-exposure dlp-sample dr-drill drift dsr-desk edge-protection endpoint-fleet
env-separation firewall-rules grant-watch ha-topology iam-membership impersonation-burst ingest-schema ip-allowlist ip-daily
least-privilege log-coverage log-immutability log-retention log-review marketing-disjoint mfa-enforced oauth-scopes otp-gate
password-policy-probe patch-age people-register prod-data-access provider-access release-train replica-regions rest-encryption
restore-desk retention-sweep risk-register role-matrix-probe secret-guard segmentation shared-account software-clearance
software-inventory tenant-isolation tenant-region tls-probe token-revoke uptime-slo vendor-register vuln-scan watch`

// Remarks tells what promises say that is allowed and most likely not meant: a check that nobody knows, and a published page
// that other promises write otherwise.
func (p *Policy) Remarks() []Problem {
	const most = 100 // pages of a company; of more it is not asked which is which
	checks, pages := Checks(), map[string]int{}
	var names []string
	for _, promise := range p.Promises {
		if pages[promise.Source.File]++; pages[promise.Source.File] == 1 && promise.Source.File != "" {
			names = append(names, promise.Source.File)
		}
	}
	if len(names) > most {
		names = nil
	}
	var remarks []Problem
	add := func(promise Promise, key, what, allowed string) {
		remarks = append(remarks, p.Remark(promise.file, promise.key+"."+key, what, allowed))
	}
	for _, promise := range p.Promises {
		if !slices.Contains(checks, promise.Check) {
			add(promise, "check", quote(promise.Check)+" is no check of this release"+Meant(promise.Check, checks), someOf(checks))
		}
		page := promise.Source.File
		more := slices.DeleteFunc(slices.Clone(names), func(other string) bool {
			return other == page || pages[other] < pages[page]
		})
		if meant := Meant(page, more); meant != "" {
			add(promise, "source.file", quote(page)+" is nearly the page of other promises"+meant, "one name for a page, the same for every promise on it")
		}
	}
	return Sort(remarks)
}
