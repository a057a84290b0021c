package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"ostiary.internal/functions/internal/writers"
	"ostiary.internal/functions/ostiary/internal/local"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	logs "ostiary.internal/shared/platform/log"
)

// acceptRewind shows how far a log goes by each thing that tells, or lets it go on from one of them.
func acceptRewind(ctx context.Context, t terminal, args []string) int {
	gone := t.flags.String("gone", "", "the point that counts no longer, SIZE:ROOT as the refusal has it")
	kept := t.flags.String("kept", "", "the point the log goes on from, SIZE:ROOT")
	reason := t.flags.String("reason", "", "a word for the record of it, such as restored-from-backup")
	data := t.flags.String("data", "data", "data folder")
	tiles := t.flags.String("tiles", "", "URL of the store of tiles, such as gs://BUCKET/PREFIX")
	head := t.flags.String("head", "", "URL of the store of the head")
	keys := t.flags.String("key", "", "URLs of the signing keys, as the sequencer has them; by default the key in the data folder")
	trustFile := t.flags.String("trust", "", "the trust file; by default the one in the data folder")
	asJSON := t.flags.Bool("json", false, "print the points as JSON")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	accepts := *gone != "" && *kept != "" && *reason != ""
	switch {
	case !accepts && *gone+*kept+*reason != "":
		return t.usage("--gone, --kept and --reason go together; without them, the points are shown")
	case *tiles != "" && *keys == "":
		return t.usage("--key: name the signing key of the log, as the sequencer has it")
	}
	trust, err := readTrust(cmp.Or(*trustFile, filepath.Join(*data, "evidence", "trust.json")))
	if err != nil {
		return t.unable(err)
	}
	own := filepath.Join(*data, "keys", "checkpoints")
	if *keys == "" {
		if _, err := os.Stat(own); err != nil { // the first use would make one, which signs for no log
			return t.unable(fmt.Errorf("looking for the signing key of the log: %w", err))
		}
	}
	s, done, err := t.sequencer(ctx, place{*data, *tiles, *head}, trust.Origin, cmp.Or(*keys, driver.URL("file", own, "name", trust.Origin)))
	if err != nil {
		return t.unable(err)
	}
	defer done()
	if accepts {
		return t.accept(ctx, s, *gone, *kept, *reason)
	}
	now, err := s.Stand(ctx)
	if err != nil {
		return t.unable(err)
	}
	return t.stand(now, "ostiary evidence accept-rewind"+given(args), *asJSON)
}

// sequencer is one that takes nothing in: its inbox is empty, so that it needs to know of no policy.
func (t terminal) sequencer(ctx context.Context, at place, origin, keys string) (*log.Sequencer, func(), error) {
	tiles, head, closeStores, err := stores(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	c := log.Config{Tiles: tiles, Head: head, Origin: origin, Clock: clock.System{}, Code: runningCode(), Log: logs.New(t.err, "", slog.LevelError+1)}
	done := func() {
		closeStores()
		for _, s := range c.Signers {
			s.Close()
		}
	}
	if at.tiles == "" && at.head == "" {
		c.Clock, err = local.ClockOf(at.data)
	}
	if err == nil {
		c.Writers, err = writers.All()
	}
	c.Inbox = memory.New(c.Clock)
	for url := range strings.FieldsSeq(keys) {
		signer, opening := sign.Signers.Open(ctx, url, sign.Options{Clock: c.Clock})
		if err = cmp.Or(err, opening); opening == nil {
			c.Signers = append(c.Signers, signer)
		}
	}
	s, wrong := log.New(c)
	if err = cmp.Or(err, wrong); err != nil {
		done()
		return nil, nil, err
	}
	return s, done, nil
}

// given are flags as they were given, for a command line that is to be run next.
func given(args []string) string {
	var line strings.Builder
	for _, arg := range args {
		if arg != "--json" {
			line.WriteString(" '" + strings.ReplaceAll(arg, "'", `'\''`) + "'")
		}
	}
	return line.String()
}

// accept lets the log go on.
func (t terminal) accept(ctx context.Context, s *log.Sequencer, gone, kept, reason string) int {
	from, err := log.ParsePoint(gone)
	if err != nil {
		return t.usage("--gone: %v", err)
	}
	to, err := log.ParsePoint(kept)
	if err != nil {
		return t.usage("--kept: %v", err)
	}
	if err := s.Accept(ctx, from, to, reason); err != nil {
		return t.unable(err)
	}
	fmt.Fprintf(t.out, "accepted: the log goes on from %s.\n%s\nA record in the log says so to everybody who checks it.\n", to, lost(log.Rewind{Gone: from, Kept: to}))
	return exitGood
}

// stand tells how far the log goes, what is lost, and what to run. It ends well when nothing is to be done.
func (t terminal) stand(now log.Stand, command string, asJSON bool) int {
	w, rewound := proposed(now)
	code := exitGood
	if rewound {
		code = exitWrong
	}
	if asJSON {
		text, err := json.Marshal(map[string]string{"head": now.Head.String(), "checkpoint": now.Published.String(), "stored": now.Stored.String()})
		if err != nil {
			return t.unable(err)
		}
		fmt.Fprintf(t.out, "%s\n", text)
		return code
	}
	fmt.Fprintf(t.out, "head        %s  where the log is continued\ncheckpoint  %s  what was signed and published last\nstored      %s  what its tiles hold\n\n", now.Head, now.Published, now.Stored)
	if !rewound {
		fmt.Fprintf(t.out, "These agree. If somebody followed the log further than this, all of it was set back: give the point they followed\n"+
			"as --gone and the head as --kept. What the log had from record %d up to that point is lost.\n", now.Head.Size)
		return code
	}
	fmt.Fprintf(t.out, "The log was set back, and is not added to until somebody says from where it goes on.\n%s\nTo let it go on from what is stored:\n\n  %s --gone %s --kept %s --reason restored-from-backup\n",
		lost(w), command, w.Gone, w.Kept)
	return code
}

// proposed is the rewind that keeps all that is stored. A checkpoint that stands a little behind the head is in order.
func proposed(now log.Stand) (w log.Rewind, rewound bool) {
	if now.Head == now.Stored && (now.Published == now.Head || now.Published.Size < now.Head.Size) {
		return w, false
	}
	gone := now.Head
	if gone == now.Stored || now.Published.Size > gone.Size && now.Published != now.Stored {
		gone = now.Published
	}
	return log.Rewind{Gone: gone, Kept: now.Stored}, true
}

// lost says what a rewind costs.
func lost(w log.Rewind) string {
	if n := w.Gone.Size - w.Kept.Size; n > 0 {
		return fmt.Sprintf("Lost are the last %d records up to %s, unless they are handed in again; bundles and witnesses that hold them stay as proof.", n, w.Gone)
	}
	return "No record of the log is lost."
}
