package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/bus/pubsub"
	"ostiary.internal/shared/platform/fault"
)

const (
	redeliverArgs  = "[FUNCTION | --function NAME] [--server URL | --data DIR | --project ID [--topic NAME]] [--json] [--all | ID ...]"
	redeliverExits = `
FUNCTION comes first or last, and says the same as --function: ostiary redeliver syncallowlist --project acme-ostiary-live
Without --all and IDs it lists what no function would take, and changes nothing.
On Pub/Sub a message goes to its topic again, and so to all who read it: they know by its id what they have done already.

exit codes: 0 nothing waits, or all that was chosen is queued again; 1 dead letters wait; 2 they could not be listed, or not
all be queued again; 64 usage`
	mostLetters = 10_000 // held in memory at once
)

// letter is a message that a function would not take.
type letter struct {
	ID          string    `json:"id"`
	Function    string    `json:"function"`
	Topic       string    `json:"topic"` // "" when nobody says
	At          time.Time `json:"at"`
	Attempts    int       `json:"attempts"` // 0 when nobody says
	Why         string    `json:"why,omitempty"`
	Redelivered bool      `json:"redelivered"`
}

// office keeps dead letters. again marks those it queued, also when it returns an error.
type office interface {
	list(ctx context.Context) ([]*letter, error)
	again(ctx context.Context, chosen []*letter, bar *progress) error
	close(ctx context.Context) error
}

// redelivery is what the flags say.
type redelivery struct {
	function, server, data, project, topic string
	all, asJSON                            bool
}

// redeliver lists dead letters, and queues those again that are chosen.
func redeliver(ctx context.Context, t terminal, args []string) int {
	var r redelivery
	r.flags(t)
	named, args := leading(args)
	if code := t.parse(args, -1); code >= 0 {
		return code
	}
	ids := t.flags.Args()
	if named == "" && len(ids) > 0 && isFunction(ids[len(ids)-1]) {
		named, ids = ids[len(ids)-1], ids[:len(ids)-1]
	}
	switch {
	case named != "" && r.function != "" && named != r.function:
		return t.usage("%s and --function %s: one or the other", named, r.function)
	case named != "":
		r.function = named
	}
	switch {
	case r.all && len(ids) > 0:
		return t.usage("--all and IDs: one or the other")
	case r.project != "" && (r.server != "" || r.function == ""):
		return t.usage("--project: name the function, each has dead letters of its own; no --server")
	case r.project == "" && r.topic != "":
		return t.usage("--topic goes with --project")
	}
	o, err := r.open()
	if err != nil {
		t.fail(err)
		return exitUnclear
	}
	letters, err := o.list(ctx)
	letters = slices.DeleteFunc(letters, func(l *letter) bool { return r.function != "" && l.Function != r.function })
	if err == nil && (r.all || len(ids) > 0) {
		letters, err = chosen(letters, ids)
		if err == nil && len(letters) > 0 {
			err = o.again(ctx, letters, progressOn(t.err, 0))
		}
	}
	err = errors.Join(err, o.close(context.WithoutCancel(ctx)))
	if err == nil || len(letters) > 0 {
		err = errors.Join(err, printLetters(t, letters, r.asJSON))
	}
	switch {
	case err != nil:
		t.fail(err)
		return exitUnclear
	case slices.ContainsFunc(letters, func(l *letter) bool { return !l.Redelivered }):
		return exitWrong
	}
	return exitGood
}

// leading takes the function's name off the arguments where it comes first: flags may follow it. No id of a letter is one.
func leading(args []string) (named string, rest []string) {
	if len(args) > 0 && isFunction(args[0]) {
		return args[0], args[1:]
	}
	return "", args
}

// isFunction reports whether a word is the name of a function of the house.
func isFunction(word string) bool {
	return slices.ContainsFunc(functions, func(f wiring.Function) bool {
		m, err := manifest.Parse(f.Manifest)
		return err == nil && m.Name == word
	})
}

func (r *redelivery) flags(t terminal) {
	t.flags.StringVar(&r.function, "function", "", "only what this function would not take")
	t.flags.StringVar(&r.server, "server", "", "URL of a running server; the one that holds the data folder by default")
	t.flags.StringVar(&r.data, "data", "data", "data folder")
	t.flags.StringVar(&r.project, "project", "", "project whose Pub/Sub holds them, in the subscription dead.FUNCTION")
	t.flags.StringVar(&r.topic, "topic", "", "where to publish what does not say from which topic it came")
	t.flags.BoolVar(&r.all, "all", false, "queue all of them again")
	t.flags.BoolVar(&r.asJSON, "json", false, "print one JSON object")
	t.explain(redeliverExits)
}

func (r *redelivery) open() (office, error) {
	if r.project != "" {
		return &cloudOffice{pubsub.OpenDead(r.project, r.function), r, nil}, nil
	}
	if r.server == "" {
		r.server = serverOf(r.data)
	}
	if r.server != "" {
		return serverOffice(r.server), nil
	}
	file := filepath.Join(r.data, "ostiary.db")
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("opening the data folder: %w", err)
	}
	b, err := local.Open(file, nil)
	return folderOffice{b}, err
}

// chosen are the letters of the ids, or all where there are none. None is queued where one is gone: two people may be at it.
func chosen(letters []*letter, ids []string) ([]*letter, error) {
	if len(ids) == 0 {
		return letters, nil
	}
	for _, id := range ids {
		if !slices.ContainsFunc(letters, func(l *letter) bool { return l.ID == id }) {
			return nil, fault.Refuse(fault.Conflict, "letter_gone", fmt.Sprintf("%.200q is no dead letter, or is queued again already, or somebody else is at it; nothing was done.", id), "List the dead letters anew.")
		}
	}
	return slices.DeleteFunc(letters, func(l *letter) bool { return !slices.Contains(ids, l.ID) }), nil
}

func printLetters(t terminal, letters []*letter, asJSON bool) error {
	if asJSON {
		return printJSON(t.out, map[string]any{"letters": append([]*letter{}, letters...)})
	}
	for _, l := range letters {
		state := "waits"
		if l.Redelivered {
			state = "queued again"
		}
		fmt.Fprintf(t.out, "%s  %s of %s, %s, %d attempts %s: %s\n", l.ID, l.Function, l.Topic, l.At.Format(time.RFC3339), l.Attempts, l.Why, state)
	}
	if len(letters) == 0 {
		fmt.Fprintln(t.out, "No dead letters.")
	}
	return nil
}

func idsOf(letters []*letter) (ids []string) {
	for _, l := range letters {
		ids = append(ids, l.ID)
	}
	return ids
}

func done(letters []*letter) {
	for _, l := range letters {
		l.Redelivered = true
	}
}

// serverOffice is a running server, by its URL.
type serverOffice string

func (s serverOffice) list(ctx context.Context) ([]*letter, error) {
	var answer struct {
		Letters []*letter `json:"dead_letters"`
	}
	err := (&connection{url: string(s)}).ask(ctx, http.MethodGet, "/_local/deadletters", nil, &answer)
	return answer.Letters, err
}

func (s serverOffice) again(ctx context.Context, chosen []*letter, _ *progress) error {
	err := (&connection{url: string(s)}).ask(ctx, http.MethodPost, "/_local/redeliver", map[string][]string{"ids": idsOf(chosen)}, &struct{}{})
	if err == nil {
		done(chosen)
	}
	return err
}

func (serverOffice) close(context.Context) error { return nil }

// folderOffice is a data folder that no server holds: the next one delivers.
type folderOffice struct{ *local.Bus }

func (f folderOffice) list(context.Context) (letters []*letter, err error) {
	dead, err := f.DeadLetters()
	for _, d := range dead {
		letters = append(letters, &letter{d.Name(), d.Function, d.Topic, d.Published, d.Attempts, d.Why, false})
	}
	return letters, err
}

func (f folderOffice) again(_ context.Context, chosen []*letter, _ *progress) error {
	_, err := f.Redeliver("", idsOf(chosen)...)
	if err == nil {
		done(chosen)
	}
	return err
}

func (f folderOffice) close(context.Context) error { return f.Close() }

// cloudOffice is the dead-letter subscription of one function.
type cloudOffice struct {
	dead *pubsub.Dead
	*redelivery
	held map[string]pubsub.Letter
}

func (c *cloudOffice) list(ctx context.Context) (letters []*letter, err error) {
	found, err := c.dead.Letters(ctx, mostLetters)
	c.held = map[string]pubsub.Letter{}
	for _, l := range found {
		if l.Topic == "" {
			l.Topic = c.topic
		}
		c.held[l.ID] = l
		letters = append(letters, &letter{l.ID, c.function, l.Topic, l.Set, l.Attempts, "", false})
	}
	return letters, err
}

// again goes on after one that cannot be published: no bad letter holds up another.
func (c *cloudOffice) again(ctx context.Context, chosen []*letter, bar *progress) error {
	defer bar.end()
	bar.unit, bar.total = "letters", int64(len(chosen))
	var wrong []error
	for _, l := range chosen {
		if l.Topic == "" {
			wrong = append(wrong, fmt.Errorf("%s: nothing says from which topic it came: say --topic", l.ID))
			continue
		}
		err := c.dead.Redeliver(ctx, c.held[l.ID])
		if l.Redelivered = err == nil; err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", l.ID, err))
		}
		bar.read(1)
	}
	return errors.Join(wrong...)
}

func (c *cloudOffice) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	return errors.Join(c.dead.Release(ctx), c.dead.Close())
}
