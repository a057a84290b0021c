package world

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Kind is a way in which something around the functions fails.
type Kind string

// The kinds. A call that fails "before" has done nothing; of one whose answer is "lost" the work is done, and the caller is
// told otherwise. A rate is the chance of one call, but for a store's: there it is that of each point a transaction passes.
const (
	StoreBefore     Kind = "store.before"
	StoreLost       Kind = "store.lost"
	StoreTwice      Kind = "store.twice" // the body of a transaction runs twice before it is committed
	BusBefore       Kind = "bus.before"
	BusLost         Kind = "bus.lost"
	DeliveryTwice   Kind = "delivery.twice"          // at the same time, or almost
	DeliveryLate    Kind = "delivery.late"           // by seconds to a day of the clock that is moved
	DeliveryOrder   Kind = "delivery.order"          // overtaken by others, within a fifth of a real second
	DeliveryUnacked Kind = "delivery.unacknowledged" // handled, and the answer lost
	TargetBefore    Kind = "target.before"
	TargetPart      Kind = "target.part"  // some of the entries are written, then the write fails
	TargetOther     Kind = "target.other" // reads back once what does not stand there
	MessageRefused  Kind = "message.refused"
	MessageLost     Kind = "message.lost"   // taken, and the answer lost
	MessageSilent   Kind = "message.silent" // looked up afterwards, the channel does not say
	KeyOut          Kind = "key.out"        // an outage fails this call and up to nine more
	SecretOut       Kind = "secret.out"
	DirectoryOut    Kind = "directory.out"
	EvidenceBefore  Kind = "evidence.before" // the inbox of records
	EvidenceLost    Kind = "evidence.lost"
	LogBefore       Kind = "log.before" // the folders of the evidence log
	LogLost         Kind = "log.lost"
	DataBefore      Kind = "data.before" // the stores of what is erased
	DataLost        Kind = "data.lost"
	Slow            Kind = "slow"        // 1 to 50 ms more, of any call of those above
	AnswerLost      Kind = "answer.lost" // a client's connection ends when the function has done its work
)

// Kinds are all of them.
var Kinds = []Kind{
	StoreBefore, StoreLost, StoreTwice, BusBefore, BusLost, DeliveryTwice, DeliveryLate, DeliveryOrder, DeliveryUnacked, TargetBefore, TargetPart, TargetOther,
	MessageRefused, MessageLost, MessageSilent, KeyOut, SecretOut, DirectoryOut, EvidenceBefore, EvidenceLost, LogBefore, LogLost, DataBefore, DataLost, Slow, AnswerLost,
}

const (
	longestOutage = 10                    // calls
	longestSlow   = 50 * time.Millisecond // of the machine's clock, as are the next two
	longestTwice  = 50 * time.Millisecond
	longestOrder  = 200 * time.Millisecond
	longestLate   = 24 * time.Hour // of the clock that is moved
)

// errInjected is what an injected failure says of itself.
var errInjected = fault.New(fault.Transient, "an injected failure")

// Faults decides which calls fail, and counts them. It is safe for concurrent use. Its random stream follows from a seed and
// from how many faults were injected before this process: one start after another does not repeat the first.
type Faults struct {
	mu       sync.Mutex
	random   *rand.Rand
	rates    map[Kind]float64
	outages  map[Kind]int // calls that still fail
	injected map[Kind]int
	file     *os.File // a line for each fault, written before it is injected: what a killed process did is counted too
}

// openFaults continues the count in a file. All rates are 0.
func openFaults(path string, seed uint64) (*Faults, error) {
	f := &Faults{rates: map[Kind]float64{}, outages: map[Kind]int{}, injected: map[Kind]int{}}
	var before uint64
	kept, err := os.Open(path)
	if err == nil {
		lines := bufio.NewScanner(kept)
		for lines.Scan() {
			f.injected[Kind(lines.Text())]++
			before++
		}
		err = errors.Join(lines.Err(), kept.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading which faults were injected before: %w", err)
	}
	if f.file, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
		return nil, fmt.Errorf("counting injected faults: %w", err)
	}
	f.random = rand.New(rand.NewPCG(seed, before))
	return f, nil
}

// Close lets the file go.
func (f *Faults) Close() error { return f.file.Close() }

// Set sets all rates; those that are not given are 0. Invalid: a kind there is none of, or a rate that is no chance.
func (f *Faults) Set(rates map[Kind]float64) error {
	for kind, rate := range rates {
		if !slices.Contains(Kinds, kind) || rate < 0 || rate > 1 {
			return fault.Refuse(fault.Invalid, "rate_invalid", fmt.Sprintf("There is no fault %q at a rate of %g.", kind, rate), "Take one of the kinds that GET /_soak/faults lists, at a rate from 0 to 1.")
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.rates)
	clear(f.outages)
	for kind, rate := range rates {
		f.rates[kind] = rate
	}
	return nil
}

// state returns copies of the rates and of the counts.
func (f *Faults) state() (rates map[Kind]float64, injected map[Kind]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rates, injected = map[Kind]float64{}, map[Kind]int{}
	for _, kind := range Kinds {
		rates[kind], injected[kind] = f.rates[kind], f.injected[kind]
	}
	return rates, injected
}

// Under faults something is nearly always put off, and nobody waits for it; without, everything comes to rest.
const (
	hasty   = 200 * time.Millisecond
	patient = time.Minute
)

// patience is how long to wait for everything to come to rest.
func (f *Faults) patience() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, rate := range f.rates {
		if rate > 0 {
			return hasty
		}
	}
	return patient
}

type bearsKey struct{}

// bears marks what a function does under a context: it may be made to fail. Nothing else ever is.
func bears(ctx context.Context) context.Context { return context.WithValue(ctx, bearsKey{}, true) }

// spares takes the mark away again, for good.
func spares(ctx context.Context) context.Context { return context.WithValue(ctx, bearsKey{}, false) }

func borne(ctx context.Context) (may, decided bool) {
	may, decided = ctx.Value(bearsKey{}).(bool)
	return may, decided
}

// hit decides whether a call fails in a way.
func (f *Faults) hit(ctx context.Context, kind Kind) bool {
	if may, _ := borne(ctx); !may {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rates[kind] == 0 || f.random.Float64() >= f.rates[kind] {
		return false
	}
	return f.inject(kind)
}

// outage is the error of a call that falls into an outage, or begins one; nil for most.
func (f *Faults) outage(ctx context.Context, kind Kind) error {
	f.drag(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	may, _ := borne(ctx)
	switch {
	case !may:
		return nil
	case f.outages[kind] > 0:
		f.outages[kind]--
	case f.rates[kind] == 0 || f.random.Float64() >= f.rates[kind]:
		return nil
	default:
		f.outages[kind] = f.random.IntN(longestOutage)
	}
	if !f.inject(kind) {
		return nil
	}
	return errInjected
}

// inject counts a fault. One that cannot be counted is not injected. The lock is held.
func (f *Faults) inject(kind Kind) bool {
	if _, err := f.file.WriteString(string(kind) + "\n"); err != nil {
		return false
	}
	f.injected[kind]++
	return true
}

// upTo returns a random time of at least a thousandth of the longest.
func (f *Faults) upTo(longest time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	least := longest / 1000
	return least + time.Duration(f.random.Int64N(int64(longest-least)))
}

// drag makes a call slow, now and then.
func (f *Faults) drag(ctx context.Context) {
	if f.hit(ctx, Slow) {
		pause(ctx, f.upTo(longestSlow))
	}
}

// before is the error of a call that is to do nothing; nil for most.
func (f *Faults) before(ctx context.Context, kind Kind) error {
	f.drag(ctx)
	if f.hit(ctx, kind) {
		return errInjected
	}
	return nil
}

// lost is the error in place of the answer of a call that has done its work; nil for most.
func (f *Faults) lost(ctx context.Context, kind Kind) error {
	if f.hit(ctx, kind) {
		return errInjected
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
