package clock

import (
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// Business is when the hours of a contract count that counts no others: on working days, from one time of day to another. It
// is stored with the clock.
type Business struct {
	Open    string `json:"open" yaml:"open"` // 00:01 to 24:00, such as 09:00
	Close   string `json:"close" yaml:"close"`
	Zone    string `json:"zone" yaml:"zone"`
	Country string `json:"country,omitempty" yaml:"country"` // whose public holidays are free; "": weekends alone
}

// leastOpen is how long a business day is at least, in minutes.
const leastOpen = 60

// Check refuses hours that are none: Invalid.
func (b Business) Check() error {
	_, err := b.hours()
	return err
}

func (b Business) hours() (h calendar.Business, err error) {
	bad := func(what string) error { return fault.New(fault.Invalid, "reading business hours: %s", what) }
	if h.Open, err = calendar.Minutes(b.Open); err != nil {
		return h, bad("they open at no time of day")
	}
	if h.Close, err = calendar.Minutes(b.Close); err != nil || h.Close-h.Open < leastOpen {
		return h, bad("they close at no time of day, or less than an hour after they open")
	}
	if h.Zone, err = calendar.Zone(b.Zone); err != nil || b.Zone == "" {
		return h, bad("their zone is not known")
	}
	known := true
	if h.Holidays, known = calendar.HolidaysOf(b.Country); !known && b.Country != "" {
		return h, bad("there is no calendar of their country")
	}
	return h, nil
}

// ends is when so many hours of business after start are over.
func (b Business) ends(start time.Time, hours time.Duration) (time.Time, error) {
	h, err := b.hours()
	if err != nil {
		return time.Time{}, err
	}
	return h.Add(start, hours), nil
}
