package local

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/identity/issuer"
	"ostiary.internal/shared/platform/outbox"
)

// Audiences of the tokens that local mode issues: one for people, one for programs.
const (
	staffAudience   = "/projects/0/global/backendServices/local"
	serviceAudience = "https://ostiary.localhost"
)

// ClientHeader is where a request says from which address it pretends to come, unless a layout is set.
const ClientHeader = "X-Ostiary-Client"

// environment is what a function reads here in place of its deployment's variables.
func (w *World) environment(m manifest.Function, own wiring.Env, database string) wiring.Env {
	path := func(parts ...string) string { return filepath.Join(append([]string{w.dir}, parts...)...) }
	set := map[string]string{
		wiring.EnvStore:           driver.URL("bolt", database, "tree", m.Control),
		wiring.EnvBus:             driver.URL("bolt", database),
		wiring.EnvVault:           driver.URL("bolt", database, "tree", "vault"),
		wiring.EnvSecrets:         driver.URL("file", path("secrets"), "key", path("keys", "secrets")),
		wiring.EnvSeal:            driver.URL("local", path("keys", "otp")),
		wiring.EnvSealMessage:     driver.URL("local", path("keys", "message")),
		wiring.EnvSealRequest:     driver.URL("local", path("keys", "request")),
		wiring.EnvSealBreach:      driver.URL("local", path("keys", "breach")),
		wiring.EnvDirectory:       "policy:",
		wiring.EnvEvidence:        driver.URL("folder", w.evidence.inboxDir()),
		"OSTIARY_LOG_INBOX":       driver.URL("folder", w.evidence.inboxDir()),
		"OSTIARY_LOG_TILES":       driver.URL("folder", w.evidence.tilesDir()),
		"OSTIARY_LOG_HEAD":        driver.URL("folder", w.evidence.headDir()),
		"OSTIARY_LOG_ORIGIN":      w.evidence.origin,
		"OSTIARY_SIGNING_KEY":     w.evidence.signingKey(),
		"OSTIARY_TRUST":           string(w.evidence.trust),
		"OSTIARY_LEDGER":          driver.URL("bolt", database, "tree", "ledger"),
		wiring.EnvWatchdog:        driver.URL("bolt", database, "tree", "watchdog"),
		"OSTIARY_DATA":            w.data.base(),
		"OSTIARY_RECEIPT_KEY":     w.receipts.signingKey(),
		"OSTIARY_RECEIPT_TRUST":   string(w.receipts.trust),
		"OSTIARY_ASSETS":          driver.URL("sandbox", w.assetsDir()),
		"OSTIARY_STATES":          w.states(),
		"OSTIARY_PROBES":          "loopback",
		"OSTIARY_URL":             cmp.Or(w.options.URL, "http://localhost"),
		"OSTIARY_DATA_ACCESS":     "allServices",
		"OSTIARY_LOG_STREAMS":     "all",
		wiring.EnvInvoker:         invoker(m.Name),
		wiring.EnvClient:          "header:" + ClientHeader,
		"OSTIARY_MESSAGE":         driver.URL("mailbox", w.mailFile()), // and so are all other channels
		"OSTIARY_MESSAGE_WEBHOOK": driver.URL("mailbox", w.mailFile()),
		"OSTIARY_MESSAGE_SMS":     driver.URL("mailbox", w.mailFile()),
		"OSTIARY_MESSAGE_CHAT":    driver.URL("mailbox", w.mailFile()),
		"OSTIARY_TARGETS":         w.targets(),
		wiring.EnvIdentity:        "google:?audience=" + serviceAudience,
		wiring.EnvSourceCap:       "6000",
	}
	if m.Reads(wiring.EnvVault) {
		set[wiring.EnvSeal] = driver.URL("local", path("keys", "evidence"))
	}
	if m.Callers == manifest.Staff {
		set[wiring.EnvIdentity] = "iap:?audience=" + staffAudience
	}
	if issuer := w.policy.Company.Issuer; issuer.URL != "" && m.Callers == manifest.Public && m.Reads(wiring.EnvIdentity) {
		set[wiring.EnvIdentity] = "oidc:" + issuer.URL + "?audience=" + url.QueryEscape(issuer.Audience)
	}
	return w.looked(set, own)
}

// targets gives every target of the policy a folder of its own.
func (w *World) targets() string {
	rules, _ := access.ReadRules(w.policy)
	var urls []string
	for _, t := range rules.Targets {
		urls = append(urls, t.Name+"="+w.target(t.Name))
	}
	return strings.Join(urls, ",")
}

// target is the URL of one of them.
func (w *World) target(name string) string {
	return driver.URL("file", filepath.Join(w.dir, "allowlist", name))
}

// invoker is the account that pushes to a function and schedules it.
func invoker(function string) string {
	return "in-" + function + "@ostiary-local.iam.gserviceaccount.com"
}

// pass is the signed token of one function's invoker, and until when it is shown again.
type pass struct {
	bearer string
	until  time.Time
}

// passes keeps each invoker's token while it is good, as the platform does: signing one takes longer than most runs
// of a schedule.
type passes struct {
	mu   sync.Mutex
	held map[string]pass
}

// authorization is what a push or a schedule shows to a function.
func (w *World) authorization(_ context.Context, function string) (string, error) {
	w.passes.mu.Lock()
	defer w.passes.mu.Unlock()
	now := w.clock.Now()
	if held, ok := w.passes.held[function]; ok && now.Before(held.until) {
		return held.bearer, nil
	}
	token, err := w.issuer.Issue(issuer.Claims{Kind: issuer.Service, Email: invoker(function), Audience: serviceAudience})
	if err != nil {
		return "", fmt.Errorf("signing a token for %s: %w", function, err)
	}
	fresh := pass{"Bearer " + token, now.Add(issuer.Life - 5*time.Minute)}
	w.passes.held[function] = fresh
	return fresh.bearer, nil
}

// boxes returns one outbox of each control that has one.
func (w *World) boxes() map[string]*outbox.Box {
	boxes := map[string]*outbox.Box{}
	for _, f := range w.functions {
		// The function that sweeps for others may publish everything its control writes.
		if f.deps.Box != nil && (boxes[f.manifest.Control] == nil || len(f.manifest.Sweeps) > 0) {
			boxes[f.manifest.Control] = f.deps.Box
		}
	}
	return boxes
}
