// Package trustpage shows everybody, without an account and without a script, what the company promises, what of it is
// kept right now, and what proves it: as a page, as JSON, as a feed, and as the files of the evidence log.
//
// It promises to show only pages that were committed in one transaction with the record about them, to say that nothing is
// known where the newest of them is too old, and to need no right to write. The record enters the log with the next seal:
// the newest page may stand here a minute before the log tells of it, and much longer where sealing has stopped, but then
// the page itself soon says that nothing is known. It computes no state: keeppromises does. It does not publish the
// entries of the log, whose records may concern persons, but where OSTIARY_PUBLIC_ENTRIES=true says so; records of
// kinds that concern nobody are always readable.
package trustpage

import (
	"context"
	_ "embed"
	"net/http"
	"sync"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/trust/page/shelf"
	"ostiary.internal/shared/trust/promise"

	_ "ostiary.internal/shared/evidence/log/gcs"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: shelf.Collections(), Build: build}

func init() { functions.HTTP("trustpage", Function.Entry()) }

// EnvEntries says whether entry bundles, and records of every kind, are readable by everybody: true or false.
const EnvEntries = "OSTIARY_PUBLIC_ENTRIES"

// EnvReceipts is the trust file of receipts of erasure, as sign.ReadTrust reads it; "" where none are made. It is served
// here, and not where receipts are handed out, so that whoever changes a receipt has to change this page too.
const EnvReceipts = "OSTIARY_RECEIPT_TRUST"

// trustpage holds what the handlers share.
type trustpage struct {
	*wiring.Deps
	shelf   *shelf.Shelf
	log     *evidence.Log
	pages   *shell.Shell // only what goes wrong is shown in the frame
	paper   *paper
	entries bool
	receipt []byte // trust file of receipts

	mu      sync.Mutex
	kept    shown              // the page that was read last: it never changes
	printed map[string]printed // the newest page by language, as it was printed last
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	t := &trustpage{Deps: d, shelf: shelf.New(d.Store), pages: shell.New(d.Manifest.Name, content), paper: newPaper(), printed: map[string]printed{}}
	switch value, _ := d.Env(EnvEntries); value {
	case "true":
		t.entries = true
	case "", "false":
	default:
		return web.Function{}, fault.New(fault.Misconfigured, "%s is neither true nor false", EnvEntries)
	}
	if text, _ := d.Env(EnvReceipts); text != "" {
		t.receipt = []byte(text)
		if _, err := sign.ReadTrust(t.receipt); err != nil {
			return web.Function{}, fault.New(fault.Misconfigured, "reading %s: %w", EnvReceipts, err)
		}
	}
	var err error
	if t.log, err = evidence.Open(ctx, d); err != nil {
		return web.Function{}, err
	}
	served, err := d.Served(t.routes()...)
	served.ErrorPage = t.problem
	return served, err
}

// Problems of several routes.
var (
	shownProblems = []string{"page_missing", "unavailable"}
	logProblems   = []string{"not_in_log", "unavailable"}
)

func (t *trustpage) routes() []web.Route {
	language := []web.Param{{Name: "lang", In: "query", Doc: "en, fr or de; by the browser's languages without it"}}
	html, any200 := map[int]any{200: web.Media("text/html")}, func(media web.Media) map[int]any { return map[int]any{200: media} }
	get := func(path, summary string, answers map[int]any, problems []string, handle func(http.ResponseWriter, *http.Request) error) web.Route {
		return web.Route{Method: http.MethodGet, Path: path, Summary: summary, Answers: answers, Problems: problems, Handle: handle}
	}
	routes := []web.Route{
		t.pages.Assets(),
		get("/v1/promises.json", "Every promise and its state now, the worst first: the newest page, byte for byte, as long as it is believed.", map[int]any{200: promise.Snapshot{}}, shownProblems, t.promises),
		get("/v1/promises/{id}", "One promise and its state now.", map[int]any{200: One{}}, append([]string{"promise_unknown"}, shownProblems...), t.promise),
		get("/v1/pages/{digest}", "A page that was shown, byte for byte, by the digest its record in the log has.", map[int]any{200: promise.Snapshot{}}, []string{"page_unknown", "unavailable"}, t.exact),
		get("/v1/days/{day}", "What was shown on a day (UTC), the oldest first.", map[int]any{200: Day{}}, []string{"day_malformed", "unavailable"}, t.day),
		get("/v1/register.json", "The promises the newest page was computed for.", any200("application/json"), shownProblems, t.register),
		get("/v1/registers/{digest}", "The promises a page that was shown was computed for, by the digest the page names.", any200("application/json"), []string{"register_unknown", "unavailable"}, t.registered),
		get("/v1/feed.atom", "The promises whose state changed last.", any200("application/atom+xml"), shownProblems, t.feed),
		get("/v1/receipts-trust.json", "The trust file of receipts of erasure: the keys whose signatures under them count, for ostiary erase verify-receipt.", any200("application/json"), []string{"receipts_none"}, t.receiptKeys),
		get("/v1/checkpoint", "The newest signed checkpoint of the evidence log (C2SP tlog-checkpoint).", any200("text/plain"), logProblems, t.checkpoint),
		get("/v1/freshness", "How new what is shown is: 200 as long as the newest page and the newest checkpoint are young, 503 when not.", map[int]any{200: Freshness{}}, append([]string{"stale"}, shownProblems...), t.freshness),
		get("/v1/tile/{path...}", "The log's tiles of hashes and, where they are public, its entry bundles (C2SP tlog-tiles).", any200("application/octet-stream"), append([]string{"entries_private"}, logProblems...), t.tile),
		get("/v1/records/{index}", "One record of the log, of a kind that concerns no person.", any200("application/json"), append([]string{"record_private"}, logProblems...), t.record),
		get("/v1/proofs/{index}", "The proof that the log holds its record of that number (C2SP tlog-proof).", any200("text/plain"), logProblems, t.proof),
	}
	page := get("/", "The trust page.", html, shownProblems, t.now)
	past := get("/pages/{digest}", "A page that was shown, as it looked then.", html, []string{"page_unknown", "unavailable"}, t.past)
	last := get("/days", "Leads to the last page that was shown on a day (UTC).", map[int]any{303: nil}, []string{"day_malformed", "nothing_shown", "unavailable"}, t.last)
	for _, r := range []*web.Route{&page, &past, &last} {
		r.Params, r.Page = language, true
	}
	last.Params = append([]web.Param{{Name: "day", In: "query", Required: true, Doc: "YYYY-MM-DD"}}, language...)
	routes = append(routes, page, past, last)
	for i := range routes {
		switch routes[i].Path {
		case "/v1/feed.atom":
			routes[i].Params = language
		case "/v1/days/{day}":
			routes[i].Params = []web.Param{{Name: "after", In: "query", Doc: "the time of the page behind which to go on, RFC 3339"}}
		}
	}
	return routes
}
