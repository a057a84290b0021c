package record

import (
	"context"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// Inbox takes records. Whoever holds one can add, but neither replace nor delete nor read: a control that fell into
// wrong hands cannot rewrite what it has recorded. It is safe for concurrent use.
type Inbox interface {
	// Create keeps data under id and returns when it is durable. The same bytes again are nil: a retry. Other bytes
	// under the same id are Conflict, and the first ones stay; an inbox that cannot read what it keeps says nil to them
	// too. An object CheckObject refuses is Invalid. Transient when it may succeed later; it may have been kept.
	Create(ctx context.Context, id string, data []byte) error
	Close() error
}

// Options are what every driver receives.
type Options struct {
	Clock clock.Clock
	// Writer is who writes, by the name CheckWriter allows. Everything it keeps lies below that name in what the URL
	// points to: who handed in a record can be told from its place, where only it may write.
	Writer string
}

// Inboxes opens inboxes by URL: folder:DIR, gs://BUCKET/PREFIX.
var Inboxes = driver.NewRegistry[Options, Inbox]("evidence inbox")
