package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Bounds of what one transaction hands over.
const (
	pageRecipients = 100
	pageBytes      = 1_000_000 // of texts
)

// handOver hands an approved notice over, page by page, at most so many of them. Before each page it is written again:
// where that is not what was agreed to, it is void, and what went out before stays out.
func (s *Service) handOver(ctx context.Context, n Notice, pages int, now time.Time) (Notice, error) {
	for range pages {
		if n.State != Approved || n.Kind == Persons {
			return n, nil
		}
		after, err := s.page(ctx, n, now)
		if errors.Is(err, errMoved) {
			after, err = s.get(ctx, n.Case, n.N) // somebody else hands over as well
		}
		if err != nil {
			return n, err
		}
		n = after
	}
	return n, nil
}

func (s *Service) page(ctx context.Context, n Notice, now time.Time) (Notice, error) {
	p, err := s.open(ctx, n)
	if err != nil {
		return n, err
	}
	about, err := s.Case(ctx, n.Case)
	if err != nil {
		return n, err
	}
	all, hash, err := s.compose(n, p, about, now)
	if stands := about.agreed(n.Kind, p.Tenants, n.Glass); err == nil && stands != nil {
		err = stands
	}
	switch kind := fault.KindOf(err); {
	case n.Agreed.Before(s.Restored), !now.Before(n.lastHanded().Add(ApprovalLife)):
		return s.change(ctx, n, Event{What: Changed}, about, nil, nil, now)
	case err == nil && hash != n.Hash, kind == fault.Invalid, kind == fault.Misconfigured, kind == fault.Conflict:
		return s.change(ctx, n, Event{What: Changed}, about, nil, nil, now)
	case err != nil:
		return n, err
	}
	all = all[n.Next:]
	size, bytes := 0, 0
	for size < min(len(all), pageRecipients) && (size == 0 || bytes+len(all[size].Text) <= pageBytes) {
		bytes += len(all[size].Text)
		size++
	}
	keys, err := s.keysOf(ctx, n, size)
	if err != nil {
		return n, err
	}
	return s.change(ctx, n, Event{What: Handed, To: size}, about, nil, func(tx store.Tx, t *turn) error {
		if err := stillAs(tx, n.Case, about); err != nil {
			return err
		}
		for i, m := range all[:size] {
			if err := t.handOne(tx, keys[i], n.Next+i, m); err != nil {
				return err
			}
		}
		return nil
	}, now)
}

// stillAs sees to it in a transaction that a case has not ended since it was read: nothing leaves for a case that is over.
func stillAs(tx store.Tx, caseID string, about About) error {
	if about.Closed {
		return nil
	}
	if over, err := cases.Ended(tx, caseID); err != nil || !over {
		return err
	}
	return errMoved
}

// handOne keeps a delivery and asks for its first message.
func (t *turn) handOne(tx store.Tx, key *seal.DataKey, at int, m Message) error {
	n := t.before
	d := Delivery{
		V: version, ID: deliveryID(n.ID, at), Rev: 1, Notice: n.ID, Case: n.Case, N: n.N, At: at, Of: n.To, Tenant: m.Tenant, Language: m.Language, Kind: n.Kind, Number: t.about.Number, Nonce: t.about.Nonce,
		Progress: Going, Handed: t.now.UTC(), Due: t.about.due(m.Tenant).UTC(), Guarded: len(t.about.Compromised) > 0, Exercise: t.about.Exercise,
	}
	c := content{ID: d.ID, Name: m.Name, Address: m.Address, Subject: m.Subject, Text: m.Text, Short: m.Short}
	w := whereTo{ID: d.ID}
	for _, one := range m.Ways {
		d.Ways = append(d.Ways, one.Channel)
		w.To = append(w.To, one.To)
	}
	d.News = d.patience(t.now)
	d.Who = record.Commitment([]byte(t.about.Nonce), "recipient", m.Address)
	d.What = record.Commitment([]byte(t.about.Nonce), "text", m.Subject+"\x00"+m.Text)
	var err error
	if d.To, err = sealed(key, t.s.Random, w); err != nil {
		return err
	}
	if d.Body, err = sealed(key, t.s.Random, c); err != nil {
		return err
	}
	if err := t.s.post(t.batch, t.key, d, c, w, t.now); err != nil {
		return err
	}
	return tx.Create(Deliveries, d.ID, d)
}

func (a About) due(tenant string) time.Time {
	for _, t := range a.Tenants {
		if t.ID == tenant {
			return t.Due
		}
	}
	return time.Time{}
}

// deliveryID names a recipient of a notice; in order they are in the recipients' order.
func deliveryID(notice string, at int) string { return fmt.Sprintf("%s.%05d", notice, at) }

const keyPrefix = "breach-notice/"

// key is what one channel of one recipient is delivered under: once, whoever asks however often.
func (d Delivery) key() string {
	return keyPrefix + d.ID + "/" + strconv.Itoa(d.Way) + "-" + d.Ways[d.Way]
}

// keyed returns the delivery of a key, and the number of its way; ok is false for a key of somebody else's.
func keyed(key string) (id string, way int, ok bool) {
	rest, ours := strings.CutPrefix(key, keyPrefix)
	id, channel, whole := strings.Cut(rest, "/")
	number, _, named := strings.Cut(channel, "-")
	way, err := strconv.Atoi(number)
	return id, way, ours && whole && named && err == nil && len(id) <= 128
}

// post asks for one message: it is the only way by which anything leaves for a tenant. In an exercise it goes to people of
// our own instead, whatever else is configured.
func (s *Service) post(batch *outbox.Batch, key *seal.DataKey, d Delivery, c content, w whereTo, now time.Time) error {
	r := message.Request{Key: d.key(), Kind: message.Customer, Channel: d.Ways[d.Way], Language: d.Language, Until: d.until(now), Due: d.Due, Again: d.Replays}
	out := message.Content{To: w.To[d.Way], Subject: c.Subject, Text: c.Text}
	switch r.Channel {
	case SMS:
		out.Subject, out.Text = c.Short, c.Short
	case Webhook:
		text, err := d.hook(r.Key, c, now)
		if err != nil {
			return err
		}
		out.Text = text
	}
	if d.Exercise {
		if len(s.Drill) == 0 {
			return fault.New(fault.Misconfigured, "handing over a notice of an exercise: nobody is named to get it")
		}
		r.Person, r.Channel = s.Drill[d.At%len(s.Drill)], message.Mail
		out = message.Content{Subject: cases.Marked(c.Subject, d.Language), Text: c.Text}
	}
	asked, err := r.Seal(key, s.Random, out)
	if err != nil {
		return err
	}
	return batch.Message(message.TopicRequested, r.Key, asked)
}

// What is handed over late.
const (
	nearly = time.Hour        // before its time is up a tenant is told as one who is late
	brief  = 15 * time.Minute // a channel is waited for then, while another may follow
)

// until is by when a message has to be there, so that as much time is left for each channel that may follow it. For whoever
// is late the last is better late than never.
func (d Delivery) until(now time.Time) time.Time {
	left := d.Due.Sub(now)
	switch {
	case d.Due.IsZero(), left < nearly && d.Way == len(d.Ways)-1:
		return time.Time{}
	case left < nearly:
		return now.Add(brief).UTC()
	}
	return now.Add(left / time.Duration(len(d.Ways)-d.Way)).UTC()
}

// late is how much later than the end of its last try people wait for what is said of a message.
const late = time.Hour

// patience is until when somebody has to have answered about a delivery, in microseconds since 1970: as long as the function
// that sends tries each way that is left.
func (d Delivery) patience(now time.Time) int64 {
	return now.Add(message.GiveUpAfter*time.Duration(len(d.Ways)-d.Way) + late).UnixMicro()
}

// overdue reports whether that time is over: then the request may be lost, and nobody will ever answer.
func (d Delivery) overdue(now time.Time) bool {
	return d.Progress == Going && !d.Recalled && d.News > 0 && now.UnixMicro() >= d.News
}

// hook is the body of a webhook.
func (d Delivery) hook(key string, c content, now time.Time) (string, error) {
	data, err := json.Marshal(struct {
		ID       string    `json:"id"`
		Type     string    `json:"type"`
		Number   string    `json:"number"`
		Kind     Kind      `json:"kind"`
		Language string    `json:"language"`
		Subject  string    `json:"subject"`
		Text     string    `json:"text"`
		At       time.Time `json:"at"`
	}{strings.TrimPrefix(key, keyPrefix), "breach.notice", d.Number, d.Kind, d.Language, c.Subject, c.Text, now.UTC()})
	return string(data), err
}
