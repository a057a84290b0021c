package tickbreach

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web/strictjson"
	"ostiary.internal/shared/policy"
)

// topicSuspicion is where the log watch says what it suspects.
const topicSuspicion = "suspicion.opened"

// suspicion is a message of topicSuspicion: an episode that nobody explained, or whose explanation nobody accepted.
type suspicion struct {
	V        int       `json:"v" required:"true"`
	Episode  string    `json:"episode" required:"true"`
	Round    int       `json:"round" required:"true"`
	Rule     string    `json:"rule" required:"true"`
	Why      string    `json:"why" required:"true"`
	Severity string    `json:"severity" required:"true"`
	Person   string    `json:"person"`   // id in people.yaml of who was asked
	Involved []string  `json:"involved"` // ids of everybody the call went through
	Actor    string    `json:"actor_kind"`
	Promises []string  `json:"promises"`
	Tenants  []string  `json:"tenants"` // ids of the customers whose data it names
	First    time.Time `json:"first" required:"true"`
	At       time.Time `json:"at" required:"true"`
	Revoke   bool      `json:"revoke"`
}

// depth is how far such a message is nested.
const depth = 3

// Bounds of whom a suspicion names.
const (
	maxInvolved = 100
	maxTenants  = 1_000
)

// readSuspicion reads a message. Invalid: it is none, or of another version.
func readSuspicion(data []byte) (s suspicion, err error) {
	if _, err := strictjson.Decode(data, depth, &s); err != nil {
		return s, fault.New(fault.Invalid, "reading a message of %s: %v", topicSuspicion, err)
	}
	if s.V != 1 || s.Episode == "" || len(s.Episode) > 64 || s.Round < 1 || len(s.Involved) > maxInvolved || len(s.Tenants) > maxTenants || s.First.IsZero() || s.At.IsZero() {
		return s, fault.New(fault.Invalid, "reading a message of %s: it names no episode, or no time, or is of version %d", topicSuspicion, s.V)
	}
	return s, nil
}

// maxCases bounds the cases of one episode.
const maxCases = 100

// suspected has an episode looked into. While it is, the case takes what more comes of it, once. What comes after the case
// was closed is another case.
func (t *tickbreach) suspected(ctx context.Context, s suspicion) error {
	signal := fmt.Sprintf("%d/%s", s.Round, s.Why)
	for n := range maxCases {
		id := "episode/" + s.Episode
		if n > 0 {
			id += "/" + strconv.Itoa(n+1)
		}
		known, err := t.Cases.Declared(ctx, id)
		switch {
		case fault.Is(err, fault.NotFound):
			return t.declare(ctx, id, signal, s)
		case err != nil:
			return err
		case known.Source != "episode/"+s.Episode || known.Exercise:
			return fault.New(fault.Conflict, "beginning a case of an episode: another case stands under its id")
		case known.Took(signal):
			return nil // this very message
		case known.State != cases.Closed:
			return t.more(ctx, known.ID, signal, s)
		}
	}
	return fault.New(fault.Conflict, "beginning a case of an episode: it has too many")
}

// more adds what comes of an episode to its case. Dead before, or closed meanwhile, the message comes again.
func (t *tickbreach) more(ctx context.Context, id, signal string, s suspicion) error {
	e := cases.Event{What: cases.Suspect, Signal: signal, About: s.about(), Tracks: t.tracks(s)}
	_, err := t.Cases.Do(ctx, id, policy.Person{}, e, cases.Words{Text: t.says(s)}, t.Clock.Now())
	if fault.CodeOf(err) == "text_invalid" { // the case has too many texts: that it came counts all the same
		_, err = t.Cases.Do(ctx, id, policy.Person{}, e, cases.Words{}, t.Clock.Now())
	}
	return again(err)
}

func (t *tickbreach) declare(ctx context.Context, client, signal string, s suspicion) error {
	_, _, err := t.Cases.Declare(ctx, policy.Person{}, cases.Declaration{
		Client: client, Source: "episode/" + s.Episode, Signal: signal, About: s.about(), Summary: t.says(s), Tracks: t.tracks(s), Times: cases.Times{OccurredFrom: s.First.UTC(), Detected: s.At.UTC()},
	}, t.Clock.Now())
	return again(err)
}

// again has a message come again that another one was faster than.
func again(err error) error {
	if code := fault.CodeOf(err); code == "id_conflict" || code == "state_conflict" {
		return fault.New(fault.Transient, "taking a suspicion: another of its episode was first")
	}
	return err
}

// about are the people whose own matter a suspicion may be.
func (s suspicion) about() (ids []string) {
	for _, id := range append([]string{s.Person}, s.Involved...) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// tracks are those of the customers whose data a suspicion names. Whether each of them is concerned, people decide.
func (t *tickbreach) tracks(s suspicion) (tracks []cases.Track) {
	for _, id := range s.Tenants {
		if _, known := t.Policy.Tenant(id); known {
			tracks = append(tracks, cases.Track{ID: id, Role: cases.Processor})
		}
	}
	return tracks
}

// says is the summary of the case, in the company's language. It is sealed like everything that is said about a case.
func (t *tickbreach) says(s suspicion) string {
	words := summaries["en"]
	if all := t.Policy.Company.Languages; len(all) > 0 && summaries[all[0]].text != "" {
		words = summaries[all[0]]
	}
	who := words.nobody
	if p, known := t.Policy.PersonByID(s.Person); known {
		who = p.Name
	}
	why := words.why[s.Why]
	if why == "" {
		why = s.Why
	}
	text := fmt.Sprintf(words.text, s.Rule, why, who, s.Episode, s.Round)
	if s.Revoke {
		text += " " + words.revoke
	}
	return text
}

type summary struct {
	text, nobody, revoke string
	why                  map[string]string
}

var summaries = map[string]summary{
	"en": {
		text: "The log watch saw what the rule %s forbids, and it is not explained: %s. Asked was: %s. Episode %s, question %d.", nobody: "nobody",
		revoke: "End the sessions of that account.",
		why: map[string]string{
			"silence": "nobody answered in time", "refused": "another person refused the explanation", "not_me": "the person says that somebody else acted in her name",
			"unreviewed": "nobody looked at the explanation in time",
		},
	},
	"fr": {
		text: "La surveillance des journaux a vu ce que la règle %s interdit, sans explication : %s. Question posée à : %s. Épisode %s, question %d.", nobody: "personne",
		revoke: "Fermez les sessions de ce compte.",
		why: map[string]string{
			"silence": "personne n’a répondu à temps", "refused": "une autre personne a refusé l’explication", "not_me": "la personne dit que quelqu’un d’autre a agi en son nom",
			"unreviewed": "personne n’a examiné l’explication à temps",
		},
	},
	"de": {
		text: "Die Protokollwache hat gesehen, was die Regel %s verbietet, und es ist nicht erklärt: %s. Gefragt war: %s. Episode %s, Frage %d.", nobody: "niemand",
		revoke: "Beenden Sie die Sitzungen dieses Kontos.",
		why: map[string]string{
			"silence": "niemand hat rechtzeitig geantwortet", "refused": "eine andere Person hat die Erklärung abgelehnt", "not_me": "die Person sagt, dass jemand anderes in ihrem Namen gehandelt hat",
			"unreviewed": "niemand hat die Erklärung rechtzeitig geprüft",
		},
	},
}
