package page

// Person is what the security desk sees of one person's second factor.
type Person struct {
	Name, Email    string
	Authenticators []Kept
	RecoveryLeft   int
	Failures       int // wrong codes since the last success
	Locked         bool
	Wait           int  // seconds until a code is looked at again
	Mine           bool // the person who looks: another must decide
	Problem        *Trouble
	Done           string
	Reason         string // as typed in a form that was refused
	Serial         string
	Rollover       string // id of the one that its form begins: the form sent twice is one rollover
}

// Clock writes the wait as a countdown.
func (p Person) Clock() string { return Clock(p.Wait) }

// Kept is one authenticator as the desk lists it.
type Kept struct {
	ID, Name, Kind, Serial string
	Since, LastDay         string // days; LastDay is "" before the first success
	Assigned               bool   // waits for its first two codes
	Drift, Failures        int
	Until                  string // day from which it registers nothing; "" for none
	Overdue                bool
	Note                   string // why its drift was zeroed, or it must be replaced
}

// Rollover is a rollover of everybody that is not done.
type Rollover struct {
	ID, By, Reason string
}
