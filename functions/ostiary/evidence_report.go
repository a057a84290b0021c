package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/verify"
)

// told is a report as --json prints it: each failure with its line in the language asked for.
type told struct {
	verify.Report
	State    string        `json:"state,omitempty"` // of the promise asked for, as the page has it
	Failures []toldFailure `json:"failures"`
}

type toldFailure struct {
	verify.Failure
	Text string `json:"text"`
}

func printReport(out io.Writer, r verify.Report, state, language string) error {
	answer := told{Report: r, State: state, Failures: []toldFailure{}}
	for _, f := range r.Failures {
		answer.Failures = append(answer.Failures, toldFailure{f, f.Text(language)})
	}
	return printJSON(out, answer)
}

// sentences of a report by what they say, in the order of verify.Languages.
var sentences = map[string][3]string{
	string(verify.Good):        {"GOOD", "EN ORDRE", "IN ORDNUNG"},
	string(verify.Tampered):    {"TAMPERED WITH", "FALSIFIÉ", "VERÄNDERT"},
	string(verify.Incomplete):  {"INCOMPLETE", "INCOMPLET", "UNVOLLSTÄNDIG"},
	string(verify.Untrusted):   {"NOT TRUSTED", "PAS DE CONFIANCE", "NICHT VERTRAUT"},
	string(verify.Malformed):   {"MALFORMED", "MALFORMÉ", "FEHLERHAFT"},
	string(verify.PageDiffers): {"THE PAGE DIFFERS", "LA PAGE DIFFÈRE", "DIE SEITE WEICHT AB"},

	"log":      {"%d records of %s", "%d enregistrements de %s", "%d Aufzeichnungen von %s"},
	"witness":  {"confirmed by %s at %s", "confirmé par %s à %s", "bestätigt von %s um %s"},
	"alone":    {"self-signed only: no witness has confirmed this log", "signé par lui-même seulement : aucun témoin n'a confirmé ce journal", "nur selbst signiert: Kein Zeuge hat dieses Protokoll bestätigt"},
	"earlier":  {"earlier checkpoints it extends, by size: %s", "points de contrôle antérieurs qu'il prolonge, par taille : %s", "frühere Prüfpunkte, die es fortsetzt, nach Größe: %s"},
	"page":     {"the page of %s follows from the first %d records", "la page du %s découle des %d premiers enregistrements", "die Seite vom %s folgt aus den ersten %d Aufzeichnungen"},
	"selected": {"%d records asked for, the newest observed at %s", "%d enregistrements demandés, le plus récent observé à %s", "%d Aufzeichnungen gesucht, die neueste beobachtet um %s"},
	"state":    {"promise %s: %s", "promesse %s : %s", "Versprechen %s: %s"},
	"gap":      {"%s: no record of runs %d to %d; what it keeps was unknown meanwhile", "%s : aucun enregistrement des exécutions %d à %d ; ce qu'il tient était inconnu entre-temps", "%s: keine Aufzeichnung der Läufe %d bis %d; was er einhält, war inzwischen unbekannt"},
	"gaps":     {"there may be more gaps: more controls run, or more runs are missing, than can be followed", "il peut y avoir d'autres lacunes : plus de contrôles ou d'exécutions manquantes qu'on n'en peut suivre", "es kann mehr Lücken geben: mehr Kontrollen oder fehlende Läufe, als verfolgt werden können"},
	"rewind":   {"the log was set back, which was accepted at %s (%s): it goes on from %s", "le journal a été ramené en arrière, ce qui a été accepté à %s (%s) : il reprend à %s", "das Protokoll wurde zurückgesetzt, was um %s angenommen wurde (%s): Es geht weiter ab %s"},
	"loss":     {"what the log had from record %d up to %s is not in it: it was lost, or entered again", "ce que le journal contenait de l'enregistrement %d jusqu'à %s n'y est plus : perdu, ou entré de nouveau", "was das Protokoll ab Aufzeichnung %d bis %s enthielt, ist nicht mehr darin: verloren oder neu eingetragen"},
	"extras":   {"payloads in order: %d, proofs in order: %d, records whose payload was erased: %d", "charges en ordre : %d, preuves en ordre : %d, enregistrements dont la charge a été effacée : %d", "Inhalte in Ordnung: %d, Beweise in Ordnung: %d, Aufzeichnungen, deren Inhalt gelöscht wurde: %d"},
}

// tellReport prints a report for a person: the verdict, a line per failure, and what was found.
func tellReport(out io.Writer, r verify.Report, o verify.Options, state, language string) error {
	var lines []string
	say := func(what string, args ...any) {
		lines = append(lines, fmt.Sprintf(sentences[what][max(slices.Index(verify.Languages(), language), 0)], args...))
	}
	say(string(r.Outcome))
	for _, f := range r.Failures {
		lines = append(lines, f.Text(language))
	}
	if r.Origin != "" {
		say("log", r.Records, r.Origin)
		if len(r.Witnesses) == 0 {
			say("alone")
		}
	}
	for _, w := range r.Witnesses {
		name, _, _ := strings.Cut(w.Key, "+")
		say("witness", name, w.At.Format(time.RFC3339))
	}
	if len(r.Earlier) > 0 {
		say("earlier", strings.Join(strings.Fields(strings.Trim(fmt.Sprint(r.Earlier), "[]")), ", "))
	}
	if r.Page != nil && r.Page.Computed {
		say("page", r.Page.At.Format(time.RFC3339), r.Page.Size)
	}
	if r.Payloads+r.Proofs+r.Erased > 0 {
		say("extras", r.Payloads, r.Proofs, r.Erased)
	}
	if o.Promise != "" || !o.From.IsZero() || !o.To.IsZero() {
		newest := "-"
		if r.Selected.Records > 0 {
			newest = r.Selected.Newest.Format(time.RFC3339)
		}
		say("selected", r.Selected.Records, newest)
	}
	if state != "" {
		say("state", o.Promise, state)
	}
	for _, g := range r.Gaps {
		say("gap", g.Control, g.From, g.To)
	}
	if r.GapsCut {
		say("gaps")
	}
	for _, w := range r.Rewinds {
		say("rewind", w.At.Format(time.RFC3339), w.Why, w.Kept)
		if w.Gone.Size >= w.Kept.Size {
			say("loss", w.Kept.Size, w.Gone)
		}
	}
	_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
	return err
}
