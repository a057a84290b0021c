// Package evidence opens the evidence log for functions that read or seal it. It promises that what is read through the Reader
// was signed by a key of the trust file; the stores beside it give bytes as they lie there.
package evidence

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// Names of the environment variables. The stores are URLs of log.Stores; the trust file is given as its JSON text.
const (
	EnvTiles = "OSTIARY_LOG_TILES"
	EnvHead  = "OSTIARY_LOG_HEAD"
	EnvTrust = "OSTIARY_TRUST"
)

// Log is the evidence log of this installation.
type Log struct {
	Tiles, Head log.Objects
	Reader      *log.Reader
	Trust       sign.Trust
}

// Open opens it. A variable that is missing or cannot be read is Misconfigured.
func Open(ctx context.Context, d *wiring.Deps) (*Log, error) {
	l := &Log{}
	for name, into := range map[string]*log.Objects{EnvTiles: &l.Tiles, EnvHead: &l.Head} {
		url, _ := d.Env(name)
		if url == "" {
			return nil, fault.New(fault.Misconfigured, "%s: %s is not set", d.Manifest.Name, name)
		}
		opened, err := log.Stores.Open(ctx, url, log.Options{Clock: d.Clock})
		if err != nil {
			return nil, fmt.Errorf("%s: opening %s: %w", d.Manifest.Name, name, err)
		}
		*into = opened
	}
	text, _ := d.Env(EnvTrust)
	trust, err := sign.ReadTrust([]byte(text))
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "%s: reading %s: %w", d.Manifest.Name, EnvTrust, err)
	}
	l.Trust = trust
	l.Reader = log.NewReader(l.Tiles, log.Head(l.Head), trust)
	return l, nil
}

// Newest is the newest checkpoint, and when the last records before it entered the log.
type Newest struct {
	log.Checkpoint
	Sealed time.Time
}

// Newest returns the newest checkpoint, verified. Errors as of log.Reader.
func (l *Log) Newest(ctx context.Context) (Newest, error) {
	c, err := l.Reader.Checkpoint(ctx)
	if err != nil {
		return Newest{}, err
	}
	sealed, err := log.Sealed(ctx, l.Head)
	return Newest{c, sealed}, err
}

// Checkpoint is the name of the newest checkpoint in the head store.
const Checkpoint = "checkpoint"

// Root writes a root hash as checkpoints do.
func Root(c log.Checkpoint) string { return base64.StdEncoding.EncodeToString(c.Root[:]) }
