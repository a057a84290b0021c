package main_test

// breach: Zofia finds one, and people write in their own words what it is, whose data it concerns, why they decide as they
// do, and what the customer is told. None of it leaves the case but to whom it is written.
func (l *life) breach() {
	const ingrid, teodor, anselm, zofia = "ingrid-falkenhorst", "teodor-rasanenko", "anselm-dufresnoy", "zofia-wojcikowa"
	words := func(text string) string { return l.plant("free words", text) }
	declared := l.want(201, zofia, "POST", "/declarebreach/v1/breaches", map[string]any{
		"client_id": "zofia-1", "kind": "breach", "summary": words("Rezeptfotos of Hildegard lay on the Flohmarkt"), "tenants": []string{"own", "zeppelin-apotheke"},
		"affected": []string{l.plant("e-mail address", "leopoldine.schwarzenegg@vanished-clinic.example")},
	})
	path := "/declarebreach/v1/breaches/" + declared.text("id")
	l.want(409, zofia, "POST", "/declarebreach/v1/breaches", map[string]any{"client_id": "zofia-1", "kind": "breach", "summary": "Rezeptfotos of Hildegard lay on the Flohmarkt"})
	l.want(404, "kwame-mbekiani", "GET", path, nil)
	l.want(200, teodor, "POST", path+"/ack", map[string]any{"step": "oncall"})
	l.want(200, ingrid, "POST", path+"/score", map[string]any{
		"dpc": map[string]any{"sensitive": map[string]any{"value": 3, "reason": words("only Augentropfen stood on them")}}, "ei": map[string]any{"full_name": 1},
		"cb": map[string]any{"confidentiality": 0.5, "integrity": 0, "availability": 0, "malicious": false}, "people": 12,
	})
	no := map[string]any{"subject": "persons", "answer": "no", "reason": words("Apothekerin Quastenberg tells them herself")}
	l.want(200, ingrid, "POST", path+"/decide", no)
	l.want(200, anselm, "POST", path+"/decide", no)
	for _, who := range []string{ingrid, anselm} {
		l.want(200, who, "POST", path+"/decide", map[string]any{"subject": "tenants", "answer": "yes"})
	}
	texts := map[string]any{"nature": words("Fotos von Rezepten lagen offen in Unteruhldingen"), "subjects": "12", "records": "unknown", "excluded": "unknown", "subprocessors": "unknown", "measures": "unknown", "open": "unknown"}
	said := map[string]any{"kind": "initial", "texts": map[string]any{"de": texts}}
	hash := l.want(201, ingrid, "POST", path+"/notices", said).text("hash")
	l.want(403, ingrid, "POST", path+"/notices/1/approve", map[string]any{"hash": hash})
	l.want(200, anselm, "POST", path+"/notices/1/approve", map[string]any{"hash": hash})
	l.want(200, teodor, "GET", path, nil)
	l.advance("3m")
	l.want(200, teodor, "GET", path+"/notices/1/deliveries", nil)
	l.want(200, ingrid, "POST", path+"/file", map[string]any{"clock": "gdpr_33_1", "at": must[answer](l.T)(l.local("GET", "clock", nil)).text("now"), "reference": l.plant("reference", "CNIL-ZWQ-90210")})
	l.want(409, ingrid, "POST", path+"/close", nil)
	l.want(200, anselm, "GET", path+"/dossier.md", nil)
	l.want(200, anselm, "GET", "/declarebreach/v1/register.csv", nil)
	// Nobody is to be called for weeks: neither for this one nor for what the watch suspects.
	for _, id := range l.want(200, ingrid, "GET", "/declarebreach/v1/breaches", nil).find("breaches.*.id") {
		for _, who := range []string{ingrid, anselm} {
			l.want(200, who, "POST", "/declarebreach/v1/breaches/"+id+"/decide", map[string]any{"subject": "breach", "answer": "no", "reason": words("all of it was a Generalprobe")})
		}
	}
}
