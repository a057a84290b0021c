package declarebreach

import (
	"net/http"
	"strings"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// deed is one way to change a case, from a body or a form.
type deed[T any] func(body T) (cases.Event, cases.Words, error)

// nothing is the body of what needs none.
type nothing struct{}

// did answers a change with the case as it is then.
func did[T any](k *desk, makes deed[T]) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		var body T
		if _, none := any(body).(nothing); !none {
			var err error
			if body, _, err = web.DecodeBody[T](w, r); err != nil {
				return err
			}
		}
		e, words, err := makes(body)
		if err != nil {
			return err
		}
		now := k.Clock.Now()
		after, err := k.happen(r, who, e, words, now)
		if err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, k.wholeTo(after, who, now))
	}
}

func said(text string) cases.Words { return cases.Words{Text: strings.TrimSpace(text)} }

// ack takes the answer of somebody who was called. Which step is hers, she need not know at night.
func (k *desk) ack(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return did(k, func(b Ack) (cases.Event, cases.Words, error) {
		for _, step := range k.Breach.Rules.Ladder {
			if b.Step == "" && b.Code == "" && who.May(step.Roles...) {
				b.Step = step.ID
			}
		}
		return acked(b)
	})(w, r, who)
}

func acked(b Ack) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.Ack, Step: b.Step}, cases.Words{Code: strings.TrimSpace(b.Code)}, nil
}

func timed(b NewTimes) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.Timed, Times: cases.Times{
		OccurredFrom: b.From.UTC(), OccurredTo: b.To.UTC(), Detected: b.Detected.UTC(), Classified: b.Classified.UTC(), Contained: b.Contained.UTC(),
	}}, cases.Words{}, nil
}

func moved(b Aware) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.MoveAware, As: cases.Role(b.As), At: b.At.UTC()}, said(b.Reason), nil
}

func answered(b Answer) (cases.Event, cases.Words, error) {
	if b.Answer != yes && b.Answer != no {
		return cases.Event{}, cases.Words{}, fault.Refuse(fault.Invalid, "answer_invalid", "The answer is yes or no.", "Send one of them.")
	}
	return cases.Event{What: cases.Answer, Subject: b.Subject, Yes: b.Answer == yes, Again: b.Again, Exception: b.Letter, Incident: b.Incident && b.Subject == cases.Breach}, said(b.Reason), nil
}

// The answers.
const (
	yes = "yes"
	no  = "no"
)

func filed(b Filing) (cases.Event, cases.Words, error) {
	words := said(b.Reference)
	words.Late, words.Why = strings.TrimSpace(b.Late), strings.TrimSpace(b.Correction)
	return cases.Event{What: cases.File, Clock: b.Clock, At: b.At.UTC(), Further: b.Further}, words, nil
}

func promised(b Promise) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.Promise, Name: b.Name, At: b.By.UTC()}, said(b.Reason), nil
}

func kept(b Keep) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.Keep, Name: b.Name}, cases.Words{}, nil
}

func compromised(b Channels) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.Channel, Channels: b.Channels}, said(b.Reason), nil
}

func mapped(b Mapping) (cases.Event, cases.Words, error) {
	words := said(b.Reason)
	words.Names = b.Names
	return cases.Event{What: cases.Map}, words, nil
}

func closed(nothing) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.Close}, cases.Words{}, nil
}

func reopened(b Reason) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.Reopen}, said(b.Reason), nil
}

// describe takes whose data is concerned. What cannot be mapped is kept, so that nobody closes the case before it is
// found out.
func (k *desk) describe(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Tracks](w, r)
	if err != nil {
		return err
	}
	tracks, lost, err := k.tracks(body.Tracks, body.Affected)
	if err != nil {
		return err
	}
	now := k.Clock.Now()
	after, err := k.happen(r, who, cases.Event{What: cases.Describe, Tracks: tracks}, cases.Words{Names: lost, Counts: k.reasons(body.Tracks)}, now)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, k.wholeTo(after, who, now))
}

func (k *desk) score(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	in, _, err := web.DecodeBody[severity.Input](w, r)
	if err != nil {
		return err
	}
	after, err := k.happen(r, who, cases.Event{What: cases.Rate, Input: in}, cases.Words{}, k.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, after.Score.Score)
}
