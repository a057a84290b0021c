// Package secretmanager reads secrets from Google Secret Manager. Every version is pinned: by the reference
// (NAME@VERSION) or by the store's URL; the alias "latest" is never asked for, so that a new version goes live by
// a reviewed change and not by itself. It writes nothing: Terraform makes secrets, people add versions.
package secretmanager

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/crc32"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	api "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
	"ostiary.internal/shared/platform/secret"
)

// Permissions names, for each method of the seam, the IAM permissions it needs on the secret.
var Permissions = map[string][]string{
	"Store.Get": {"secretmanager.versions.access"},
}

// MaxAge is how long a value is remembered: a version that was disabled is in use for no longer than this.
const MaxAge = 5 * time.Minute

// callTimeout ends one call with all the client's own retries.
const callTimeout = 10 * time.Second

var projectName = regexp.MustCompile(`^[a-z0-9.:-]{1,100}$`)

func init() {
	secret.Drivers.Register("secretmanager", func(_ context.Context, u *url.URL, o secret.Options) (secret.Store, error) {
		if u.Opaque != "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
			return nil, fault.New(fault.Misconfigured, "secretmanager: want secretmanager://PROJECT?pin=NAME:VERSION,...")
		}
		pins, err := readPins(u.RawQuery)
		if err != nil {
			return nil, err
		}
		return New(u.Host, pins, o.Clock, func(ctx context.Context) (*api.Client, error) { return api.NewClient(ctx) })
	})
}

// readPins reads pin=NAME:VERSION,NAME:VERSION; the option may be repeated, a name may not.
func readPins(query string) (map[string]int, error) {
	options, err := url.ParseQuery(query)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "secretmanager: the URL's options are malformed")
	}
	pins := map[string]int{}
	for option, given := range options {
		if option != "pin" {
			return nil, fault.New(fault.Misconfigured, "secretmanager: the only option is pin=NAME:VERSION,...")
		}
		for pin := range strings.SplitSeq(strings.Join(given, ","), ",") {
			name, number, _ := strings.Cut(pin, ":")
			_, version, err := secret.Parse(name + "@" + number)
			if err != nil {
				return nil, fmt.Errorf("secretmanager: reading a pin: %w", err)
			}
			if _, twice := pins[name]; twice {
				return nil, fault.New(fault.Misconfigured, "secretmanager: secret %q is pinned twice", name)
			}
			pins[name] = version
		}
	}
	return pins, nil
}

// Store reads the secrets of one project.
type Store struct {
	project string
	pins    map[string]int
	clock   clock.Clock
	client  *lazy.Value[*api.Client]

	mu     sync.Mutex
	cached map[string]value
}

type value struct {
	bytes []byte
	read  time.Time
}

// New returns the secrets of project; pins names the version of each secret that is asked for without one. A nil
// clock is the system's. connect runs at the first call.
func New(project string, pins map[string]int, clk clock.Clock, connect func(context.Context) (*api.Client, error)) (*Store, error) {
	if !projectName.MatchString(project) {
		return nil, fault.New(fault.Misconfigured, "secretmanager: %q is not a project", project)
	}
	return &Store{
		project: project, pins: pins, clock: cmp.Or[clock.Clock](clk, clock.System{}),
		client: lazy.New(connect), cached: map[string]value{},
	}, nil
}

// Get returns a value, at most MaxAge old. A name without a version that the URL does not pin is Misconfigured, as
// is a version that is disabled or destroyed; a reply whose checksum is absent or wrong is Transient.
func (s *Store) Get(ctx context.Context, reference string) ([]byte, error) {
	name, version, err := secret.Parse(reference)
	if err != nil {
		return nil, err
	}
	if version == 0 {
		version = s.pins[name]
	}
	if version == 0 {
		return nil, fault.New(fault.Misconfigured, "reading secret %q: no version is pinned; add pin=%s:VERSION to the store's URL", name, name)
	}
	resource := fmt.Sprintf("projects/%s/secrets/%s/versions/%d", s.project, name, version)
	if held, ok := s.remembered(resource); ok {
		return held, nil
	}
	data, err := s.access(ctx, resource)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cached[resource] = value{bytes.Clone(data), s.clock.Now()}
	return data, nil
}

// Close closes the connection, if one was made, and wipes what is remembered.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, held := range s.cached {
		clear(held.bytes)
	}
	clear(s.cached)
	return lazy.Close(s.client)
}

func (s *Store) remembered(resource string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.cached[resource]
	if !ok || s.clock.Now().Sub(held.read) >= MaxAge {
		return nil, false
	}
	return bytes.Clone(held.bytes), true
}

func (s *Store) access(ctx context.Context, resource string) ([]byte, error) {
	client, err := s.client.Get(ctx)
	if err != nil {
		return nil, fault.New(fault.Transient, "connecting to Secret Manager: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := client.AccessSecretVersion(ctx, &secretmanagerpb.AccessSecretVersionRequest{Name: resource})
	if err != nil {
		return nil, fault.New(kindOf(err), "reading %s: %w", resource, err)
	}
	payload := reply.GetPayload()
	sum := crc32.Checksum(payload.GetData(), crc32.MakeTable(crc32.Castagnoli))
	if payload == nil || payload.DataCrc32C == nil || payload.GetDataCrc32C() != int64(sum) {
		return nil, fault.New(fault.Transient, "reading %s: the value does not match its checksum", resource)
	}
	return payload.GetData(), nil
}

func kindOf(err error) fault.Kind {
	switch status.Code(err) {
	case codes.NotFound:
		return fault.NotFound
	case codes.PermissionDenied, codes.Unauthenticated:
		return fault.Denied
	case codes.FailedPrecondition, codes.InvalidArgument, codes.Unimplemented:
		return fault.Misconfigured // the version is disabled or destroyed, or the service is off
	}
	return fault.Transient
}
