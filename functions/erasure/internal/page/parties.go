package page

import "ostiary.internal/functions/internal/staffed"

// Parties is the list of what has to be settled with third parties by hand.
type Parties struct {
	Done        string // key of a text that says what was done
	Problem     *staffed.Trouble
	Connections []Task
	Notices     []Task
}

// Task is one connection to be ended, or one recipient to be told or heard from.
type Task struct {
	ID, Name string
	Where    string // address of a page where it can be done; "" for none
	Why      string // a word
	Due      string
	Late     bool
	Waits    bool // for the recipient's answer; nobody has to do anything yet
	Action   string
	Outcomes []Choice // labels are keys
}
