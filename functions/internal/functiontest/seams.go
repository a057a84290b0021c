package functiontest

import (
	"context"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/bus/pubsub"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/mailbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/kms"
	"ostiary.internal/shared/platform/secret"
	"ostiary.internal/shared/platform/secret/secretmanager"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/firestore"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

// scheme is the scheme of the URLs by which functions reach the parts of their world. The world itself travels in
// the context: nothing is kept between tests.
const scheme = "world"

func init() {
	store.Drivers.Register(scheme, func(ctx context.Context, u *url.URL, o store.Options) (store.Store, error) {
		return from(ctx).store(u.Opaque, o)
	})
	bus.Drivers.Register(scheme, func(ctx context.Context, _ *url.URL, _ bus.Options) (bus.Publisher, error) {
		return publisher{from(ctx)}, nil
	})
	record.Inboxes.Register(scheme, func(ctx context.Context, _ *url.URL, o record.Options) (record.Inbox, error) {
		return inbox{from(ctx), o.Writer}, nil
	})
	seal.Drivers.Register(scheme, func(ctx context.Context, u *url.URL, _ seal.Options) (seal.Keys, error) {
		return keys{from(ctx), u.Opaque}, nil
	})
	secret.Drivers.Register(scheme, func(ctx context.Context, _ *url.URL, _ secret.Options) (secret.Store, error) {
		return vault{from(ctx)}, nil
	})
	directory.Drivers.Register(scheme, func(ctx context.Context, _ *url.URL, _ directory.Options) (directory.Directory, error) {
		return accounts{from(ctx)}, nil
	})
	message.Drivers.Register(scheme, func(ctx context.Context, _ *url.URL, _ message.Options) (message.Channel, error) {
		return from(ctx).channel()
	})
}

type openingKey struct{}

// opening is which function opens its seams in which world.
type opening struct {
	*World
	function manifest.Function
}

func from(ctx context.Context) opening { return ctx.Value(openingKey{}).(opening) }

// may returns Denied unless the manifest lists every permission on the resource.
func (o opening) may(resource string, permissions []string) error {
	for _, p := range permissions {
		if !slices.Contains(o.function.Permissions, manifest.Permission{Permission: p, Resource: resource}) {
			return fault.New(fault.Denied, "%s needs %s on %s, which its manifest does not list", o.function.Name, p, resource)
		}
	}
	return nil
}

// Audiences of the tokens of a World.
const (
	StaffAudience   = "/projects/0/global/backendServices/test"
	ServiceAudience = "https://function.test"
)

// ClientHeader tells functions the client's address.
const ClientHeader = "X-Client"

// variables is the environment of a function.
func (w *World) variables(m manifest.Function) wiring.Env {
	set := map[string]string{
		wiring.EnvStore: scheme + ":" + m.Control, wiring.EnvVault: scheme + ":vault", wiring.EnvBus: scheme + ":", wiring.EnvEvidence: scheme + ":", wiring.EnvSecrets: scheme + ":",
		wiring.EnvDirectory: scheme + ":", wiring.EnvSeal: scheme + ":otp", wiring.EnvSealMessage: scheme + ":message", wiring.EnvSealRequest: scheme + ":request", wiring.EnvSealBreach: scheme + ":breach", "OSTIARY_URL": "https://ostiary.test",
		wiring.EnvIdentity: "google:?audience=" + ServiceAudience, wiring.EnvInvoker: invoker(m.Name),
		wiring.EnvClient: "header:" + ClientHeader, wiring.EnvSourceCap: "60000000",
		"OSTIARY_MESSAGE": scheme + ":", "OSTIARY_TARGETS": w.targets(), wiring.EnvCode: record.Digest([]byte("the code under test")),
	}
	if m.Reads(wiring.EnvVault) {
		set[wiring.EnvSeal] = scheme + ":evidence"
	}
	if m.Callers == manifest.Staff {
		set[wiring.EnvIdentity] = "iap:?audience=" + StaffAudience
	}
	if issuer := w.Policy.Company.Issuer; m.Callers == manifest.Public && m.Reads(wiring.EnvIdentity) {
		set[wiring.EnvIdentity] = "oidc:" + issuer.URL + "?audience=" + issuer.Audience
	}
	return func(name string) (string, bool) {
		if value, ok := w.env[name]; ok {
			return value, value != ""
		}
		value, ok := set[name]
		return value, ok
	}
}

// targets gives every target of the policy a folder of its own.
func (w *World) targets() string {
	rules, _ := access.ReadRules(w.Policy)
	var urls []string
	for _, t := range rules.Targets {
		urls = append(urls, t.Name+"=file:"+filepath.Join(w.dir, "targets", t.Name))
	}
	return strings.Join(urls, ",")
}

// methods are the methods of the store seam that pass a point, as the driver's table of permissions names them.
var methods = map[storetest.Point]string{
	storetest.Get: "Store.Get", storetest.Query: "Store.Query", storetest.Begin: "Store.Tx", storetest.TxGet: "Tx.Get",
	storetest.TxQuery: "Tx.Query", storetest.TxCreate: "Tx.Create", storetest.TxPut: "Tx.Put", storetest.TxDelete: "Tx.Delete",
}

// store opens a database, a control's or the vault's; functions share it.
func (o opening) store(database string, options store.Options) (store.Store, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stores[database] == nil {
		s, err := memory.New(options)
		if err != nil {
			return nil, err
		}
		o.stores[database], o.schemas[database] = s, options.Schema
	}
	return storetest.Faulty(storetest.Twice(o.stores[database]), func(p storetest.Point, _ int) error {
		if p == storetest.Applied {
			return o.Applied.pass()
		}
		if err := o.may("database:"+database, firestore.Permissions[methods[p]]); err != nil {
			return err
		}
		return o.Store.pass()
	}), nil
}

// publisher accepts what it can and remembers it.
type publisher struct{ opening }

// Publish implements bus.Publisher.
func (p publisher) Publish(_ context.Context, topic string, m bus.Message) error {
	if err := p.may("topic:"+topic, pubsub.Permissions["Publish"]); err != nil {
		return err
	}
	if err := bus.Check(topic, m); err != nil {
		return err
	}
	if err := p.Bus.pass(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.published = append(p.published, Published{Topic: topic, Message: m, At: p.Clock.Now()})
	return nil
}

// Close implements bus.Publisher.
func (publisher) Close() error { return nil }

// keys is one key of the key service.
type keys struct {
	opening
	name string
}

func (k keys) allow(method string) error {
	gate := map[string]*Switch{"otp": &k.OTPKey, "message": &k.MessageKey, "evidence": &k.EvidenceKey, "request": &k.RequestKey, "breach": &k.BreachKey}[k.name]
	if err := k.may("key:"+k.name, kms.Permissions[method]); err != nil {
		return err
	}
	return gate.pass()
}

// Wrap implements seal.Keys.
func (k keys) Wrap(ctx context.Context, dataKey, bound []byte) ([]byte, string, error) {
	if err := k.allow("Keys.Wrap"); err != nil {
		return nil, "", err
	}
	return k.keys[k.name].Wrap(ctx, dataKey, bound)
}

// Unwrap implements seal.Keys.
func (k keys) Unwrap(ctx context.Context, wrapped, bound []byte) ([]byte, error) {
	if err := k.allow("Keys.Unwrap"); err != nil {
		return nil, err
	}
	return k.keys[k.name].Unwrap(ctx, wrapped, bound)
}

// Close implements seal.Keys.
func (keys) Close() error { return nil }

type vault struct{ opening }

// Get implements secret.Store.
func (v vault) Get(ctx context.Context, name string) ([]byte, error) {
	if err := v.may("secret:"+name, secretmanager.Permissions["Store.Get"]); err != nil {
		return nil, err
	}
	if err := v.Secrets.pass(); err != nil {
		return nil, err
	}
	return v.secrets.Get(ctx, name)
}

// Close implements secret.Store.
func (vault) Close() error { return nil }

type accounts struct{ opening }

// Lookup implements directory.Directory.
func (a accounts) Lookup(ctx context.Context, email string, maxAge time.Duration) (directory.Account, error) {
	if err := a.Directory.pass(); err != nil {
		return directory.Account{}, err
	}
	return a.People.Lookup(ctx, email, maxAge)
}

// Close implements directory.Directory.
func (accounts) Close() error { return nil }

// channel opens the mailbox that messages are sent to.
func (o opening) channel() (message.Channel, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mailbox == nil {
		opened, err := mailbox.Open(filepath.Join(o.dir, "mailbox.db"))
		if err != nil {
			return nil, err
		}
		o.mailbox = opened
	}
	return channel{o}, nil
}

type channel struct{ opening }

// Send implements message.Channel.
func (c channel) Send(ctx context.Context, m message.Message) (message.Outcome, error) {
	if err := c.Channel.pass(); err != nil {
		return message.Deferred, err
	}
	return c.mailbox.Send(ctx, m)
}

// Close implements message.Channel.
func (channel) Close() error { return nil }
