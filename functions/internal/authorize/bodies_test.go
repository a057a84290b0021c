package authorize

import (
	"time"

	"ostiary.internal/functions/internal/functiontest"
)

// body is what a route has to be sent where its type alone does not tell.
type body struct {
	members object
	form    bool // also where the route is no page
}

var (
	until  = "2026-04-01"
	moment = functiontest.Start.Format("2006-01-02T15:04")
	score  = object{
		"dpc": object{"simple": object{"value": 2, "reason": "tells who works with whom"}}, "ei": object{"full_name": 0.75, "email": 1},
		"cb": object{"confidentiality": 0.5, "integrity": 0, "availability": 0, "malicious": false}, "people": 4200, "unintelligible": false, "key_compromised": false,
	}
	texts = object{"nature": "x", "subjects": "unknown", "records": "unknown", "excluded": "x", "subprocessors": "x", "measures": "x", "open": "x"}
	draft = object{"kind": "initial", "texts": object{"en": texts, "fr": texts, "de": texts}}
	noise = object{"kind": "suppression", "rule": "approved-identities", "actor": herself, "resource": "projects/sharedcontacts-live", "reason": "planned-work"}
)

// written is the draft as its form sends it.
var written = func() object {
	form := object{"kind": "initial", "n": "0", "tenant": "banque-du-port"}
	for _, language := range []string{"en", "fr", "de"} {
		for name, text := range texts {
			form[language+"."+name] = text
		}
	}
	return form
}()

// bodies are those, by route: so whole that nothing but the caller is left to refuse.
var bodies = map[string]body{
	"checkotp POST /v1/check":                           {members: object{"email": herself, "code": "123456"}},
	"enrolotp POST /v1/authenticators/{id}/resync":      {members: object{"codes": []string{"123456", "654321"}}},
	"enrolotp POST /v1/rollovers":                       {members: object{"email": herself, "reason": "x"}},
	"opendsr POST /v2/requests":                         {members: instruction},
	"opendsr POST /opengdpr_requests":                   {members: instruction},
	"requesterasure POST /v1/requests":                  {members: object{"email": "mia.canary@cabinetnord.example", "tenant": "cabinet-nord", "kind": "erasure", "language": "en"}},
	"requesterasure POST /v1/requests/{number}/confirm": {members: object{"code": "nonsense"}},
	"requesterasure POST /v1/requests/{number}/cancel":  {members: object{"code": "nonsense"}},
	"requesterasure POST /v1/requests/{number}/close":   {members: object{"code": "nonsense"}},
	"requesterasure POST /v1/requests/{number}/renew":   {members: object{"secret": "nonsense"}},
	"decideerasure POST /v1/requests/{id}/hold":         {members: object{"entry": "notes", "ground": "art17-3-e", "until": "2026-12-31"}},
	"declarebreach POST /v1/breaches/{id}/aware":        {members: object{"at": functiontest.Start.Add(-20 * time.Minute), "reason": "x"}},
	"declarebreach POST /v1/breaches/{id}/score":        {members: score},
	"declarebreach POST /v1/breaches/{id}/withdraw":     {members: object{"clock": "gdpr_33_1", "at": functiontest.Start}},
	"declarebreach POST /v1/breaches/{id}/compromised":  {members: object{"channels": []string{"mail"}, "reason": "x"}},
	"declarebreach POST /v1/breaches/{id}/notices":      {members: draft},
	"declarebreach POST /v1/breaches/{id}/notices/{n}":  {members: draft},
	"declarebreach POST /case/{id}/ack":                 {members: object{"step": "oncall"}},
	"declarebreach POST /case/{id}/triage":              {members: object{"result": "likely"}},
	"declarebreach POST /case/{id}/aware":               {members: object{"exact": functiontest.Start.Add(-20 * time.Minute).Format(time.RFC3339), "reason": "x"}},
	"declarebreach POST /case/{id}/decide":              {members: object{"subject": "sa", "answer": "yes"}},
	"declarebreach POST /case/{id}/withdraw":            {members: object{"clock": "gdpr_33_1", "at": moment}},
	"declarebreach POST /case/{id}/score":               {members: object{"dpc.simple": "1", "ei.full_name": "0.75", "cb.confidentiality": "0.5", "cb.integrity": "0", "cb.availability": "0", "cb.malicious": "0"}},
	"declarebreach POST /case/{id}/notices":             {members: written},
	"attest POST /v1/duties/{id}/ask":                   {members: object{"about": "scanner"}},
	"attest POST /v1/statements":                        {members: object{"promise": "F01", "text_hash": "x", "valid_until": until}},
	"attest POST /v1/waivers":                           {members: object{"promise": "D24", "reason": "accepted-risk", "until": until}},
	"attest POST /duties/{id}/review":                   {members: object{"verdict": "approved"}},
	"attest POST /ask/{id}":                             {members: object{"about": "scanner"}},
	"attest POST /statements/{id}":                      {members: object{"true": "yes", "text_hash": "x", "until": until}},
	"attest POST /waivers":                              {members: object{"promise": "D24", "reason": "accepted-risk", "until": until}},
	"justify POST /v1/episodes/{id}/answer":             {members: object{"reason": "mistake", "ticket": "SUP-7"}},
	"justify POST /{id}/answer":                         {members: object{"reason": "mistake", "ticket": "SUP-7"}},
	"justify POST /{id}/review":                         {members: object{"verdict": "accepted"}},
	"justify POST /v1/exceptions":                       {members: object{"kind": "suppression", "rule": "approved-identities", "actor": herself, "resource": "projects/sharedcontacts-live", "reason": "planned-work", "until": functiontest.Start.AddDate(0, 0, 9)}},
	"justify POST /exceptions":                          {members: noise},
}
