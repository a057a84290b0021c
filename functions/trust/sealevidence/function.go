// Package sealevidence takes records from the evidence inbox into the log, each minute, and signs how far the log goes.
// It is the only one who may write the log and use its key.
package sealevidence

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/internal/writers"
	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/evidence/log/gcs"
	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/evidence/sign/kms"
	_ "ostiary.internal/shared/platform/identity/google"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Build: build}

func init() { functions.HTTP("sealevidence", Function.Entry()) }

// Names of the environment variables, besides those of package evidence.
const (
	EnvInbox  = "OSTIARY_LOG_INBOX"   // what controls know as OSTIARY_EVIDENCE, as a store of the log
	EnvKeys   = "OSTIARY_SIGNING_KEY" // URLs of sign.Signers separated by spaces, the present key first
	EnvOrigin = "OSTIARY_LOG_ORIGIN"  // of the log, and the name of its keys
)

// sealevidence is one instance.
type sealevidence struct {
	*wiring.Deps
	sequencer *log.Sequencer
	keys      *keys
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	c := log.Config{Clock: d.Clock, Log: d.Log, Policy: d.PolicyDigest(), Code: d.Code}
	var err error
	if c.Origin, err = variable(d, EnvOrigin); err != nil {
		return web.Function{}, err
	}
	if c.Writers, err = writers.All(); err != nil {
		return web.Function{}, err
	}
	c.Names = writers.Names(d.Policy)
	if c.Inbox, err = open(ctx, d, EnvInbox, log.Stores.Open, log.Options{Clock: d.Clock}); err != nil {
		return web.Function{}, err
	}
	l, err := evidence.Open(ctx, d)
	if err != nil {
		return web.Function{}, err
	}
	c.Tiles, c.Head = l.Tiles, l.Head
	if c.Signers, err = signers(ctx, d); err != nil {
		return web.Function{}, err
	}
	inbox, err := open(ctx, d, wiring.EnvEvidence, record.Inboxes.Open, record.Options{Clock: d.Clock, Writer: d.Manifest.Name})
	if err != nil {
		return web.Function{}, err
	}
	s := &sealevidence{Deps: d, keys: &keys{signers: c.Signers, trust: l.Trust, head: l.Head, inbox: inbox, clock: d.Clock, config: d.PolicyDigest(), code: d.Code}}
	if s.sequencer, err = log.New(c); err != nil {
		return web.Function{}, err
	}
	return d.Served(machine.Routes(d, machine.On{Tick: s.tick})...)
}

func variable(d *wiring.Deps, name string) (string, error) {
	value, _ := d.Env(name)
	if value == "" {
		return "", fault.New(fault.Misconfigured, "%s: %s is not set", d.Manifest.Name, name)
	}
	return value, nil
}

// open opens the URL in a variable.
func open[O, T any](ctx context.Context, d *wiring.Deps, name string, by func(context.Context, string, O) (T, error), options O) (T, error) {
	var none T
	url, err := variable(d, name)
	if err != nil {
		return none, err
	}
	opened, err := by(ctx, url, options)
	if err != nil {
		return none, fmt.Errorf("%s: opening %s: %w", d.Manifest.Name, name, err)
	}
	return opened, nil
}

func signers(ctx context.Context, d *wiring.Deps) ([]sign.Signer, error) {
	list, err := variable(d, EnvKeys)
	if err != nil {
		return nil, err
	}
	var all []sign.Signer
	for url := range strings.FieldsSeq(list) {
		s, err := sign.Signers.Open(ctx, url, sign.Options{Clock: d.Clock})
		if err != nil {
			return nil, fmt.Errorf("%s: opening %s: %w", d.Manifest.Name, EnvKeys, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// tick is one pass. The log goes on when a change of keys cannot be written down, and the other way round; but keys of an
// earlier time sign nothing.
func (s *sealevidence) tick(ctx context.Context) error {
	announced := s.keys.announce(ctx)
	if errors.Is(announced, errSetBack) {
		return announced
	}
	report, err := s.sequencer.Run(ctx)
	if report.Added > 0 || report.Refused > 0 || report.Stuck > 0 {
		s.Log.InfoContext(ctx, "evidence was sealed", "added", report.Added, "duplicates", report.Duplicates, "refused", report.Refused, "stuck", report.Stuck, "size", report.Size)
	}
	return errors.Join(announced, err)
}
