package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/policy"
)

// The parts of SARIF 2.1.0 (OASIS) that are written. A result has the id its finding has everywhere else.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Automation  sarifID           `json:"automationDetails"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifID struct {
		ID string `json:"id"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifTool struct {
		Driver struct {
			Name  string      `json:"name"`
			Rules []sarifRule `json:"rules"`
		} `json:"driver"`
	}
	sarifRule struct {
		ID    string     `json:"id"`
		Short sarifText  `json:"shortDescription"`
		Help  *sarifText `json:"help,omitempty"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		Rule         string            `json:"ruleId"`
		Index        int               `json:"ruleIndex"`
		Kind         string            `json:"kind"`  // §3.27.9: fail, or open where nobody can say
		Level        string            `json:"level"` // §3.27.10: none, unless it fails
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   map[string]any    `json:"properties,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

const fingerprint = "ostiary/v1"

// idOf is the id of a difference to what Terraform wants.
func idOf(f diff.Finding) string {
	return finding.ID(f.Key, cmp.Or(f.Same(), f.About()))
}

// sarif writes what was found for programs that show such lists, beside the code it is about.
func (r *driftReport) sarif(file, state string) error {
	run := sarifRun{Automation: sarifID{"ostiary/drift/"}, Invocations: []sarifInvocation{{Successful: true}}, Results: []sarifResult{}}
	run.Tool.Driver.Name, run.Tool.Driver.Rules = "ostiary drift", []sarifRule{}
	for _, j := range r.Judgements {
		run.judgement(r, j)
	}
	for _, f := range r.Findings {
		run.finding(f, state)
	}
	for _, why := range r.Unread {
		run.Invocations[0].Notifications = append(run.Invocations[0].Notifications, sarifNotification{"warning", sarifText{"not read: " + why}})
	}
	for _, g := range r.Gaps {
		why := strings.TrimSuffix(fmt.Sprintf("not compared: %s %s", g.Type, g.Field), " ")
		run.Invocations[0].Notifications = append(run.Invocations[0].Notifications, sarifNotification{"note", sarifText{why}})
	}
	raw, err := json.MarshalIndent(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}, "", "  ")
	if err != nil {
		return fmt.Errorf("writing SARIF: %w", err)
	}
	if err := os.WriteFile(file, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing SARIF: %w", err)
	}
	return nil
}

// rule returns the place of a rule, which is added where it is not there.
func (s *sarifRun) rule(id, short, help string) int {
	rules := &s.Tool.Driver.Rules
	at := slices.IndexFunc(*rules, func(r sarifRule) bool { return r.ID == id })
	if at < 0 {
		at = len(*rules)
		one := sarifRule{ID: id, Short: sarifText{short}}
		if help != "" {
			one.Help = &sarifText{help}
		}
		*rules = append(*rules, one)
	}
	return at
}

func (s *sarifRun) judgement(r *driftReport, j baseline.Judgement) {
	a, _ := r.set.Get(j.Assertion)
	one := sarifResult{
		Rule: j.Assertion, Index: s.rule(j.Assertion, a.What.EN, a.Repair), Fingerprints: map[string]string{fingerprint: judgedID(j)},
		Properties: map[string]any{"severity": j.Severity},
	}
	one.Kind, one.Level = graded(j.Verdict == baseline.Undetermined, j.Severity)
	one.Message.Text = about(j) + ": " + a.What.EN
	if j.Verdict == baseline.Undetermined {
		one.Message.Text = about(j) + ": nobody can tell: " + j.Why
	}
	if said := r.told[judgedID(j)]; said != (driftValue{}) {
		one.Properties["want"], one.Properties["got"] = said.Want, said.Got
	}
	if j.Data != "" {
		one.Properties["holds"] = j.Data
	}
	promises := r.by[j.Assertion]
	if j.Promise != "" {
		promises = []string{j.Promise}
	}
	if len(promises) > 0 {
		one.Properties["promises"] = promises
	}
	one.Locations = located("baseline/"+j.Assertion+".yaml", j.Key)
	s.Results = append(s.Results, one)
}

func (s *sarifRun) finding(f diff.Finding, state string) {
	rule := "terraform-" + string(f.Class)
	one := sarifResult{
		Rule: rule, Index: s.rule(rule, classes[f.Class], ""), Message: sarifText{f.String()}, Fingerprints: map[string]string{fingerprint: idOf(f)},
		Properties: map[string]any{"severity": f.Severity, "direction": f.Direction, "address": f.Address, "field": f.Field, "want": f.Want, "got": f.Got}, Locations: located(state, f.Key),
	}
	if f.Data != "" {
		one.Properties["holds"] = f.Data
	}
	one.Kind, one.Level = graded(f.Class == diff.Undetermined, f.Severity)
	s.Results = append(s.Results, one)
}

var classes = map[diff.Class]string{
	diff.Changed: "A field is another than Terraform wants.", diff.Missing: "What Terraform knows is not there.", diff.Unmanaged: "What is there Terraform does not know.",
	diff.Extra: "A member is bound that Terraform does not want.", diff.StaleDesired: "The code wants it otherwise, and was not applied.", diff.Undetermined: "Nobody can tell whether it is as Terraform wants it.",
}

// graded is how a result counts.
func graded(open bool, s policy.Severity) (kind, level string) {
	switch {
	case open:
		return "open", "none"
	case s == policy.Critical || s == policy.High:
		return "fail", "error"
	case s == policy.Medium:
		return "fail", "warning"
	}
	return "fail", "note"
}

// located says where: in a file of the reader's, where one is known, and at an asset.
func located(file, key string) []sarifLocation {
	var one sarifLocation
	if file != "" {
		one.Physical = &sarifPhysical{}
		one.Physical.Artifact.URI = (&url.URL{Path: file}).EscapedPath()
	}
	if key != "" {
		one.Logical = []sarifLogical{{key, "resource"}}
	}
	if one.Physical == nil && one.Logical == nil {
		return nil
	}
	return []sarifLocation{one}
}
