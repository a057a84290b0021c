package witness

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// Confirmation is the last checkpoint of a log that one witness is known to have cosigned.
type Confirmation struct {
	Name   string    `json:"name"` // the witness's
	Key    string    `json:"key"`  // its verifier key
	Size   int64     `json:"size"` // of the log, then
	At     time.Time `json:"at"`
	Signed []byte    `json:"-"` // the checkpoint, as it was cosigned
}

// later reports whether c tells of more of the log than o, or of the same more recently.
func (c Confirmation) later(o Confirmation) bool {
	return c.Size > o.Size || c.Size == o.Size && c.At.After(o.At)
}

// objectOf names what the head store keeps of a witness.
func objectOf(key string) string { return "cosigned/" + short([]byte(key)) }

// Publish puts a cosigned checkpoint into the head store of the log it is of, where the trust page finds it, and returns
// what it confirms. The log must extend it, by its tiles: otherwise Conflict, and whoever asked holds the proof of a
// fork. Errors of sign.Trust.Verify and log.Reader come first; a checkpoint that no witness of the trust file has cosigned is
// sign.ErrUntrusted. An older confirmation never replaces a newer one; then nothing changes, and that is no error.
func Publish(ctx context.Context, tiles, head log.Objects, trust sign.Trust, cosigned []byte) ([]Confirmation, error) {
	seen, err := trust.Verify(cosigned)
	if err != nil {
		return nil, err
	}
	if len(seen.Witnesses) == 0 {
		return nil, &fault.Error{Kind: fault.Denied, Err: fmt.Errorf("publishing the checkpoint of size %d: no witness of the trust file has cosigned it: %w", seen.Size, sign.ErrUntrusted)}
	}
	newest, err := own(ctx, head, trust)
	if err != nil {
		return nil, err
	}
	// The log may grow meanwhile: what is proved is the checkpoint that was read.
	reader := log.NewReader(tiles, func(context.Context) ([]byte, error) { return newest.Signed, nil }, trust)
	verdict, err := compare(ctx, seen.Checkpoint, newest.Checkpoint, func(ctx context.Context, from int64) (tlog.TreeProof, error) {
		return reader.Consistency(ctx, from, newest.Size)
	})
	if err != nil {
		return nil, err
	}
	if verdict.Refused() {
		return nil, fault.New(fault.Conflict, "publishing the checkpoint of size %d: %s: the log here does not extend what was confirmed", seen.Size, verdict)
	}
	confirmed := confirmations(seen, cosigned)
	for _, c := range confirmed {
		if err := c.store(ctx, head, trust); err != nil {
			return nil, err
		}
	}
	return confirmed, nil
}

// store replaces what is kept of the witness, unless that is newer.
func (c Confirmation) store(ctx context.Context, head log.Objects, trust sign.Trust) error {
	const attempts = 5
	for range attempts {
		kept, err := head.Get(ctx, objectOf(c.Key))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading what %s confirmed before: %w", c.Name, err)
		}
		if before, found := read(kept.Data, trust, c.Key); found && !c.later(before) {
			return nil
		}
		_, err = head.Swap(ctx, objectOf(c.Key), c.Signed, kept.Generation)
		if err == nil {
			return nil
		}
		if !fault.Is(err, fault.Conflict) {
			return fmt.Errorf("publishing what %s confirmed: %w", c.Name, err)
		}
	}
	return fault.New(fault.Transient, "publishing what %s confirmed: others are", c.Name)
}

// Confirmations returns the last confirmation of each witness of the trust file that was published, or that the newest
// checkpoint bears itself, the most recent first. What a key outside the trust file signed, and what cannot be read,
// counts for nothing. NotFound as long as the log has no checkpoint.
func Confirmations(ctx context.Context, head log.Objects, trust sign.Trust) ([]Confirmation, error) {
	newest, err := own(ctx, head, trust)
	if err != nil {
		return nil, err
	}
	return published(ctx, head, trust, newest)
}

// Checkpoint returns the log's newest checkpoint as it was signed, with the signatures of witnesses that were published
// for that very checkpoint behind the others. Errors as of log.Reader.
func Checkpoint(ctx context.Context, head log.Objects, trust sign.Trust) ([]byte, error) {
	newest, err := own(ctx, head, trust)
	if err != nil {
		return nil, err
	}
	known, err := published(ctx, head, trust, newest)
	if err != nil {
		return nil, err
	}
	signed := bytes.Clone(newest.Signed)
	for _, c := range known {
		text, lines, _ := strings.Cut(string(c.Signed), "\n\n")
		if text+"\n" != newest.Text {
			continue
		}
		before, err := trust.Verify(signed)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(lines) {
			// A line is worth taking when it makes one witness more; one that is there already makes the note malformed.
			joined := append(bytes.Clone(signed), line...)
			if v, err := trust.Verify(joined); err == nil && len(v.Witnesses) > len(before.Witnesses) {
				signed = joined
				break
			}
		}
	}
	return signed, nil
}

// own reads the newest checkpoint of the log.
func own(ctx context.Context, head log.Objects, trust sign.Trust) (log.Checkpoint, error) {
	signed, err := log.Head(head)(ctx)
	if err != nil {
		return log.Checkpoint{}, err
	}
	verified, err := trust.Verify(signed)
	return log.Checkpoint{Verified: verified, Signed: signed}, err
}

func published(ctx context.Context, head log.Objects, trust sign.Trust, newest log.Checkpoint) ([]Confirmation, error) {
	known := map[string]Confirmation{}
	for _, c := range confirmations(newest.Verified, newest.Signed) {
		known[c.Key] = c
	}
	for _, k := range trust.Witnesses {
		o, err := head.Get(ctx, objectOf(k.Key))
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading what witnesses confirmed: %w", err)
		}
		// Longer than the log can be said of a log that was cut since: then the checkpoint itself is the news.
		if c, found := read(o.Data, trust, k.Key); found && c.Size <= newest.Size && c.later(known[k.Key]) {
			known[k.Key] = c
		}
	}
	var all []Confirmation
	for _, c := range known {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Confirmation) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Key, b.Key)) })
	return all, nil
}

// read returns what one witness confirmed by a cosigned checkpoint.
func read(signed []byte, trust sign.Trust, key string) (Confirmation, bool) {
	v, err := trust.Verify(signed)
	if err != nil {
		return Confirmation{}, false
	}
	all := confirmations(v, signed)
	i := slices.IndexFunc(all, func(c Confirmation) bool { return c.Key == key })
	if i < 0 {
		return Confirmation{}, false
	}
	return all[i], true
}

func confirmations(v sign.Verified, signed []byte) []Confirmation {
	var all []Confirmation
	for _, w := range v.Witnesses {
		name, _, _ := strings.Cut(w.Key, "+")
		all = append(all, Confirmation{name, w.Key, v.Size, w.At, signed})
	}
	return all
}
