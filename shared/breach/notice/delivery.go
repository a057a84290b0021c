package notice

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Progress is how far a delivery has come. It is stored.
type Progress string

// The progress of a delivery.
const (
	Going    Progress = "going"    // handed over to the function that sends; no answer yet
	Arrived  Progress = "arrived"  // a peer took responsibility for it, or somebody made sure
	Lost     Progress = "lost"     // every channel was tried in vain: somebody has to call
	Doubtful Progress = "doubtful" // it may have arrived: somebody has to ask, and nothing is sent again
)

// Try is what became of one channel.
type Try struct {
	Channel  string        `json:"channel"`
	State    message.State `json:"state"`
	Attempts int           `json:"attempts,omitempty"`
	Why      string        `json:"why,omitempty"` // the peer's last reply; no personal data
	At       time.Time     `json:"at"`
	// How the connection was protected, a word of package message, and what the peer calls the message; "" for not known.
	TLS       string `json:"tls,omitempty"`
	Reference string `json:"reference,omitempty"`
	Fates     []Fate `json:"fates,omitempty"` // what the peer said later; the first counts
}

// Delivery is one recipient of a notice, as it is stored. Times are UTC.
type Delivery struct {
	V        int       `json:"v"`
	ID       string    `json:"id"` // of the notice, a dot, and the recipient's number
	Rev      int64     `json:"rev"`
	Notice   string    `json:"notice"` // id
	Case     string    `json:"case"`
	Number   string    `json:"number"` // of the case
	Nonce    string    `json:"nonce"`  // of the case
	N        int       `json:"n"`      // of the notice
	Kind     Kind      `json:"kind"`
	At       int       `json:"at"` // the recipient's number, from 0
	Of       int       `json:"of"` // how many recipients the notice has
	Tenant   string    `json:"tenant"`
	Language string    `json:"language"`
	Who      string    `json:"who"`  // commitment of the address, as in records
	What     string    `json:"what"` // commitment of the text, as in records
	Progress Progress  `json:"progress"`
	Way      int       `json:"way"`  // of Ways: the one it was handed over for last
	Ways     []string  `json:"ways"` // channels, in the order to try
	Tries    []Try     `json:"tries,omitempty"`
	Handed   time.Time `json:"handed"`
	Due      time.Time `json:"due,omitzero"`      // of the tenant's clock
	Told     time.Time `json:"told,omitzero"`     // when the tenant had it
	Settler  string    `json:"settler,omitempty"` // who found out what became of it
	Settled  time.Time `json:"settled,omitzero"`
	Finding  string    `json:"finding,omitempty"`  // record that it is lost
	Guarded  bool      `json:"guarded,omitempty"`  // handed over by ways that are trusted while others are not
	Exercise bool      `json:"exercise,omitempty"` // goes to people of our own
	Counted  Progress  `json:"counted,omitempty"`  // what the notice knows of it
	News     int64     `json:"news,omitempty"`     // microseconds since 1970: since when it knows not all; of one that is going, until when an answer is waited for
	Silent   bool      `json:"silent,omitempty"`   // nobody answered in time: a late answer still counts
	Replays  int       `json:"replays,omitempty"`  // how often a person had it tried again
	Recalled bool      `json:"recalled,omitempty"` // it did not arrive after all, which the case has not heard yet
	Vouched  bool      `json:"vouched,omitempty"`  // a person found out that it arrived: no peer says otherwise

	// Where Ways lead, and what is sent, under a key of this recipient's own: without it, wrapped in both, nobody reads any more
	// who she was or what she was told.
	To   seal.Envelope `json:"to"`
	Body seal.Envelope `json:"body"`

	Addresses []string `json:"-"` // where Ways lead, of Service.Deliveries alone
}

// content is what a delivery sends, as it is sealed.
type content struct {
	ID      string `json:"id"`      // of the delivery it belongs to
	Name    string `json:"name"`    // of the tenant
	Address string `json:"address"` // of the recipient
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Short   string `json:"short"`
}

// whereTo is where a delivery's ways lead, as it is sealed.
type whereTo struct {
	ID string   `json:"id"`
	To []string `json:"to"`
}

// forgotten reports whether the recipient's key is gone.
func (d Delivery) forgotten() bool { return len(d.To.Wrapped) == 0 && len(d.Body.Wrapped) == 0 }

func sealed(key *seal.DataKey, random io.Reader, value any) (seal.Envelope, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return seal.Envelope{}, fault.New(fault.Invalid, "keeping a delivery: %w", err)
	}
	defer seal.Wipe(plain)
	return key.Seal(random, plain)
}

// unsealed opens what belongs to a delivery; id reads whose it is.
func unsealed[T any](ctx context.Context, keys seal.Keys, d Delivery, e seal.Envelope, id func(T) string) (value T, err error) {
	plain, err := seal.Open(ctx, keys, e, place(d.Notice))
	if err != nil {
		return value, err
	}
	defer seal.Wipe(plain)
	if json.Unmarshal(plain, &value) != nil || id(value) != d.ID {
		return value, fault.New(fault.Invalid, "reading a delivery: not what was kept")
	}
	return value, nil
}

func (s *Service) whereTo(ctx context.Context, keys seal.Keys, d Delivery) (whereTo, error) {
	w, err := unsealed(ctx, keys, d, d.To, func(w whereTo) string { return w.ID })
	if err == nil && len(w.To) != len(d.Ways) {
		err = fault.New(fault.Invalid, "reading a delivery: its ways are not those that were kept")
	}
	return w, err
}

// Deliveries returns the recipients of a notice in their order, with their addresses; after is the cursor of the last, nil
// for the first page.
func (s *Service) Deliveries(ctx context.Context, caseID string, n int, after *store.Cursor, limit int) ([]Delivery, error) {
	all, err := s.Outcomes(ctx, caseID, n, after, limit)
	if err != nil {
		return nil, err
	}
	return all, each(len(all), func(i int) error {
		if all[i].forgotten() {
			all[i].Addresses = make([]string, len(all[i].Ways))
			return nil
		}
		w, err := s.whereTo(ctx, s.Keys, all[i])
		all[i].Addresses = w.To
		return err
	})
}

// Outcomes returns the recipients of a notice like Deliveries, with what became of each, but opens no address.
func (s *Service) Outcomes(ctx context.Context, caseID string, n int, after *store.Cursor, limit int) ([]Delivery, error) {
	return store.Find[Delivery](s.Store.Query(ctx, store.Query{
		Collection: Deliveries, Equal: []store.Field{{Name: "notice", Value: name(caseID, n)}}, Range: &store.Range{Name: "at"}, After: after, Limit: limit,
	}))
}

// Kept returns what was handed over to at most so many recipients of a notice, in their order from a number on: exactly what
// is sent to them, and where. Code: notice_unknown.
func (s *Service) Kept(ctx context.Context, caseID string, n, from, limit int) ([]Message, error) {
	if _, err := s.get(ctx, caseID, n); err != nil {
		return nil, err
	}
	all, err := store.Find[Delivery](s.Store.Query(ctx, store.Query{
		Collection: Deliveries, Equal: []store.Field{{Name: "notice", Value: name(caseID, n)}}, Range: &store.Range{Name: "at", From: int64(from)}, Limit: limit,
	}))
	if err != nil {
		return nil, err
	}
	messages := make([]Message, len(all))
	return messages, each(len(all), func(i int) (err error) {
		messages[i], err = s.message(ctx, all[i])
		return err
	})
}

// message is what a delivery sends; of one that is forgotten whom it was for alone.
func (s *Service) message(ctx context.Context, d Delivery) (m Message, err error) {
	if d.forgotten() {
		m.Recipient = Recipient{Tenant: d.Tenant, Language: d.Language}
		return m, nil
	}
	c, w, err := s.said(ctx, d)
	if err != nil {
		return m, err
	}
	m.Recipient = Recipient{Tenant: d.Tenant, Name: c.Name, Address: c.Address, Language: d.Language}
	for i, channel := range d.Ways {
		m.Ways = append(m.Ways, Way{channel, w.To[i]})
	}
	m.Content, m.Short = message.Content{To: c.Address, Subject: c.Subject, Text: c.Text}, c.Short
	return m, nil
}

// said is what a delivery says, and where it goes.
func (s *Service) said(ctx context.Context, d Delivery) (c content, w whereTo, err error) {
	keys := &memory{Keys: s.Keys, known: map[string][]byte{}}
	defer keys.wipe()
	if c, err = s.content(ctx, keys, d); err != nil {
		return c, w, err
	}
	w, err = s.whereTo(ctx, keys, d)
	return c, w, err
}

func (s *Service) content(ctx context.Context, keys seal.Keys, d Delivery) (content, error) {
	return unsealed(ctx, keys, d, d.Body, func(c content) string { return c.ID })
}

// Cursor is where a delivery stands in their order.
func (d Delivery) Cursor() *store.Cursor { return &store.Cursor{Value: int64(d.At), ID: d.ID} }
