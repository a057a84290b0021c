package drill

import (
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// telling writes evidence and messages into a batch.
type telling struct {
	s     *Service
	batch *outbox.Batch
	key   *seal.DataKey
	now   time.Time
}

func (t telling) all(d Drill, effects []Effect) (err error) {
	for _, e := range effects {
		switch e {
		case Record:
			rec := t.s.result(d, t.now)
			if err := rec.Put(t.batch); err != nil {
				return err
			}
		case Tell:
			err = t.result(d)
		case Alarm:
			err = t.lost(d)
		case Remind:
			err = t.unread(d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t telling) result(d Drill) error {
	return t.deciders(sayResult, "result/"+d.ID, message.Mail, func(language string) letters.Vars {
		var lines []string
		for _, step := range d.Steps {
			took := "-"
			if !step.At.IsZero() {
				took = step.At.Sub(d.Begun).Round(time.Second).String()
			}
			lines = append(lines, words[step.Name][language]+": "+took+" (≤ "+step.Limit.String()+")")
		}
		return letters.Vars{"exercise": cases.Mark(language), "number": d.Number, "outcome": words[string(d.State)][language], "steps": strings.Join(lines, "\n"), "#": d.Case}
	})
}

// lost tells of channels that do not reach people, on one that did not fail; on mail where every one did.
func (t telling) lost(d Drill) error {
	var lost []string
	by := message.Mail
	for _, try := range d.Tries {
		if try.Reached == Lost {
			lost = append(lost, try.Channel)
		}
	}
	if slices.Contains(lost, by) {
		for _, try := range d.Tries {
			if try.Reached != Lost {
				by = try.Channel
			}
		}
	}
	return t.deciders(sayLost, "lost/"+d.ID, by, func(string) letters.Vars { return letters.Vars{"channels": strings.Join(lost, ", ")} })
}

// unread tells of channels of whose message nobody said that she read it.
func (t telling) unread(d Drill) error {
	var silent []string
	for _, try := range d.Tries {
		if try.Reached == Accepted {
			silent = append(silent, try.Channel)
		}
	}
	return t.deciders(sayUnread, "unread/"+d.ID, message.Mail, func(string) letters.Vars { return letters.Vars{"channels": strings.Join(silent, ", ")} })
}

// deciders writes to each of those who decide about breaches, in her language; into a room of a chat once.
func (t telling) deciders(kind, key, channel string, v func(language string) letters.Vars) error {
	for _, p := range t.s.Policy.People {
		if !p.Active(t.now) || !p.Has(policy.Security) && !p.Has(policy.DPO) && !p.Has(policy.Owner) {
			continue
		}
		if _, err := t.write(kind, keyed+key+"/"+p.ID, channel, p, v(languageOf(p))); err != nil || channel == "chat" {
			return err
		}
	}
	return nil
}

// channels sends the message of a test on every channel that calls people, each to one person of the first step that is
// called by it, in turn from month to month.
func (t telling) channels(d *Drill) error {
	turn := int(d.Begun.Month()) - 1
	for _, channel := range t.s.channels() {
		try := Try{Channel: channel, Reached: Lost, Why: "nobody is reached by it", At: t.now}
		people := t.s.reached(channel, t.now)
		for i := range people {
			key := keyed + d.ID + "/" + channel
			sent, err := t.write(sayChannel, key, channel, people[(turn+i)%len(people)], letters.Vars{"channel": channel, "#": d.ID})
			if err != nil {
				return err
			}
			if sent {
				try = Try{Channel: channel, Key: key, Reached: Sent}
				break
			}
		}
		d.Tries = append(d.Tries, try)
	}
	return nil
}

// channels are those that call people, in the order of the ladder.
func (s *Service) channels() (all []string) {
	for _, step := range s.Breach.Rules.Ladder {
		for _, c := range step.Channels {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all
}

func (s *Service) reached(channel string, now time.Time) (all []policy.Person) {
	for _, step := range s.Breach.Rules.Ladder {
		if !slices.Contains(step.Channels, channel) {
			continue
		}
		for _, p := range s.Policy.People {
			if p.Active(now) && slices.ContainsFunc(step.Roles, p.Has) && !slices.ContainsFunc(all, func(o policy.Person) bool { return o.ID == p.ID }) {
				all = append(all, p)
			}
		}
	}
	return all
}

// write puts one message into the batch; false where the person cannot be reached by that channel.
func (t telling) write(kind, key, channel string, p policy.Person, v letters.Vars) (bool, error) {
	language, vars := languageOf(p), maps.Clone(v)
	vars["company"], vars["desk"] = t.s.Policy.Company.Name, t.s.Desk
	if kind == sayChannel {
		vars["desk"] = t.s.Page
	}
	if v["#"] != "" {
		vars["desk"] += "#" + v["#"]
	}
	delete(vars, "#")
	content, err := t.s.Letters.Write(kind, language, vars)
	if err != nil {
		return false, err
	}
	request := message.Request{Key: key, Kind: message.Staff, Person: p.ID, Channel: channel, Language: language}
	if channel == "sms" {
		to, known := "", false
		if t.s.OutOfBand != nil {
			to, known = t.s.OutOfBand(p.ID, channel)
		}
		if !known {
			return false, nil
		}
		request.Person, content.To = "", to
	}
	return true, request.Put(t.batch, t.key, t.s.Random, content)
}

// languageOf is the one somebody is written to in.
func languageOf(p policy.Person) string {
	if slices.Contains(letters.Languages(), p.Language) {
		return p.Language
	}
	return "en"
}
