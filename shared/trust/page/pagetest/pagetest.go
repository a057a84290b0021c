// Package pagetest makes snapshots for tests and pictures of the trust page. It promises that equal arguments give
// equal snapshots, that every state, reason and mechanism occurs where there are promises enough, and that the texts
// hold what breaks pages. What it makes is invented: no evidence stands behind it.
package pagetest

import (
	"fmt"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

// Start is a time to look at a page: a Tuesday morning.
var Start = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

// sentences are promises as companies publish them, in English, French and German.
var sentences = [][3]string{
	{"Backups are taken at least every hour and kept for thirty days.", "Des sauvegardes sont faites au moins toutes les heures et conservées trente jours.", "Sicherungen werden mindestens stündlich erstellt und dreißig Tage aufbewahrt."},
	{"Every employee signs in with a second factor.", "Chaque employé se connecte avec un second facteur.", "Alle Beschäftigten melden sich mit einem zweiten Faktor an."},
	{"All traffic is encrypted with TLS 1.2 or newer.", "Tout le trafic est chiffré avec TLS 1.2 ou plus récent.", "Der gesamte Verkehr ist mit TLS 1.2 oder neuer verschlüsselt."},
	{"Access rights are reviewed every quarter by two people.", "Les droits d’accès sont revus chaque trimestre par deux personnes.", "Zugriffsrechte werden jedes Quartal von zwei Personen geprüft."},
	{"Developers work on invented data in the staging environment and have no access to customer data unless a support case, which the customer opened, asks for it.", "Les développeurs travaillent sur des données inventées dans l’environnement de préproduction.", "Entwicklerinnen und Entwickler arbeiten in der Testumgebung mit erfundenen Daten."},
	{"The data centre is guarded around the clock.", "Le centre de données est gardé jour et nuit.", "Das Rechenzentrum wird rund um die Uhr bewacht."},
	{"Customers are told of a breach within 48 hours.", "Les clients sont informés d’une violation sous 48 heures.", "Kunden erfahren von einer Datenpanne binnen 48 Stunden."},
}

// Hostile are sentences that try to leave their place: markup, marks that turn the direction of writing, words that
// never end, and control characters.
var Hostile = []string{
	`<script>alert("promised")</script><img src=x onerror=alert(1)> "quoted" & 'single' <!-- </li></main>`,
	"We promise \u202Enothing at all\u202C and \u2066keep it\u2069 \u200Fשלום عربي",
	strings.Repeat("Donaudampfschifffahrtsgesellschaftskapitänswitwe", 12),
	strings.Repeat("A promise may be long, and it is shown to its end whatever that costs. ", 50) + "End.",
	"{{.Company}} %s %!d(MISSING) ${jndi} \x07\u0000\u2028",
}

var mechanisms = []policy.Mechanism{policy.Rule, policy.Assertion, policy.Records, policy.Probe, policy.Duty, policy.Statement, policy.Certificate, policy.Rollup}

var severities = []policy.Severity{policy.Critical, policy.High, policy.Medium, policy.Low, policy.Info}

// reasons are those of each state.
var reasons = map[record.State][]promise.Reason{
	record.Broken: {promise.OpenFinding, promise.BeyondLimit, promise.Failed, promise.DrillFailed},
	record.Unknown: {promise.NotRunning, promise.Silent, promise.GapInRuns, promise.Incomplete, promise.NoProof, promise.NotDone, promise.NotSigned,
		promise.WrongRole, promise.TextChanged, promise.NoCertificate, promise.ClockAhead},
	promise.Stale: {promise.Expired, promise.DrillExpired}, record.Excepted: {promise.ByWaiver}, record.Attested: {""}, record.Inherited: {""}, record.Kept: {""},
}

// weights say how many of a hundred promises are in a state.
var weights = map[record.State]int{record.Broken: 2, record.Unknown: 20, promise.Stale: 4, record.Excepted: 2, record.Attested: 9, record.Inherited: 5, record.Kept: 58}

// Snapshot makes one of n promises at a time: from sixty on with all seven states, every reason of those not known and every
// hostile sentence.
func Snapshot(n int, at time.Time) promise.Snapshot {
	s := promise.Snapshot{
		V: promise.Version, Company: "Shared Contacts", Languages: []string{"en", "fr", "de"}, Policy: strings.Repeat("5e", 32),
		Register: record.Digest([]byte("register")), Origin: "sharedcontacts.example/ostiary/evidence", Size: 123_456,
		Root: "qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=", At: at.Truncate(time.Millisecond), Counts: map[record.State]int{}, Promises: []promise.Row{},
	}
	for i, state := range deal(n) {
		s.Promises = append(s.Promises, row(i, state, at))
		s.Counts[state]++
	}
	for _, state := range promise.States() {
		s.Counts[state] += 0
	}
	return s
}

// deal gives each of n promises a state, worst first.
func deal(n int) []record.State {
	var dealt []record.State
	for _, state := range promise.States() {
		for range n * weights[state] / 100 {
			dealt = append(dealt, state)
		}
	}
	for len(dealt) < n {
		dealt = append(dealt, record.Kept)
	}
	return dealt
}

func row(i int, state record.State, at time.Time) promise.Row {
	r := promise.Row{Promise: sentence(i), History: history(i, state, at)}
	why := reasons[state][i%len(reasons[state])]
	last := promise.Evidence{Index: int64(120_000 - 37*i), ID: "7q4m" + strings.Repeat("ab2d", 5) + fmt.Sprintf("%04d", i), Kind: record.Observation, Observed: at.Add(-time.Duration(i*i) * 13 * time.Second)}
	r.Status = promise.Status{State: state, Reason: why, Since: at.AddDate(0, 0, -i%80), Mechanism: mechanisms[i%len(mechanisms)], Ref: r.Check, Last: last, Until: at.AddDate(0, 0, 1+i%200)}
	switch {
	case why == promise.NotRunning || why == promise.NotDone:
		r.Last, r.Until, r.Since = promise.Evidence{}, time.Time{}, time.Time{}
	case state == record.Attested:
		r.Mechanism, r.SignedBy = policy.Statement, []policy.Role{policy.Security, policy.Owner, policy.DPO}[i%3]
	case state == record.Inherited:
		r.Mechanism, r.Ref = policy.Certificate, "iso-27001"
	case state == record.Excepted:
		r.Waiver = last.ID
	case why == promise.OpenFinding:
		r.Findings, r.Finding = 1+i%3, promise.Evidence{Index: last.Index - 5, ID: last.ID, Kind: record.Finding, Observed: at.Add(-50 * time.Hour)}
	case why == promise.BeyondLimit:
		r.Measure = &promise.Measure{Metric: "rpo_s", Value: new(int64(5460)), Op: "<=", Limit: 3600}
	case state == record.Kept && i%3 == 0:
		r.Measure = []*promise.Measure{{Metric: "rpo_s", Value: new(int64(1260)), Op: "<=", Limit: 3600}, {Metric: "without_second_factor_persons", Below: 5, Op: "==", Limit: 0}, {Metric: "uptime_bp", Value: new(int64(9987)), Op: ">=", Limit: 9930}}[i/3%3]
	}
	if i%7 == 0 && r.Last.ID != "" {
		r.Drill = &promise.Drill{Evidence: promise.Evidence{Index: 9, ID: last.ID, Kind: record.Drill, Observed: at.AddDate(0, 0, -i%30)}, Passed: why != promise.DrillFailed, Measure: &promise.Measure{Metric: "delay_s", Value: new(int64(74))}}
	}
	if i%9 == 0 {
		r.Parts = []promise.Part{{Mechanism: policy.Probe, Ref: "tls-version", State: record.Kept}, {Mechanism: r.Mechanism, Ref: r.Ref, State: state, Reason: why}}
	}
	r.Shares = shares(r.History)
	return r
}

func sentence(i int) promise.Promise {
	texts := sentences[i%len(sentences)]
	p := promise.Promise{
		ID: fmt.Sprintf("%c%02d", "LFDBP"[i%5], i), Check: "backup-freshness", Severity: severities[i%len(severities)],
		Source: promise.Source{File: "security-policy.txt", Section: "4.2 Backups"}, Text: promise.Text{EN: texts[0], FR: texts[1], DE: texts[2]},
	}
	switch i % 11 {
	case 3:
		p.Text.EN, p.Text.FR = "", ""
	case 5:
		p.Text.DE, p.Text.EN = "", ""
	case 7:
		p.Text.DE, p.Text.FR = "", ""
	}
	if i%11 == 6 {
		p.Text = promise.Text{EN: Hostile[i/11%len(Hostile)], FR: Hostile[i/11%len(Hostile)], DE: Hostile[i/11%len(Hostile)]}
	}
	p.TextHash = promise.TextHash(policy.Text{EN: p.Text.EN, FR: p.Text.FR, DE: p.Text.DE})
	return p
}

// letters of the states in a history.
var letters = map[record.State]byte{record.Broken: 'b', record.Unknown: 'u', promise.Stale: 's', record.Excepted: 'e', record.Attested: 'a', record.Inherited: 'i', record.Kept: 'k'}

// history is mostly what the state is, with troubles now and then, and begins late for some.
func history(i int, state record.State, at time.Time) promise.History {
	usual := letters[state]
	if strings.IndexByte("bus", usual) >= 0 {
		usual = 'k'
	}
	days := []byte(strings.Repeat(string(usual), 90))
	for d := range days {
		switch {
		case i%4 == 1 && d < 20+i%30:
			days[d] = '-'
		case (d*7+i*13)%61 == 0:
			days[d] = 'u'
		case (d*11+i*5)%173 == 0:
			days[d] = 'b'
		case i%10 == 4 && d > 40 && d < 46:
			days[d] = 's'
		}
	}
	for d := 89 - i%6; d < 90; d++ {
		days[d] = letters[state]
	}
	return promise.History{From: at.UTC().AddDate(0, 0, -89).Format(time.DateOnly), Days: string(days)}
}

// shares count a history as if it had gone on all year.
func shares(h promise.History) []promise.Share {
	var all []promise.Share
	for _, days := range []int{30, 365} {
		s := promise.Share{Days: days, Seconds: map[record.State]int64{}}
		for _, day := range h.Days[max(0, len(h.Days)-days):] {
			for state, letter := range letters {
				if rune(letter) == day {
					s.Seconds[state] += 86_400
				}
			}
		}
		all = append(all, s)
	}
	return all
}
