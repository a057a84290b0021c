package accesslevel

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"
	"google.golang.org/api/option"

	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// Bounds of what the service may answer.
const (
	page      = 50 // levels; one of 40 conditions with 200 addresses each takes less than 160 KiB, of googledoor.MostOfAnswer
	mostPages = 40
	mostPolls = 40 // of one operation; a little more than a minute
)

// dial makes the client at first use. Its log is ours to write, not its own: requests name people.
func dial(connect func(context.Context) (*http.Client, error), endpoint string) *lazy.Value[*acm.Service] {
	return lazy.New(func(ctx context.Context) (*acm.Service, error) {
		client, err := connect(ctx)
		if err != nil {
			return nil, err
		}
		options := []option.ClientOption{option.WithHTTPClient(googledoor.Guard(client)), option.WithLogger(slog.New(slog.DiscardHandler))}
		if endpoint != "" {
			options = append(options, option.WithEndpoint(endpoint))
		}
		made, err := acm.NewService(ctx, options...)
		if err != nil {
			return nil, fault.New(fault.Misconfigured, "connecting to Access Context Manager: %w", err)
		}
		return made, nil
	})
}

// list reads all levels of the policy and keeps ours. Misconfigured: there is none to write to.
func (t *Target) list(ctx context.Context) (*view, error) {
	service, err := t.service.Get(ctx)
	if err != nil {
		return nil, err
	}
	v, token := &view{prefix: t.full(""), ends: map[int64]string{}}, ""
	for pages := 0; pages == 0 || token != ""; pages++ {
		if pages == mostPages {
			return nil, fault.New(fault.Transient, "listing the levels of %s: no end after %d pages", t.policy, mostPages)
		}
		r, err := service.AccessPolicies.AccessLevels.List(t.policy).PageSize(page).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, googledoor.Reading(googledoor.Explain("listing the levels of "+t.policy, err))
		}
		for _, level := range r.AccessLevels {
			if level != nil {
				v.levels++
				v.sort(level)
			}
		}
		token = r.NextPageToken
	}
	if v.arrange(); len(v.shells) == 0 {
		return nil, fault.New(fault.Misconfigured, "listing the levels of %s: there is no %s_00; Terraform makes it", t.policy, t.name)
	}
	t.room.Store(v.room(t.size))
	return v, nil
}

func (t *Target) get(ctx context.Context, name string) (*acm.AccessLevel, error) {
	service, err := t.service.Get(ctx)
	if err != nil {
		return nil, err
	}
	level, err := service.AccessPolicies.AccessLevels.Get(name).Context(ctx).Do()
	return level, googledoor.Explain("reading level "+name, err)
}

// write changes the fields of mask, and waits until that is done. A list of conditions is replaced as a whole.
func (t *Target) write(ctx context.Context, level *acm.AccessLevel, mask string, enforce bool) error {
	return t.change(ctx, "writing level "+level.Name, enforce, func(levels *acm.AccessPoliciesAccessLevelsService) (*acm.Operation, error) {
		return levels.Patch(level.Name, level).UpdateMask(mask).Context(ctx).Do()
	})
}

func (t *Target) create(ctx context.Context, level *acm.AccessLevel) error {
	level.Title = strings.TrimPrefix(level.Name, t.policy+"/accessLevels/")
	return t.change(ctx, "making level "+level.Name, true, func(levels *acm.AccessPoliciesAccessLevelsService) (*acm.Operation, error) {
		return levels.Create(t.policy, level).Context(ctx).Do()
	})
}

func (t *Target) remove(ctx context.Context, name string) error {
	return t.change(ctx, "deleting level "+name, true, func(levels *acm.AccessPoliciesAccessLevelsService) (*acm.Operation, error) {
		return levels.Delete(name).Context(ctx).Do()
	})
}

// change makes one write, counts it, and waits for its operation.
func (t *Target) change(ctx context.Context, doing string, enforce bool, call func(*acm.AccessPoliciesAccessLevelsService) (*acm.Operation, error)) error {
	service, err := t.service.Get(ctx)
	if err != nil {
		return err
	}
	if err := t.writes.spend(t.options.Clock.Now(), enforce); err != nil {
		return err
	}
	op, err := call(service.AccessPolicies.AccessLevels)
	if err != nil {
		return googledoor.Explain(doing, err)
	}
	return t.wait(ctx, doing, service, op)
}

// An operation's name leads to a request: it may be a path, and nothing above it.
var operationForm = regexp.MustCompile(`^operations(/[A-Za-z0-9_-]{1,100}){1,8}$`)

// wait asks for an operation until it is done. Transient: it is not, after a minute.
func (t *Target) wait(ctx context.Context, doing string, service *acm.Service, op *acm.Operation) error {
	for polls := 0; !op.Done; polls++ {
		if !operationForm.MatchString(op.Name) || polls == mostPolls {
			return fault.New(fault.Transient, "%s: its operation does not end", doing)
		}
		if err := t.pause(ctx, min(100*time.Millisecond<<min(polls, 5), 2*time.Second)); err != nil {
			return fault.New(fault.Transient, "%s: waiting for its operation: %w", doing, err)
		}
		next, err := service.Operations.Get(op.Name).Context(ctx).Do()
		if err != nil {
			return googledoor.As(googledoor.Explain(doing+": reading its operation", err), map[fault.Kind]fault.Kind{fault.NotFound: fault.Transient})
		}
		op = next
	}
	if op.Error != nil {
		// The message may name a person; the code says enough.
		return fault.New(kindOf(op.Error.Code), "%s: its operation ended with code %d", doing, op.Error.Code)
	}
	return nil
}

// kindOf is what a code of google.rpc.Code means.
func kindOf(code int64) fault.Kind {
	kinds := map[int64]fault.Kind{3: fault.Misconfigured, 5: fault.NotFound, 6: fault.Conflict, 7: fault.Denied, 8: fault.Exhausted,
		9: fault.Conflict, 10: fault.Conflict, 16: fault.Denied}
	if kind, known := kinds[code]; known {
		return kind
	}
	return fault.Transient
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting: %w", ctx.Err())
	}
}
