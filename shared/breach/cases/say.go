package cases

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// Crier writes to staff about a case, each in her language, and never by a channel that somebody else may read more than
// that something waits.
type Crier struct {
	Quiet *letters.Set // of Letters
	Zone  *time.Location
	// OutOfBand is where one of the people is reached by mail or sms when the usual ways may be read or forged; nil: nobody is.
	OutOfBand func(person, channel string) (to string, ok bool)
	Random    io.Reader
}

// Saying is one thing to be said to several people.
type Saying struct {
	Letters     *letters.Set
	Letter      string // of Letters
	Vars        letters.Vars
	Key         string   // the same however often the transaction runs, another for anything else that is said
	Channels    []string // all are used at once
	Compromised []string // of the case
	Exercise    bool
	Deadline    time.Time // first end of a clock; zero for none
	Code        string    // that a text message carries; "" for none
	Every       bool      // where a person has a way of her own beside, it is used as well: nobody answers the usual ones
}

// way is one message to one person.
type way struct {
	channel string
	to      string // "" where the person's own address is meant
	quiet   bool
}

// Say puts the messages into a batch, sealed by key. reached counts those there is a way to.
func (c Crier) Say(batch *outbox.Batch, key *seal.DataKey, s Saying, to []policy.Person) (reached int, err error) {
	reached, _, err = c.say(batch, key, s, to)
	return reached, err
}

// say is Say; sent counts the messages.
func (c Crier) say(batch *outbox.Batch, key *seal.DataKey, s Saying, to []policy.Person) (reached, sent int, err error) {
	rooms := 0
	for _, p := range to {
		ways := c.ways(p.ID, s)
		if len(ways) > 0 {
			reached++
		}
		for _, w := range ways {
			if w.channel == chat {
				if rooms++; rooms > 1 {
					continue // everybody reads the same room
				}
			}
			if err := c.send(batch, key, s, p, w); err != nil {
				return reached, sent, err
			}
			sent++
		}
	}
	return reached, sent, nil
}

const (
	chat = "chat"
	sms  = "sms"
)

// ways are how one person is told. While a channel is compromised it is the one beside all others, or else one that is not
// compromised, without a word of what it is about.
func (c Crier) ways(person string, s Saying) (all []way) {
	if len(s.Compromised) > 0 {
		for _, channel := range []string{message.Mail, sms} {
			// An address outside the company's mail stands for itself; a text message goes the way of all text messages.
			if channel == sms && slices.Contains(s.Compromised, sms) {
				continue
			}
			if to, beside := c.beside(person, channel); beside {
				return []way{{channel, to, channel == sms}}
			}
		}
		for _, usual := range []string{message.Mail, chat} {
			if !slices.Contains(s.Compromised, usual) {
				return []way{{usual, "", true}}
			}
		}
		return nil
	}
	for _, usual := range s.Channels {
		if _, number := c.beside(person, sms); usual != sms || number || !s.Every {
			all = append(all, way{usual, "", usual == sms})
		}
	}
	if to, is := c.beside(person, message.Mail); is && s.Every {
		all = append(all, way{message.Mail, to, false})
	}
	return all
}

// beside is where a person is reached by a channel beside the usual ways.
func (c Crier) beside(person, channel string) (to string, is bool) {
	if c.OutOfBand == nil {
		return "", false
	}
	return c.OutOfBand(person, channel)
}

// none says in words that no clock runs.
var none = map[string]string{"en": "none yet", "fr": "aucune pour l’instant", "de": "noch keine"}

func (c Crier) send(batch *outbox.Batch, key *seal.DataKey, s Saying, p policy.Person, w way) error {
	language := p.Language
	if !slices.Contains(letters.Languages(), language) {
		language = "en"
	}
	vars, set, letter := maps.Clone(s.Vars), s.Letters, s.Letter
	if s.Exercise {
		vars["exercise"] = Mark(language)
	}
	if w.quiet {
		set, letter = c.Quiet, sayQuiet
		if w.channel == sms && s.Code != "" {
			vars["code"] = " Code: " + strings.ToUpper(s.Code) + "."
		}
		if vars["deadline"] = none[language]; !s.Deadline.IsZero() {
			vars["deadline"] = calendar.Date(s.Deadline, c.Zone).String() + " " + s.Deadline.In(c.Zone).Format("15:04 -07:00")
		}
	}
	content, err := set.Write(letter, language, vars)
	if err != nil {
		return err
	}
	if content.To = w.to; w.channel == sms {
		content.Text = strings.TrimSpace(content.Text)
	}
	if s.Exercise {
		content.Subject = Marked(content.Subject, language)
		if w.channel == sms || w.channel == chat {
			content.Text = Marked(content.Text, language)
		}
	}
	kind, _, _ := strings.Cut(s.Key, "\x00")
	sum := sha256.Sum256([]byte(s.Key + "\x00" + p.ID + "\x00" + w.channel + w.to))
	request := message.Request{Key: kind + "/" + hex.EncodeToString(sum[:]), Kind: message.Staff, Channel: w.channel, Language: language}
	if w.to == "" {
		request.Person = p.ID
	}
	return request.Put(batch, key, c.Random, content)
}
