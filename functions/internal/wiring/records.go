package wiring

import (
	"context"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// code names the code that runs. Deployed, it is said by whoever deployed it; Misconfigured where it is not.
func code(o Options) (string, error) {
	said, set := o.Env(EnvCode)
	_, deployed := o.Env("K_SERVICE")
	switch {
	case o.Code != "":
		said = o.Code
	case !set && !deployed:
		return "", nil
	}
	if !record.IsDigest(said) {
		return "", fault.New(fault.Misconfigured, "%s is not the digest of the code, sha256: and 64 hexadecimal digits", EnvCode)
	}
	return said, nil
}

// openInboxes opens the function's own place in the evidence inbox, and those of the functions it sweeps for.
func (d *Deps) openInboxes(ctx context.Context, url string) error {
	d.inboxes = map[string]record.Inbox{}
	for _, writer := range append([]string{d.Manifest.Name}, d.Manifest.Sweeps...) {
		in, err := record.Inboxes.Open(ctx, url, record.Options{Clock: d.Clock, Writer: writer})
		if err != nil {
			return err
		}
		d.inboxes[writer] = in
	}
	d.Inbox = d.inboxes[d.Manifest.Name]
	return nil
}

// sinks is where the outbox delivers: messages to the bus, records to the evidence inbox, into the place of whoever wrote
// them.
func (d *Deps) sinks() map[outbox.Kind]outbox.Sink {
	sinks := map[outbox.Kind]outbox.Sink{}
	if d.Bus != nil {
		sinks[outbox.Message] = outbox.BusSink(d.Bus)
	}
	if d.Inbox != nil {
		sinks[outbox.Record] = d.handIn
	}
	return sinks
}

// handIn hands a record in. Denied: it is of a writer that this function does not sweep for.
func (d *Deps) handIn(ctx context.Context, e outbox.Entry) error {
	in, may := d.inboxes[e.Writer]
	if !may {
		return fault.New(fault.Denied, "handing in a record: %s does not sweep for whoever wrote it", d.Manifest.Name)
	}
	return in.Create(ctx, e.Key, e.Data)
}

// Outbox is an outbox in a store beside the control's own.
func (d *Deps) Outbox(s store.Store) *outbox.Box { return d.box(s) }

// box is the function's outbox in a database.
func (d *Deps) box(s store.Store) *outbox.Box {
	return outbox.New(s, d.Clock, d.Log, d.sinks()).By(d.Manifest.Name, func(data []byte) ([]byte, error) { return record.Stamp(data, d.Code) })
}
