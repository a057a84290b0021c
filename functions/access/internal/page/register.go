package page

import "ostiary.internal/shared/access/network"

// Network is what is known of the network of an address; the zero Network is an unknown one.
type Network struct {
	Kind    network.Kind
	Name    string
	Refused bool // nothing is registered from there
}

// Names reports whether the page names a network, and so owes whoever made the list a word of thanks.
func (m Morning) Names() bool {
	named := m.Network.Name != "" || m.Approve != nil && m.Approve.Network.Name != "" || m.Here != nil && m.Here.names()
	for _, other := range m.Others {
		named = named || other.names()
	}
	return named
}

func (l Lease) names() bool {
	named := l.Network.Name != ""
	for _, other := range l.Also {
		named = named || other.names()
	}
	return named
}

// Register is what the register of a day shows.
type Register struct {
	From, To string // YYYY-MM-DD, as asked for or to begin with
	Earliest string // day that the form allows: what is older is kept no longer
	Latest   string
	Asked    bool // somebody chose days
	Brought  bool // somebody else did, by a link: they are not read yet
	Problem  *Trouble
	Rows     []Entry
	Last     string // day of the last row, where there are more than are shown; "" otherwise
}

// Entry is one registered address in the register. Times are local to the person, with the seconds where they were.
type Entry struct {
	Date, Person, Name     string
	Address                string
	Kind                   network.Kind
	Registered, Ends, Zone string
	TwoStepUsed            bool   // at this sign-in; otherwise it was enforced on the account, and no more is known
	Device                 string // own, another or paired
	With                   string // commitment of the lease a paired one goes with
	Failed                 bool
	Applied, Working       string // "" for not yet, or never
	Lost                   bool   // after Applied a door lost it
	ByDevice               bool   // Working by the word of the device itself
	Ended, Why, Removed    string // Why is the key of a text
	Commitment             string
}
