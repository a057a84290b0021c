package log

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ostiary.internal/shared/platform/fault"
)

// The ids of what entered the log lie in the head store, ids/HOUR-PART, for as long as Window. A part has a size up to
// which it pays to write it anew with every batch.
const (
	idsPrefix = "ids/"
	hourForm  = "2006-01-02T15"
	maxPart   = 20_000
)

// ids is one of these objects. Batch is the last that added to it: batches come in order, so it has all before. Of each
// record that entered it has what taken returns.
type ids struct {
	V     int      `json:"v"`
	Batch int64    `json:"batch"`
	IDs   []string `json:"ids"`
}

// taken is how it is written down that a record entered the log: its id, and the print of its bytes.
func taken(id string, leaf []byte) string {
	p := printOf(leaf)
	return id + " " + letters.EncodeToString(p[:])
}

// place returns where the ids of the batch behind h go, and how many are there then.
func (s *Sequencer) place(h head, n int, now time.Time) (name string, count int) {
	hour := idsPrefix + now.UTC().Format(hourForm)
	part := 0
	if last, found := strings.CutPrefix(h.IDs, hour+"-"); found {
		if h.Count < s.part {
			return h.IDs, h.Count + n
		}
		fmt.Sscanf(last, "%d", &part)
		part++
	}
	return fmt.Sprintf("%s-%04d", hour, part), n
}

// remember adds the ids of a batch to where they belong. It may be repeated, also when later batches are there.
func remember(ctx context.Context, objects Objects, name string, b staged) error {
	for range attempts {
		old, err := objects.Get(ctx, name)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading the ids of the last hour: %w", err)
		}
		kept := ids{V: version}
		if err == nil {
			if kept, err = parseIDs(name, old.Data); err != nil {
				return err
			}
		}
		if len(b.IDs) == 0 || kept.Batch >= b.Batch {
			return nil
		}
		kept.Batch, kept.IDs = b.Batch, append(kept.IDs, b.IDs...)
		data, err := json.Marshal(kept)
		if err != nil {
			return fmt.Errorf("encoding ids: %w", err)
		}
		if _, err = objects.Swap(ctx, name, data, old.Generation); err == nil || !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return fault.New(fault.Transient, "keeping the ids of batch %d: others are", b.Batch)
}

func parseIDs(name string, data []byte) (ids, error) {
	var kept ids
	if err := json.Unmarshal(data, &kept); err != nil || kept.V != version {
		return ids{}, fault.New(fault.Misconfigured, "%s is not a list of ids in version %d", name, version)
	}
	return kept, nil
}

// window is what of it is in memory, and as of which batch.
type window struct {
	mu    sync.RWMutex
	batch int64
	parts map[string]part
}

type part struct {
	generation int64 // 0 when our own batches added to it since it was read
	known      map[id]print
}

// id is a record's id in the least memory: a busy log has a million in the window. print tells its bytes from others
// under the same id: as much of a hash as nobody finds a second text for.
type (
	id    [20]byte
	print [16]byte
)

func printOf(leaf []byte) print {
	sum := sha256.Sum256(leaf)
	return print(sum[:16])
}

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func parseID(text string) (id, bool) {
	var raw id
	if len(text) != letters.EncodedLen(len(raw)) {
		return raw, false
	}
	n, err := letters.Decode(raw[:], []byte(text))
	return raw, err == nil && n == len(raw) // it passes over line ends
}

func newWindow() *window { return &window{parts: map[string]part{}} }

// has returns the print of what entered the log under an id.
func (w *window) has(text string) (leaf print, found bool) {
	key, ok := parseID(text)
	if !ok {
		return leaf, false
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	for _, p := range w.parts {
		if leaf, found = p.known[key]; found {
			return leaf, true
		}
	}
	return leaf, false
}

// add takes the ids of our own batch in, which are stored.
func (w *window) add(h head, all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batch = h.Batch
	p := w.parts[h.IDs]
	if p.known == nil {
		p.known = map[id]print{}
	}
	p.generation = 0
	p.add(all)
	w.parts[h.IDs] = p
}

// add takes in what taken wrote. A text it did not write is no id of a record, and nothing is known of it.
func (p part) add(all []string) {
	for _, text := range all {
		name, printed, _ := strings.Cut(text, " ")
		key, ok := parseID(name)
		raw, err := letters.DecodeString(printed)
		if ok && err == nil && len(raw) == len(print{}) {
			p.known[key] = print(raw)
		}
	}
}

// refresh reads what others have added up to a batch, and deletes what is older than Window.
func (w *window) refresh(ctx context.Context, objects Objects, batch int64, now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	oldest := idsPrefix + now.UTC().Add(-Window-time.Hour).Format(hourForm)
	if w.batch == batch && !w.holdsOlder(oldest) {
		return nil
	}
	fresh := map[string]part{}
	var mu sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(fanOut)
	for after := ""; ; {
		listed, err := objects.List(ctx, idsPrefix, after, pageSize)
		if err != nil {
			return fmt.Errorf("listing the ids of the last days: %w", err)
		}
		for _, l := range listed {
			after = l.Name
			if l.Name < oldest {
				group.Go(func() error { return objects.Delete(groupCtx, l.Name, l.Generation) })
				continue
			}
			if p := w.parts[l.Name]; p.generation == l.Generation {
				mu.Lock()
				fresh[l.Name] = p
				mu.Unlock()
				continue
			}
			group.Go(func() error {
				p, err := readPart(groupCtx, objects, l.Name)
				mu.Lock()
				defer mu.Unlock()
				fresh[l.Name] = p
				return err
			})
		}
		if len(listed) < pageSize {
			break
		}
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("reading the ids of the last days: %w", err)
	}
	w.batch, w.parts = batch, fresh
	return nil
}

func (w *window) holdsOlder(oldest string) bool {
	for name := range w.parts {
		if name < oldest {
			return true
		}
	}
	return false
}

func readPart(ctx context.Context, objects Objects, name string) (part, error) {
	o, err := objects.Get(ctx, name)
	if err != nil {
		return part{}, err
	}
	kept, err := parseIDs(name, o.Data)
	p := part{o.Generation, make(map[id]print, len(kept.IDs))}
	p.add(kept.IDs)
	return p, err
}
