package asset

import (
	"context"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// Content is a kind of fact that is listed by itself.
type Content string

// The kinds of facts.
const (
	Resources Content = "resource"
	Policies  Content = "iam"
)

// Contents returns the kinds of facts.
func Contents() []Content { return []Content{Resources, Policies} }

// Source reads what there is. Keys are as Names writes them as far as the source knows the projects.
//
// A source never calls something gone because it could not read it: Denied, Exhausted, Transient and Misconfigured are errors
// of that kind, and only an answer that says so is a deletion.
type Source interface {
	// Scopes returns what is listed one by one, such as organizations/1 or projects/P: one that cannot be read leaves the others.
	Scopes() []string
	// List returns a page of the facts of one kind about the assets of some types in a scope; page is "" for the first, and what
	// the page before said for another. It may end before anything is found: only Next == "" is the end.
	List(ctx context.Context, scope string, what Content, kinds []string, page string) (Page, error)
	// Get reads an asset from the service that holds it: resource and policy as far as the service has them. What is gone is
	// an Asset with Deleted. NotFound: no service here can be asked about assets of the type; look at the next list.
	Get(ctx context.Context, kind, key string) (Asset, error)
	Close() error
}

// Page is a part of a list.
type Page struct {
	Assets []Asset
	Unread []string // why some could not be read: type and number of each, at most MaxUnread; no values
	Next   string   // of the page after this; "" after the last
	Read   time.Time
}

// MaxUnread bounds Page.Unread.
const MaxUnread = 50

// Options are what every source receives.
type Options struct {
	Clock clock.Clock
}

// Sources opens sources by URL: cloudasset:organizations/1 (several scopes with commas), folder:DIR with files as gcloud writes them.
var Sources = driver.NewRegistry[Options, Source]("assets")
