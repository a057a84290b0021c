// Package checkup examines a deployed installation: whether everything is there as it was released, and what of it is blind.
//
// # What it promises
//
// It reads and changes nothing. Each check ends ok, wrong or undetermined, and the last two say what to do next. What could not
// be read is undetermined, never ok. What is released is compared by package self, the way the drift control does it each night;
// here everything is asked of the service that holds it, so that what was applied a minute ago counts. Requests are bounded in
// number at a time, asked again where Google asks for patience, and go to Google's APIs and to the installation's own site alone.
//
// # What it does not do
//
// It reads no evidence, no secret and no personal data; of the access database it reads how the proof of the client address
// stands. It does not look at organisation policies, at quotas, at costs, or at what DNS says elsewhere than here. What
// Cloud Monitoring tells is some minutes old.
package checkup

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/rule"
)

// State is what a check came to. It is printed in JSON, hence a string.
type State string

// The states. Told is neither right nor wrong: something a person should know, such as who else may read what is kept.
const (
	OK           State = "ok"
	Wrong        State = "wrong"
	Undetermined State = "undetermined"
	Told         State = "told"
)

// Check is one thing that was looked at.
type Check struct {
	Area    string `json:"area"`
	Subject string `json:"subject"` // what was looked at, as its service calls it
	State   State  `json:"state"`
	Found   string `json:"found"`          // what there is, in plain words
	Next    string `json:"next,omitempty"` // what to do, where it is not ok
}

// Report is everything that was looked at: what is wrong first, then what is not known, each in the order of the areas.
type Report struct {
	Project string    `json:"project"`
	At      time.Time `json:"at"`
	State   State     `json:"state"` // ok, wrong, or undetermined where nothing is wrong
	Checks  []Check   `json:"checks"`
	Unasked []string  `json:"unasked"` // what was not looked at, and why
	Asked   int64     `json:"asked"`   // requests
}

// Options say what is examined. Project and Functions are required.
type Options struct {
	Project  string // id of the project of the functions
	Evidence string // of the project of the evidence log and the signing keys; "" for that of the key by which the log is signed
	Watchdog string // of the project of the watchdog; "" not to look at it

	Manifests [][]byte                // of all functions of the house
	Schemas   map[string]store.Schema // what each database keeps, by its name
	Released  map[string]string       // digest of the code of each function that ought to run; nil for what the deployment says of itself
	// Blind returns what the rules of a policy need and do not see, by the services whose Data Access logs are on and the other
	// streams that are written; nil where nobody said which policy.
	Blind func(on, streams []string) []rule.Need
	// Deploys are accounts that may act as the functions' own to deploy them.
	Deploys []string
	Skip    []string // areas that are left out

	Client func(context.Context) (*http.Client, error) // authorised for Google's APIs
	Site   http.RoundTripper                           // to the installation's own site; nil for the default
	Clock  clock.Clock
	Pause  func(context.Context, time.Duration) error // between two tries; nil waits
	Asked  func()                                     // called after each request, from any goroutine; may be nil
}

// area is a part of the installation that is looked at by itself.
type area struct {
	name string
	look func(context.Context, *visit)
}

// areas are all of them, in the order in which they are told.
func areas() []area {
	return []area{
		{"clock", clocks}, {"functions", deployments}, {"accounts", nil}, {"grants", grants}, {"streams", streams}, {"messages", messages}, {"schedules", schedules},
		{"policy", policies}, {"secrets", secrets}, {"keys", keys}, {"databases", databases}, {"evidence", evidence}, {"log", evidenceLog}, {"inbox", func(ctx context.Context, v *visit) { v.inbox(ctx) }}, {"site", site}, {"address", addresses}, {"doors", doors},
		{"alarms", alarms}, {"watchdog", watchdog},
	}
}

// Areas returns the names of what is looked at, in the order in which it is told.
func Areas() []string {
	var all []string
	for _, a := range areas() {
		all = append(all, a.name)
	}
	return all
}

// visit is one examination.
type visit struct {
	Options
	wire      *wire
	source    asset.Source
	functions []manifest.Function
	there     map[string]deployed // what is deployed, by name of the function
	expected  self.Expected
	untold    bool             // the deployment does not say what was deployed: told once, and not of each function
	live      *asset.Inventory // written before the areas are looked at, and only read by them
	failed    map[string]bool  // types of which a list could not be read
	missed    map[string]bool  // assets that could not be read, by key: told as such already

	mu  sync.Mutex
	out Report
}

// Examine looks at an installation. An error: nothing could be asked at all; what to do is in its Next.
func Examine(ctx context.Context, o Options) (Report, error) {
	v, err := begin(ctx, o)
	if err != nil {
		return Report{}, err
	}
	if err := v.deployments(ctx); err != nil {
		return Report{}, err
	}
	v.gather(ctx)
	v.itself()
	var all sync.WaitGroup
	for _, a := range areas() {
		switch {
		case slices.Contains(v.Skip, a.name):
			v.unasked(a.name + ": left out by --skip")
		case a.look != nil:
			all.Go(func() { a.look(ctx, v) })
		}
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return Report{}, fault.New(fault.Transient, "examining %s: %w", o.Project, err)
	}
	return v.report(), nil
}

// begin checks the options and connects.
func begin(ctx context.Context, o Options) (*visit, error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	v := &visit{Options: o, there: map[string]deployed{}, live: asset.NewInventory(), failed: map[string]bool{}, missed: map[string]bool{}}
	v.out = Report{Project: o.Project, At: o.Clock.Now().UTC(), Checks: []Check{}, Unasked: []string{}}
	for _, raw := range o.Manifests {
		f, err := manifest.Parse(raw)
		if err != nil {
			return nil, fault.New(fault.Misconfigured, "%w", err)
		}
		v.functions = append(v.functions, f)
	}
	var err error
	v.wire, err = connect(ctx, o)
	if err != nil {
		return nil, err
	}
	v.source, err = v.wire.assets(o.Project)
	return v, err
}

// watched are the projects whose logs have to arrive; this one alone, where nobody says.
func (v *visit) watched() []string {
	if v.untold {
		return []string{v.Project}
	}
	return v.expected.Watched
}

// say adds a check, unless its area is left out.
func (v *visit) say(c Check) {
	if slices.Contains(v.Skip, c.Area) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.out.Checks = append(v.out.Checks, c)
}

func (v *visit) ok(area, subject, found string) { v.say(Check{area, subject, OK, found, ""}) }

func (v *visit) wrong(area, subject, found, next string) {
	v.say(Check{area, subject, Wrong, found, next})
}

func (v *visit) told(area, subject, found string) { v.say(Check{area, subject, Told, found, ""}) }

// asset is what was read of something; false where nothing was, or it is gone. An inventory is for one at a time.
func (v *visit) asset(kind, key string) (*asset.Asset, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a, is := v.live.Get(kind, key)
	return a, is && !a.Deleted
}

// of are the assets of a type that are there.
func (v *visit) of(kind string) []*asset.Asset {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.live.Of(kind))
}

// unsure says that something could not be read, and what to do about it.
func (v *visit) unsure(area, subject string, err error) {
	v.say(Check{area, subject, Undetermined, err.Error(), next(err)})
}

func (v *visit) unasked(why string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.out.Unasked = append(v.out.Unasked, why)
}

// report puts what was said into order.
func (v *visit) report() Report {
	order, weight := Areas(), []State{Wrong, Undetermined, Told, OK}
	r := v.out
	slices.SortStableFunc(r.Checks, func(a, b Check) int {
		return cmp.Or(cmp.Compare(slices.Index(weight, a.State), slices.Index(weight, b.State)),
			cmp.Compare(slices.Index(order, a.Area), slices.Index(order, b.Area)), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Found, b.Found))
	})
	slices.Sort(r.Unasked)
	r.Asked, r.State = v.wire.count.Load(), OK
	if len(r.Checks) > 0 && r.Checks[0].State != Told {
		r.State = r.Checks[0].State
	}
	return r
}
