package request

import (
	"ostiary.internal/shared/calendar"
)

// Plan is what a search found, by number alone. The entries themselves stay with the engine.
type Plan struct {
	Digest  string `json:"digest"` // of the canonical plan: what is approved
	Map     string `json:"map"`    // of the data map
	Items   int64  `json:"items"`  // to be erased, in entries of which the company is controller
	Held    int64  `json:"held,omitempty"`
	Kept    int64  `json:"kept,omitempty"`
	Review  int64  `json:"review,omitempty"`  // a person has to look at: free text, files
	Share   int    `json:"share,omitempty"`   // percent of the tenant's items, rounded up
	Theirs  bool   `json:"theirs,omitempty"`  // the tenant is, or may be, the controller of data on the person
	Own     bool   `json:"own,omitempty"`     // the company itself is
	Last    bool   `json:"last,omitempty"`    // the person is the last owner of the tenant
	Owner   bool   `json:"owner,omitempty"`   // the person is an owner
	Missing int64  `json:"missing,omitempty"` // places that nobody has mapped
	Blind   int64  `json:"blind,omitempty"`   // entries in which not everything was looked at
	Look    []Look `json:"look,omitempty"`    // Review by entry
}

// Look is how many items of an entry of the data map wait for a person to look at them.
type Look struct {
	Entry string `json:"entry"`
	Items int64  `json:"items"`
	Why   string `json:"why,omitempty"` // Letters, Group or Region, of an answer to that; else ""
	Set   string `json:"set,omitempty"` // which items, as Open.Set; "" in an answer for those that were found last
}

// Totals are counts over all runs of a request, as the engine has them from the records of its pages.
type Totals struct {
	Erased     int64 `json:"erased"`
	Anonymised int64 `json:"anonymised,omitempty"`
	Gone       int64 `json:"gone,omitempty"` // somebody else was first
}

// Outcome is what a search after the execution found.
type Outcome struct {
	Left    int64  `json:"left,omitempty"` // items that should be gone
	Kept    []Kept `json:"kept,omitempty"`
	Open    []Open `json:"open,omitempty"`
	Missing int64  `json:"missing,omitempty"`
	Purge   []Tail `json:"purge,omitempty"`   // when backups have forgotten
	Besides string `json:"besides,omitempty"` // stands for what other requests of the tenant hold and was left alone
	// Public is where anybody could see some of what was erased (GDPR article 17(2)).
	Public  []string `json:"public,omitempty"`
	Settled []Open   `json:"-"` // what was found too, of Open, and left out because a person has settled it
}

// Kept is what has to stay, by entry of the data map.
type Kept struct {
	Entry    string       `json:"entry"`
	Items    int64        `json:"items"`
	Ground   Ground       `json:"ground"`
	Citation string       `json:"citation,omitempty"`
	Until    calendar.Day `json:"until"`          // when the last item may go
	First    calendar.Day `json:"first,omitzero"` // when the first one may: then the request opens again; zero as Until
}

// Tail is a class of backups and the day on which nothing of the person is left in it.
type Tail struct {
	Class string       `json:"class"`
	By    calendar.Day `json:"by"`
}
