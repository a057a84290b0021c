package promise_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/testdata/policies"
)

// TestLintFindsWhatIsWrongWithThePublishedPages holds the lint to every remark on the sample companies: what has to be
// found, and nothing besides.
func TestLintFindsWhatIsWrongWithThePublishedPages(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"labelsync": {
			"contradiction L08 L31", "contradiction L12 L32", "vague L13", "vague L30", "vague L35",
		},
		"sharedcontacts": {
			"contradiction F09 D32 D08", "drift F10 D09", "vague F14 D13", "drift F20 D19", "contradiction D10 D33 F11",
			"drift D20 D21 D22 D23 D24 D25 D26 D27 D28", "drift D22 D21", "drift D25", "drift D26 D27",
			"drift D29 D30 D31 D32 D33 D34 D35 D36 D37", "vague D31", "drift D36 D37", "vague D36",
		},
		"bookafy": {
			"contradiction B02 B01 B05", "unkeepable B10", "vague B12", "unkeepable B19", "contradiction B29 B16 B83 B96 B112 B118",
			"vague B31", "stale-claim B39", "vague B56", "stale-claim B63", "contradiction B65 B70", "unkeepable B77", "stale-claim B78",
			"vague B84", "vague B86", "vague B87", "unkeepable B90", "unkeepable B91", "vague B98",
			"contradiction B109 B110 B15 B16", "unkeepable B113",
		},
		"bepark": {
			"unkeepable P04", "vague P11", "vague P16", "vague P21", "vague P25", "stale-claim P30 P67", "vague P35", "vague P41",
			"vague P59", "vague P62", "unkeepable P64", "stale-claim P65",
		},
		"baseline": nil,
	}
	for folder, findings := range want {
		p, problems, err := policy.Load(policies.FS, folder)
		if err != nil || policy.Refuse(problems) != nil {
			t.Fatal(folder, err, problems)
		}
		got := promise.Lint(p)
		var told []string
		for _, f := range got {
			told = append(told, string(f.Kind)+" "+strings.Join(f.IDs, " "))
			if f.ID != f.IDs[0] || !strings.HasSuffix(f.Text, ".") || !strings.HasSuffix(f.Next, ".") || strings.Contains(f.Text+f.Next, "{") {
				t.Errorf("%s: %+v", folder, f)
			}
		}
		slices.Sort(told)
		slices.Sort(findings)
		if diff := cmp.Diff(findings, told); diff != "" {
			t.Errorf("%s (-want +got):\n%s", folder, diff)
		}
		if diff := cmp.Diff(got, promise.Lint(p)); diff != "" {
			t.Errorf("%s: another time it says\n%s", folder, diff)
		}
	}
}

// said is a promise of a made-up policy.
type said struct {
	id, same, check, language, text string
	params                          map[string]policy.Param
}

func made(all ...said) *policy.Policy {
	p := &policy.Policy{Company: policy.Company{Languages: []string{"en", "fr", "de"}}}
	for _, s := range all {
		one := policy.Promise{ID: s.id, SameAs: s.same, Check: s.check, Severity: policy.High, Params: s.params}
		switch s.language {
		case "en":
			one.Text.EN = s.text
		case "fr":
			one.Text.FR = s.text
		case "de":
			one.Text.DE = s.text
		}
		p.Promises = append(p.Promises, one)
	}
	return p
}

func value(op string, values ...string) policy.Param { return policy.Param{Op: op, Values: values} }

func params(name string, p policy.Param) map[string]policy.Param {
	return map[string]policy.Param{name: p}
}

// TestLintInOtherWords holds each detector to sentences that are in no sample, in each language.
func TestLintInOtherWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		all  []said
		want []string
	}{
		{"developers, English", []said{
			{id: "X1", language: "en", text: "Our developers cannot see live data."},
			{id: "X2", language: "en", text: "The development team may impersonate users."}}, []string{"contradiction X1 X2"}},
		{"developers, French", []said{
			{id: "X1", language: "fr", text: "Les développeurs n’ont pas accès aux données réelles."},
			{id: "X2", language: "fr", text: "Les équipes de développement peuvent se faire passer pour un utilisateur."}}, []string{"contradiction X1 X2"}},
		{"support alone may act as a user", []said{
			{id: "X1", language: "en", text: "Our developers cannot see live data."},
			{id: "X2", language: "en", text: "Support may impersonate users."}}, nil},
		{"free text, English", []said{
			{id: "X1", language: "en", text: "We never store personal information from calendars."},
			{id: "X2", language: "en", text: "We import the subject line and the time."}}, []string{"contradiction X1 X2"}},
		{"free text, German", []said{
			{id: "X1", language: "de", text: "Wir speichern keine personenbezogenen Daten aus Kalendern."},
			{id: "X2", language: "de", text: "Importiert werden Betreff und Uhrzeit."}}, []string{"contradiction X1 X2"}},
		{"third parties, English", []said{
			{id: "X1", language: "en", text: "No third party receives your data."},
			{id: "X2", language: "en", text: "Copies are stored on Dropbox."}}, []string{"contradiction X1 X2"}},
		{"the host is no third party", []said{
			{id: "X1", language: "en", text: "No third party receives your data."},
			{id: "X2", language: "en", text: "Data is stored on Azure.", params: params("provider", value("", "azure"))}}, nil},
		{"voluntary, English", []said{
			{id: "X1", language: "en", text: "We collect only what you voluntarily give us."},
			{id: "X2", language: "en", text: "We keep usage data to improve the product."}}, []string{"contradiction X1 X2"}},
		{"two groups", []said{
			{id: "X1", check: "members", language: "de", text: "Nur die Leitung hat Zugriff.", params: params("groups", value("", "leads", "heads"))},
			{id: "X2", check: "members", language: "de", text: "Nur die Sicherheit hat Zugriff.", params: params("groups", value("", "security", "heads"))}}, []string{"contradiction X1 X2"}},
		{"the same groups in another order", []said{
			{id: "X1", check: "members", language: "de", text: "Nur die Leitung hat Zugriff.", params: params("groups", value("", "leads", "heads"))},
			{id: "X2", check: "members", language: "de", text: "Nur die Chefs haben Zugriff.", params: params("groups", value("", "heads", "leads"))}}, nil},
		{"recovery point", []said{
			{id: "X1", check: "backups", language: "en", text: "We lose one hour at most.", params: params("rpo", value("<=", "PT1H"))},
			{id: "X2", check: "backups", language: "en", text: "Copies are made every day.", params: params("age", value("<=", "P1D"))},
			{id: "X3", check: "backups", language: "en", text: "The log is copied every five minutes.", params: params("age", value("<=", "PT5M"))}}, []string{"contradiction X1 X2"}},
		{"bounds", []said{
			{id: "X1", check: "logs", language: "en", text: "Logs stay for 90 days.", params: params("kept", value(">=", "P90D"))},
			{id: "X2", check: "logs", language: "en", text: "Logs go after 30 days.", params: params("kept", value("<=", "P30D"))}}, []string{"contradiction X1 X2"}},
		{"kept and deleted", []said{
			{id: "X1", check: "log-retention", language: "en", text: "Logs are kept for 30 days.", params: params("min", value("", "P30D"))},
			{id: "X2", check: "log-retention", language: "en", text: "Logs are deleted after 7 days.", params: params("max", value("", "P7D"))}},
			[]string{"contradiction X1 X2"}},
		{"kept and deleted, by other names", []said{
			{id: "X1", check: "copies", language: "de", text: "Sicherungen bleiben 90 Tage.", params: params("retention", value("", "P90D"))},
			{id: "X2", check: "copies", language: "de", text: "Sicherungen werden nach 30 Tagen entfernt.", params: params("deleted", value("<=", "P30D"))}},
			[]string{"contradiction X1 X2"}},
		{"kept for less than until deleted", []said{
			{id: "X1", check: "copies", language: "en", text: "Logs are kept for 7 days.", params: params("kept", value("", "P7D"))},
			{id: "X2", check: "copies", language: "en", text: "Logs are deleted after 30 days.", params: params("deleted", value("", "P30D"))}}, nil},
		{"kept and deleted, of two things", []said{
			{id: "X1", check: "copies", language: "en", text: "Backups are kept for 30 days.", params: params("min", value("", "P30D"))},
			{id: "X2", check: "copies", language: "en", text: "Sessions end after 7 days.", params: params("max", value("", "P7D"))}}, nil},
		{"a number and its param", []said{
			{id: "X1", language: "en", text: "Sessions end after 30 minutes.", params: params("ttl", value("", "PT8H"))},
			{id: "X2", language: "fr", text: "Les journaux restent un mois.", params: params("kept", value("", "P7D"))},
			{id: "X3", language: "de", text: "Konten ruhen nach zwei Wochen.", params: params("idle", value("", "P15D"))}},
			[]string{"contradiction X1", "contradiction X2", "contradiction X3", "drift X1", "drift X2", "drift X3"}},
		{"a number and a stricter param, or the same", []said{
			{id: "X1", language: "en", text: "Sessions end after 8 hours.", params: params("ttl", value("", "PT30M"))},
			{id: "X2", language: "en", text: "Logs are kept for six months.", params: params("kept", value("", "P184D"))},
			{id: "X3", language: "en", text: "Alerts are answered within 15 minutes.", params: params("ack", value("<=", "PT15M"))},
			{id: "X4", language: "en", text: "Keys turn every year.", params: params("renew", value("", "P1Y"))},
			{id: "X5", language: "en", text: "Alerts come in 5 minutes, each day of 24 hours.", params: params("age", value("", "PT5M"))}}, nil},
		{"denied, English", []said{
			{id: "X1", language: "en", text: "Developers may never read customer data."},
			{id: "X2", language: "en", text: "Developers read customer data to debug."}}, []string{"contradiction X1 X2"}},
		{"denied, French", []said{
			{id: "X1", language: "fr", text: "Le support n’ouvre jamais les pièces jointes des clients."},
			{id: "X2", language: "fr", text: "Le support ouvre les pièces jointes des clients pour les analyser."}}, []string{"contradiction X1 X2"}},
		{"denied, German", []said{
			{id: "X1", language: "de", text: "Unser Support öffnet niemals Anhänge der Kunden."},
			{id: "X2", language: "de", text: "Support öffnet zur Analyse Anhänge der Kunden."}}, []string{"contradiction X1 X2"}},
		{"denied with an exception, of others, or of something else", []said{
			{id: "X1", language: "en", text: "Developers never read customer data without a ticket."},
			{id: "X2", language: "en", text: "Developers read customer data with a ticket."},
			{id: "X3", language: "en", text: "Contractors never read customer data."},
			{id: "X4", language: "en", text: "Passwords are never stored in plain text."},
			{id: "X5", language: "en", text: "Passwords are stored as salted hashes."}}, nil},
		{"vague words", []said{
			{id: "X1", language: "en", text: "Access is reviewed frequently."},
			{id: "X2", language: "fr", text: "Les accès sont revus périodiquement."},
			{id: "X3", language: "de", text: "Vorfälle werden umgehend gemeldet."},
			{id: "X4", language: "en", text: "We answer quickly, within 3 days at most."},
			{id: "X5", language: "de", text: "Regelmäßig, nämlich jährlich, wird geprüft."},
			{id: "X6", language: "fr", text: "Nos locaux sont irréguliers."}},
			[]string{"drift X1 X4", "drift X2 X6", "drift X3 X5", "vague X1", "vague X2", "vague X3"}},
		{"translations", []said{
			{id: "X1", language: "en", text: "Logs stay for 30 days and go to the SIEM."},
			{id: "X2", same: "X1", language: "de", text: "Protokolle bleiben 90 Tage und gehen ins SIEM."},
			{id: "X3", language: "en", text: "Data is encrypted at rest."},
			{id: "X4", same: "X3", language: "fr", text: "Les données sont chiffrées en transit."},
			{id: "X5", language: "en", text: "We use TLS 1.2.", params: params("tls", value(">=", "1.2"))},
			{id: "X6", same: "X5", language: "de", text: "Wir nutzen TLS 1.2.", params: params("tls", value(">=", "1.3"))}},
			[]string{"drift X1 X2", "drift X3 X4", "drift X5 X6"}},
		{"a faithful translation", []said{
			{id: "X1", language: "en", text: "All 1,000 staff use TOTP (RFC 6238) every day."},
			{id: "X2", same: "X1", language: "de", text: "Alle 1.000 Mitarbeiter nutzen täglich TOTP (RFC 6238)."}}, nil},
		{"unkeepable", []said{
			{id: "X1", language: "en", text: "Everything runs on bare-metal servers."},
			{id: "X2", language: "en", text: "We use all security features of the platform."},
			{id: "X3", language: "en", text: "Passwords have at least 6 characters."},
			{id: "X4", language: "en", text: "Passwords have at least 12 characters."},
			{id: "X5", check: "log-retention", language: "en", text: "Logs are kept for at least one month.", params: params("min", value("", "P30D"))},
			{id: "X6", check: "log-retention", language: "en", text: "Errors are kept for up to 3 months.", params: params("max", value("", "P92D"))}},
			[]string{"unkeepable X1", "unkeepable X2", "unkeepable X3", "unkeepable X5", "unkeepable X6"}},
		{"claims", []said{
			{id: "X1", language: "en", text: "We have had no security incident in the last three years."},
			{id: "X2", language: "de", text: "Es gab keinen Vorfall in den letzten fünf Jahren."},
			{id: "X3", same: "X2", language: "en", text: "Grade A+ at the test.", params: params("grade", value("", "A+"))}},
			[]string{"drift X1", "stale-claim X1", "stale-claim X2", "stale-claim X3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range promise.Lint(made(c.all...)) {
				got = append(got, string(f.Kind)+" "+strings.Join(f.IDs, " "))
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%+v", diff, promise.Lint(made(c.all...)))
			}
		})
	}
}

// FuzzLint: any sentences at all, and the lint ends with whole findings.
func FuzzLint(f *testing.F) {
	f.Add("We never store personal data: ", "Nur 4 RFC (z. B. SMS) sofort", "P1M")
	f.Add("Les développeurs n’ont pas accès\u00a0", "regelmäßig", "<=x")
	f.Fuzz(func(t *testing.T, en, de, param string) {
		both := params("min", value("", param))
		for _, name := range []string{"max", "rpo", "age", "slo", "grade"} {
			both[name] = value("<=", param)
		}
		p := made(said{id: "X1", check: "log-retention", language: "en", text: en, params: both}, said{id: "X2", same: "X1", language: "de", text: de},
			said{id: "X3", check: "log-retention", language: "de", text: en + de, params: both})
		for _, found := range promise.Lint(p) {
			if found.ID == "" || found.ID != found.IDs[0] || found.Text == "" || found.Next == "" {
				t.Fatalf("%+v", found)
			}
		}
	})
}
