package declarebreach

import "time"

// Details are what the register asks for beside times, numbers and decisions (GDPR, article 33(5)). What is left out is not
// known yet, and in a change stays as it is.
type Details struct {
	Certainty string   `json:"occurrence,omitempty" enum:"exact,estimate,unknown" doc:"how sure it is when it occurred"`
	Origin    string   `json:"origin,omitempty" enum:"internal,external,unknown" doc:"where it comes from"`
	Intent    string   `json:"intent,omitempty" enum:"malicious,accidental,unknown"`
	Found     string   `json:"discovered_by,omitempty" enum:"staff,detection,processor,person,third_party,press"`
	Systems   string   `json:"systems,omitempty" doc:"which are concerned"`
	Before    string   `json:"measures_before,omitempty" doc:"what protected the data before"`
	Police    string   `json:"police,omitempty" doc:"whether they know, and under which reference"`
	Others    string   `json:"other_authorities,omitempty" doc:"that know, and under which reference"`
	Earlier   []string `json:"earlier_incidents,omitzero" doc:"numbers of earlier cases it is linked to: all there are now"`
	// Not are reasons, by the names above.
	Not map[string]string `json:"not_applicable,omitempty" doc:"which of these, but earlier_incidents, do not apply, by name, each with its reason"`
}

// Triaged is what was found of a suspicion, and who has the next step.
type Triaged struct {
	Result string    `json:"result" enum:"likely,confirmed,not_enough"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	Owner  string    `json:"owner"`
	Next   string    `json:"next,omitempty" doc:"left out: what the case waits for"`
}

// Withdrawal says that a report was taken back on the authority's portal after a case turned out to be no breach, or why it
// stands.
type Withdrawal struct {
	Clock     string    `json:"clock" required:"true" doc:"of the report"`
	At        time.Time `json:"at,omitzero" doc:"on the authority's receipt"`
	Reference string    `json:"reference,omitempty" doc:"of the authority"`
	Stands    string    `json:"stands,omitempty" doc:"in place of both: why the authority keeps it"`
}

// Withdrawn is what became of a report about what was no breach.
type Withdrawn struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Text   string    `json:"text,omitempty" doc:"the authority's reference, or why it stands"`
	Stands bool      `json:"stands,omitempty"`
}

// Recount is what was said of a track's counts until somebody corrected it.
type Recount struct {
	People  Count     `json:"people"`
	Records Count     `json:"records"`
	By      string    `json:"corrected_by" doc:"id in people.yaml"`
	At      time.Time `json:"corrected_at"`
}
