package justify

import "time"

// Episode is what belongs together of what one actor did under one rule.
type Episode struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind" enum:"violation,undetermined,unreadable,silence"`
	State     string    `json:"state" enum:"held,noted,told,asked,answered,accepted,escalated,joined"`
	Rule      string    `json:"rule"`
	What      string    `json:"what" doc:"what the rule looks for and what to do, in the reader's language"`
	Severity  string    `json:"severity" enum:"info,low,medium,high,critical"`
	Promises  []string  `json:"promises"`
	Person    string    `json:"person,omitempty" doc:"who is asked: id in people.yaml"`
	ActorKind string    `json:"actor_kind,omitempty"`
	First     time.Time `json:"first" doc:"time of the first thing that was seen"`
	Alarmed   time.Time `json:"alarmed,omitzero"`
	Due       time.Time `json:"due,omitzero" doc:"until when an answer is waited for; of an answer, a review"`
	Question  int       `json:"question" doc:"counts from 1: what is seen after an answer is a new question"`
	Reason    string    `json:"reason,omitempty"`
	Ticket    string    `json:"ticket,omitempty"`
	Words     string    `json:"words,omitempty" doc:"of whoever answered"`
	Answered  string    `json:"answered_by,omitempty"`
	AnswerAt  time.Time `json:"answered_at,omitzero"`
	Verdict   string    `json:"verdict,omitempty"`
	Note      string    `json:"note,omitempty"`
	Reviewed  string    `json:"reviewed_by,omitempty"`
	ReviewAt  time.Time `json:"reviewed_at,omitzero"`
	Cause     string    `json:"suspicion,omitempty" enum:"silence,refused,not_me,unreviewed" doc:"why it became a suspicion"`
	Closed    time.Time `json:"closed,omitzero" doc:"from when on nothing more of it could come"`
	MayAnswer bool      `json:"may_answer"`
	MayReview bool      `json:"may_review"`
	Revision  string    `json:"revision,omitempty" doc:"of what was looked at; give it back with what you say, and nothing is said about more than that"`
	Seen      []Seen    `json:"seen,omitempty" doc:"at most 1000, oldest first; of one episode alone"`
}

// Seen is one thing that was seen.
type Seen struct {
	At       time.Time `json:"at"`
	Question int       `json:"question"`
	Service  string    `json:"service,omitempty"`
	Method   string    `json:"method,omitempty"`
	Resource string    `json:"resource,omitempty"`
	Project  string    `json:"project,omitempty"`
	Outcome  string    `json:"outcome,omitempty"`
	Actor    string    `json:"actor,omitempty"`
	Chain    []string  `json:"chain,omitempty" doc:"everybody the call went through, first caller first"`
	From     string    `json:"from,omitempty" doc:"address of the caller"`
	Agent    string    `json:"user_agent,omitempty" doc:"as the caller wrote it"`
	Change   []string  `json:"change,omitempty" doc:"of who may do what: + role member, - role member"`
	Values   []string  `json:"values,omitempty" doc:"what was told apart, such as the users acted as"`
	Count    int       `json:"count,omitempty"`
	Because  string    `json:"because,omitempty"`
	Unsure   string    `json:"unsure,omitempty" doc:"what the rule could not tell"`
	Log      string    `json:"log,omitempty"`
	Entry    string    `json:"entry,omitempty"`
}

// Answer explains an episode.
type Answer struct {
	Reason   string `json:"reason,omitempty" doc:"one of the listed codes, or one line in your own words; left out with not_me"`
	Ticket   string `json:"ticket,omitempty" doc:"number of the ticket it was done for"`
	NotMe    bool   `json:"not_me,omitempty" doc:"somebody else acted in your name"`
	Revision string `json:"revision,omitempty"`
}

// Review is the second person's verdict.
type Review struct {
	Verdict  string `json:"verdict" required:"true" enum:"accepted,refused"`
	Note     string `json:"note,omitempty" doc:"one line; never in evidence"`
	Revision string `json:"revision,omitempty"`
}

// NewException asks for a suppression or a change window.
type NewException struct {
	Kind     string    `json:"kind" required:"true" enum:"suppression,change"`
	Rule     string    `json:"rule,omitempty"`
	Actor    string    `json:"actor,omitempty" doc:"an e-mail address"`
	Resource string    `json:"resource,omitempty" doc:"as logged, or its beginning and *"`
	Method   string    `json:"method,omitempty"`
	Reason   string    `json:"reason" required:"true" doc:"one of the listed codes"`
	Note     string    `json:"note,omitempty" doc:"for the second person; never in evidence"`
	Ticket   string    `json:"ticket,omitempty" doc:"needed for a change window"`
	From     time.Time `json:"from,omitzero" doc:"RFC 3339; left out: now"`
	Until    time.Time `json:"until" required:"true" doc:"RFC 3339; at most 90 days ahead"`
}

// Exception is a suppression or a change window.
type Exception struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind" enum:"suppression,change"`
	State    string    `json:"state" enum:"asked,in-force,ended"`
	Rule     string    `json:"rule,omitempty"`
	Actor    string    `json:"actor,omitempty"`
	Resource string    `json:"resource,omitempty"`
	Method   string    `json:"method,omitempty"`
	Reason   string    `json:"reason"`
	Note     string    `json:"note,omitempty"`
	Ticket   string    `json:"ticket,omitempty"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	Asker    string    `json:"asked_by"`
	Approver string    `json:"approved_by,omitempty"`
	Ended    time.Time `json:"ended,omitzero"`
	Used     int       `json:"used" doc:"how often it covered something; at most 1000 are counted"`
	Record   string    `json:"record,omitempty" doc:"id of the evidence"`
}
